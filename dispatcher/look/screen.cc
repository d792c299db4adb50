#include "dispatcher/look/screen.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace holdfast {
namespace {

constexpr std::int64_t stream_tail_bytes = 96 << 10;
constexpr std::size_t longest_numbers = 64;
constexpr std::size_t gone_max = 400;
constexpr char32_t replacement = 0xFFFD;

struct Range {
  char32_t from, to;
};

template <std::size_t N>
bool within(const std::array<Range, N>& ranges, char32_t c) {
  return std::ranges::any_of(ranges, [c](const Range& r) { return c >= r.from && c <= r.to; });
}

// Turns the direction of writing, is nothing to see, or stands for no character at all.
bool misleads(char32_t c) {
  static constexpr std::array<Range, 16> ranges{{{0x00, 0x1F},
                                                 {0x7F, 0x9F},
                                                 {0xAD, 0xAD},
                                                 {0x61C, 0x61C},
                                                 {0x115F, 0x1160},
                                                 {0x17B4, 0x17B5},
                                                 {0x180B, 0x180F},
                                                 {0x200B, 0x200F},
                                                 {0x2028, 0x202E},
                                                 {0x2060, 0x206F},
                                                 {0x3164, 0x3164},
                                                 {0xD800, 0xDFFF},
                                                 {0xFEFF, 0xFEFF},
                                                 {0xFFF0, 0xFFFB},
                                                 {0xE0000, 0xE0FFF},
                                                 {0xE000, 0xF8FF}}};
  return within(ranges, c) || c > 0x10FFFF;
}

bool combines(char32_t c) {
  static constexpr std::array<Range, 6> ranges{{{0x300, 0x36F},
                                                {0x483, 0x489},
                                                {0x1AB0, 0x1AFF},
                                                {0x1DC0, 0x1DFF},
                                                {0x20D0, 0x20FF},
                                                {0xFE00, 0xFE2F}}};
  return within(ranges, c);
}

bool takes_two(char32_t c) {
  static constexpr std::array<Range, 9> ranges{{{0x1100, 0x115E},
                                                {0x2E80, 0x303E},
                                                {0x3041, 0xA4CF},
                                                {0xAC00, 0xD7A3},
                                                {0xF900, 0xFAFF},
                                                {0xFE30, 0xFE6F},
                                                {0xFF00, 0xFF60},
                                                {0x1F300, 0x1F64F},
                                                {0x1F900, 0x1FAFF}}};
  return within(ranges, c);
}

void append_utf8(std::string& out, char32_t c) {
  const auto low = [c](unsigned shift) { return static_cast<char>(0x80U | ((c >> shift) & 0x3FU)); };
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xC0U | (c >> 6U));
    out += low(0);
  } else if (c < 0x10000) {
    out += static_cast<char>(0xE0U | (c >> 12U));
    out += low(6);
    out += low(0);
  } else {
    out += static_cast<char>(0xF0U | (c >> 18U));
    out += low(12);
    out += low(6);
    out += low(0);
  }
}

// How many bytes follow this one; -1: none begins like that.
int bytes_after(unsigned char first) {
  if (first < 0x80) return 0;
  if (first >= 0xC2 && first <= 0xDF) return 1;
  if (first >= 0xE0 && first <= 0xEF) return 2;
  if (first >= 0xF0 && first <= 0xF4) return 3;
  return -1;
}

char32_t bits_of(unsigned char first, int after) {
  switch (after) {
    case 0: return first;
    case 1: return first & 0x1FU;
    case 2: return first & 0x0FU;
    default: return first & 0x07U;
  }
}

bool is_overlong(char32_t c, int after) {
  return (after == 2 && c < 0x800) || (after == 3 && c < 0x10000);
}

struct Sign {
  std::size_t bytes = 1;
  std::size_t columns = 1;
};
// The first one; what is no UTF-8 is one byte and one column.
Sign first_sign(std::string_view text) {
  const auto first = static_cast<unsigned char>(text.front());
  const int after = bytes_after(first);
  if (after <= 0 || text.size() <= static_cast<std::size_t>(after)) return {};
  char32_t c = bits_of(first, after);
  for (int n = 1; n <= after; ++n)
    c = (c << 6U) | (static_cast<unsigned char>(text[static_cast<std::size_t>(n)]) & 0x3FU);
  return {static_cast<std::size_t>(after) + 1, combines(c) ? 0U : takes_two(c) ? 2U : 1U};
}

}  // namespace

