#include "dispatcher/system/spawned_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <mutex>

#include "dispatcher/system/clocks.h"

namespace holdfast {
namespace {

constexpr int lock_number = 3;

std::vector<char*> pointers_to(const std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (const auto& word : words) pointers.push_back(const_cast<char*>(word.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

struct Actions {
  posix_spawn_file_actions_t value;
  Actions() { ::posix_spawn_file_actions_init(&value); }
  ~Actions() { ::posix_spawn_file_actions_destroy(&value); }
  Actions(const Actions&) = delete;
  Actions& operator=(const Actions&) = delete;
};

struct Attributes {
  posix_spawnattr_t value;
  Attributes() {
    ::posix_spawnattr_init(&value);
    sigset_t none, all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    ::posix_spawnattr_setsigmask(&value, &none);
    ::posix_spawnattr_setsigdefault(&value, &all);
    ::posix_spawnattr_setpgroup(&value, 0);
    ::posix_spawnattr_setflags(&value,
                               POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~Attributes() { ::posix_spawnattr_destroy(&value); }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;
};

// Children that were killed and had not gone yet when their caller had to return.
class LeftBehind {
 public:
  void add(pid_t pid) {
    const std::lock_guard hold{mutex_};
    pids_.push_back(pid);
  }
  void look() {
    const std::lock_guard hold{mutex_};
    std::erase_if(pids_, [](pid_t pid) { return ::waitpid(pid, nullptr, WNOHANG) != 0; });
  }

 private:
  std::mutex mutex_;
  std::vector<pid_t> pids_;
};

LeftBehind& left_behind() {
  static LeftBehind list;
  return list;
}

int moved_up(int fd) {
  if (fd > lock_number) return fd;
  const int higher = ::fcntl(fd, F_DUPFD_CLOEXEC, lock_number + 1);
  ::close(fd);
  return higher;
}

}  // namespace

Pipe make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return {{}, {}, errno};
  Pipe pipe{Fd{moved_up(ends[0])}, Fd{moved_up(ends[1])}, 0};
  if (!pipe.read_end.open() || !pipe.write_end.open()) pipe.error = errno;
  return pipe;
}

SpawnedProcess spawn_process(const SpawnRequest& request) {
  left_behind().look();
  if (request.argv.empty()) return {EINVAL, 0, {}};
  Actions actions;
  auto* const a = &actions.value;
  const auto give = [a](int fd, int number, int flags) {
    if (fd < 0) return ::posix_spawn_file_actions_addopen(a, number, "/dev/null", flags, 0);
    return ::posix_spawn_file_actions_adddup2(a, fd, number);
  };
  int error = give(request.in, STDIN_FILENO, O_RDONLY);
  if (error == 0) error = give(request.out, STDOUT_FILENO, O_WRONLY);
  if (error == 0) error = give(request.err, STDERR_FILENO, O_WRONLY);
  const bool lock = request.lock_fd >= 0;
  if (error == 0 && lock) error = ::posix_spawn_file_actions_adddup2(a, request.lock_fd, lock_number);
  if (error == 0) error = ::posix_spawn_file_actions_addclosefrom_np(a, lock_number + (lock ? 1 : 0));
  if (error == 0 && !request.working_directory.empty()) {
    error = ::posix_spawn_file_actions_addchdir_np(a, request.working_directory.c_str());
  }
  if (error != 0) return {error, 0, {}};
  const Attributes attributes;
  const auto argv = pointers_to(request.argv);
  const auto own = request.environment ? pointers_to(*request.environment) : std::vector<char*>{};
  pid_t pid = 0;
  error = ::posix_spawnp(&pid, request.argv.front().c_str(), a, &attributes.value, argv.data(),
                         request.environment ? own.data() : environ);
  if (error != 0) return {error, 0, {}};
  return {0, pid, Fd{static_cast<int>(::syscall(SYS_pidfd_open, pid, 0U))}};
}

bool reap_within(pid_t pid, int milliseconds, int& status, Unreaped then) {
  const Deadline deadline{{milliseconds}};
  const Fd pidfd{static_cast<int>(::syscall(SYS_pidfd_open, pid, 0U))};
  while (true) {
    const auto got = ::waitpid(pid, &status, WNOHANG);
    if (got == pid || (got < 0 && errno == ECHILD)) return true;
    if (deadline.passed()) break;
    pollfd ended{pidfd.get(), POLLIN, 0};
    ::poll(&ended, 1, std::min(deadline.left_for_poll(), pidfd.open() ? 1000 : 5));
  }
  if (then == Unreaped::left_behind) left_behind().add(pid);
  return false;
}

}  // namespace holdfast
