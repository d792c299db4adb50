// Between a dispatcher and its board over HTTP, for tests: it carries requests on and answers back, and
// breaks what it is told to at the phase that it is told: before a request is carried on, after it was (the
// answer is lost, or another is given), or in the middle of the answer.
#pragma once

#include <arpa/inet.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "dispatcher/board/remote/test_server.h"

namespace holdfast::stage {

struct Blow {
  int forwarded = 1;     // how often the request is carried on
  bool keep_key = true;  // else the second one goes without its Idempotency-Key: a true double
  enum class Back { as_it_is, number, page, nothing, cut, cut_in_the_body } back = Back::as_it_is;
  int number = 0;
};

class FaultProxy {
 public:
  // `blow` is asked about every request, on any thread.
  explicit FaultProxy(std::function<std::optional<Blow>(const test_server::Request&)> blow)
      : blow_(std::move(blow)), sockets_([this](int fd) { serve(fd); }) {}

  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(sockets_.port()); }
  void leads_to(int port) { port_ = port; }
  void away(bool now) { away_ = now; }  // every connection ends as soon as it is made
  [[nodiscard]] int carried() const { return carried_; }

 private:
  static int connect_to(int port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_port = htons(static_cast<std::uint16_t>(port));
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&where), sizeof where) == 0) return fd;
    ::close(fd);
    return -1;
  }

  // One request on a connection of its own; the whole answer as text, or nothing.
  std::string carry(const std::string& head, const std::string& body, bool with_key) {
    std::string sent;
    for (std::size_t at = 0; at < head.size();) {
      const std::size_t end = std::min(head.find('\n', at), head.size() - 1) + 1;
      const std::string line = head.substr(at, end - at);
      at = end;
      const bool key = line.starts_with("Idempotency-Key:"), host = line.starts_with("Host:");
      if (host)
        sent += "Host: localhost\r\n";
      else if (with_key || !key)
        sent += line;
    }
    const int fd = connect_to(port_);
    if (fd < 0) return {};
    std::string answer_head, answer_body, whole;
    if (test_server::send_all(fd, sent + "\r\n" + body) &&
        test_server::read_message(fd, answer_head, answer_body))
      whole = answer_head + "\r\n" + answer_body;
    ::close(fd);
    ++carried_;
    return whole;
  }

  void serve(int fd) {
    std::string head, body;
    while (!away_ && test_server::read_message(fd, head, body)) {
      if (away_) return;
      const auto blow = blow_(test_server::request_from(head, body)).value_or(Blow{});
      std::string back;
      for (int n = 0; n < blow.forwarded; ++n) back = carry(head, body, n == 0 || blow.keep_key);
      switch (blow.back) {
        case Blow::Back::as_it_is: break;
        case Blow::Back::number:
          back = test_server::text_of(
              {.status = blow.number, .body = R"({"code": "struck", "detail": "by the proxy"})"});
          break;
        case Blow::Back::page:
          back = test_server::text_of(
              {.body = "<html>Welcome</html>", .headers = {{"Content-Type", "text/html"}}});
          break;
        case Blow::Back::nothing: {
          char byte = 0;
          while (::recv(fd, &byte, 1, 0) > 0) {
          }
          return;
        }
        case Blow::Back::cut: return;
        case Blow::Back::cut_in_the_body: test_server::send_all(fd, back.substr(0, back.size() - 5)); return;
      }
      if (back.empty() || away_ || !test_server::send_all(fd, back)) return;
    }
  }

  std::function<std::optional<Blow>(const test_server::Request&)> blow_;
  std::atomic<int> port_ = 0, carried_ = 0;
  std::atomic<bool> away_ = false;
  test_server::Sockets sockets_;
};

}  // namespace holdfast::stage