std::size_t columns_of(std::string_view text) {
  std::size_t columns = 0;
  while (!text.empty()) {
    const Sign sign = first_sign(text);
    columns += sign.columns;
    text.remove_prefix(sign.bytes);
  }
  return columns;
}

std::string cut_to_columns(std::string_view text, std::size_t columns) {
  std::size_t bytes = 0;
  for (std::size_t used = 0; bytes < text.size();) {
    const Sign sign = first_sign(text.substr(bytes));
    if (used + sign.columns > columns) break;
    used += sign.columns;
    bytes += sign.bytes;
  }
  return std::string(text.substr(0, bytes));
}

std::string harmless(std::string_view text, bool keep_lines) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const auto first = static_cast<unsigned char>(text[i++]);
    const int after = bytes_after(first);
    char32_t c = after < 0 ? replacement : bits_of(first, after);
    for (int n = 0; n < after; ++n) {
      if (i >= text.size() || (static_cast<unsigned char>(text[i]) & 0xC0U) != 0x80U) {
        c = replacement;
        break;
      }
      c = (c << 6U) | (static_cast<unsigned char>(text[i++]) & 0x3FU);
    }
    if (is_overlong(c, after)) c = replacement;
    if (keep_lines && (c == '\n' || c == '\t'))
      out += static_cast<char>(c);
    else if (c == '\n' || c == '\t')
      out += ' ';
    else if (!misleads(c))
      append_utf8(out, c);
  }
  return out;
}

ScreenDrawing::ScreenDrawing(int columns, int rows)
    : columns_(std::clamp(columns, 1, 1000)), rows_(std::clamp(rows, 1, 500)), bottom_(rows_ - 1) {
  lines_.assign(static_cast<std::size_t>(rows_), blank());
}

ScreenDrawing::Line ScreenDrawing::blank() const {
  return Line(static_cast<std::size_t>(columns_));
}

void ScreenDrawing::read(std::string_view bytes) {
  for (const char c : bytes) take(static_cast<unsigned char>(c));
}

void ScreenDrawing::take(unsigned char byte) {
  switch (state_) {
    case State::text:
      if (missing_ > 0) {
        if ((byte & 0xC0U) == 0x80U) {
          sign_ = (sign_ << 6U) | (byte & 0x3FU);
          if (--missing_ == 0) put(sign_);
          return;
        }
        missing_ = 0;
        put(replacement);
      }
      if (byte == 0x1B) {
        state_ = State::escape;
      } else if (byte < 0x20 || byte == 0x7F) {
        control(byte);
      } else if (const int after = bytes_after(byte); after < 0) {
        put(replacement);
      } else {
        sign_ = bits_of(byte, after);
        missing_ = after;
        if (after == 0) put(sign_);
      }
      return;
    case State::escape: escape(byte); return;
    case State::charset: state_ = State::text; return;
    case State::control:
      if (byte == 0x1B) {
        state_ = State::escape;
      } else if (byte >= 0x40 && byte <= 0x7E) {
        state_ = State::text;
        finish_control(byte);
      } else if (byte < 0x20) {
        control(byte);
      } else if (numbers_.size() < longest_numbers) {
        numbers_ += static_cast<char>(byte);
      }
      return;
    case State::string:
      if (byte == 0x07) state_ = State::text;
      if (byte == 0x1B) state_ = State::string_escape;
      return;
    case State::string_escape:
      if (byte == '\\') {
        state_ = State::text;
      } else {
        escape(byte);
      }
      return;
  }
}

void ScreenDrawing::escape(unsigned char byte) {
  state_ = State::text;
  numbers_.clear();
  switch (byte) {
    case '[': state_ = State::control; return;
    case ']':
    case 'P':
    case '_':
    case '^':
    case 'X': state_ = State::string; return;
    case '(':
    case ')':
    case '*':
    case '+':
    case '#':
    case '%': state_ = State::charset; return;
    case 0x1B: state_ = State::escape; return;
    case '7':
      kept_row_ = row_;
      kept_column_ = column_;
      return;
    case '8': move_to(kept_row_, kept_column_); return;
    case 'D': line_feed(); return;
    case 'E':
      column_ = 0;
      line_feed();
      return;
    case 'M':
      if (row_ == top_)
        scroll_down(top_, 1);
      else
        move_to(row_ - 1, column_);
      return;
    case 'c':
      lines_.assign(static_cast<std::size_t>(rows_), blank());
      top_ = 0;
      bottom_ = rows_ - 1;
      move_to(0, 0);
      return;
    default: return;
  }
}

