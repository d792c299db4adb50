#include "dispatcher/config/url.h"

#include <algorithm>

namespace holdfast {
namespace {

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

}  // namespace

std::string Url::authority() const {
  const std::string name = host.find(':') == std::string::npos ? host : "[" + host + "]";
  return port == (tls ? "443" : "80") ? name : name + ":" + port;
}

std::expected<Url, std::string> parse_url(std::string_view text) {
  Url url;
  if (text.starts_with("https://")) {
    url.tls = true;
    text.remove_prefix(8);
  } else if (text.starts_with("http://")) {
    text.remove_prefix(7);
  } else {
    return std::unexpected("an address that begins with http:// or https://");
  }
  const auto slash = text.find('/');
  std::string_view authority = text.substr(0, slash);
  std::string_view prefix = slash == std::string_view::npos ? "" : text.substr(slash);
  while (prefix.ends_with('/')) prefix.remove_suffix(1);
  if (authority.find('@') != std::string_view::npos)
    return std::unexpected("an address without a name or password; a token belongs into token_file");
  if (!std::ranges::all_of(prefix, [](char c) { return is_plain(c) || c == '/' || c == '%'; }))
    return std::unexpected("an address without a query, and other characters percent-encoded");
  url.prefix = prefix;
  std::string_view port;
  if (authority.starts_with('[')) {
    const auto end = authority.find(']');
    if (end == std::string_view::npos) return std::unexpected("an IPv6 address in [ ]");
    url.host = authority.substr(1, end - 1);
    authority.remove_prefix(end + 1);
    if (!url.host.empty() && !std::ranges::all_of(url.host, [](char c) { return is_plain(c) || c == ':'; }))
      return std::unexpected("an IPv6 address in [ ]");
    if (authority.starts_with(':')) port = authority.substr(1);
  } else {
    const auto colon = authority.find(':');
    url.host = authority.substr(0, colon);
    if (colon != std::string_view::npos) port = authority.substr(colon + 1);
    if (!std::ranges::all_of(url.host, is_plain)) return std::unexpected("a host's name or address");
  }
  if (url.host.empty()) return std::unexpected("a host's name or address");
  if (!port.empty() &&
      (port.size() > 5 || !std::ranges::all_of(port, [](char c) { return c >= '0' && c <= '9'; })))
    return std::unexpected("a port from 1 to 65535");
  url.port = port.empty() ? (url.tls ? "443" : "80") : std::string(port);
  return url;
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    if (is_plain(c)) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += digits[byte >> 4U];
    out += digits[byte & 15U];
  }
  return out;
}

}  // namespace holdfast
