// Who a process is, and whether that very process is still there. A pid alone says nothing: it is reused.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "dispatcher/core/attempt_sightings.h"
#include "dispatcher/core/ids.h"

namespace holdfast {

struct ProcessStat {
  std::int64_t pid = 0;
  std::int64_t parent = 0;
  char state = '?';  // as in /proc/PID/stat
  std::uint64_t start_ticks = 0;
  std::string name;  // comm, at most 15 bytes
};

// nullopt where the line is not one of the kernel's. A name may hold blanks, brackets and newlines.
std::optional<ProcessStat> parse_process_stat(std::string_view line);

struct StatReading {
  Presence presence = Presence::unknown;
  ProcessStat stat;  // where present
};
// gone: no such process. A zombie of which no thread is left is gone too: it can do nothing any more.
StatReading read_process(std::int64_t pid);

struct HostIdentity {
  std::string boot_id;
  std::string pid_namespace;
};
HostIdentity this_host();  // read afresh each time; empty fields where /proc does not tell

ProcessIdentity identify(std::int64_t pid);  // pid 0 where it cannot be told
ProcessIdentity own_identity();

// Is exactly this process there? From another boot: gone. From another pid namespace, or not recorded:
// unknown.
Presence presence_of(const ProcessIdentity&);

// Sends a signal to exactly this process: opens a pidfd, checks the identity behind it, then signals.
// 0: sent. ESRCH: it is gone. EXDEV: it cannot be told from here (another namespace or boot). Else errno.
int signal_exactly(const ProcessIdentity&, int signal);

}  // namespace holdfast