void ScreenDrawing::control(unsigned char byte) {
  switch (byte) {
    case '\n':
    case '\v':
    case '\f': line_feed(); return;
    case '\r':
      column_ = 0;
      full_ = false;
      return;
    case '\b':
      column_ = std::max(0, column_ - 1);
      full_ = false;
      return;
    case '\t':
      column_ = std::min(columns_ - 1, (column_ / 8 + 1) * 8);
      full_ = false;
      return;
    default: return;
  }
}

void ScreenDrawing::put(char32_t sign) {
  if (misleads(sign)) return;
  if (combines(sign)) {
    Line& line = lines_[static_cast<std::size_t>(row_)];
    const int at = full_ ? column_ : column_ - 1;
    if (at >= 0) line[static_cast<std::size_t>(at)].mark = sign;
    return;
  }
  const int width = takes_two(sign) && columns_ > 1 ? 2 : 1;
  if (full_ || column_ + width > columns_) {
    column_ = 0;
    line_feed();
  }
  Line& line = lines_[static_cast<std::size_t>(row_)];
  line[static_cast<std::size_t>(column_)] = {sign, 0, false};
  if (width == 2) line[static_cast<std::size_t>(column_) + 1] = {U' ', 0, true};
  column_ += width;
  full_ = column_ >= columns_;
  if (full_) column_ = columns_ - 1;
}

void ScreenDrawing::line_feed() {
  full_ = false;
  if (row_ == bottom_)
    scroll_up(top_, 1);
  else
    row_ = std::min(row_ + 1, rows_ - 1);
}

void ScreenDrawing::scroll_up(int from, int lines) {
  for (int n = 0; n < std::min(lines, bottom_ - from + 1); ++n) {
    if (from == 0 && !on_second_) {
      gone_.push_back(text_of(lines_.front()));
      if (gone_.size() > gone_max) gone_.pop_front();
    }
    lines_.erase(lines_.begin() + from);
    lines_.insert(lines_.begin() + bottom_, blank());
  }
}

void ScreenDrawing::scroll_down(int from, int lines) {
  for (int n = 0; n < std::min(lines, bottom_ - from + 1); ++n) {
    lines_.erase(lines_.begin() + bottom_);
    lines_.insert(lines_.begin() + from, blank());
  }
}

void ScreenDrawing::erase(int row, int from, int to) {
  Line& line = lines_[static_cast<std::size_t>(row)];
  for (int at = std::max(0, from); at < std::min(to, columns_); ++at) line[static_cast<std::size_t>(at)] = {};
}

void ScreenDrawing::move_to(int row, int column) {
  row_ = std::clamp(row, 0, rows_ - 1);
  column_ = std::clamp(column, 0, columns_ - 1);
  full_ = false;
}

void ScreenDrawing::second_screen(bool on) {
  if (on == on_second_) return;
  on_second_ = on;
  std::swap(lines_, first_);
  if (on) lines_.assign(static_cast<std::size_t>(rows_), blank());
  if (lines_.empty()) lines_.assign(static_cast<std::size_t>(rows_), blank());
  top_ = 0;
  bottom_ = rows_ - 1;
  if (on) {
    kept_row_ = row_;
    kept_column_ = column_;
  } else {
    move_to(kept_row_, kept_column_);
  }
}

