#include "dispatcher/runner/family.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "dispatcher/system/process_table.h"

namespace holdfast {

Reaping reap_children() {
  Reaping reaping;
  while (true) {
    Reaped one;
    const auto pid = ::wait4(-1, &one.status, WNOHANG | __WALL, &one.usage);
    if (pid == 0) reaping.any_left = true;
    if (pid <= 0) return reaping;
    one.pid = pid;
    reaping.ended.push_back(one);
  }
}

std::int64_t peek_ended_child() {
  siginfo_t info{};
  if (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0) return 0;
  return info.si_pid;
}

Presence others_than(std::int64_t keeper, const CgroupHome& home) {
  const auto table = read_process_table();
  for (const auto& process : descendants_of(table, ::getpid())) {
    // A zombie that nobody has reaped yet is not alive, but the runner's own are reaped before it is over.
    if (process.pid != keeper && process.state != 'Z' && process.state != 'X') return Presence::present;
  }
  if (table.complete != Presence::present) return Presence::unknown;
  return home.members().inhabited;
}

void signal_family(const CgroupHome& home, std::int64_t keeper, int signal) {
  if (signal == SIGKILL) home.kill_all();
  const auto table = read_process_table();
  const auto self = ::getpid();
  const auto host = this_host();
  auto targets = descendants_of(table, self);
  for (const auto pid : home.members().pids) {
    const auto known = std::ranges::find(table.processes, pid, &ProcessStat::pid);
    // Not in the table: younger than it. The next call has it.
    if (known == table.processes.end() || pid == self) continue;
    if (std::ranges::find(targets, pid, &ProcessStat::pid) == targets.end()) targets.push_back(*known);
  }
  for (const auto& target : targets) {
    if (target.pid == keeper) continue;
    signal_exactly({host.boot_id, host.pid_namespace, target.pid, target.start_ticks}, signal);
  }
}

}  // namespace holdfast
