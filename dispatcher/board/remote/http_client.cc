#include "dispatcher/board/remote/http_client.h"

#include <algorithm>
#include <atomic>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <charconv>
#include <chrono>
#include <mutex>
#include <optional>
#include <thread>

#include "dispatcher/system/clocks.h"

namespace holdfast {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using Error = boost::system::error_code;
using Tcp = asio::ip::tcp;
using TlsStream = asio::ssl::stream<Tcp::socket&>;

std::string small(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

std::int64_t number_in(std::string_view text, std::int64_t otherwise) {
  std::int64_t n = otherwise;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), n);
  return parsed.ec == std::errc{} && parsed.ptr == text.data() + text.size() ? n : otherwise;
}

// One connection with a loop of its own: each step is begun, and waited for until it is done or the deadline
// has passed. What is not done then is ended by closing the socket, so nothing of it can happen later from
// here.
class Connection {
 public:
  Connection(asio::ssl::context* tls, const Url& url) : url_(url) {
    if (tls != nullptr) tls_.emplace(socket_, *tls);
  }

  // Empty: connected.
  std::string connect(const Deadline& deadline) {
    std::optional<Error> end;
    Tcp::resolver resolver(io_);
    Tcp::resolver::results_type found;
    resolver.async_resolve(url_.host, url_.port, [&](Error error, Tcp::resolver::results_type results) {
      end = error;
      found = std::move(results);
    });
    if (!wait(end, deadline)) return "the name " + url_.host + " was not resolved in time";
    if (*end) return url_.host + ": " + end->message();
    end.reset();
    asio::async_connect(socket_, found, [&](Error error, const Tcp::endpoint&) { end = error; });
    if (!wait(end, deadline)) return "no connection to " + url_.authority() + " in time";
    if (*end) return url_.authority() + ": " + end->message();
    Error ignored;
    ignored = socket_.set_option(Tcp::no_delay(true), ignored);
    if (!tls_) return {};
    // As SSL_set_tlsext_host_name, which is a macro with a cast of the old kind in it.
    if (SSL_ctrl(tls_->native_handle(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                 url_.host.data()) != 1)
      return "TLS: no server name";
    tls_->set_verify_callback(asio::ssl::host_name_verification(url_.host));
    end.reset();
    tls_->async_handshake(asio::ssl::stream_base::client, [&](Error error) { end = error; });
    if (!wait(end, deadline)) return "no TLS with " + url_.authority() + " in time";
    return *end ? "TLS with " + url_.authority() + ": " + end->message() : std::string();
  }

  // `answered`: something of the answer has come.
  HttpReply exchange(const std::string& request, bool head, std::size_t body_max, const Deadline& deadline,
                     bool& answered, bool& keep) {
    HttpReply reply;
    reply.transport = Transport::cut;
    std::optional<Error> end;
    const auto written = [&](Error error, std::size_t) { end = error; };
    if (tls_)
      asio::async_write(*tls_, asio::buffer(request), written);
    else
      asio::async_write(socket_, asio::buffer(request), written);
    if (!wait(end, deadline)) return timed_out("it could not be sent to its end in time");
    // One that closes while it is being written to may have answered before.
    http::response_parser<http::string_body> parser;
    parser.body_limit(body_max);
    parser.header_limit(64 << 10);
    if (head) parser.skip(true);
    end.reset();
    const auto read = [&](Error error, std::size_t) { end = error; };
    if (tls_)
      http::async_read(*tls_, buffer_, parser, read);
    else
      http::async_read(socket_, buffer_, parser, read);
    const bool in_time = wait(end, deadline);
    answered = parser.got_some();
    if (!in_time) return timed_out(answered ? "its answer was not complete in time" : "no answer in time");
    if (*end) {
      reply.words = answered && parser.is_header_done() ? "cut in the body of its answer: " : "";
      reply.words += url_.authority() + ": " + end->message();
      if (parser.is_header_done()) reply.status = static_cast<int>(parser.get().result_int());
      return reply;
    }
    // What came beyond it answers nothing that was asked.
    keep = parser.keep_alive() && buffer_.size() == 0;
    auto message = parser.release();
    reply.transport = Transport::answered;
    reply.status = static_cast<int>(message.result_int());
    for (const auto& field : message)
      reply.headers[small({field.name_string().data(), field.name_string().size()})] =
          std::string(field.value().data(), field.value().size());
    reply.body = std::move(message.body());
    return reply;
  }

  // Is nothing waiting to be read? The end of the connection would be.
  bool is_quiet() {
    Error error;
    error = socket_.non_blocking(true, error);
    char one = 0;
    const std::size_t n = socket_.receive(asio::buffer(&one, 1), Tcp::socket::message_peek, error);
    return n == 0 && error == asio::error::would_block;
  }

  std::chrono::steady_clock::time_point used;

 private:
  static HttpReply timed_out(std::string words) {
    HttpReply reply;
    reply.transport = Transport::no_answer;
    reply.words = std::move(words);
    return reply;
  }

  bool wait(const std::optional<Error>& end, const Deadline& deadline) {
    io_.restart();
    while (!end && !deadline.passed()) io_.run_one_for(std::chrono::milliseconds(deadline.left().ms));
    if (end) return true;
    Error ignored;
    ignored = socket_.close(ignored);
    io_.restart();
    io_.run();
    return false;
  }

  Url url_;
  asio::io_context io_{1};
  Tcp::socket socket_{io_};
  std::optional<TlsStream> tls_;
  boost::beast::flat_buffer buffer_;
};

std::string request_text(const HttpClientOptions& options, const HttpCall& call) {
  std::string text = call.method + " " + options.url.prefix + call.target +
                     " HTTP/1.1\r\nHost: " + options.url.authority() +
                     "\r\nUser-Agent: " + options.user_agent + "\r\n";
  bool accepts = false;
  for (const auto& [name, value] : call.headers) {
    text += name + ": " + value + "\r\n";
    accepts = accepts || small(name) == "accept";
  }
  if (!accepts) text += "Accept: application/json\r\n";
  if (!options.token.empty()) text += "Authorization: Bearer " + options.token + "\r\n";
  if (!call.body.empty() || call.method != "GET")
    text += "Content-Type: application/json\r\nContent-Length: " + std::to_string(call.body.size()) + "\r\n";
  return text + "\r\n" + call.body;
}

}  // namespace

