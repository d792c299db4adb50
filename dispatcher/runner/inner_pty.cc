#include "dispatcher/runner/inner_pty.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace holdfast {
namespace {

constexpr std::size_t chunk = 1024;

winsize size_of(int columns, int rows) {
  winsize size{};
  size.ws_col = static_cast<unsigned short>(columns);
  size.ws_row = static_cast<unsigned short>(rows);
  return size;
}

}  // namespace

int InnerPty::open(int columns, int rows) {
  master_ = Fd{::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK)};
  if (!master_.open() || ::grantpt(master_.get()) != 0 || ::unlockpt(master_.get()) != 0) return errno;
  // By the master and not by its name: /dev/pts may be another one's in this mount namespace.
  slave_ = Fd{::ioctl(master_.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC)};
  if (!slave_.open()) return errno;
  termios modes{};
  if (::tcgetattr(slave_.get(), &modes) == 0) {
    modes.c_iflag |= IUTF8;
    ::tcsetattr(slave_.get(), TCSANOW, &modes);
  }
  resize(columns, rows);
  return 0;
}

void InnerPty::resize(int columns, int rows) {
  if (columns <= 0 || rows <= 0 || !master_.open()) return;
  const auto size = size_of(columns, rows);
  ::ioctl(master_.get(), TIOCSWINSZ, &size);
}

void InnerPty::flush() {
  while (!pending_.empty() && master_.open()) {
    const ssize_t wrote = ::write(master_.get(), pending_.data(), std::min(pending_.size(), chunk));
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return;
    pending_.erase(0, static_cast<std::size_t>(wrote));
  }
}

InnerPty::Read InnerPty::read(std::string& into) {
  if (!master_.open()) return Read::closed;
  char block[16384];
  const ssize_t got = ::read(master_.get(), block, sizeof block);
  if (got > 0) {
    into.assign(block, static_cast<std::size_t>(got));
    return Read::some;
  }
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return Read::nothing_now;
  master_.reset();
  return Read::closed;  // EIO: nobody has the worker's side open, or ever will
}

bool InnerPty::canonical() const {
  termios modes{};
  // On a master, the kernel answers for the terminal behind it.
  return ::tcgetattr(master_.get(), &modes) == 0 && (modes.c_lflag & ICANON) != 0;
}

bool InnerPty::return_means_newline() const {
  termios modes{};
  return ::tcgetattr(master_.get(), &modes) != 0 || (modes.c_iflag & ICRNL) != 0;
}

std::optional<int> InnerPty::unread() const {
  const Fd slave{::ioctl(master_.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK)};
  int bytes = 0;
  if (!slave.open() || ::ioctl(slave.get(), FIONREAD, &bytes) != 0) return {};
  return bytes;
}

}  // namespace holdfast
