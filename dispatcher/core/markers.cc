#include "dispatcher/core/markers.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace holdfast {
namespace {

constexpr std::size_t line_limit = 8192;  // of one line's kept text; the rest of it is read and dropped

bool is_space(char c) {
  return c == ' ' || c == '\t';
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

// What agents draw before the first line of a text of their own; its other lines are indented as far. "> " is
// not among them: that is how they draw a person's input. Nor is what people write lists with.
constexpr std::array<std::string_view, 5> bullets{"⏺", "●", "•", "✦", "🔹"};
constexpr std::string_view indentation = "  ";

int first_number(std::string_view parameters, int fallback) {
  int value = fallback;
  std::from_chars(parameters.data(), parameters.data() + parameters.size(), value);
  return value;
}

// Length of the UTF-8 sequence that begins at text[i]; 0 where there is none.
std::size_t sequence_length(std::string_view text, std::size_t i) {
  const auto byte = [&](std::size_t k) { return static_cast<unsigned char>(text[k]); };
  const unsigned char lead = byte(i);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || i + length > text.size()) return 0;
  for (std::size_t k = 1; k < length; ++k)
    if ((byte(i + k) & 0xC0U) != 0x80U) return 0;
  if ((lead == 0xE0 && byte(i + 1) < 0xA0) || (lead == 0xED && byte(i + 1) > 0x9F) ||
      (lead == 0xF0 && byte(i + 1) < 0x90) || (lead == 0xF4 && byte(i + 1) > 0x8F))
    return 0;
  return length;
}

// Characters that steer a terminal or turn text around (C1 controls, bidi overrides, zero-width): shown as
// U+FFFD.
bool is_steering(std::string_view sequence) {
  if (sequence.size() == 2) return sequence[0] == '\xC2' && static_cast<unsigned char>(sequence[1]) < 0xA0;
  if (sequence.size() != 3) return false;
  if (sequence[0] == '\xE2' && sequence[1] == '\x80') {
    const auto last = static_cast<unsigned char>(sequence[2]);
    return (last >= 0x8B && last <= 0x8F) || (last >= 0xA8 && last <= 0xAE);
  }
  if (sequence[0] == '\xE2' && sequence[1] == '\x81') {
    const auto last = static_cast<unsigned char>(sequence[2]);
    return last >= 0xA6 && last <= 0xA9;
  }
  return sequence == "\xEF\xBB\xBF";
}

std::string without_spacing(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text)
    if (static_cast<unsigned char>(c) > ' ') out += c;
  return out;
}

}  // namespace

std::string printable(std::string_view text, std::size_t at_most) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = sequence_length(text, i);
    const std::string_view sequence = text.substr(i, std::max<std::size_t>(length, 1));
    const bool control = length == 1 && (static_cast<unsigned char>(text[i]) < ' ' || text[i] == '\x7F');
    const std::string_view shown = length == 0 || is_steering(sequence) ? "\xEF\xBF\xBD"
                                   : control                            ? " "
                                                                        : sequence;
    if (out.size() + shown.size() > at_most) break;
    out += shown;
    i += sequence.size();
  }
  return out;
}

namespace {

std::string_view without_drawing(std::string_view line) {
  for (const std::string_view bullet : bullets)
    if (line.starts_with(bullet) && line.substr(bullet.size()).starts_with(' '))
      return line.substr(bullet.size() + 1);
  return line.starts_with(indentation) ? line.substr(indentation.size()) : line;
}

std::string_view from_the_word_on(std::string_view line, WordAt at) {
  switch (at) {
    case WordAt::first_column: return line;
    case WordAt::drawn: return without_drawing(line);
  }
  __builtin_unreachable();
}

}  // namespace

std::optional<Marker> marker_in(std::string_view line, std::int64_t offset, WordAt at) {
  std::string_view text = from_the_word_on(line, at);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  constexpr std::array<std::pair<std::string_view, Said>, 3> words{
      {{"DONE:", Said::done}, {"REVIEW:", Said::review}, {"QUESTION:", Said::question}}};
  for (const auto& [word, kind] : words)
    if (text.starts_with(word))
      return Marker{kind, printable(trimmed(text.substr(word.size())), 2000), printable(text, 2100), offset};
  return std::nullopt;
}

