// What the HTTP interface of a running dispatcher costs, beside a server that does nothing: requests a second
// and how long the slowest of a hundred waits, on loopback; and what five hundred followers of the event
// stream cost it.
//
//   reads      GET of one ticket, of fifty, and of the health, on connections that stay open, turn by turn
//   with a
//              plain Beast server that answers every request with as many bytes as the ticket's answer has
//   followers  N connections follow while events are written to the ledger at a steady rate; one more follows
//              and does not read
//
// Figures from a busy machine are worth nothing but as ratios.
//
//   api_bench [--rounds N] [--seconds S] [--connections N] [--followers N] [--events-per-second N] [--json]
#include <arpa/inet.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "dispatcher/endtoend/stage.h"
#include "dispatcher/system/clocks.h"
#include "dispatcher/system/fd.h"

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using holdfast::Fd;
using holdfast::stage::Stage;
using Clock = std::chrono::steady_clock;

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "api_bench: %s\n", why.c_str());
  std::exit(1);
}

double at_share(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  std::ranges::sort(values);
  return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))];
}

// --- the server that does nothing ---

// One thread, as ours has one that carries bytes; connections stay open.
class EchoConnection : public std::enable_shared_from_this<EchoConnection> {
 public:
  EchoConnection(asio::ip::tcp::socket socket, const std::string& body)
      : socket_(std::move(socket)), body_(body) {}
  void next() {
    request_ = {};
    http::async_read(socket_, buffer_, request_,
                     [self = shared_from_this()](boost::system::error_code error, std::size_t) {
                       if (!error) self->answer();
                     });
  }

 private:
  void answer() {
    response_ = {http::status::ok, request_.version()};
    response_.set(http::field::content_type, "application/json");
    response_.keep_alive(request_.keep_alive());
    response_.body() = body_;
    response_.prepare_payload();
    http::async_write(socket_, response_,
                      [self = shared_from_this()](boost::system::error_code error, std::size_t) {
                        if (!error) self->next();
                      });
  }

  asio::ip::tcp::socket socket_;
  const std::string& body_;
  boost::beast::flat_buffer buffer_;
  http::request<http::string_body> request_;
  http::response<http::string_body> response_;
};

// In a process of its own, like the other; returns its port.
struct EchoServer {
  explicit EchoServer(const std::string& body) {
    std::array<int, 2> ends{};
    if (::pipe(ends.data()) != 0) give_up("no pipe");
    pid = ::fork();
    if (pid == 0) {
      asio::io_context io{1};
      asio::ip::tcp::acceptor acceptor(io, {asio::ip::address_v4::loopback(), 0});
      const std::uint16_t mine = acceptor.local_endpoint().port();
      if (::write(ends[1], &mine, sizeof mine) != sizeof mine) std::_Exit(1);
      std::function<void()> accept = [&] {
        acceptor.async_accept([&](boost::system::error_code error, asio::ip::tcp::socket socket) {
          if (!error) {
            socket.set_option(asio::ip::tcp::no_delay(true));
            std::make_shared<EchoConnection>(std::move(socket), body)->next();
          }
          accept();
        });
      };
      accept();
      io.run();
      std::_Exit(0);
    }
    if (::read(ends[0], &port, sizeof port) != sizeof port) give_up("the plain server did not begin");
    ::close(ends[0]);
    ::close(ends[1]);
  }
  ~EchoServer() {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
  }
  EchoServer(const EchoServer&) = delete;
  EchoServer& operator=(const EchoServer&) = delete;
  pid_t pid = 0;
  std::uint16_t port = 0;
};

// --- clients ---

Fd connected(std::uint16_t port) {
  Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(port);
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&where), sizeof where) != 0)
    give_up("cannot connect");
  return fd;
}

void say(const Fd& fd, std::string_view words) {
  while (!words.empty()) {
    const ssize_t n = ::send(fd.get(), words.data(), words.size(), MSG_NOSIGNAL);
    if (n <= 0) give_up("the connection was closed");
    words.remove_prefix(static_cast<std::size_t>(n));
  }
}

// The body of the next answer; what came after it stays in `pending`.
std::string answer_of(const Fd& fd, std::string& pending) {
  std::array<char, 65536> block{};
  std::size_t head = std::string::npos;
  std::size_t length = 0;
  for (;;) {
    const bool looked_for = head == std::string::npos;
    if (looked_for) head = pending.find("\r\n\r\n");
    if (looked_for && head != std::string::npos) {
      if (!pending.starts_with("HTTP/1.1 200")) give_up("not what was expected: " + pending.substr(0, 200));
      const auto at = pending.find("Content-Length: ");
      if (at == std::string::npos || at > head) give_up("an answer without a length");
      std::from_chars(pending.data() + at + 16, pending.data() + head, length);
      head += 4;
    }
    if (head != std::string::npos && pending.size() >= head + length) {
      std::string body = pending.substr(head, length);
      pending.erase(0, head + length);
      return body;
    }
    const ssize_t n = ::recv(fd.get(), block.data(), block.size(), 0);
    if (n <= 0) give_up("the connection was closed in an answer");
    pending.append(block.data(), static_cast<std::size_t>(n));
  }
}

