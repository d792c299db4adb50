// HTTP/1.1 to one server: kept connections, a deadline for each call, TLS where the address says so.
//
// A call says how far it came, never what that means: nothing has left this process (no connection in time),
// it was sent and nobody answered in time, it was sent and the connection ended, or an answer came whole.
// Only what may be repeated is tried a second time, after a wait by chance; everything else is for whoever
// asked to look at first. A server that asks for quiet (429, 503 with Retry-After, a rate limit that is used
// up) is left in quiet: calls until then are not sent.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "dispatcher/config/url.h"
#include "dispatcher/core/instant.h"
#include "dispatcher/core/raw_reply.h"

namespace holdfast {

struct HttpCall {
  std::string method = "GET";
  std::string target;  // below the url's prefix, encoded
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string body = {};  // JSON; empty: none
  bool repeatable = false;
};

struct HttpReply {
  Transport transport = Transport::never_sent;
  int status = 0;
  std::map<std::string, std::string> headers;  // names in small letters
  std::string body;
  std::string words;                                                // about the transport
  [[nodiscard]] std::string header(const std::string& name) const;  // empty: none
};

struct HttpClientOptions {
  Url url;
  std::string token = {};    // Bearer; empty: none
  std::string ca_file = {};  // certificates to trust, PEM; empty: this host's
  std::string user_agent = "holdfast";
  Duration within = seconds(10);  // a call with everything that belongs to it
  Duration idle = seconds(20);    // a kept connection is not used after so long
  std::size_t kept_max = 8;
  std::size_t body_bytes_max = 64U << 20;
  int tries = 3;
  Duration first_wait = millis(50);       // between tries, doubled each time, by chance up to that much
  std::function<Instant()> now;           // the wall clock
  std::function<std::uint32_t()> random;  // by chance
};

class HttpClient {
 public:
  explicit HttpClient(HttpClientOptions);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  HttpReply call(const HttpCall&);  // from any thread

  [[nodiscard]] int connections_made() const;  // for tests: how often one was opened

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace holdfast
