#include "dispatcher/cli/top_terminal.h"

#include <signal.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <string_view>

#include "dispatcher/system/durable_file.h"

namespace holdfast::cli {
namespace {

// Second screen, no wrapping, no cursor; and back.
constexpr std::string_view take_it = "\x1b[?1049h\x1b[?7l\x1b[?25l\x1b[2J";
constexpr std::string_view give_it_back = "\x1b[0m\x1b[?25h\x1b[?7h\x1b[?1049l";

// For whoever dies: nothing but what a signal handler may touch.
termios as_it_was;
volatile sig_atomic_t is_taken = 0;

void restore() {
  if (is_taken == 0) return;
  is_taken = 0;
  [[maybe_unused]] const auto written = ::write(STDOUT_FILENO, give_it_back.data(), give_it_back.size());
  ::tcsetattr(STDIN_FILENO, TCSADRAIN, &as_it_was);
}

void on_death(int number) {
  restore();
  ::signal(number, SIG_DFL);
  ::raise(number);
}

constexpr std::array deadly{SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL};

}  // namespace

TopTerminal::TopTerminal() {
  ::tcgetattr(STDIN_FILENO, &as_it_was);
  for (const int number : deadly) {
    struct sigaction act{};
    act.sa_handler = on_death;
    act.sa_flags = static_cast<int>(SA_RESETHAND);
    ::sigaction(number, &act, nullptr);
  }
}

TopTerminal::~TopTerminal() {
  leave();
  for (const int number : deadly) ::signal(number, SIG_DFL);
}

void TopTerminal::enter() {
  termios raw = as_it_was;
  raw.c_iflag &= ~static_cast<tcflag_t>(IXON | ICRNL | INLCR | ISTRIP);
  raw.c_lflag &= ~static_cast<tcflag_t>(ECHO | ICANON | ISIG | IEXTEN);
  raw.c_cc[VMIN] = 1;
  raw.c_cc[VTIME] = 0;
  is_taken = 1;
  ::tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
  write_all(STDOUT_FILENO, take_it);
  forget();
}

void TopTerminal::leave() {
  restore();
}

TopTerminal::Size TopTerminal::size() {
  winsize now{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &now) != 0 || now.ws_row == 0 || now.ws_col == 0) return {};
  return {now.ws_row, now.ws_col};
}

void TopTerminal::forget() {
  all_new_ = true;
}

bool TopTerminal::show(const std::vector<std::string>& lines) {
  std::string out;
  if (all_new_) out += "\x1b[2J";
  for (std::size_t n = 0; n < lines.size(); ++n) {
    if (!all_new_ && n < shown_.size() && shown_[n] == lines[n]) continue;
    out += "\x1b[" + std::to_string(n + 1) + ";1H" + lines[n] + "\x1b[0m\x1b[K";
  }
  all_new_ = false;
  shown_ = lines;
  return out.empty() || write_all(STDOUT_FILENO, out) == 0;
}

}  // namespace holdfast::cli
