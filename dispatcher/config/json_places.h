// Where each value of a JSON text stands, by its JSON pointer; and what the parser lets pass: a key that
// stands twice in one object.
//
// One pass of the parser's own events, so that comments, escapes and nesting are never understood twice.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace holdfast {

struct JsonTrouble {
  std::size_t offset = 0;
  std::string pointer;  // empty: about the text as a whole
  std::string words;
};

struct JsonPlaces {
  std::map<std::string, std::size_t> keys;    // offset of the key that the value belongs to
  std::map<std::string, std::size_t> values;  // offset of the value
  std::optional<JsonTrouble> trouble;
};

JsonPlaces places_in(std::string_view text);

struct LineAndColumn {
  std::size_t line = 1, column = 1;  // column in bytes
};
LineAndColumn line_and_column(std::string_view text, std::size_t offset);

std::string pointer_part(std::string_view key);  // "a/b" -> "a~1b"

}  // namespace holdfast
