// Who may ask. On loopback any program of this machine's users may, so what a browser can be made to send is
// kept out: a page of somewhere else cannot name us in `Host`, cannot leave out `Origin`, and cannot send
// JSON unasked. Elsewhere the token is asked for.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "dispatcher/server/http.h"

namespace holdfast::server {

struct GateRules {
  std::string token = {};   // empty: none is asked for (loopback or Unix socket only)
  bool checks_host = true;  // not on a Unix socket
};

// nullopt: come in. 401 without the token, 403 from a page of somewhere else, 415 with a body that is no
// JSON, 421 for another host's name.
std::optional<HttpAnswer> turned_away(const HttpRequest&, const GateRules&);

// Takes as long whatever is equal.
bool same_secret(std::string_view given, std::string_view secret);

// Reads it; makes it (0600, 256 random bits) where it is not there. An error where others may read the file.
std::expected<std::string, std::string> read_or_make_token(const std::string& path);

}  // namespace holdfast::server
