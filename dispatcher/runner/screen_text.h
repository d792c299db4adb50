// Reads along with what the worker writes to its terminal: the text without its escapes, and the modes that
// matter.
#pragma once

#include <string>
#include <string_view>

namespace holdfast {

class ScreenText {
 public:
  // Returns the plain text of these bytes. Sequences may be cut anywhere between two calls.
  std::string read(std::string_view bytes);

  // The worker has asked for bracketed paste (ESC [ ? 2004 h) and not yet taken it back.
  [[nodiscard]] bool bracketed_paste() const { return bracketed_paste_; }

 private:
  enum class State { text, escape, escape_more, control, string, string_escape };
  void take(char c, std::string& out);
  void finish_control(char final, std::string& out);

  State state_ = State::text;
  std::string parameters_;
  bool bracketed_paste_ = false;
};

// Finds a text in a stream that comes in pieces.
class PatternWatch {
 public:
  explicit PatternWatch(std::string pattern) : pattern_(std::move(pattern)) {}
  [[nodiscard]] bool seen() const { return seen_; }
  void read(std::string_view plain);

 private:
  std::string pattern_;
  std::string window_;
  bool seen_ = false;
};

}  // namespace holdfast
