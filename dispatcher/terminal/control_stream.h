// tmux's control mode, read as a value: bytes in, events out. See tmux(1), CONTROL MODE.
//
// A block is what one command answered: "%begin time number flags", lines, "%end" or "%error" with the same
// three. Only a line with the same three ends it, so that a line of output that looks like an end does not.
// Lines outside of blocks are notifications.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace holdfast {

struct ControlBlock {
  bool failed = false;  // %error
  bool ours = false;    // asked for by a line that was sent on this connection
  std::vector<std::string> lines;
  friend bool operator==(const ControlBlock&, const ControlBlock&) = default;
};
struct ControlNotice {
  std::string name;  // "sessions-changed", "exit", ...
  std::string rest;
  friend bool operator==(const ControlNotice&, const ControlNotice&) = default;
};
using ControlEvent = std::variant<ControlBlock, ControlNotice>;

class ControlStream {
 public:
  // Lines may be cut anywhere between two calls.
  std::vector<ControlEvent> read(std::string_view bytes);
  // More than any answer of ours can be: the peer does not speak control mode, or has lost its mind.
  [[nodiscard]] bool overflowed() const { return held_ > most_held; }

 private:
  static constexpr std::size_t most_held = 64U << 20;
  void take_line(std::string_view line, std::vector<ControlEvent>& events);

  std::string partial_;
  std::string open_;  // what followed %begin, where a block is open
  ControlBlock block_;
  std::size_t held_ = 0;
};

}  // namespace holdfast
