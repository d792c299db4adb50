#include "dispatcher/system/file_lock.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>

#include <cerrno>
#include <mutex>
#include <set>

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

// Locks of this process that somebody who does not die has inherited.
class Kept {
 public:
  void add(int fd) {
    const std::lock_guard hold{mutex_};
    fds_.insert(fd);
  }
  bool take(int fd) {
    const std::lock_guard hold{mutex_};
    return fds_.erase(fd) > 0;
  }

 private:
  std::mutex mutex_;
  std::set<int> fds_;
};

// One for the process: descriptors are the process's.
Kept& kept() {
  static Kept all;
  return all;
}

}  // namespace

void FileLock::drop() {
  if (!file_.open()) return;
  const bool somebody_works = kept().take(file_.get());
  if (freed_ && !somebody_works) ::flock(file_.get(), LOCK_UN);
  file_.reset();
}

void still_at_work(int lock_fd) {
  kept().add(lock_fd);
}

LockAnswer try_lock(const std::string& path) {
  Fd file{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)};
  if (const int error = file.open() ? take(file.get()) : errno; error != 0) {
    return {{}, {Transport::never_sent, error, {}, "lock " + path + ": " + errno_words(error)}};
  }
  return {FileLock{std::move(file)}, {Transport::answered, 0, {}, {}}};
}

}  // namespace holdfast
