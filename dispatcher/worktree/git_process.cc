#include "dispatcher/worktree/git_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <mutex>
#include <set>

#include "dispatcher/system/durable_file.h"
#include "dispatcher/system/file_lock.h"
#include "dispatcher/system/spawned_process.h"

namespace holdfast {
namespace {

constexpr Duration patience_after_term = millis(1000);
constexpr int patience_after_kill_ms = 2000;

// A file in memory instead of a pipe: a child that does not read cannot block us, and there is nothing to
// poll.
Fd in_memory(const std::string& input) {
  Fd memory(::memfd_create("input", MFD_CLOEXEC));
  if (!memory.open() || write_all(memory.get(), input) != 0 || ::lseek(memory.get(), 0, SEEK_SET) != 0)
    return Fd();
  return memory;
}

// Reads what is there; closes the descriptor at its end.
void drain(Fd& from, const ChildCommand& command, std::string& text, bool& dropped) {
  std::array<char, 65536> block;
  while (from.open()) {
    const ssize_t got = ::read(from.get(), block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) return from.reset();
    auto fresh = static_cast<std::size_t>(got);
    if (!command.keep_tail && text.size() + fresh > command.keep) {
      dropped = true;
      fresh = command.keep - text.size();
    }
    text.append(block.data(), fresh);
    if (command.keep_tail && text.size() > 2 * command.keep) text.erase(0, text.size() - command.keep);
  }
}

struct Channels {
  Fd out, error;
};

// True when the process has ended (it is not reaped). What it says meanwhile is kept.
bool wait_for(const SpawnedProcess& process, Channels& from, const ChildCommand& command,
              const Deadline& deadline, ChildEnd& end) {
  while (true) {
    std::array<pollfd, 3> news{pollfd{process.pidfd.get(), POLLIN, 0}, pollfd{from.out.get(), POLLIN, 0},
                               pollfd{from.error.get(), POLLIN, 0}};
    ::poll(news.data(), news.size(), std::min(deadline.left_for_poll(), process.pidfd.open() ? 60'000 : 5));
    drain(from.out, command, end.out, end.dropped);
    drain(from.error, command, end.error, end.dropped);
    siginfo_t info{};
    if (::waitid(P_PID, static_cast<id_t>(process.pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
        info.si_pid != 0)
      return true;
    if (deadline.passed()) return false;
  }
}

ChildEnd not_started(int error, const std::string& what) {
  ChildEnd end;
  end.code = error;
  end.error = what + ": " + errno_words(error);
  return end;
}

// Process groups that somebody waits for. Reaped ones are taken out first, so a number is never somebody
// else's.
class Running {
 public:
  void add(pid_t group) {
    const std::lock_guard hold{mutex_};
    groups_.insert(group);
  }
  void remove(pid_t group) {
    const std::lock_guard hold{mutex_};
    groups_.erase(group);
  }
  void end_all() {
    const std::lock_guard hold{mutex_};
    for (const pid_t group : groups_) ::kill(-group, SIGKILL);
  }

 private:
  std::mutex mutex_;
  std::set<pid_t> groups_;
};

// One for the process: groups are the process's.
Running& running() {
  static Running all;
  return all;
}

}  // namespace

void end_running_children() {
  running().end_all();
}

ChildEnd run_child(const ChildCommand& command, const Deadline& deadline) {
  if (deadline.passed()) return not_started(ETIMEDOUT, command.argv.front() + " was not started");
  Fd input;
  if (!command.input.empty()) {
    input = in_memory(command.input);
    if (!input.open()) return not_started(errno, "no standard input");
  }
  Pipe out = make_pipe(), error = make_pipe();
  if (out.error != 0 || error.error != 0) return not_started(std::max(out.error, error.error), "no pipe");
  for (const Fd* end : {&out.read_end, &error.read_end}) ::fcntl(end->get(), F_SETFL, O_NONBLOCK);
  const int child_out = command.output_fd >= 0 ? command.output_fd : out.write_end.get();
  const SpawnedProcess process =
      spawn_process({.argv = command.argv,
                     .working_directory = command.cwd,
                     .environment = command.env,
                     .in = command.input_fd >= 0 ? command.input_fd : input.get(),
                     .out = child_out,
                     .err = command.merge_output ? child_out : error.write_end.get(),
                     .lock_fd = command.lock_fd});
  if (process.error != 0) return not_started(process.error, "cannot start " + command.argv.front());
  running().add(process.pid);
  out.write_end.reset();
  error.write_end.reset();

  ChildEnd end;
  Channels from{std::move(out.read_end), std::move(error.read_end)};
  const bool in_time = wait_for(process, from, command, deadline, end);
  if (!in_time) {
    ::kill(-process.pid, SIGTERM);
    wait_for(process, from, command, Deadline(patience_after_term), end);
  }
  // Whatever of the group is left. Not reaped yet, so the group's number belongs to nobody else.
  ::kill(-process.pid, SIGKILL);
  running().remove(process.pid);
  int status = 0;
  const bool reaped = reap_within(process.pid, patience_after_kill_ms, status);
  // The group was killed; where something of it is left (in the kernel, for a moment or longer), it holds the
  // lock until it has gone. A daemon in a group of its own is nobody's business.
  if (command.lock_fd >= 0 && (!reaped || ::kill(-process.pid, 0) == 0)) still_at_work(command.lock_fd);
  drain(from.out, command, end.out, end.dropped);
  drain(from.error, command, end.error, end.dropped);
  if (command.keep_tail && end.out.size() > command.keep) end.out.erase(0, end.out.size() - command.keep);

  end.code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  if (!in_time) {
    end.transport = Transport::no_answer;
    end.error = command.argv.front() + ": no answer before the deadline" +
                (reaped ? "\n" : ", and it does not die\n") + end.error;
  } else if (WIFSIGNALED(status)) {
    end.transport = Transport::cut;
    end.error =
        command.argv.front() + ": killed by signal " + std::to_string(WTERMSIG(status)) + "\n" + end.error;
  } else {
    end.transport = Transport::answered;
  }
  return end;
}

}  // namespace holdfast
