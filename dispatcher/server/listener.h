// The sockets: HTTP/1.1 on TCP and on a Unix socket. One thread carries bytes; a few others answer requests,
// since an answer may wait for the ledger's file. Nobody can hold it up: every step of a connection has a
// deadline, headers, bodies, connections and followers have limits, and a follower that does not read is cut
// off and can resume.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "dispatcher/core/ledger_rules.h"
#include "dispatcher/server/gate.h"
#include "dispatcher/server/http.h"
#include "dispatcher/server/screens.h"

namespace holdfast::server {

struct ListenerOptions {
  std::string address = "127.0.0.1";  // empty: no TCP
  std::uint16_t port = 0;             // 0: any that is free
  std::string unix_socket = {};       // path; empty: none
  std::string token = {};             // asked for on TCP; needed where the address is not loopback
  std::size_t header_bytes_max = 16 << 10;
  std::size_t body_bytes_max = 18 << 20;
  int connections_max = 1000;
  int threads = 4;  // a look and a landing may take long: two are left for everybody else
  Duration request_within = seconds(10);  // from its first byte to its last
  Duration idle = seconds(60);            // between two requests
  Duration write_within = seconds(20);
  Duration feed_every = millis(100);
  Duration screens_every = millis(400);
};

// What the streams are fed from; called on the answering threads.
struct EventSource {
  std::function<std::int64_t()> newest;  // number of the newest event
  std::function<std::vector<LedgerEvent>(std::int64_t after, int at_most)> after;
  std::function<void(DrawnScreens&)> screens = {};  // one call at a time; empty: there are none
};

class Listener {
 public:
  // Listens when this returns; the error is one line. `at_once` is asked first, on the thread that carries
  // bytes: what it knows it says without waiting for anybody; nullptr: `answer` is asked, on another thread.
  static std::expected<std::unique_ptr<Listener>, std::string> open(
      const ListenerOptions&, std::function<HttpAnswer(const HttpRequest&)> answer, EventSource,
      std::function<std::shared_ptr<const HttpAnswer>(const HttpRequest&)> at_once = {});
  ~Listener();  // closes all connections
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  [[nodiscard]] std::uint16_t port() const;

 private:
  struct Parts;
  explicit Listener(std::unique_ptr<Parts>);
  std::unique_ptr<Parts> parts_;
};

}  // namespace holdfast::server
