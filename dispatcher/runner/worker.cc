#include "dispatcher/runner/worker.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

#include "dispatcher/system/durable_file.h"
#include "dispatcher/system/process_identity.h"

namespace holdfast {
namespace {

constexpr const char* name_at_the_gate = "hf-gate";

enum class Stage : int { terminal, folder, exec };

struct Failure {
  Stage stage = Stage::exec;
  int error = 0;
};

std::string words_of(const Failure& failure) {
  const auto why = errno_words(failure.error);
  switch (failure.stage) {
    case Stage::terminal: return "terminal: " + why;
    case Stage::folder: return "working directory: " + why;
    case Stage::exec:
      if (failure.error == E2BIG) {
        return "exec: the command and its environment are too long (one string takes at most 128 KiB)";
      }
      return "exec: " + why;
  }
  return why;
}

std::vector<char*> pointers_to(const std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (const auto& word : words) pointers.push_back(const_cast<char*>(word.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

// Where the command may lie, by the worker's own PATH. Not execvp: that one falls back to a shell.
std::vector<std::string> candidates(const WorkerOrder& order) {
  const auto& command = order.argv.front();
  if (command.find('/') != std::string::npos) return {command};
  std::string_view path = "/usr/local/bin:/usr/bin:/bin";
  for (const std::string_view entry : order.environment) {
    if (entry.starts_with("PATH=")) path = entry.substr(5);
  }
  std::vector<std::string> found;
  while (!path.empty()) {
    const auto folder = path.substr(0, path.find(':'));
    path.remove_prefix(std::min(folder.size() + 1, path.size()));
    found.push_back((folder.empty() ? "." : std::string{folder}) + "/" + command);
  }
  return found;
}

void restore_signals() {
  for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

struct Launch {
  const WorkerOrder* order = nullptr;
  std::vector<std::string> paths;
  std::vector<char*> argv, environment;
  pid_t runner = 0;
  Fd gate_read, gate_write, report_read, report_write, birth_read, birth_write;
};

void die_with_the_runner(pid_t runner) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != runner) ::_exit(126);  // it died before the line above could help
}

// In the child. Only ends by exec or _exit.
[[noreturn]] void become_worker(const Launch& launch) {
  const auto fail = [&launch](Stage stage) {
    const Failure failure{stage, errno};
    [[maybe_unused]] const auto wrote = ::write(launch.report_write.get(), &failure, sizeof failure);
    ::_exit(127);
  };
  ::prctl(PR_SET_NAME, name_at_the_gate);
  die_with_the_runner(launch.runner);
  ::close(launch.gate_write.get());  // or the child would keep its own gate open
  char opened = 0;
  ssize_t got = 0;
  do {
    got = ::read(launch.gate_read.get(), &opened, 1);
  } while (got < 0 && errno == EINTR);
  if (got != 1) ::_exit(126);
  const auto& order = *launch.order;
  // SIGTTOU is still ignored here, or taking the foreground would stop us.
  if (::setpgid(0, 0) != 0 || ::tcsetpgrp(order.terminal, ::getpid()) != 0) fail(Stage::terminal);
  restore_signals();
  if (!order.working_directory.empty() && ::chdir(order.working_directory.c_str()) != 0) fail(Stage::folder);
  int worst = ENOENT;
  for (const auto& path : launch.paths) {
    ::execve(path.c_str(), launch.argv.data(), launch.environment.data());
    if (errno != ENOENT && errno != ENOTDIR) worst = errno;
    if (errno != ENOENT && errno != ENOTDIR && errno != EACCES) break;
  }
  errno = worst;
  fail(Stage::exec);
  ::_exit(127);
}

// In the keeper: leads the session, brings the worker into it as its own sibling, and sleeps.
[[noreturn]] void keep(const Launch& launch) {
  ::prctl(PR_SET_NAME, "hf-keeper");
  die_with_the_runner(launch.runner);
  const int terminal = launch.order->terminal;
  std::int64_t born = 0;
  if (::setsid() < 0 || ::ioctl(terminal, TIOCSCTTY, 0) != 0) {
    born = -errno;
  } else {
    for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(terminal, fd);
    ::signal(SIGHUP, SIG_IGN);  // a hangup is for the worker; this one ends with the runner or by its hand
    born = ::syscall(SYS_clone, CLONE_PARENT | SIGCHLD, nullptr, nullptr, nullptr, nullptr);
    if (born == 0) become_worker(launch);
    if (born < 0) born = -errno;
  }
  [[maybe_unused]] const auto wrote = ::write(launch.birth_write.get(), &born, sizeof born);
  // The gate above all: while its other end is open here, the child would not see it close.
  ::close_range(STDERR_FILENO + 1, ~0U, 0);
  while (true) ::pause();
}

int make_pipe(Fd& read_end, Fd& write_end) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return errno;
  read_end = Fd{ends[0]};
  write_end = Fd{ends[1]};
  return 0;
}

}  // namespace

int Worker::fork(const WorkerOrder& order) {
  Launch launch;
  launch.order = &order;
  launch.paths = candidates(order);
  launch.argv = pointers_to(order.argv);
  launch.environment = pointers_to(order.environment);
  launch.runner = ::getpid();
  int error = make_pipe(launch.gate_read, launch.gate_write);
  if (error == 0) error = make_pipe(launch.report_read, launch.report_write);
  if (error == 0) error = make_pipe(launch.birth_read, launch.birth_write);
  if (error != 0) return error;
  const auto keeper = ::fork();
  if (keeper < 0) return errno;
  if (keeper == 0) keep(launch);
  keeper_ = keeper;
  launch.birth_write.reset();
  std::int64_t born = 0;
  ssize_t got = 0;
  do {
    got = ::read(launch.birth_read.get(), &born, sizeof born);
  } while (got < 0 && errno == EINTR);
  if (got != sizeof born) return ECHILD;
  if (born < 0) return static_cast<int>(-born);
  pid_ = born;
  gate_ = std::move(launch.gate_write);
  report_ = std::move(launch.report_read);
  return 0;
}

void Worker::release() {
  const char open = 1;
  [[maybe_unused]] const auto wrote = ::write(gate_.get(), &open, 1);
  gate_.reset();
}

void Worker::abandon() {
  gate_.reset();
}

Worker::ExecReport Worker::exec_report() {
  if (!report_.open()) return {};
  Failure failure;
  const ssize_t got = ::read(report_.get(), &failure, sizeof failure);
  if (got < 0 && errno == EINTR) return {};
  report_.reset();
  if (got == sizeof failure) return {Exec::failed, words_of(failure)};
  // End of file: exec closed the pipe, or the child died. Exec closes it a moment before it changes the name,
  // so look until the name or the death shows; one of them must.
  while (true) {
    const auto stat = parse_process_stat(read_file("/proc/" + std::to_string(pid_) + "/stat", 4096).text);
    if (!stat || stat->name != name_at_the_gate) return {Exec::succeeded, {}};
    if (stat->state == 'Z' || stat->state == 'X') return {Exec::died_before, {}};
    ::sched_yield();
  }
}

}  // namespace holdfast
