#include "dispatcher/server/listener.h"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <deque>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "dispatcher/server/page.h"

namespace holdfast::server {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using Error = boost::system::error_code;
using Socket = asio::generic::stream_protocol::socket;

constexpr std::size_t feed_ring = 8192;       // events kept for followers that keep up
constexpr std::size_t feed_piece = 64 << 10;  // the most that is on its way to one follower
constexpr int feed_page = 500;                // read at once for one that has fallen behind
constexpr auto feed_heartbeat = std::chrono::seconds(15);

enum class Follows { nothing, events, screens };

std::string small(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

const char* reason_of(int status) {
  switch (status) {
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 304: return "Not Modified";
    default: return "Refused";  // for people; programs read the number
  }
}

std::string head_of(const HttpAnswer& answer, bool keep_alive) {
  std::string head = "HTTP/1.1 " + std::to_string(answer.status) + " " + reason_of(answer.status) + "\r\n";
  if (answer.status != 304) head += "Content-Type: " + answer.type + "\r\n";
  for (const auto& [name, value] : answer.headers) head += name + ": " + value + "\r\n";
  head += "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n";
  const bool has_policy = std::ranges::any_of(
      answer.headers, [](const auto& header) { return header.first == "Content-Security-Policy"; });
  if (!has_policy) head += "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n";
  if (!keep_alive) head += "Connection: close\r\n";
  return head;
}

std::string event_text(const LedgerEvent& event) {
  return "id: " + std::to_string(event.seq) + "\nevent: " + event.kind +
         "\ndata: " + row_of(event).dump(-1, ' ', true, Json::error_handler_t::replace) + "\n\n";
}

}  // namespace

struct Listener::Parts {
  struct Connection;
  using Kept = std::shared_ptr<Connection>;

  ListenerOptions options;
  std::function<HttpAnswer(const HttpRequest&)> answer;
  std::function<std::shared_ptr<const HttpAnswer>(const HttpRequest&)> at_once;
  EventSource source;

  asio::io_context io{1};
  asio::thread_pool hands;
  std::optional<asio::ip::tcp::acceptor> tcp;
  std::optional<asio::local::stream_protocol::acceptor> local;
  std::set<Kept> connections;
  asio::steady_timer feed_timer{io};
  std::thread thread;

  // The feed: the newest events as text, read once for all followers.
  struct Told {
    std::int64_t seq = 0;
    std::string text;
  };
  std::deque<Told> ring;
  std::int64_t ring_end = -1;  // number of the newest that was read; -1: nobody has followed yet
  bool feed_reading = false;
  int followers = 0;

  // The screens as they are now: a follower that is slow misses pictures, never the newest one.
  struct Shown {
    std::int64_t change = 0;  // the number of the change that made it
    std::string text;
  };
  std::map<std::string, Shown> screens;  // by runtime; the one without a name is the list of them
  std::int64_t screen_changes = 0;       // 0: nothing was drawn yet
  DrawnScreens drawn;                    // with whoever draws, while screens_reading
  bool screens_reading = false;
  int watchers = 0;
  asio::steady_timer screens_timer{io};

  Parts(const ListenerOptions& o, std::function<HttpAnswer(const HttpRequest&)> a, EventSource s)
      : options(o), answer(std::move(a)), source(std::move(s)), hands(static_cast<std::size_t>(o.threads)) {}

  template <class Acceptor>
  void accept(Acceptor& acceptor, bool on_tcp);
  void feed_soon();
  void screens_soon();
  void show(DrawnScreens now);
};

// One connection: a request after the other, or a stream of events. It lives as long as something is awaited
// for it.
struct Listener::Parts::Connection : std::enable_shared_from_this<Connection> {
  using Parser = http::request_parser<http::string_body>;

  Parts& parts;
  Socket socket;
  bool on_tcp;
  asio::steady_timer deadline;
  std::array<char, 16384> block{};
  std::string pending;  // read and not parsed yet
  std::optional<Parser> parser;
  std::string out;
  bool continued = false;
  bool closed = false;

