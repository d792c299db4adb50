// What a worker writes to its terminal, drawn as a screen for people and pages.
#include "dispatcher/fuzz/targets.h"
#include "dispatcher/look/screen.h"

namespace holdfast::fuzz {

void screen(std::string_view bytes) {
  // The size is of the input's own choice, small ones above all: that is where a cursor falls off.
  const auto size = [&](std::size_t at, int most) {
    return bytes.size() > at ? 1 + static_cast<unsigned char>(bytes[at]) % most : 80;
  };
  const int columns = size(0, 90), rows = size(1, 30);
  constexpr std::size_t more_than_any_screen = 1000;
  ScreenDrawing at_once(columns, rows), in_pieces(columns, rows);
  at_once.read(bytes);
  for (const char byte : bytes) in_pieces.read({&byte, 1});
  const auto lines = at_once.last_lines(more_than_any_screen);
  must(lines == in_pieces.last_lines(more_than_any_screen),
       "a screen does not depend on where the bytes were cut");
  for (const std::string& line : lines) {
    must(shows_as_one_line(line), "a line of a screen is one line");
    must(harmless(line) == line, "nothing in it misleads");
  }
  must(at_once.last_lines(2).size() <= 2, "no more lines than were asked for");
  const std::string text = harmless(bytes, true);
  must(harmless(text, true) == text, "what is harmless stays as it is");
}

}  // namespace holdfast::fuzz
