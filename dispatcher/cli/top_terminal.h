// The terminal that `top` has for itself: raw, on its second screen, without a cursor, and as it was on every
// way out: the end of the program, a signal that ends it, and one that it dies of.
#pragma once

#include <string>
#include <vector>

namespace holdfast::cli {

class TopTerminal {
 public:
  // The standard input and output; both must be a terminal. One at a time in a process.
  TopTerminal();
  ~TopTerminal();
  TopTerminal(const TopTerminal&) = delete;
  TopTerminal& operator=(const TopTerminal&) = delete;

  void enter();  // takes the terminal
  void leave();  // gives it back as it was

  // How large it is now.
  struct Size {
    int rows = 24, columns = 80;
  };
  [[nodiscard]] static Size size();

  // Writes what is not there already. false: the terminal is gone.
  bool show(const std::vector<std::string>& lines);
  void forget();  // what is there: it was drawn over, or has another size

 private:
  std::vector<std::string> shown_;
  bool all_new_ = true;
};

}  // namespace holdfast::cli
