// A lock that lives as long as anybody holds its open file: this process, and every helper that inherited it.
// A helper that outlives its dispatcher so keeps others off the resource until it can no longer change it.
//
// But a helper may also leave a daemon that nobody waits for (a cache of credentials, a build server), which
// has inherited the lock with everything else and would hold it for as long as it lives. So who sees all its
// helpers end may free the lock for good: freed by one, an flock is free for all that have its file open.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "dispatcher/core/raw_reply.h"
#include "dispatcher/system/fd.h"

namespace holdfast {

class FileLock {
 public:
  FileLock(FileLock&&) noexcept = default;
  FileLock& operator=(FileLock&& other) noexcept {
    if (this == &other) return *this;
    drop();
    file_ = std::move(other.file_);
    freed_ = other.freed_;
    return *this;
  }
  ~FileLock() { drop(); }

  // For ProcessOrder::lock_fd.
  [[nodiscard]] int fd() const { return file_.get(); }

  // Dropping it frees it, whoever has inherited it, unless still_at_work() was said. REQUIRES: every helper
  // that is given it is waited for, with its whole group.
  void free_when_dropped() { freed_ = true; }

 private:
  friend struct LockAnswer try_lock(const std::string& path);
  explicit FileLock(Fd file) : file_(std::move(file)) {}
  void drop();

  Fd file_;
  bool freed_ =
      false;  // else closed, never unlocked: that would free it under the helpers that still hold it
};

// Somebody who inherited this lock could not be ended: it is free when they are gone, and not before. Any
// thread.
void still_at_work(int lock_fd);

// lock: held. Without it: raw is never_sent, code EWOULDBLOCK where somebody else holds it, else errno.
//
// Tried for a fifth of a second before that is said: a child that another thread is just starting has a copy
// of every descriptor until its exec, so a lock that was given back in that moment is free a little later.
struct LockAnswer {
  std::optional<FileLock> lock;
  RawReply raw;
};
LockAnswer try_lock(const std::string& path);  // creates the file; it is never removed

}  // namespace holdfast
