# Writes OUT, a C++ source with the files of the page in it.
#   cmake -DFOLDER=... -DOUT=... -P embed.cmake
cmake_minimum_required(VERSION 3.25)
set(type_of_html "text/html")
set(type_of_css "text/css")
set(type_of_js "text/javascript")
set(type_of_svg "image/svg+xml")
set(rows "")
foreach(file index.html page.css page.js icon.svg)
  string(REGEX REPLACE ".*\\." "" ending "${file}")
  set(path "${file}")
  if(file STREQUAL "index.html")
    set(path "")
  endif()
  file(READ "${FOLDER}/${file}" text)
  string(APPEND rows "    {\"${path}\", \"${type_of_${ending}}; charset=utf-8\", R\"~page~(${text})~page~\"},\n")
endforeach()
file(WRITE "${OUT}" "// Made from dispatcher/server/page by embed.cmake.
#include <array>

#include \"dispatcher/server/page.h\"

namespace holdfast::server {

std::span<const PageFile> page_files() {
  static constexpr std::array<PageFile, 4> files{{
${rows}  }};
  return files;
}

}  // namespace holdfast::server
")
