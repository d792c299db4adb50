// A lock that lives as long as anybody holds its open file: this process, and every helper that inherited it.
// A helper that outlives its dispatcher so keeps others off the resource until it can no longer change it.
#pragma once

#include <optional>
#include <string>

#include "dispatcher/core/raw_reply.h"
#include "dispatcher/system/fd.h"

namespace holdfast {

class FileLock {
 public:
  // For ProcessOrder::lock_fd.
  [[nodiscard]] int fd() const { return file_.get(); }

 private:
  friend struct LockAnswer try_lock(const std::string& path);
  explicit FileLock(Fd file) : file_(std::move(file)) {}
  Fd file_;  // closed, never unlocked: unlocking would free it under the helpers that still hold it
};

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
