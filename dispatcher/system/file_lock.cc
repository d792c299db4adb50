#include "dispatcher/system/file_lock.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>

#include <cerrno>

#include "dispatcher/system/durable_file.h"

namespace holdfast {

namespace {

constexpr int patience_ms = 200, step_ms = 1;

int take(int fd) {
  for (int waited = 0;; waited += step_ms) {
    if (::flock(fd, LOCK_EX | LOCK_NB) == 0) return 0;
    if (errno != EWOULDBLOCK || waited >= patience_ms) return errno;
    ::poll(nullptr, 0, step_ms);
  }
}

}  // namespace

LockAnswer try_lock(const std::string& path) {
  Fd file{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)};
  if (const int error = file.open() ? take(file.get()) : errno; error != 0) {
    return {{}, {Transport::never_sent, error, {}, "lock " + path + ": " + errno_words(error)}};
  }
  return {FileLock{std::move(file)}, {Transport::answered, 0, {}, {}}};
}

}  // namespace holdfast
