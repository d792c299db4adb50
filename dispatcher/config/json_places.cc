#include "dispatcher/config/json_places.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

namespace holdfast {
namespace {

using nlohmann::json;

constexpr std::size_t depth_max = 64;

class Watcher final : public json::json_sax_t {
 public:
  Watcher(std::string_view text, JsonPlaces& places)
      : text_(text), places_(places), at_(text.starts_with("\xEF\xBB\xBF") ? 3 : 0) {}

  bool null() override { return scalar(4); }
  bool boolean(bool value) override { return scalar(value ? 4 : 5); }
  bool number_integer(number_integer_t) override { return number(); }
  bool number_unsigned(number_unsigned_t) override { return number(); }
  bool number_float(number_float_t, const string_t&) override { return number(); }
  bool string(string_t&) override { return scalar(string_length()); }
  bool binary(binary_t&) override { return false; }

  bool start_object(std::size_t) override { return open(false); }
  bool start_array(std::size_t) override { return open(true); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    to_next();
    Level& level = levels_.back();
    const std::string pointer = level.pointer + "/" + pointer_part(name);
    if (!level.names.insert(name).second) {
      places_.trouble = {at_, pointer, "this key stands here twice"};
      return false;
    }
    places_.keys[pointer] = at_;
    level.member = pointer;
    at_ += string_length();
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const json::exception& error) override {
    std::string words = error.what();  // "[json.exception.x] parse error at line 1, column 2: what we want"
    if (const auto after = words.find("]: "); after != std::string::npos && !words.starts_with('['))
      words.erase(0, after + 3);
    else if (const auto bracket = words.find("] "); bracket != std::string::npos)
      words.erase(0, bracket + 2);
    if (words.starts_with("parse error"))
      if (const auto colon = words.find(": "); colon != std::string::npos) words.erase(0, colon + 2);
    places_.trouble = {std::min(position > 0 ? position - 1 : 0, text_.size()), "", words};
    return false;
  }

 private:
  struct Level {
    std::string pointer;
    bool array = false;
    std::size_t index = 0;
    std::string member;
    std::set<std::string> names;
  };

  // Over blanks, comments and separators to the next token. The parser has accepted everything up to there.
  void to_next() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == ',' || c == ':') {
        ++at_;
      } else if (text_.substr(at_).starts_with("//")) {
        // Where the parser ends it: a carriage return alone, and a NUL, are ends too, and read with it.
        at_ = std::min(text_.find_first_of(std::string_view("\n\r\0", 3), at_), text_.size() - 1) + 1;
      } else if (text_.substr(at_).starts_with("/*")) {
        const auto end = text_.find("*/", at_ + 2);
        at_ = end == std::string_view::npos ? text_.size() : end + 2;
      } else {
        return;
      }
    }
  }

  [[nodiscard]] std::size_t string_length() const {
    std::size_t end = at_ + 1;
    while (end < text_.size() && text_[end] != '"') end += text_[end] == '\\' ? 2 : 1;
    return end + 1 - at_;
  }

  void place() {
    to_next();
    std::string pointer;
    if (!levels_.empty()) {
      Level& level = levels_.back();
      pointer = level.array ? level.pointer + "/" + std::to_string(level.index++) : level.member;
    }
    places_.values[pointer] = at_;
    here_ = std::move(pointer);
  }

  bool scalar(std::size_t length) {
    to_next();
    const std::size_t whole = text_.substr(at_).starts_with('"') ? string_length() : length;
    place();
    at_ += whole;
    return true;
  }
  bool number() {
    place();
    while (at_ < text_.size() &&
           std::string_view("+-.0123456789eE").find(text_[at_]) != std::string_view::npos)
      ++at_;
    return true;
  }
  bool open(bool array) {
    place();
    if (levels_.size() >= depth_max) {
      places_.trouble = {at_, here_, "nested too deeply"};
      return false;
    }
    ++at_;
    levels_.push_back({here_, array, 0, {}, {}});
    return true;
  }
  bool close() {
    to_next();
    ++at_;
    levels_.pop_back();
    return true;
  }

  std::string_view text_;
  JsonPlaces& places_;
  std::size_t at_;
  std::string here_;
  std::vector<Level> levels_;
};

}  // namespace

JsonPlaces places_in(std::string_view text) {
  JsonPlaces places;
  Watcher watcher(text, places);
  json::sax_parse(text.begin(), text.end(), &watcher, json::input_format_t::json, true, true);
  return places;
}

LineAndColumn line_and_column(std::string_view text, std::size_t offset) {
  LineAndColumn at;
  for (const char c : text.substr(0, offset)) {
    at.column += 1;
    if (c == '\n') at = {at.line + 1, 1};
  }
  return at;
}

std::string pointer_part(std::string_view key) {
  std::string part;
  for (const char c : key) {
    if (c == '~')
      part += "~0";
    else if (c == '/')
      part += "~1";
    else
      part += c;
  }
  return part;
}

}  // namespace holdfast
