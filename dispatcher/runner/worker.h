// The worker's process up to its exec. Between its birth and its exec the child waits on a pipe (the gate)
// until its identity is on disk; if the runner dies before, the gate closes and the child ends without ever
// having run anything.
//
// The leader of the terminal's session is not the worker but a keeper, a process that only sleeps. When a
// session's leader ends, the kernel hangs the terminal up and throws away what was written and not yet read:
// the worker's last words. The keeper ends after they have been read. The worker is the runner's own child
// all the same (CLONE_PARENT), in a process group of its own in the terminal's foreground.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dispatcher/system/fd.h"

namespace holdfast {

struct WorkerOrder {
  std::vector<std::string> argv;
  std::vector<std::string> environment;  // complete
  std::string working_directory;
  int terminal = -1;  // the slave side; becomes the controlling terminal and 0, 1, 2
};

class Worker {
 public:
  // Starts the keeper and the child, which waits at the gate. errno.
  int fork(const WorkerOrder&);
  [[nodiscard]] std::int64_t pid() const { return pid_; }        // 0: there is none
  [[nodiscard]] std::int64_t keeper() const { return keeper_; }  // 0: there is none (any more)
  void keeper_was_reaped() { keeper_ = 0; }

  void release();  // opens the gate: exec
  void abandon();  // closes it: the child ends

  // Readable when the exec has succeeded or failed.
  [[nodiscard]] int report_fd() const { return report_.get(); }

  enum class Exec { pending, succeeded, failed, died_before };
  struct ExecReport {
    Exec exec = Exec::pending;
    std::string why;  // of failed: "<stage>: <words>"
  };
  // To be called when report_fd() is readable, and before the child is reaped: a child that was killed at the
  // gate is told from one that ran by the name that the kernel still shows for it.
  ExecReport exec_report();

 private:
  std::int64_t pid_ = 0, keeper_ = 0;
  Fd gate_, report_;
};

}  // namespace holdfast
