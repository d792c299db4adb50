// Reads what a worker writes to its terminal: complete lines without escapes, and the markers among them.
//
// A marker is a line that begins with `DONE:`, `REVIEW:` or `QUESTION:`, in the first column, or behind what
// the worker's program draws before its own text (WordAt): `git log` and lists of tasks show such words too,
// and indent them. It is read from the stream, byte by byte, never from the screen, so wrapping and scrolling
// cannot hide or fake one: only a real line break, or a cursor move to the first column, begins a line.
// Whether a marker may be no more than what was sent coming back is decided by is_echo.
//
// A value: what it holds depends on nothing but the bytes it was fed.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dispatcher/core/attempt.h"

namespace holdfast {

struct Marker {
  Said kind = Said::nothing;
  std::string text;         // after the colon, trimmed, printable, at most 2,000 bytes
  std::string line;         // the whole line, as compared by is_echo
  std::int64_t offset = 0;  // of the line's first byte in the stream
  friend bool operator==(const Marker&, const Marker&) = default;
};

// How much of what an attempt said is recorded, on both of its channels, as the one growing number of its
// row.
struct SaidPosition {
  std::int64_t hook = 0;     // bytes of the hook's file
  std::int64_t stream = -1;  // offset of the last marker's line
};
constexpr SaidPosition said_position(std::int64_t offset) {
  return offset < 0 ? SaidPosition{} : SaidPosition{offset >> 40, (offset & ((1LL << 40) - 1)) - 1};
}
constexpr std::int64_t said_offset(SaidPosition p) {
  return (p.hook << 40) | (p.stream + 1);
}

class MarkerReader {
 public:
  static constexpr std::size_t lines_kept = 40;

  explicit MarkerReader(std::vector<std::string> limit_patterns = {}, WordAt word_at = WordAt::first_column)
      : word_at_(word_at), limit_patterns_(std::move(limit_patterns)) {}

  void feed(std::string_view bytes);
  void finish();  // the stream has ended: what stands in the last line counts as one

  void skip_to(std::int64_t offset);  // bytes in between were dropped: the next one begins a line of its own

  [[nodiscard]] std::int64_t offset() const { return offset_; }  // bytes read so far
  [[nodiscard]] const std::vector<Marker>& markers() const { return markers_; }
  [[nodiscard]] const std::deque<std::string>& last_lines() const { return last_lines_; }
  [[nodiscard]] const std::string& limit_line() const { return limit_line_; }

  friend bool operator==(const MarkerReader&, const MarkerReader&) = default;

 private:
  enum class State { text, escape, csi, string, string_escape };
  void character(char c);
  void control_sequence(char final);
  void begin_line(bool anchored);
  void end_line();

  WordAt word_at_ = WordAt::first_column;
  State state_ = State::text;
  std::string parameters_;  // of a CSI sequence
  std::string line_;
  bool anchored_ = true;   // the line began in the first column
  bool returned_ = false;  // a carriage return came, and nothing after it yet
  std::int64_t line_offset_ = 0;
  std::int64_t offset_ = 0;
  std::vector<Marker> markers_;
  std::deque<std::string> last_lines_;
  std::vector<std::string> limit_patterns_;
  std::string limit_line_;
};

// One line as a marker, if it is one.
std::optional<Marker> marker_in(std::string_view line, std::int64_t offset, WordAt);

// May this marker be nothing but text that we ourselves sent through the worker's terminal (echoed, redrawn,
// wrapped)? Compared without spacing, so that redrawing cannot defeat it; a marker without words only with
// whole lines. Errs on the side of yes, since a DONE that was never said would be believed; what is passed
// over is shown to a person.
bool is_echo(const Marker&, std::string_view sent);

// Text as one may show it: control characters and invalid UTF-8 replaced, at most `at_most` bytes.
std::string printable(std::string_view, std::size_t at_most);

}  // namespace holdfast
