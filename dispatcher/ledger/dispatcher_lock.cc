#include "dispatcher/ledger/dispatcher_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "dispatcher/system/fd.h"
#include "dispatcher/system/file_lock.h"

namespace holdfast {
namespace {

// "pid 4711 on build-7": for people; nobody decides anything by it.
std::string own_name() {
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) host[0] = '?';
  return "pid " + std::to_string(::getpid()) + " on " + host.data();
}

std::string name_in(const std::string& path) {
  std::string line;
  std::getline(std::ifstream(path), line);
  return line.starts_with("pid ") && line.size() < 300 ? line : "a process that has not said who it is";
}

// A lock on a file that somebody has removed or replaced locks nobody out.
bool is_still_there(int fd, const std::string& path) {
  struct stat held{};
  struct stat named{};
  return ::fstat(fd, &held) == 0 && ::stat(path.c_str(), &named) == 0 && held.st_ino == named.st_ino &&
         held.st_dev == named.st_dev;
}

std::unexpected<LockTrouble> trouble(std::string words) {
  return std::unexpected(LockTrouble{false, std::move(words)});
}

const char* remedy_for(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT: return "the disk is full: free some space";
    case EROFS: return "the file system is mounted read-only";
    default: return "check that the state folder exists and may be written";
  }
}

}  // namespace

struct DispatcherLock::Held {
  FileLock lock;
};

DispatcherLock::DispatcherLock(std::unique_ptr<Held> held) : held_(std::move(held)) {}
DispatcherLock::DispatcherLock(DispatcherLock&&) noexcept = default;
DispatcherLock& DispatcherLock::operator=(DispatcherLock&&) noexcept = default;
DispatcherLock::~DispatcherLock() = default;

// /proc/locks would name it without touching the lock, but not in another process namespace. A shared lock
// that is given back at once keeps nobody out: whoever takes the exclusive one tries for longer than that.
DispatcherRuns dispatcher_runs(const std::string& state_folder) {
  const Fd file{::open((state_folder + "/dispatcher.lock").c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)};
  if (!file.open()) return errno == ENOENT ? DispatcherRuns::no : DispatcherRuns::unknown;
  if (::flock(file.get(), LOCK_SH | LOCK_NB) == 0) return DispatcherRuns::no;
  return errno == EWOULDBLOCK ? DispatcherRuns::yes : DispatcherRuns::unknown;
}

std::expected<DispatcherLock, LockTrouble> lock_dispatcher(const std::string& state_folder) {
  const std::string path = state_folder + "/dispatcher.lock";
  for (int tries = 0; tries < 3; ++tries) {
    LockAnswer answer = try_lock(path);
    if (!answer.lock && answer.raw.code == EWOULDBLOCK)
      return std::unexpected(LockTrouble{true, path + ": another dispatcher works in this folder (" +
                                                   name_in(path) +
                                                   "); stop it, or give this one a state folder of its own"});
    if (!answer.lock) return trouble(answer.raw.error + "; " + remedy_for(answer.raw.code));
    if (!is_still_there(answer.lock->fd(), path)) continue;
    const std::string name = own_name() + "\n";
    const bool written = ::ftruncate(answer.lock->fd(), 0) == 0 &&
                         ::pwrite(answer.lock->fd(), name.data(), name.size(), 0) == std::ssize(name);
    const int error = errno;
    if (!written)
      return trouble(path + ": cannot be written: " + std::strerror(error) + "; " + remedy_for(error));
    return DispatcherLock(std::make_unique<DispatcherLock::Held>(std::move(*answer.lock)));
  }
  return trouble(path + ": somebody keeps replacing it");
}

}  // namespace holdfast
