// Starting a program with posix_spawn: the one place where this is done for the dispatcher.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "dispatcher/system/fd.h"

namespace holdfast {

struct SpawnRequest {
  std::vector<std::string> argv;
  std::string working_directory;
  std::optional<std::vector<std::string>> environment;
  int in = -1, out = -1, err = -1;  // -1: /dev/null
  int lock_fd = -1;                 // becomes descriptor 3
};
struct SpawnedProcess {
  int error = 0;  // errno; 0: it runs
  pid_t pid = 0;  // its group has the same number
  Fd pidfd;       // readable when it has ended; may be closed where the kernel gave none
};
SpawnedProcess spawn_process(const SpawnRequest&);

// A pipe whose two ends are closed on exec and never 0, 1, 2 or 3.
struct Pipe {
  Fd read_end, write_end;
  int error = 0;
};
Pipe make_pipe();

// Takes the child away, waiting for at most so long. true: it is reaped. Else it is still the caller's to
// reap, or left to later calls of this module, which look for it: a child in uninterruptible sleep must not
// hold its caller.
enum class Unreaped { ours, left_behind };
bool reap_within(pid_t pid, int milliseconds, int& status, Unreaped then = Unreaped::left_behind);

}  // namespace holdfast