std::vector<int> ScreenDrawing::parameters(std::size_t at_least, int otherwise) const {
  std::vector<int> numbers;
  for (std::size_t at = 0; at <= numbers_.size();) {
    const std::size_t end = std::min(numbers_.find(';', at), numbers_.size());
    int n = otherwise;
    const char* const from = numbers_.data() + at;
    if (std::from_chars(from, numbers_.data() + end, n).ec != std::errc{}) n = otherwise;
    numbers.push_back(std::clamp(n, 0, 10'000));
    at = end + 1;
  }
  while (numbers.size() < at_least) numbers.push_back(otherwise);
  return numbers;
}

void ScreenDrawing::finish_control(unsigned char final) {
  if (!numbers_.empty() && (numbers_[0] == '?' || numbers_[0] == '>' || numbers_[0] == '=')) {
    const bool screen = numbers_ == "?1049" || numbers_ == "?1047" || numbers_ == "?47";
    if (screen && (final == 'h' || final == 'l')) second_screen(final == 'h');
    return;
  }
  const auto numbers = parameters(2, 0);
  const int n = std::max(1, numbers[0]);
  switch (final) {
    case 'A': return move_to(std::max(row_ - n, row_ >= top_ ? top_ : 0), column_);
    case 'B':
    case 'e': return move_to(std::min(row_ + n, row_ <= bottom_ ? bottom_ : rows_ - 1), column_);
    case 'C':
    case 'a': return move_to(row_, column_ + n);
    case 'D': return move_to(row_, column_ - n);
    case 'E': return move_to(row_ + n, 0);
    case 'F': return move_to(row_ - n, 0);
    case 'G':
    case '`': return move_to(row_, n - 1);
    case 'd': return move_to(n - 1, column_);
    case 'H':
    case 'f': return move_to(n - 1, std::max(1, numbers[1]) - 1);
    case 'J':
      if (numbers[0] == 0) {
        erase(row_, column_, columns_);
        for (int row = row_ + 1; row < rows_; ++row) erase(row, 0, columns_);
      } else {
        const int last = numbers[0] == 1 ? row_ : rows_;
        for (int row = 0; row < last; ++row) erase(row, 0, columns_);
        if (numbers[0] == 1) erase(row_, 0, column_ + 1);
      }
      return;
    case 'K': erase(row_, numbers[0] == 0 ? column_ : 0, numbers[0] == 1 ? column_ + 1 : columns_); return;
    case 'L':
      if (row_ >= top_ && row_ <= bottom_) scroll_down(row_, n);
      return;
    case 'M':
      // Lines that are deleted are gone; what was scrolled off is kept, and from the top that looks alike.
      if (row_ >= top_ && row_ <= bottom_) scroll_up(row_, n);
      return;
    case 'S': return scroll_up(top_, n);
    case 'T': return scroll_down(top_, n);
    case 'X': return erase(row_, column_, column_ + n);
    case 'P':
    case '@': {
      Line& line = lines_[static_cast<std::size_t>(row_)];
      for (int i = 0; i < std::min(n, columns_ - column_); ++i) {
        line.erase(final == 'P' ? line.begin() + column_ : line.end() - 1);
        line.insert(final == 'P' ? line.end() : line.begin() + column_, Cell{});
      }
      return;
    }
    case 'r': {
      const int to = numbers[1] == 0 ? rows_ : std::min(numbers[1], rows_);
      if (n < to) {
        top_ = n - 1;
        bottom_ = to - 1;
        move_to(0, 0);
      }
      return;
    }
    case 's':
      kept_row_ = row_;
      kept_column_ = column_;
      return;
    case 'u': return move_to(kept_row_, kept_column_);
    default: return;
  }
}

std::string ScreenDrawing::text_of(const Line& line) {
  std::string text;
  for (const Cell& cell : line) {
    if (cell.covered) continue;
    append_utf8(text, cell.sign);
    if (cell.mark != 0) append_utf8(text, cell.mark);
  }
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

std::vector<std::string> ScreenDrawing::last_lines(std::size_t at_most) const {
  std::vector<std::string> all;
  if (!on_second_) all.assign(gone_.begin(), gone_.end());
  for (const Line& line : lines_) all.push_back(text_of(line));
  while (!all.empty() && all.back().empty()) all.pop_back();
  if (all.size() > at_most) all.erase(all.begin(), all.end() - static_cast<std::ptrdiff_t>(at_most));
  return all;
}

Reply<Screen> read_screen(Records& records, const AttemptId& attempt, const RecordSighting& record,
                          const ScreenOrder& order) {
  std::int64_t from = std::max<std::int64_t>(0, record.stream_bytes - stream_tail_bytes);
  auto tail = records.read_stream(attempt, from, stream_tail_bytes);
  // The beginning of it was dropped meanwhile: what is kept begins where the answer says.
  if (!tail.raw.text.empty() && tail.value.empty()) {
    const std::string& where = tail.raw.text;
    if (std::from_chars(where.data(), where.data() + where.size(), from).ec == std::errc{})
      tail = records.read_stream(attempt, from, stream_tail_bytes);
  }
  Reply<Screen> reply;
  reply.raw = tail.raw;
  if (tail.raw.code != 0 && from == 0 && record.stream_bytes == 0) reply.raw.code = 0;  // nothing was written
  ScreenDrawing drawing(order.columns, order.rows);
  std::string_view bytes = tail.value;
  // From the middle of a stream one begins at a line, not within a sequence.
  if (from > 0) bytes.remove_prefix(std::min(bytes.size(), bytes.find('\n') + 1));
  drawing.read(bytes);
  reply.value.lines = drawing.last_lines(order.lines);
  reply.value.stream_bytes = record.stream_bytes;
  reply.value.last_output_at = record.last_output_at;
  return reply;
}

}  // namespace holdfast