  // As a follower.
  Follows follows = Follows::nothing;
  bool writing = false;
  bool paging = false;
  std::int64_t told = 0;  // the number of the last event, or change of a screen, that was sent
  std::chrono::steady_clock::time_point spoke;

  Connection(Parts& p, Socket s, bool tcp_one)
      : parts(p), socket(std::move(s)), on_tcp(tcp_one), deadline(p.io) {}

  void close() {
    if (closed) return;
    closed = true;
    if (follows == Follows::events) parts.followers -= 1;
    if (follows == Follows::screens) parts.watchers -= 1;
    Error ignored;
    deadline.cancel();
    ignored = socket.shutdown(Socket::shutdown_both, ignored);
    ignored = socket.close(ignored);
    parts.connections.erase(shared_from_this());
  }

  void give(Duration within) {
    deadline.expires_after(std::chrono::milliseconds(within.ms));
    deadline.async_wait([self = shared_from_this()](Error error) {
      if (!error) self->close();
    });
  }

  void next_request() {
    parser.emplace();
    parser->eager(true);
    parser->header_limit(static_cast<std::uint32_t>(parts.options.header_bytes_max));
    parser->body_limit(parts.options.body_bytes_max);
    continued = false;
    give(pending.empty() ? parts.options.idle : parts.options.request_within);
    if (pending.empty())
      read();
    else
      parse();
  }

  void read() {
    socket.async_read_some(asio::buffer(block), [self = shared_from_this()](Error error, std::size_t n) {
      if (self->closed) return;
      if (error) return self->close();
      if (self->pending.empty() && !self->parser->got_some()) self->give(self->parts.options.request_within);
      self->pending.append(self->block.data(), n);
      self->parse();
    });
  }

  void parse() {
    Error error;
    while (!pending.empty() && !parser->is_done()) {
      const std::size_t used = parser->put(asio::buffer(pending), error);
      pending.erase(0, used);
      if (error == http::error::need_more) {
        error = {};
        if (used == 0) break;
        continue;
      }
      if (error) return refuse(error);
    }
    if (parser->is_done()) return dispatch();
    if (pending.size() > parts.options.header_bytes_max)
      return refuse(make_error_code(http::error::header_limit));
    if (parser->is_header_done() && !continued && parser->get()[http::field::expect] == "100-continue") {
      continued = true;
      out = "HTTP/1.1 100 Continue\r\n\r\n";
      asio::async_write(socket, asio::buffer(out), [self = shared_from_this()](Error failed, std::size_t) {
        if (self->closed) return;
        if (failed) return self->close();
        self->read();
      });
      return;
    }
    read();
  }

  void refuse(const Error& error) {
    if (error == http::error::header_limit)
      return send(problem(431, "header_too_large", "the header is longer than this server takes"), false,
                  false);
    if (error == http::error::body_limit)
      return send(problem(413, "body_too_large", "the body is longer than this server takes"), false, false);
    send(problem(400, "bad_request", "this is not HTTP/1.1 as this server takes it"), false, false);
  }

