// `top` without its terminal: what is shown is a value, a key makes another one of it (and perhaps something
// to do), and drawing makes lines of it. Text of others is made harmless here and nowhere later.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "dispatcher/look/overview.h"

namespace holdfast::cli {

struct Top {
  Overview seen;
  bool looked = false;              // at all
  TicketId chosen;                  // the selected line's, wherever it moves to
  std::size_t first = 0;            // the first line that is shown
  std::vector<std::string> screen;  // last lines of the chosen runtime's terminal
  Instant now;
  int rows = 24, columns = 80;

  enum class Mode { list, help, answer, stop };
  Mode mode = Mode::list;
  std::string about;     // answer and stop: of which runtime
  std::string question;  // answer: what was asked
  std::string typed;     // answer: so far; UTF-8
  std::string message;   // what came of the last thing that was done
};

// A key as it came: one sign, or one of these.
struct Key {
  enum class Is {
    sign,
    up,
    down,
    page_up,
    page_down,
    home,
    end,
    enter,
    escape,
    backspace,
    erase_line,
    quit,
    nothing
  };
  Is is = Is::nothing;
  std::string sign;  // UTF-8
};
// Takes the first key away from what was read. Nothing: there is none, or only the beginning of one. `all`:
// no more is coming, so that an escape alone is that key.
std::optional<Key> take_key(std::string& read, bool all);

struct Wanted {
  enum class What { nothing, quit, look, attach, answer, stop };
  What what = What::nothing;
  std::string runtime;  // attach, answer, stop: "T-1-g2"
  std::string text;     // answer
};
Wanted press(Top&, const Key&);

// After a look, or another size: the same ticket stays chosen, and is in sight.
void settle(Top&);

// As many lines as there are rows, none wider than there are columns; colours alone are escapes in it.
std::vector<std::string> draw(const Top&, bool color);

// For --once: all of it, as wide as it is.
std::string plain(const Overview&, Instant now);

}  // namespace holdfast::cli
