// The address of a board: http or https, a host, a port, and what stands before every path.
#pragma once

#include <expected>
#include <string>
#include <string_view>

namespace holdfast {

struct Url {
  bool tls = false;
  std::string host;    // without the brackets of an IPv6 address
  std::string port;    // "443"
  std::string prefix;  // "/repos/o/r", without a slash at its end
  friend bool operator==(const Url&, const Url&) = default;
  [[nodiscard]] std::string authority() const;  // as in `Host:`
};

// No user, password, query or fragment: a secret has no place in an address.
std::expected<Url, std::string> parse_url(std::string_view);

// A value as one segment of a path or one part of a query.
std::string percent_encoded(std::string_view);

}  // namespace holdfast
