#include "dispatcher/runner/outer_terminal.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>

namespace holdfast {
namespace {

constexpr std::size_t full = 64 << 10;
constexpr std::int64_t patience_ms = 2000;  // so long may a screen that stands still hold the worker up

int set_flags(int fd, int flags) {
  const int before = ::fcntl(fd, F_GETFL);
  if (before >= 0) ::fcntl(fd, F_SETFL, before | flags);
  return before;
}

}  // namespace

OuterTerminal::OuterTerminal() {
  is_terminal_ = ::isatty(STDIN_FILENO) == 1 && ::tcgetattr(STDIN_FILENO, &before_) == 0;
  if (is_terminal_) {
    termios raw = before_;
    ::cfmakeraw(&raw);
    ::tcsetattr(STDIN_FILENO, TCSANOW, &raw);
  }
  in_flags_ = set_flags(STDIN_FILENO, O_NONBLOCK);
  out_flags_ = set_flags(STDOUT_FILENO, O_NONBLOCK);
}

OuterTerminal::~OuterTerminal() {
  if (out_flags_ >= 0) ::fcntl(STDOUT_FILENO, F_SETFL, out_flags_);
  if (in_flags_ >= 0) ::fcntl(STDIN_FILENO, F_SETFL, in_flags_);
  if (is_terminal_) ::tcsetattr(STDIN_FILENO, TCSANOW, &before_);
}

OuterTerminal::Read OuterTerminal::read(std::string& into) {
  char block[4096];
  const ssize_t got = ::read(STDIN_FILENO, block, sizeof block);
  if (got > 0) {
    into.assign(block, static_cast<std::size_t>(got));
    return Read::some;
  }
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return Read::nothing_now;
  readable_ = false;
  return is_terminal_ ? Read::hung_up : Read::ended;
}

void OuterTerminal::show(std::string_view bytes, std::int64_t now_ms) {
  if (!writable_) return;
  if (pending_.empty()) moved_at_ms_ = now_ms;
  if (pending_.size() >= full && !wants_pause(now_ms)) {
    dropped_ += static_cast<std::int64_t>(bytes.size());
    return;
  }
  pending_ += bytes;
  flush(now_ms);
}

void OuterTerminal::flush(std::int64_t now_ms) {
  while (!pending_.empty()) {
    const ssize_t wrote = ::write(STDOUT_FILENO, pending_.data(), pending_.size());
    if (wrote < 0) {
      if (errno == EINTR) continue;
      if (errno != EAGAIN) {  // nobody looks any more; the stream file has it all
        writable_ = false;
        pending_.clear();
      }
      return;
    }
    moved_at_ms_ = now_ms;
    pending_.erase(0, static_cast<std::size_t>(wrote));
  }
  if (dropped_ > 0) {
    pending_ = "\r\n[holdfast: " + std::to_string(dropped_) + " bytes not shown, see the stream]\r\n";
    dropped_ = 0;
  }
}

bool OuterTerminal::wants_pause(std::int64_t now_ms) const {
  return writable_ && pending_.size() >= full && now_ms - moved_at_ms_ < patience_ms;
}

OuterTerminal::Size OuterTerminal::size() const {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) return {};
  return {size.ws_col, size.ws_row};
}

}  // namespace holdfast