  void dispatch() {
    auto message = parser->release();
    const bool keep = message.keep_alive();
    HttpRequest request;
    request.method = std::string(message.method_string());
    auto target = parse_target(std::string_view(message.target().data(), message.target().size()));
    for (const auto& field : message)
      request.headers[small({field.name_string().data(), field.name_string().size()})] =
          std::string(field.value().data(), field.value().size());
    request.body = std::move(message.body());
    const bool head = request.method == "HEAD";
    if (target) {
      request.path = std::move(target->path);
      request.query = std::move(target->query);
    }
    // The page itself holds nothing that is secret: whoever needs a token is asked for it there.
    const auto page = target ? page_file(request) : std::nullopt;
    GateRules rules{on_tcp ? parts.options.token : "", on_tcp};
    if (page && !rules.token.empty()) rules = {"", false};
    if (const auto away = turned_away(request, rules)) return send(*away, keep, head);
    if (!target) return send(problem(400, "bad_target", "the path cannot be read"), keep, head);
    if (page) return send(*page, keep, head);
    if (request.method == "GET" && request.path == std::vector<std::string>{"api", "v1", "events", "stream"})
      return follow(request);
    if (request.method == "GET" && request.path == std::vector<std::string>{"api", "v1", "screens", "stream"})
      return watch();
    if (parts.at_once)
      if (const auto known = parts.at_once(request)) return send(*known, keep, head);
    // Not counted by the client's clock: an answer that waits for the ledger's file is ours to bound.
    deadline.cancel();
    asio::post(parts.hands, [self = shared_from_this(), request = std::move(request), keep, head] {
      HttpAnswer reply = self->parts.answer(request);
      asio::post(self->parts.io, [self, reply = std::move(reply), keep, head] {
        if (!self->closed) self->send(reply, keep, head);
      });
    });
  }

  void send(const HttpAnswer& reply, bool keep, bool head) {
    out = head_of(reply, keep);
    if (reply.status != 304) out += "Content-Length: " + std::to_string(reply.body.size()) + "\r\n";
    out += "\r\n";
    if (!head && reply.status != 304) out += reply.body;
    give(parts.options.write_within);
    asio::async_write(socket, asio::buffer(out), [self = shared_from_this(), keep](Error error, std::size_t) {
      if (self->closed) return;
      if (error || !keep) return self->close();
      self->next_request();
    });
  }

  // --- a stream of events ---

  void follow(const HttpRequest& request) {
    const auto last = request.header("last-event-id");
    const auto after = last ? last : request.asked("after");
    std::int64_t from = -1;  // from now on
    if (after) {
      const bool number = !after->empty() && after->size() < 19 &&
                          after->find_first_not_of("0123456789") == std::string::npos;
      if (!number)
        return send(problem(422, "invalid", "Last-Event-ID must be the number of an event"), true, false);
      from = std::stoll(*after);
    }
    follows = Follows::events;
    parts.followers += 1;
    told = from;
    begin_stream();
    parts.feed_soon();
  }

  void watch() {
    if (!parts.source.screens)
      return send(problem(503, "not_here", "there are no screens here"), true, false);
    follows = Follows::screens;
    parts.watchers += 1;
    begin_stream();
    parts.screens_soon();
  }

  void begin_stream() {
    out = head_of({.status = 200, .type = "text/event-stream", .body = {}}, true) + "\r\nretry: 1000\n\n";
    write_out();
    // What it sends from now on is nothing but its end.
    watch_for_the_end();
  }

  void watch_for_the_end() {
    socket.async_read_some(asio::buffer(block), [self = shared_from_this()](Error error, std::size_t) {
      if (self->closed) return;
      if (error) return self->close();
      self->watch_for_the_end();
    });
  }

  void write_out() {
    writing = true;
    spoke = std::chrono::steady_clock::now();
    give(parts.options.write_within);  // a follower that does not read is cut off
    asio::async_write(socket, asio::buffer(out), [self = shared_from_this()](Error error, std::size_t) {
      if (self->closed) return;
      if (error) return self->close();
      self->deadline.cancel();
      self->writing = false;
      self->pump();
    });
  }

  // The next piece, if there is one and the last one is on its way no more.
  void pump() {
    if (follows == Follows::screens) return pump_screens();
    if (closed || writing || paging || parts.ring_end < 0) return;
    if (told < 0) told = parts.ring_end;
    const bool in_ring = !parts.ring.empty() && parts.ring.front().seq <= told + 1;
    if (told < parts.ring_end && !in_ring) return read_page();
    out.clear();
    if (told < parts.ring_end) {
      auto at = std::ranges::upper_bound(parts.ring, told, {}, &Told::seq);
      for (; at != parts.ring.end() && out.size() < feed_piece; ++at) {
        out += at->text;
        told = at->seq;
      }
    } else if (std::chrono::steady_clock::now() - spoke > feed_heartbeat) {
      out = ": \n\n";
    }
    if (!out.empty()) write_out();
  }

