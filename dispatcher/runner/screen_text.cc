#include "dispatcher/runner/screen_text.h"

#include <algorithm>

namespace holdfast {
namespace {

constexpr std::size_t longest_parameters = 256;
constexpr char escape_byte = '\x1b';

}  // namespace

std::string ScreenText::read(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) take(c, out);
  return out;
}

void ScreenText::take(char c, std::string& out) {
  switch (state_) {
    case State::text:
      if (c == escape_byte) {
        state_ = State::escape;
      } else if (c == '\n' || c == '\t' || static_cast<unsigned char>(c) >= 0x20) {
        if (c != '\x7f') out += c;
      }
      return;
    case State::escape:
      parameters_.clear();
      if (c == '[') {
        state_ = State::control;
      } else if (c == ']' || c == 'P' || c == '_' || c == '^' || c == 'X') {
        state_ = State::string;
      } else if (c >= 0x20 && c <= 0x2f) {
        state_ = State::escape_more;
      } else if (c != escape_byte) {
        state_ = State::text;
      }
      return;
    case State::escape_more:
      if (c < 0x20 || c > 0x2f) state_ = State::text;
      return;
    case State::control:
      if (c == escape_byte) {
        state_ = State::escape;
      } else if (c >= 0x40 && c <= 0x7e) {
        finish_control(c, out);
        state_ = State::text;
      } else if (parameters_.size() < longest_parameters) {
        parameters_ += c;
      }
      return;
    case State::string:
      if (c == '\a') state_ = State::text;
      if (c == escape_byte) state_ = State::string_escape;
      return;
    case State::string_escape:
      // ESC \ ends the string; anything else after ESC does so too, and begins its own sequence.
      state_ = State::escape;
      if (c == '\\') {
        state_ = State::text;
      } else {
        take(c, out);
      }
      return;
  }
}

void ScreenText::finish_control(char final, std::string& out) {
  if (final == 'C') {
    // "Cursor forward": full-screen programs write it where others write blanks.
    out += ' ';
    return;
  }
  if ((final != 'h' && final != 'l') || !parameters_.starts_with('?')) return;
  std::string_view modes = parameters_;
  modes.remove_prefix(1);
  while (!modes.empty()) {
    const auto mode = modes.substr(0, modes.find(';'));
    if (mode == "2004") bracketed_paste_ = final == 'h';
    modes.remove_prefix(std::min(mode.size() + 1, modes.size()));
  }
}

void PatternWatch::read(std::string_view plain) {
  if (seen_ || pattern_.empty()) return;
  window_ += plain;
  if (window_.find(pattern_) != std::string::npos) {
    seen_ = true;
    window_.clear();
  } else if (window_.size() >= pattern_.size()) {
    window_.erase(0, window_.size() - pattern_.size() + 1);
  }
}

}  // namespace holdfast
