#include "dispatcher/system/durable_file.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>

#include "dispatcher/system/fd.h"

namespace holdfast {
namespace {

// Unique among the processes of this host that share a folder, and among the threads of this one.
std::string temporary_name(const std::string& name) {
  static std::atomic<unsigned> counter{0};
  return "." + name + "." + std::to_string(::getpid()) + "." + std::to_string(counter.fetch_add(1)) + ".tmp";
}

struct Temporary {
  std::string path;
  int error = 0;
};

Temporary write_temporary(const std::string& folder, const std::string& name, std::string_view contents,
                          Durable durable) {
  Temporary made{folder + "/" + temporary_name(name), 0};
  // A leftover of an earlier process with our pid is nobody's.
  ::unlink(made.path.c_str());
  const Fd file{::open(made.path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600)};
  if (!file.open()) {
    made.error = errno;
    return made;
  }
  made.error = write_all(file.get(), contents);
  if (made.error == 0 && durable == Durable::yes && ::fsync(file.get()) != 0) made.error = errno;
  if (made.error != 0) ::unlink(made.path.c_str());
  return made;
}

// After the change. Whatever goes wrong now, the change may be there: EIO, which nobody takes for "it did not
// happen".
int settled(const std::string& folder) {
  return sync_folder(folder) == 0 ? 0 : EIO;
}

}  // namespace

int write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t wrote = ::write(fd, bytes.data(), bytes.size());
    if (wrote < 0) {
      if (errno == EINTR) continue;
      return errno;
    }
    bytes.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return 0;
}

int sync_folder(const std::string& folder) {
  const Fd dir{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!dir.open()) return errno;
  return ::fsync(dir.get()) == 0 ? 0 : errno;
}

int make_folder(const std::string& folder, Durable durable) {
  if (::mkdir(folder.c_str(), 0700) != 0) {
    if (errno != EEXIST) return errno;
    struct stat seen{};
    if (::stat(folder.c_str(), &seen) != 0) return errno;
    return S_ISDIR(seen.st_mode) ? 0 : ENOTDIR;
  }
  if (durable == Durable::no) return 0;
  const auto slash = folder.find_last_of('/');
  if (slash == std::string::npos) return sync_folder(".");
  return sync_folder(slash == 0 ? "/" : folder.substr(0, slash));
}

int replace_file(const std::string& folder, const std::string& name, std::string_view contents,
                 Durable durable) {
  const auto temporary = write_temporary(folder, name, contents, durable);
  if (temporary.error != 0) return temporary.error;
  if (::rename(temporary.path.c_str(), (folder + "/" + name).c_str()) != 0) {
    const int error = errno;
    ::unlink(temporary.path.c_str());
    return error;
  }
  return durable == Durable::yes ? settled(folder) : 0;
}

CreateAnswer create_exclusively(const std::string& folder, const std::string& name, std::string_view contents,
                                Durable durable) {
  const auto temporary = write_temporary(folder, name, contents, durable);
  if (temporary.error != 0) return {Created::failed, temporary.error};
  CreateAnswer answer{Created::now, 0};
  if (::link(temporary.path.c_str(), (folder + "/" + name).c_str()) != 0) {
    answer = errno == EEXIST ? CreateAnswer{Created::existed, 0} : CreateAnswer{Created::failed, errno};
    // On a network file system the reply to a link that took hold can be lost and the repetition be refused;
    // the link count of our own file tells.
    struct stat seen{};
    if (::stat(temporary.path.c_str(), &seen) == 0 && seen.st_nlink == 2) answer = {Created::now, 0};
  }
  ::unlink(temporary.path.c_str());
  if (durable == Durable::yes)
    if (const int error = settled(folder); error != 0) return {Created::failed, error};
  return answer;
}

FileText read_file(const std::string& path, std::size_t at_most, std::size_t offset) {
  const Fd file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)};
  if (!file.open()) return {errno, {}, false};
  FileText answer;
  if (offset > 0 && ::lseek(file.get(), static_cast<off_t>(offset), SEEK_SET) < 0) return {errno, {}, false};
  char block[16384];
  while (true) {
    const auto want = std::min(sizeof block, at_most - answer.text.size() + 1);
    const ssize_t got = ::read(file.get(), block, want);
    if (got < 0) {
      if (errno == EINTR) continue;
      return {errno, {}, false};
    }
    if (got == 0) return answer;
    answer.text.append(block, static_cast<std::size_t>(got));
    if (answer.text.size() > at_most) {
      answer.text.resize(at_most);
      answer.longer = true;
      return answer;
    }
  }
}

std::string errno_words(int error) {
  char space[128] = {};
  // The GNU variant returns the text, which may or may not be in `space`.
  return ::strerror_r(error, space, sizeof space);
}

}  // namespace holdfast
