// Requests over HTTP: bytes of a connection through the real sockets, and well-formed requests to the routes.
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>

#include "dispatcher/fuzz/targets.h"
#include "dispatcher/server/listener.h"
#include "dispatcher/server/server_kit.h"

namespace holdfast::fuzz {
namespace {

using server::answer_request;
using server::HttpAnswer;
using server::HttpRequest;

// A ledger with tickets at several stages, a desk, records: what the routes work on. What one input changes
// the next one meets; after some hundreds of them it begins anew, since a board that only grows gets slow.
struct Stage : server::kit::House {
  Stage() {
    add("T-1");
    add("T-2");
    attempt("T-1", holdfast::kit::Stage::running);
  }
};
constexpr int inputs_of_a_stage = 300;

template <class Made>
Made& renewed() {
  static std::unique_ptr<Made> one;
  static int used = 0;
  if (!one || ++used % inputs_of_a_stage == 0) {
    one.reset();
    one = std::make_unique<Made>();
  }
  return *one;
}

const std::set<int> statuses{200, 201, 202, 204, 304, 400, 401, 403, 404, 405, 409, 410,
                             412, 413, 415, 421, 422, 423, 428, 429, 431, 500, 503};

void must_be_an_answer(const HttpAnswer& answer) {
  must(statuses.contains(answer.status), "the status is one that is documented");
  must(answer.status != 500, "nothing that is asked is the server's own mistake");
  for (const auto& [name, value] : answer.headers)
    must(shows_as_one_line(name) && shows_as_one_line(value), "no header is split");
  if (answer.status == 204 || answer.status == 304) return;
  if (answer.type == "application/json" || answer.type == "application/problem+json")
    must(!Json::parse(answer.body, nullptr, false).is_discarded(), "the body is JSON");
  if (answer.status >= 400) must(answer.type == "application/problem+json", "a refusal has its code");
}

// The same behind a listener on a Unix socket in a folder of its own.
struct Open {
  Stage stage;
  TempFolder folder;
  std::string path = folder.path().string() + "/socket";
  std::unique_ptr<server::Listener> listener;
  Open() {
    server::ListenerOptions options;
    options.address = "";
    options.unix_socket = path;
    auto opened = server::Listener::open(
        options, [this](const HttpRequest& request) { return answer_request(stage.api(), request); },
        {.newest = [] { return std::int64_t{0}; },
         .after = [](std::int64_t, int) { return std::vector<LedgerEvent>{}; }});
    must(opened.has_value(), "it listens");
    listener = std::move(*opened);
  }
};

int connected_to(const std::string& path) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  must(path.size() < sizeof address.sun_path, "the socket's path is short");
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  must(connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0, "anybody may connect");
  return fd;
}

// What comes back until the server has nothing more to say.
std::string answered_to(int fd, std::string_view bytes) {
  std::string back;
  std::array<char, 8192> block{};
  bool sending = true;
  for (;;) {
    pollfd one{.fd = fd, .events = static_cast<short>(sending ? POLLIN | POLLOUT : POLLIN), .revents = 0};
    const int ready = poll(&one, 1, 60'000);
    if (ready < 0 && errno == EINTR) continue;  // the fuzzer's own alarm
    must(ready == 1, "nobody is left waiting");
    if ((one.revents & (POLLIN | POLLHUP | POLLERR)) != 0) {
      const ssize_t n = ::recv(fd, block.data(), block.size(), 0);
      if (n <= 0) return back;
      back.append(block.data(), static_cast<std::size_t>(n));
      if (back.find("text/event-stream") != std::string::npos) return back;
    }
    if (sending && (one.revents & POLLOUT) != 0) {
      const ssize_t n = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (n > 0) bytes.remove_prefix(static_cast<std::size_t>(n));
      if (n < 0 || bytes.empty()) {
        sending = false;
        ::shutdown(fd, SHUT_WR);
      }
    }
  }
}

}  // namespace

void http(std::string_view bytes) {
  const int fd = connected_to(renewed<Open>().path);
  const std::string back = answered_to(fd, bytes);
  ::close(fd);
  must(back.empty() || back.starts_with("HTTP/1.1 "), "what comes back is HTTP");
  must(!back.starts_with("HTTP/1.1 500"), "nothing that is sent is the server's own mistake");
}

void api(std::string_view bytes) {
  const auto line_end = bytes.find('\n');
  const std::string_view line = bytes.substr(0, line_end);
  HttpRequest request;
  if (line_end != std::string_view::npos) request.body = bytes.substr(line_end + 1);
  const auto space = line.find(' ');
  request.method = line.substr(0, space);
  const auto target = server::parse_target(space == std::string_view::npos ? "" : line.substr(space + 1));
  if (!target) return;
  for (const std::string& segment : target->path) {
    must(segment != ".." && segment != ".", "no segment leads elsewhere");
    must(segment.find('\0') == std::string::npos, "no segment ends early");
  }
  request.path = target->path;
  request.query = target->query;
  const server::ApiParts& parts = renewed<Stage>().api();
  must_be_an_answer(answer_request(parts, request));

  // The same key gets the same answer, whatever was asked.
  request.headers["idempotency-key"] = "fuzz";
  request.headers["if-match"] = "\"1\"";
  must_be_an_answer(answer_request(parts, request));
}

}  // namespace holdfast::fuzz
