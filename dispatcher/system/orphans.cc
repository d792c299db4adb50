#include "dispatcher/system/orphans.h"

#include <signal.h>

#include <map>

#include "dispatcher/system/durable_file.h"
#include "dispatcher/system/process_table.h"

namespace holdfast {
namespace {

bool descends_from_ours(const std::map<std::int64_t, ProcessStat>& all, const ProcessStat& process) {
  std::int64_t parent = process.parent;
  for (std::size_t hops = 0; hops < all.size(); ++hops) {
    const auto found = all.find(parent);
    if (found == all.end()) return false;
    if (found->second.name.starts_with("holdfast")) return true;
    parent = found->second.parent;
  }
  return false;
}

}  // namespace

int end_orphaned_helpers(const std::string& state_folder) {
  constexpr std::size_t largest_environment = std::size_t{1} << 20;
  const std::string mark = std::string(1, '\0') + helper_mark + "=" + state_folder + std::string(1, '\0');
  std::map<std::int64_t, ProcessStat> all;
  for (const ProcessStat& process : read_process_table().processes) all[process.pid] = process;
  const auto host = this_host();
  int ended = 0;
  for (const auto& [pid, process] : all) {
    const auto environment = read_file("/proc/" + std::to_string(pid) + "/environ", largest_environment);
    const bool ours = (std::string(1, '\0') + environment.text).find(mark) != std::string::npos;
    if (!ours || process.name.starts_with("holdfast") || descends_from_ours(all, process)) continue;
    if (signal_exactly({host.boot_id, host.pid_namespace, pid, process.start_ticks}, SIGKILL) == 0) ++ended;
  }
  return ended;
}

}  // namespace holdfast