std::string HttpReply::header(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? std::string() : found->second;
}

struct HttpClient::Parts {
  HttpClientOptions options;
  std::optional<asio::ssl::context> tls;
  std::string tls_trouble;
  std::mutex mutex;
  std::vector<std::unique_ptr<Connection>> kept;
  Instant quiet_until;
  std::string quiet_why;
  std::atomic<int> made = 0;

  explicit Parts(HttpClientOptions o) : options(std::move(o)) {
    if (!options.url.tls) return;
    tls.emplace(asio::ssl::context::tls_client);
    Error error;
    error = tls->set_verify_mode(asio::ssl::verify_peer, error);
    if (options.ca_file.empty())
      error = tls->set_default_verify_paths(error);
    else
      error = tls->load_verify_file(options.ca_file, error);
    if (error) tls_trouble = "certificates to trust: " + error.message();
  }

  std::unique_ptr<Connection> take_kept() {
    const auto now = std::chrono::steady_clock::now();
    for (;;) {
      std::unique_ptr<Connection> one;
      {
        const std::lock_guard lock(mutex);
        if (kept.empty()) return nullptr;
        one = std::move(kept.back());
        kept.pop_back();
      }
      if (now - one->used < std::chrono::milliseconds(options.idle.ms) && one->is_quiet()) return one;
    }
  }
  void keep(std::unique_ptr<Connection> one) {
    one->used = std::chrono::steady_clock::now();
    const std::lock_guard lock(mutex);
    if (kept.size() < options.kept_max) kept.push_back(std::move(one));
  }

