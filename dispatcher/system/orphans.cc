#include "dispatcher/system/orphans.h"

#include <signal.h>
#include <unistd.h>

#include <map>

#include "dispatcher/system/durable_file.h"
#include "dispatcher/system/process_table.h"

namespace holdfast {
namespace {

constexpr const char* owner_mark = "HOLDFAST_HELPER";
constexpr const char* session_mark = "HOLDFAST_HELPER_SESSION";

// The value of a variable in an environment as /proc has it, with a NUL before and after each entry.
std::string value_in(const std::string& environment, const std::string& name) {
  const std::string entry = std::string(1, '\0') + name + "=";
  const auto at = environment.find(entry);
  if (at == std::string::npos) return "";
  const auto begin = at + entry.size();
  return environment.substr(begin, environment.find('\0', begin) - begin);
}

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

bool left_its_session(std::int64_t pid, const std::string& started_in) {
  return !started_in.empty() && started_in != std::to_string(::getsid(static_cast<pid_t>(pid)));
}

}  // namespace

std::vector<std::string> helper_marks(const std::string& state_folder) {
  return {std::string(owner_mark) + "=" + state_folder,
          std::string(session_mark) + "=" + std::to_string(::getsid(0))};
}

int end_orphaned_helpers(const std::string& state_folder) {
  constexpr std::size_t largest_environment = std::size_t{1} << 20;
  std::map<std::int64_t, ProcessStat> all;
  for (const ProcessStat& process : read_process_table().processes) all[process.pid] = process;
  const auto host = this_host();
  int ended = 0;
  for (const auto& [pid, process] : all) {
    if (process.name.starts_with("holdfast")) continue;
    const auto environment = std::string(1, '\0') +
                             read_file("/proc/" + std::to_string(pid) + "/environ", largest_environment).text;
    if (value_in(environment, owner_mark) != state_folder) continue;
    if (left_its_session(pid, value_in(environment, session_mark)) || descends_from_ours(all, process))
      continue;
    if (signal_exactly({host.boot_id, host.pid_namespace, pid, process.start_ticks}, SIGKILL) == 0) ++ended;
  }
  return ended;
}

}  // namespace holdfast
