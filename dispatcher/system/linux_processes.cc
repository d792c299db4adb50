#include "dispatcher/system/linux_processes.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "dispatcher/system/attempt_scan.h"
#include "dispatcher/system/cgroup_members.h"
#include "dispatcher/system/clocks.h"
#include "dispatcher/system/durable_file.h"
#include "dispatcher/system/errno_reply.h"
#include "dispatcher/system/fd.h"
#include "dispatcher/system/left_cgroups.h"
#include "dispatcher/system/process_identity.h"
#include "dispatcher/system/process_table.h"

namespace holdfast {
namespace {

constexpr std::size_t most_pids = 64;
constexpr int most_rounds = 6;
constexpr const char* keeper_name =
    "hf-keeper";  // holds the terminal open for the worker's last words; see runner/worker.h

// Whose boot and namespace the attempt's record speaks of.
const ProcessIdentity& recorded(const Containment& containment) {
  return containment.runner.known() ? containment.runner : containment.worker;
}

Presence host_presence(const Containment& containment, const HostIdentity& host) {
  const auto& who = recorded(containment);
  if (!who.known() || host.boot_id.empty()) return Presence::unknown;
  return who.boot_id == host.boot_id ? Presence::present : Presence::gone;
}

// A cgroup that is not there has been removed, and only an empty one can be; unless its whole hierarchy is
// not mounted here, which says nothing.
bool hierarchy_is_here(std::string folder) {
  while (!folder.empty()) {
    if (::access((folder + "/cgroup.procs").c_str(), F_OK) == 0) return true;
    folder.erase(folder.rfind('/') == std::string::npos ? 0 : folder.rfind('/'));
  }
  return false;
}

void note(ProcessSighting& sighting, const std::string& words) {
  sighting.note += (sighting.note.empty() ? "" : "; ") + words;
}

// Two complete rounds that find nothing: who forks and ends while the table is being read can slip through
// one. A process in the middle of an exec cannot be read for a moment; another round can.
void look_everywhere(const Containment& containment, ProcessSighting& sighting) {
  sighting.scanned = true;
  std::string why;
  int clean_rounds = 0;
  for (int round = 0; round < most_rounds && clean_rounds < 2; ++round) {
    const auto scan = scan_for(containment);
    for (const auto& found : {scan.with_token, scan.in_worktree}) {
      for (const auto& process : found) sighting.pids.push_back(process.pid);
    }
    if (!scan.with_token.empty() || !scan.in_worktree.empty()) {
      sighting.descendants = Presence::present;
      if (scan.with_token.empty()) note(sighting, "seen only by their working directory");
      return;
    }
    if (scan.complete == Presence::present) ++clean_rounds;
    why = scan.note;
  }
  sighting.descendants = clean_rounds >= 2 ? Presence::gone : Presence::unknown;
  if (sighting.descendants == Presence::unknown) note(sighting, why + "the scan is not complete");
}

struct Targets {
  std::set<ProcessIdentity> others;  // everybody but the runner and its keeper
  int error = 0;                     // of reading
};

Targets targets_of(const Containment& containment, const HostIdentity& host) {
  Targets targets;
  const auto add = [&](const ProcessStat& process) {
    const bool keeper = process.name == keeper_name && process.parent == containment.runner.pid;
    if (process.pid == containment.runner.pid || process.pid == ::getpid() || keeper) return;
    if (process.state == 'Z' || process.state == 'X') return;
    targets.others.insert({host.boot_id, host.pid_namespace, process.pid, process.start_ticks});
  };
  const auto first = read_cgroup(containment.cgroup).pids;
  const auto table = read_process_table();
  const auto second = read_cgroup(containment.cgroup).pids;
  // A pid that was in the cgroup before and after the table was read is the process in the table.
  for (const auto& process : table.processes) {
    if (std::ranges::count(first, process.pid) > 0 && std::ranges::count(second, process.pid) > 0)
      add(process);
  }
  for (const auto& ancestor : {containment.runner, containment.worker}) {
    if (presence_of(ancestor) != Presence::present) continue;
    for (const auto& process : descendants_of(table, ancestor.pid)) add(process);
  }
  if (presence_of(containment.worker) == Presence::present) targets.others.insert(containment.worker);
  // By the token alone: someone who merely stands in the worktree may be a person.
  for (const auto& process : scan_for(containment).with_token) add(process);
  return targets;
}

// Where the kernel can, everything in the cgroup at once, forks in flight included.
void kill_cgroup(const std::string& folder) {
  if (folder.empty()) return;
  const Fd file{::open((folder + "/cgroup.kill").c_str(), O_WRONLY | O_CLOEXEC)};
  if (file.open()) [[maybe_unused]]
    const auto wrote = ::write(file.get(), "1", 1);
}

}  // namespace

Reply<ProcessSighting> LinuxProcesses::look(const Containment& containment, bool scan) {
  ProcessSighting sighting;
  const auto host = this_host();
  sighting.host = host_presence(containment, host);
  if (sighting.host == Presence::gone) {
    // Nothing outlives its boot, whatever has the same numbers now.
    sighting.runner = sighting.worker = sighting.cgroup = sighting.descendants = Presence::gone;
    return {answered(0), std::move(sighting)};
  }
  const auto& who = recorded(containment);
  if (who.known() && who.pid_namespace != host.pid_namespace) {
    note(sighting, "another pid namespace");
    return {answered(0), std::move(sighting)};
  }
  sighting.runner = presence_of(containment.runner);
  sighting.worker = presence_of(containment.worker);
  for (const auto& process : {containment.runner, containment.worker}) {
    if (presence_of(process) == Presence::present) sighting.pids.push_back(process.pid);
  }
  look_into_cgroup(containment, sighting);
  if (scan) look_everywhere(containment, sighting);
  std::ranges::sort(sighting.pids);
  sighting.pids.erase(std::unique(sighting.pids.begin(), sighting.pids.end()), sighting.pids.end());
  sighting.pids.resize(std::min(sighting.pids.size(), most_pids));
  return {answered(0), std::move(sighting)};
}

void LinuxProcesses::look_into_cgroup(const Containment& containment, ProcessSighting& sighting) {
  if (containment.cgroup.empty()) {
    if (sighting.runner == Presence::gone && !containment.token.empty()) {
      for (const auto& cgroup : unrecorded_cgroups(containment.attempt, containment.token))
        tidy_up(containment.attempt, cgroup);
    }
    return note(sighting, "no cgroup");
  }
  if (!hierarchy_is_here(containment.cgroup))
    return note(sighting, "the cgroup's hierarchy is not mounted here");
  const auto reading = read_cgroup(containment.cgroup);
  sighting.cgroup = reading.inhabited;
  sighting.pids.insert(sighting.pids.end(), reading.pids.begin(), reading.pids.end());
  if (reading.inhabited == Presence::unknown) note(sighting, "the cgroup cannot be read");
  if (sighting.runner == Presence::gone) sighting.oom_kills = oom_kills_in(containment.cgroup);
  if (reading.inhabited == Presence::gone && sighting.runner == Presence::gone)
    tidy_up(containment.attempt, containment.cgroup);
}

// What a killed runner could not tidy up. An attempt that is known to be dead is not looked at again: the
// others' looks try again for it.
void LinuxProcesses::tidy_up(const AttemptId& attempt, const std::string& empty_cgroup) {
  const std::lock_guard hold{mutex_};
  left_cgroups_.emplace(empty_cgroup, attempt);
  std::erase_if(left_cgroups_,
                [](const auto& left) { return tidy_cgroup(left.second, left.first) != Tidied::not_yet; });
}

Reply<Nothing> LinuxProcesses::end_tree(const Containment& containment, EndSignal signal) {
  const auto host = this_host();
  if (host_presence(containment, host) == Presence::gone) return {answered(0)};
  if (recorded(containment).known() && recorded(containment).pid_namespace != host.pid_namespace) {
    return {answered(EXDEV)};
  }
  int worst = 0;
  const auto send = [&worst](const ProcessIdentity& who, int number) {
    const int error = signal_exactly(who, number);
    if (error != 0 && error != ESRCH) worst = error;
  };
  const bool runner_lives = presence_of(containment.runner) == Presence::present;
  const auto targets = targets_of(containment, host);
  if (runner_lives) {
    // First, so that it knows why its worker dies.
    const bool stuck =
        signal == EndSignal::kill && targets.others.empty() && runner_had_its_chance(containment.runner);
    send(containment.runner, stuck ? SIGKILL : SIGTERM);
    send(containment.runner, SIGCONT);
  }
  switch (signal) {
    case EndSignal::term:
      for (const auto& who : targets.others) {
        send(who, SIGTERM);
        send(who, SIGCONT);
      }
      break;
    case EndSignal::kill:
      kill_cgroup(containment.cgroup);
      for (const auto& who : targets.others) send(who, SIGKILL);
      break;
  }
  return {answered(worst)};
}

bool LinuxProcesses::runner_had_its_chance(const ProcessIdentity& runner) {
  const std::lock_guard hold{mutex_};
  const auto now = SystemClock{}.monotonic();
  std::erase_if(asked_at_, [&](const auto& asked) { return now.ms - asked.second.ms > minutes(60).ms; });
  const auto [asked, first] = asked_at_.try_emplace(runner, now);
  return !first && now.ms - asked->second.ms >= patience.ms;
}

}  // namespace holdfast