  void pump_screens() {
    if (closed || writing || parts.screen_changes == 0) return;
    out.clear();
    for (const auto& [runtime, shown] : parts.screens)
      if (shown.change > told)
        out += std::string(runtime.empty() ? "event: runtimes" : "event: screen") + "\ndata: " + shown.text +
               "\n\n";
    told = parts.screen_changes;
    if (out.empty() && std::chrono::steady_clock::now() - spoke > feed_heartbeat) out = ": \n\n";
    if (!out.empty()) write_out();
  }

  // It comes back after a long time, or fell behind what is kept for all: from the ledger, a page at a time.
  void read_page() {
    paging = true;
    asio::post(parts.hands, [self = shared_from_this(), from = told, to = parts.ring_end] {
      auto events = self->parts.source.after(from, feed_page);
      asio::post(self->parts.io, [self, to, events = std::move(events)] {
        if (self->closed) return;
        self->paging = false;
        if (events.empty()) {
          self->told = to;  // numbers that nobody has
          return self->pump();
        }
        self->out.clear();
        for (const LedgerEvent& event : events) {
          self->out += event_text(event);
          self->told = event.seq;
          if (self->out.size() > feed_piece) break;
        }
        self->write_out();
      });
    });
  }
};

template <class Acceptor>
void Listener::Parts::accept(Acceptor& acceptor, bool on_tcp) {
  acceptor.async_accept([this, &acceptor, on_tcp](Error error, auto socket) {
    if (error == asio::error::operation_aborted) return;
    if (!error && static_cast<int>(connections.size()) < options.connections_max) {
      const auto connection = std::make_shared<Connection>(*this, Socket(std::move(socket)), on_tcp);
      connections.insert(connection);
      connection->next_request();
    }  // else it is closed: somebody who cannot be served is not kept waiting
    accept(acceptor, on_tcp);
  });
}

void Listener::Parts::feed_soon() {
  if (followers == 0 || feed_reading) return;
  feed_reading = true;
  asio::post(hands, [this, from = ring_end] {
    std::int64_t newest = from;
    std::vector<LedgerEvent> events;
    if (from < 0)
      newest = source.newest();
    else
      events = source.after(from, static_cast<int>(feed_ring));
    std::vector<Told> fresh;
    fresh.reserve(events.size());
    for (const LedgerEvent& event : events) fresh.push_back({event.seq, event_text(event)});
    asio::post(io, [this, newest, fresh = std::move(fresh)]() mutable {
      if (ring_end < 0) ring_end = newest;
      for (Told& one : fresh) {
        ring_end = std::max(ring_end, one.seq);
        ring.push_back(std::move(one));
      }
      while (ring.size() > feed_ring) ring.pop_front();
      for (const Kept& connection : std::vector<Kept>(connections.begin(), connections.end()))
        if (connection->follows == Follows::events) connection->pump();
      feed_timer.expires_after(std::chrono::milliseconds(options.feed_every.ms));
      feed_timer.async_wait([this](Error error) {
        feed_reading = false;
        if (!error) feed_soon();
      });
    });
  });
}

void Listener::Parts::screens_soon() {
  if (watchers == 0 || screens_reading) return;
  screens_reading = true;
  asio::post(hands, [this, all = std::move(drawn)]() mutable {
    source.screens(all);
    asio::post(io, [this, all = std::move(all)]() mutable {
      show(std::move(all));
      screens_timer.expires_after(std::chrono::milliseconds(options.screens_every.ms));
      screens_timer.async_wait([this](Error error) {
        screens_reading = false;
        if (!error) screens_soon();
      });
    });
  });
}

void Listener::Parts::show(DrawnScreens now) {
  std::map<std::string, Shown> next;
  Json names = Json::array();
  const auto keep_or_change = [&](const std::string& runtime, const std::string& text) {
    const auto before = screens.find(runtime);
    const bool same = before != screens.end() && before->second.text == text;
    next[runtime] = same ? before->second : Shown{++screen_changes, text};
  };
  for (const auto& [runtime, screen] : now) {
    names.push_back(runtime);
    keep_or_change(runtime, screen.text);
  }
  keep_or_change("", names.dump());
  screens = std::move(next);
  drawn = std::move(now);
  for (const auto& connection : std::vector(connections.begin(), connections.end()))
    if (connection->follows == Follows::screens) connection->pump();
}

namespace {

std::unexpected<std::string> cannot(const std::string& where, const Error& error) {
  return std::unexpected("cannot listen on " + where + ": " + error.message());
}

// A socket that nobody listens on any more is in the way; one that somebody listens on is theirs.
bool is_left_over(asio::io_context& io, const std::string& path) {
  struct stat there{};
  if (::lstat(path.c_str(), &there) != 0 || !S_ISSOCK(there.st_mode)) return false;
  asio::local::stream_protocol::socket probe(io);
  Error error;
  error = probe.connect({path}, error);
  return error == asio::error::connection_refused;
}

}  // namespace

Listener::Listener(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

std::expected<std::unique_ptr<Listener>, std::string> Listener::open(
    const ListenerOptions& options, std::function<HttpAnswer(const HttpRequest&)> answer, EventSource source,
    std::function<std::shared_ptr<const HttpAnswer>(const HttpRequest&)> at_once) {
  auto parts = std::make_unique<Parts>(options, std::move(answer), std::move(source));
  parts->at_once = std::move(at_once);
  Error error;
  if (!options.address.empty()) {
    const auto address = asio::ip::make_address(options.address, error);
    if (error) return std::unexpected("'" + options.address + "' is no address");
    if (!address.is_loopback() && options.token.empty())
      return std::unexpected("a token is needed where others can reach the address " + options.address);
    const asio::ip::tcp::endpoint where(address, options.port);
    const std::string name = options.address + ":" + std::to_string(options.port);
    parts->tcp.emplace(parts->io);
    error = parts->tcp->open(where.protocol(), error);
    if (!error) error = parts->tcp->set_option(asio::socket_base::reuse_address(true), error);
    if (!error) error = parts->tcp->bind(where, error);
    if (!error) error = parts->tcp->listen(128, error);
    if (error) return cannot(name, error);
    parts->accept(*parts->tcp, true);
  }
  if (!options.unix_socket.empty()) {
    if (is_left_over(parts->io, options.unix_socket)) ::unlink(options.unix_socket.c_str());
    const asio::local::stream_protocol::endpoint where(options.unix_socket);
    parts->local.emplace(parts->io);
    error = parts->local->open(where.protocol(), error);
    const mode_t before = ::umask(0177);  // for its owner alone
    if (!error) error = parts->local->bind(where, error);
    ::umask(before);
    if (!error) error = parts->local->listen(128, error);
    if (error) return cannot(options.unix_socket, error);
    parts->accept(*parts->local, false);
  }
  Parts& running = *parts;
  parts->thread = std::thread([&running] {
    auto work = asio::make_work_guard(running.io);
    running.io.run();
  });
  return std::unique_ptr<Listener>(new Listener(std::move(parts)));
}

Listener::~Listener() {
  parts_->io.stop();
  parts_->thread.join();
  parts_->hands.join();
  if (parts_->local) ::unlink(parts_->options.unix_socket.c_str());
  parts_->connections.clear();
}

std::uint16_t Listener::port() const {
  Error ignored;
  return parts_->tcp ? parts_->tcp->local_endpoint(ignored).port() : 0;
}

}  // namespace holdfast::server
