#include "dispatcher/system/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>

#include "dispatcher/system/durable_file.h"

namespace holdfast {

LockAnswer try_lock(const std::string& path) {
  Fd file{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)};
  if (!file.open() || ::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    const int error = errno;
    return {{}, {Transport::never_sent, error, {}, "lock " + path + ": " + errno_words(error)}};
  }
  return {FileLock{std::move(file)}, {Transport::answered, 0, {}, {}}};
}

}  // namespace holdfast