struct Read {
  double per_second = 0;
  double p50_ms = 0, p99_ms = 0;
};

// Every connection asks again as soon as it was answered. One thread for all of them: on a machine of two
// cores a crowd of client threads would be what is measured.
Read read_for(std::uint16_t port, const std::string& path, int connections, double for_seconds) {
  const std::string request = "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
  struct One {
    Fd fd;
    std::string pending;
    Clock::time_point asked;
  };
  std::vector<One> all;
  std::vector<pollfd> polled;
  for (int i = 0; i < connections; ++i) {
    all.push_back({connected(port), {}, Clock::now()});
    polled.push_back({.fd = all.back().fd.get(), .events = POLLIN, .revents = 0});
    say(all.back().fd, request);
  }
  std::vector<double> took;
  const auto start = Clock::now();
  auto now = start;
  while (std::chrono::duration<double>(now - start).count() < for_seconds) {
    if (::poll(polled.data(), polled.size(), 10'000) <= 0) give_up("no answer in ten seconds");
    for (std::size_t i = 0; i < all.size(); ++i) {
      if ((polled[i].revents & (POLLIN | POLLHUP)) == 0) continue;
      answer_of(all[i].fd, all[i].pending);
      now = Clock::now();
      took.push_back(std::chrono::duration<double, std::milli>(now - all[i].asked).count());
      all[i].asked = now;
      say(all[i].fd, request);
    }
  }
  const double spent = std::chrono::duration<double>(now - start).count();
  return {static_cast<double>(took.size()) / spent, at_share(took, 0.5), at_share(took, 0.99)};
}

// --- what is measured ---

std::uint16_t port_of(Stage& stage) {
  std::ifstream file(stage.state() + "/http-address");
  std::string address;
  file >> address;
  const auto colon = address.rfind(':');
  return colon == std::string::npos ? 0 : static_cast<std::uint16_t>(std::atoi(address.c_str() + colon + 1));
}

std::int64_t resident_kib(std::int64_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("VmRSS:")) return std::atoll(line.c_str() + 6);
  return 0;
}

struct Kind {
  const char* name;
  std::string path;
  std::vector<double> ratios, per_second, p99;
};

struct Followed {
  int followers = 0;
  std::int64_t events = 0;
  double events_per_second = 0;
  std::int64_t missed = 0;
  double lag_p50_ms = 0, lag_p99_ms = 0;
  std::int64_t resident_before_kib = 0, resident_after_kib = 0;
  bool slow_one_cut_off = false, slow_one_resumed = false;
};

// Where an event's number begins behind "id: "; the newest number in `text`, and how many there were.
void count_events(std::string& text, std::int64_t& newest, std::int64_t& seen) {
  std::size_t at = 0;
  for (std::size_t found = 0; (found = text.find("\nid: ", at)) != std::string::npos; at = found + 1) {
    const auto end = text.find('\n', found + 5);
    if (end == std::string::npos) break;
    std::from_chars(text.data() + found + 5, text.data() + end, newest);
    ++seen;
  }
  text.erase(0, at);
}

std::int64_t newest_event(Stage& stage) {
  return stage.count("SELECT coalesce(max(seq), 0) FROM events");
}

Followed follow(Stage& stage, int followers, int events_per_second, double for_seconds) {
  using namespace holdfast;
  Followed out;
  out.followers = followers;
  const std::uint16_t port = port_of(stage);
  const std::string ask = "GET /api/v1/events/stream HTTP/1.1\r\nHost: localhost\r\n\r\n";
  struct One {
    Fd fd;
    std::string text;
    std::int64_t newest = 0, seen = 0;
  };
  std::vector<One> all;
  std::vector<pollfd> polled;
  for (int i = 0; i < followers; ++i) {
    all.push_back({connected(port), {}, 0, 0});
    say(all.back().fd, ask);
    polled.push_back({.fd = all.back().fd.get(), .events = POLLIN, .revents = 0});
  }
  const Fd slow = connected(port);
  const int small = 4096;
  ::setsockopt(slow.get(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  say(slow, ask);

  std::atomic<bool> writing = true;
  std::mutex written_mutex;
  std::map<std::int64_t, Clock::time_point> written;  // number of an event -> when it was there
  const std::int64_t before = newest_event(stage);
  std::thread writer([&] {
    auto ledger = open_ledger(stage.state() + "/holdfast.db", LedgerMode::command_line);
    if (!ledger) give_up("the ledger cannot be opened");
    const auto start = Clock::now();
    std::int64_t made = 0;
    while (std::chrono::duration<double>(Clock::now() - start).count() < for_seconds) {
      const auto due = static_cast<std::int64_t>(std::chrono::duration<double>(Clock::now() - start).count() *
                                                 events_per_second);
      if (made >= due) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
        continue;
      }
      const auto wrote = (*ledger)->write(Note{{{"B-1"}, {1}}, "noted", "bench", std::string(100, 'x')},
                                          SystemClock().now());
      if (wrote.raw.code != 0) give_up("an event could not be written");
      ++made;
      const std::scoped_lock held(written_mutex);
      written[before + made] = Clock::now();
    }
    out.events = made;
    out.events_per_second =
        static_cast<double>(made) / std::chrono::duration<double>(Clock::now() - start).count();
    writing = false;
  });

  out.resident_before_kib = resident_kib(stage.dispatcher_pid());
  std::vector<double> lags;
  std::array<char, 65536> block{};
  auto quiet_since = Clock::now();
  while (writing || Clock::now() - quiet_since < std::chrono::seconds(5)) {
    if (::poll(polled.data(), polled.size(), 100) > 0)
      for (std::size_t i = 0; i < all.size(); ++i) {
        if ((polled[i].revents & (POLLIN | POLLHUP)) == 0) continue;
        const ssize_t n = ::recv(all[i].fd.get(), block.data(), block.size(), MSG_DONTWAIT);
        if (n == 0) give_up("a follower that reads was cut off");
        if (n < 0) continue;
        all[i].text.append(block.data(), static_cast<std::size_t>(n));
        const std::int64_t old = all[i].newest;
        count_events(all[i].text, all[i].newest, all[i].seen);
        if (i == 0 && all[i].newest != old) {
          const std::scoped_lock held(written_mutex);
          if (const auto it = written.find(all[i].newest); it != written.end())
            lags.push_back(std::chrono::duration<double, std::milli>(Clock::now() - it->second).count());
        }
        quiet_since = Clock::now();
      }
    bool all_there = !writing;
    for (const One& one : all) all_there = all_there && one.newest >= before + out.events;
    if (all_there) break;
  }
  writer.join();
  out.resident_after_kib = resident_kib(stage.dispatcher_pid());
  for (const One& one : all) out.missed += std::max<std::int64_t>(0, before + out.events - one.newest);
  out.lag_p50_ms = at_share(lags, 0.5);
  out.lag_p99_ms = at_share(lags, 0.99);

  // It has not read a byte; what was ready for it is read now, up to where it was cut off.
  One late{Fd(::dup(slow.get())), {}, 0, 0};
  const auto until = Clock::now() + std::chrono::seconds(40);
  while (Clock::now() < until) {
    pollfd one{.fd = late.fd.get(), .events = POLLRDHUP, .revents = 0};
    if (::poll(&one, 1, 1000) > 0 && (one.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0) break;
  }
  for (;;) {
    const ssize_t n = ::recv(late.fd.get(), block.data(), block.size(), MSG_DONTWAIT);
    if (n <= 0) {
      out.slow_one_cut_off = n == 0 || errno != EAGAIN;
      break;
    }
    late.text.append(block.data(), static_cast<std::size_t>(n));
    count_events(late.text, late.newest, late.seen);
  }
  One again{connected(port), {}, 0, 0};
  say(again.fd, "GET /api/v1/events/stream HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: " +
                    std::to_string(late.newest) + "\r\n\r\n");
  const auto resumed_until = Clock::now() + std::chrono::seconds(60);
  while (Clock::now() < resumed_until && again.newest < before + out.events) {
    pollfd one{.fd = again.fd.get(), .events = POLLIN, .revents = 0};
    if (::poll(&one, 1, 1000) <= 0) continue;
    const ssize_t n = ::recv(again.fd.get(), block.data(), block.size(), 0);
    if (n <= 0) break;
    again.text.append(block.data(), static_cast<std::size_t>(n));
    count_events(again.text, again.newest, again.seen);
  }
  out.slow_one_resumed =
      late.newest + again.seen >= before + out.events && again.newest >= before + out.events;
  return out;
}

int number(const char* text) {
  int n = 0;
  const std::string_view view = text;
  const auto [end, error] = std::from_chars(view.data(), view.data() + view.size(), n);
  if (error != std::errc{} || end != view.data() + view.size() || n < 0)
    give_up("not a number: " + std::string(view));
  return n;
}

}  // namespace

int main(int argc, char** argv) {
  std::map<std::string, int> told{{"--rounds", 9},
                                  {"--seconds", 1},
                                  {"--connections", 8},
                                  {"--followers", 500},
                                  {"--events-per-second", 1000},
                                  {"--follow-seconds", 10}};
  bool json = false;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--json") {
      json = true;
    } else if (told.contains(word) && i + 1 < argc) {
      told[word] = number(argv[++i]);
    } else {
      std::printf(
          "api_bench: requests a second beside a server that does nothing, and followers of the event "
          "stream\n"
          "  --rounds N  --seconds S (of each turn)  --connections N\n"
          "  --followers N (0: none)  --events-per-second N  --follow-seconds S  --json\n");
      return word == "--help" ? 0 : 64;
    }
  }
  // Our own end of every follower's connection, and the server's, which inherits the limit.
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);

  Stage stage({.extra = ", \"server\": {\"listen\": \"127.0.0.1:0\"}"});
  std::string lines;
  for (int i = 1; i <= 1000; ++i)
    lines += "{\"id\":\"B-" + std::to_string(i) + "\",\"title\":\"Ticket number " + std::to_string(i) +
             "\",\"state\":\"backlog\",\"body\":\"" + std::string(200, 'b') + "\",\"labels\":[\"bench\"]}\n";
  const auto imported = stage.holdfast({"ticket", "import", "-"}, lines);
  if (imported.code != 0) give_up("import: " + imported.err);
  stage.start();
  if (!stage.wait([&] { return port_of(stage) != 0; })) give_up("it does not listen");
  const std::uint16_t port = port_of(stage);

  std::vector<Kind> kinds{{"one ticket", "/api/v1/tickets/B-7", {}, {}, {}},
                          {"fifty tickets", "/api/v1/tickets?limit=50", {}, {}, {}},
                          {"health", "/api/v1/health", {}, {}, {}}};
  for (Kind& kind : kinds) {
    const Fd fd = connected(port);
    say(fd, "GET " + kind.path + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
    std::string pending;
    const EchoServer echo(answer_of(fd, pending));
    for (int round = 0; round < told["--rounds"]; ++round) {
      const Read plain = read_for(echo.port, kind.path, told["--connections"], told["--seconds"]);
      const Read ours = read_for(port, kind.path, told["--connections"], told["--seconds"]);
      kind.ratios.push_back(ours.per_second / plain.per_second);
      kind.per_second.push_back(ours.per_second);
      kind.p99.push_back(ours.p99_ms);
      if (!json)
        std::printf("%-14s %8.0f/s p99 %6.2f ms   plain %8.0f/s p99 %6.2f ms   ratio %.2f\n", kind.name,
                    ours.per_second, ours.p99_ms, plain.per_second, plain.p99_ms, kind.ratios.back());
    }
  }
  Followed followed;
  if (told["--followers"] > 0)
    followed = follow(stage, told["--followers"], told["--events-per-second"], told["--follow-seconds"]);
  if (json) {
    std::printf("{\"reads\":[");
    for (const Kind& kind : kinds)
      std::printf(
          "%s{\"what\":\"%s\",\"per_second\":%.0f,\"p99_ms\":%.3f,\"ratio\":%.3f,\"ratio_p10\":%.3f,\"ratio_"
          "p90\":%.3f}",
          &kind == kinds.data() ? "" : ",", kind.name, at_share(kind.per_second, 0.5),
          at_share(kind.p99, 0.5), at_share(kind.ratios, 0.5), at_share(kind.ratios, 0.1),
          at_share(kind.ratios, 0.9));
    std::printf("]");
  } else {
    for (const Kind& kind : kinds)
      std::printf("%s: median %.0f/s, ratio %.2f [%.2f %.2f], p99 %.2f ms\n", kind.name,
                  at_share(kind.per_second, 0.5), at_share(kind.ratios, 0.5), at_share(kind.ratios, 0.1),
                  at_share(kind.ratios, 0.9), at_share(kind.p99, 0.5));
  }
  if (followed.followers > 0) {
    const char* form =
        json ? ",\"followers\":%d,\"events\":%lld,\"events_per_second\":%.0f,\"missed\":%lld,\"lag_p50_ms\":%"
               ".1f,"
               "\"lag_p99_ms\":%.1f,\"resident_kib\":[%lld,%lld],\"slow_cut_off\":%d,\"slow_resumed\":%d"
             : "%d followers: %lld events at %.0f/s, missed %lld, lag p50 %.1f ms p99 %.1f ms, resident %lld "
               "-> %lld "
               "KiB, one that does not read: cut off %d, resumed %d\n";
    std::printf(form, followed.followers, static_cast<long long>(followed.events), followed.events_per_second,
                static_cast<long long>(followed.missed), followed.lag_p50_ms, followed.lag_p99_ms,
                static_cast<long long>(followed.resident_before_kib),
                static_cast<long long>(followed.resident_after_kib), followed.slow_one_cut_off ? 1 : 0,
                followed.slow_one_resumed ? 1 : 0);
  }
  if (json) std::printf("}\n");
  stage.stop(SIGTERM);
  return followed.missed == 0 ? 0 : 1;
}