bool is_echo(const Marker& marker, std::string_view sent) {
  // Most texts do not hold the word at all, and some are megabytes long.
  if (sent.find(std::string_view(marker.line).substr(0, marker.line.find(':') + 1)) == std::string_view::npos)
    return false;
  if (marker.text.empty()) {
    for (std::size_t at = 0; at <= sent.size();) {
      const std::size_t end = std::min(sent.find('\n', at), sent.size());
      // However it was written there: the word may have been drawn in another place than it was sent.
      std::string_view line = sent.substr(at, end - at);
      while (!line.empty() && (is_space(line.front()) || line.front() == '-' || line.front() == '*'))
        line.remove_prefix(1);
      const auto whole = marker_in(line, 0, WordAt::drawn);
      if (whole && whole->line == marker.line) return true;
      at = end + 1;
    }
    return false;
  }
  const std::string line = without_spacing(marker.line);
  return without_spacing(printable(sent, sent.size() * 3)).find(line) != std::string::npos;
}

void MarkerReader::begin_line(bool anchored) {
  line_.clear();
  anchored_ = anchored;
  returned_ = false;
  line_offset_ = offset_;
}

void MarkerReader::end_line() {
  const std::string_view text = trimmed(line_);
  if (!text.empty()) {
    if (anchored_)
      if (auto marker = marker_in(line_, line_offset_, word_at_)) markers_.push_back(std::move(*marker));
    last_lines_.push_back(printable(text, 400));
    if (last_lines_.size() > lines_kept) last_lines_.pop_front();
    if (limit_line_.empty())
      for (const std::string& pattern : limit_patterns_)
        if (!pattern.empty() && text.find(pattern) != std::string_view::npos)
          limit_line_ = printable(text, 200);
  }
}

// Only moves that begin a new piece of text matter; colours and erasures do not.
void MarkerReader::control_sequence(char final) {
  switch (final) {
    case 'H':
    case 'f': {
      end_line();
      const auto semicolon = parameters_.find(';');
      const int column = semicolon == std::string::npos
                             ? 1
                             : first_number(std::string_view(parameters_).substr(semicolon + 1), 1);
      begin_line(column <= 1);
      break;
    }
    case 'G':
      end_line();
      begin_line(first_number(parameters_, 1) <= 1);
      break;
    case 'E':
    case 'F':
      end_line();
      begin_line(true);
      break;
    case 'A':
    case 'B':
    case 'd':
      end_line();
      begin_line(returned_ || line_.empty() ? anchored_ : false);
      break;
    case 'C':
      if (line_.size() < line_limit)
        line_.append(static_cast<std::size_t>(std::clamp(first_number(parameters_, 1), 1, 200)), ' ');
      break;
    case 'D':  // moves back: what follows overwrites the middle of a line
      end_line();
      begin_line(false);
      break;
    default: break;
  }
}

void MarkerReader::character(char c) {
  switch (c) {
    case '\n':
      end_line();
      line_.clear();
      anchored_ = true;
      returned_ = false;
      break;
    case '\r': returned_ = true; break;
    case '\x1B': state_ = State::escape; break;
    case '\b':
      if (!line_.empty()) line_.pop_back();
      break;
    default:
      if (static_cast<unsigned char>(c) < ' ' && c != '\t') break;
      if (returned_) {  // overwritten from the first column: what stood there was a line of its own (progress
                        // bars)
        end_line();
        begin_line(true);
      }
      if (line_.empty()) line_offset_ = offset_;
      if (line_.size() < line_limit) line_ += c;
      break;
  }
}

void MarkerReader::feed(std::string_view bytes) {
  for (const char c : bytes) {
    switch (state_) {
      case State::text: character(c); break;
      case State::escape:
        if (c == '[') {
          parameters_.clear();
          state_ = State::csi;
        } else if (c == ']' || c == 'P' || c == '_' || c == '^' || c == 'X') {
          state_ = State::string;
        } else if (c < ' ' || c > '/') {  // intermediates stay in the escape
          state_ = State::text;
        }
        break;
      case State::csi:
        if (c >= '@' && c <= '~') {
          state_ = State::text;
          control_sequence(c);
        } else if (c == '\x1B') {
          state_ = State::escape;
        } else if (c == '\n') {
          state_ = State::text;
          character(c);
        } else if (parameters_.size() < 64) {
          parameters_ += c;
        }
        break;
      case State::string:
        if (c == '\a') {
          state_ = State::text;
        } else if (c == '\x1B') {
          state_ = State::string_escape;
        } else if (c == '\n') {  // cut off in the middle: do not swallow everything that follows
          state_ = State::text;
          character(c);
        }
        break;
      case State::string_escape: state_ = c == '\\' ? State::text : State::string; break;
    }
    ++offset_;
  }
}

void MarkerReader::skip_to(std::int64_t offset) {
  end_line();
  state_ = State::text;
  offset_ = offset;
  begin_line(false);  // the middle of a line, as far as anybody knows
}

void MarkerReader::finish() {
  end_line();
  begin_line(true);
}

}  // namespace holdfast
