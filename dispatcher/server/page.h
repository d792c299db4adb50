// The Control Room: a page that shows the board and the runtimes and lets a person act, out of this program
// alone. It asks this server and nobody else, and its policy lets it do nothing else.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "dispatcher/server/http.h"

namespace holdfast::server {

struct PageFile {
  std::string_view path;  // "page.js"; of the page itself: empty
  std::string_view type;
  std::string_view text;
};
std::span<const PageFile> page_files();  // made from dispatcher/server/page at build time

// What a browser asks for that is of the page; nullopt: it is not.
std::optional<HttpAnswer> page_file(const HttpRequest&);

}  // namespace holdfast::server
