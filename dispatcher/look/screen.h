// The last lines of a runtime's terminal, drawn again from the bytes that its worker wrote. Nobody is asked
// for it: neither tmux nor the worker can tell, and it works as well for a runtime that is dead.
//
// What comes out is plain text that is harmless wherever it is shown: no escapes, no control characters, no
// marks that turn the direction of writing or hide what is there.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "dispatcher/core/instant.h"
#include "dispatcher/ports/attempts.h"

namespace holdfast {

// UTF-8 without what could mislead or do anything; what is no UTF-8 becomes U+FFFD. `keep_lines`: line breaks
// and tabs stay.
std::string harmless(std::string_view, bool keep_lines = false);

// How many columns a terminal needs for it; and as much of it as fits into so many. For harmless text.
std::size_t columns_of(std::string_view);
std::string cut_to_columns(std::string_view, std::size_t columns);

// Enough of a terminal to show what programs show: cursor, erasing, scrolling, the second screen. Colours are
// dropped.
class ScreenDrawing {
 public:
  ScreenDrawing(int columns, int rows);
  void read(std::string_view bytes);
  // The newest lines that are not blank at the end, at most so many.
  [[nodiscard]] std::vector<std::string> last_lines(std::size_t at_most) const;

 private:
  struct Cell {
    char32_t sign = U' ';
    char32_t mark = 0;     // one combining mark
    bool covered = false;  // by the wide sign to its left
  };
  using Line = std::vector<Cell>;
  enum class State { text, escape, charset, control, string, string_escape };

  void take(unsigned char byte);
  void put(char32_t sign);
  void control(unsigned char byte);
  void escape(unsigned char byte);
  void finish_control(unsigned char final);
  void line_feed();
  void scroll_up(int from, int lines);
  void scroll_down(int from, int lines);
  void erase(int row, int from, int to);
  void move_to(int row, int column);
  void second_screen(bool on);
  [[nodiscard]] std::vector<int> parameters(std::size_t at_least, int otherwise) const;
  [[nodiscard]] Line blank() const;
  [[nodiscard]] static std::string text_of(const Line&);

  int columns_, rows_;
  std::vector<Line> lines_;
  std::vector<Line> first_;  // the first screen, while the second one is shown
  bool on_second_ = false;
  std::deque<std::string> gone_;  // lines that were scrolled off the first screen
  int row_ = 0, column_ = 0, top_ = 0, bottom_ = 0;
  int kept_row_ = 0, kept_column_ = 0;
  bool full_ = false;  // the last column was written: the next sign begins a line
  State state_ = State::text;
  std::string numbers_;
  char32_t sign_ = 0;  // UTF-8 that is not whole yet
  int missing_ = 0;
};

struct Screen {
  std::vector<std::string> lines;
  std::int64_t stream_bytes = 0;  // of everything that was ever written
  Instant last_output_at;
};

// What is drawn from the end of the stream. An error of the record is one line for people.
struct ScreenOrder {
  std::size_t lines = 20;
  int columns = 200, rows = 50;
};
Reply<Screen> read_screen(Records&, const AttemptId&, const RecordSighting&, const ScreenOrder&);

}  // namespace holdfast
