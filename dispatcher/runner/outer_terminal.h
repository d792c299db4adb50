// The terminal that the runner was started on: tmux's pane. It may vanish or stand still at any time; the
// worker must not notice either.
#pragma once

#include <termios.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace holdfast {

class OuterTerminal {
 public:
  OuterTerminal();   // takes the standard input and output; raw where they are a terminal
  ~OuterTerminal();  // as they were before
  OuterTerminal(const OuterTerminal&) = delete;
  OuterTerminal& operator=(const OuterTerminal&) = delete;

  [[nodiscard]] bool readable() const { return readable_; }  // worth polling for input
  enum class Read { some, nothing_now, ended, hung_up };
  Read read(std::string& into);

  void show(std::string_view bytes, std::int64_t now_ms);
  void flush(std::int64_t now_ms);
  [[nodiscard]] bool pending() const { return !pending_.empty(); }

  // The screen is behind and still moving: let the worker wait a little, as any terminal would.
  [[nodiscard]] bool wants_pause(std::int64_t now_ms) const;

  struct Size {
    int columns = 0, rows = 0;  // 0: not known
  };
  [[nodiscard]] Size size() const;

 private:
  termios before_{};
  bool is_terminal_ = false;
  bool readable_ = true;
  bool writable_ = true;
  int in_flags_ = 0, out_flags_ = 0;
  std::string pending_;
  std::int64_t dropped_ = 0;
  std::int64_t moved_at_ms_ = 0;  // when the screen last took something, or had nothing to take
};

}  // namespace holdfast