  // What the server says about how much it wants to be asked.
  void heed(const HttpReply& reply) {
    if (reply.transport != Transport::answered) return;
    const Instant now = options.now();
    Instant until;
    const bool used_up = reply.header("x-ratelimit-remaining") == "0";
    const bool refused = reply.status == 429 || reply.status == 403 || reply.status == 503;
    if (refused && !reply.header("retry-after").empty())
      until = now + seconds(std::clamp<std::int64_t>(number_in(reply.header("retry-after"), 1), 0, 3600));
    else if (used_up && number_in(reply.header("x-ratelimit-reset"), 0) > 0)
      until = {number_in(reply.header("x-ratelimit-reset"), 0) * 1000};
    if (!until.set() || until <= now) return;
    const std::lock_guard lock(mutex);
    quiet_until = std::min(until, now + minutes(60));
    quiet_why = options.url.authority() + " asks for quiet for " +
                std::to_string(((quiet_until - now).ms + 999) / 1000) + " s";
  }
  std::string asked_for_quiet() {
    const Instant now = options.now();
    const std::lock_guard lock(mutex);
    // A clock that was set back does not make it longer.
    if (quiet_until.set() && now < quiet_until && quiet_until - now <= minutes(60)) return quiet_why;
    quiet_until = {};
    return {};
  }

  HttpReply try_once(const HttpCall& call, const std::string& request, const Deadline& deadline) {
    HttpReply reply;
    // A kept connection may be closed by the other side at this very moment, and then nobody knows whether it
    // has read what was sent. What may not be repeated gets a fresh one.
    auto connection = call.repeatable ? take_kept() : nullptr;
    const bool was_kept = connection != nullptr;
    if (!connection) {
      connection = std::make_unique<Connection>(tls ? &*tls : nullptr, options.url);
      ++made;
      reply.words = connection->connect(deadline);
      if (!reply.words.empty()) return reply;
    }
    bool answered = false, keep_it = false;
    reply = connection->exchange(request, call.method == "HEAD", options.body_bytes_max, deadline, answered,
                                 keep_it);
    if (reply.transport == Transport::answered && keep_it) keep(std::move(connection));
    if (!was_kept || reply.transport != Transport::cut || answered) return reply;
    HttpReply again = try_once(call, request, deadline);
    if (again.transport == Transport::never_sent) again.transport = Transport::cut;  // the first may be heard
    return again;
  }
};

HttpClient::HttpClient(HttpClientOptions options) : parts_(std::make_unique<Parts>(std::move(options))) {}
HttpClient::~HttpClient() = default;

int HttpClient::connections_made() const {
  return parts_->made;
}

HttpReply HttpClient::call(const HttpCall& call) {
  Parts& p = *parts_;
  HttpReply reply;
  reply.words = p.tls_trouble;
  if (reply.words.empty()) reply.words = p.asked_for_quiet();
  if (!reply.words.empty()) return reply;
  const Deadline deadline(p.options.within);
  const std::string request = request_text(p.options, call);
  bool sent = false;
  Duration wait = p.options.first_wait;
  for (int n = 1;; ++n) {
    reply = p.try_once(call, request, deadline);
    sent = sent || reply.transport != Transport::never_sent;
    const bool again =
        reply.transport == Transport::never_sent || (reply.transport == Transport::cut && call.repeatable);
    const Duration pause{wait.ms / 2 + static_cast<std::int64_t>(
                                           p.options.random() % static_cast<std::uint32_t>(wait.ms / 2 + 1))};
    if (!again || n >= p.options.tries || deadline.left() <= pause) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(pause.ms));
    wait = {wait.ms * 2};
  }
  // An earlier try may have been heard, whatever became of the last one.
  if (sent && reply.transport == Transport::never_sent) reply.transport = Transport::cut;
  p.heed(reply);
  return reply;
}

}  // namespace holdfast
