#include "dispatcher/server/page.h"

#include <algorithm>

namespace holdfast::server {
namespace {

// Its own files and its own server, no inline script or style, and no text that becomes markup.
constexpr const char* policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri "
    "'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

}  // namespace

std::optional<HttpAnswer> page_file(const HttpRequest& request) {
  if ((request.method != "GET" && request.method != "HEAD") || request.path.size() > 1) return std::nullopt;
  const std::string_view wanted = request.path.empty() ? std::string_view() : request.path.front();
  const auto found = std::ranges::find(page_files(), wanted, &PageFile::path);
  if (found == page_files().end()) return std::nullopt;
  HttpAnswer answer;
  answer.type = found->type;
  answer.body = found->text;
  answer.headers.emplace_back("Content-Security-Policy", policy);
  return answer;
}

}  // namespace holdfast::server
