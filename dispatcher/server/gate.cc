#include "dispatcher/server/gate.h"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <nlohmann/json.hpp>

#include "dispatcher/system/durable_file.h"
#include "dispatcher/system/fd.h"

namespace holdfast::server {
namespace {

constexpr std::size_t token_bytes_max = 4096, token_bytes_min = 16;

bool is_loopback_name(std::string_view host) {
  if (host.starts_with('[')) {
    const auto end = host.find(']');
    return end != std::string_view::npos && host.substr(0, end + 1) == "[::1]";
  }
  const std::string_view name = host.substr(0, host.find(':'));
  return name == "localhost" || name == "127.0.0.1";
}

std::string without_ends(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.pop_back();
  return text;
}

}  // namespace

bool same_secret(std::string_view given, std::string_view secret) {
  unsigned char difference = given.size() == secret.size() ? 0 : 1;
  for (std::size_t i = 0; i < secret.size(); ++i)
    difference = static_cast<unsigned char>(
        difference | (static_cast<unsigned char>(secret[i]) ^
                      static_cast<unsigned char>(given.empty() ? 0 : given[i % given.size()])));
  return difference == 0;
}

std::optional<HttpAnswer> turned_away(const HttpRequest& request, const GateRules& rules) {
  if (rules.token.empty()) {
    if (rules.checks_host && !is_loopback_name(request.header("host").value_or("")))
      return problem(421, "wrong_host", "this server is localhost; the request names another host");
    if (const auto origin = request.header("origin")) {
      const auto at = origin->find("://");
      if (at == std::string::npos || !is_loopback_name(std::string_view(*origin).substr(at + 3)) ||
          std::string_view(*origin).substr(at + 3) != request.header("host").value_or(""))
        return problem(403, "wrong_origin", "a page of another origin may not ask");
    }
  } else {
    const auto given = request.header("authorization").value_or("");
    constexpr std::string_view scheme = "Bearer ";
    if (!given.starts_with(scheme) ||
        !same_secret(std::string_view(given).substr(scheme.size()), rules.token)) {
      HttpAnswer answer = problem(401, "unauthorized", "Authorization: Bearer <token> is needed");
      answer.headers.emplace_back("WWW-Authenticate", "Bearer");
      return answer;
    }
  }
  const bool writes = request.method != "GET" && request.method != "HEAD";
  const std::string type = request.header("content-type").value_or("");
  if (writes && !type.starts_with("application/json"))
    return problem(415, "not_json", "Content-Type: application/json is needed, also without a body");
  return std::nullopt;
}

std::expected<std::string, std::string> read_or_make_token(const std::string& path) {
  struct stat there{};
  if (::lstat(path.c_str(), &there) == 0) {
    if (!S_ISREG(there.st_mode)) return std::unexpected(path + ": is not a plain file");
    if ((there.st_mode & 077) != 0)
      return std::unexpected(path + ": others may read it; chmod 600 it, and change the token");
    const FileText file = read_file(path, token_bytes_max);
    if (file.error != 0) return std::unexpected(path + ": " + errno_words(file.error));
    std::string token = without_ends(file.text);
    if (file.longer || token.size() < token_bytes_min)
      return std::unexpected(path + ": expected a token of 16 to 4096 characters");
    return token;
  }
  std::array<unsigned char, 32> random{};
  if (::getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(random.size()))
    return std::unexpected("no random numbers can be had");
  std::string token;
  for (const unsigned char byte : random) {
    token += "0123456789abcdef"[byte >> 4];
    token += "0123456789abcdef"[byte & 15];
  }
  const auto slash = path.rfind('/');
  const int error = slash == std::string::npos
                        ? EINVAL
                        : replace_file(path.substr(0, slash), path.substr(slash + 1), token + "\n");
  if (error != 0) return std::unexpected(path + ": " + errno_words(error));
  return token;
}

}  // namespace holdfast::server
