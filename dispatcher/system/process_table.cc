#include "dispatcher/system/process_table.h"

#include <dirent.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "dispatcher/system/durable_file.h"

namespace holdfast {

ProcessTable read_process_table() {
  ProcessTable table;
  DIR* proc = ::opendir("/proc");
  if (proc == nullptr) return table;
  errno = 0;
  while (const dirent* entry = ::readdir(proc)) {
    const char* name = entry->d_name;
    std::int64_t pid = 0;
    const auto [end, error] = std::from_chars(name, name + std::strlen(name), pid);
    if (error == std::errc{} && *end == '\0' && pid > 0) {
      const auto file = read_file("/proc/" + std::to_string(pid) + "/stat", 4096);
      if (auto stat = parse_process_stat(file.text)) table.processes.push_back(std::move(*stat));
    }
    errno = 0;
  }
  table.complete = errno == 0 ? Presence::present : Presence::unknown;
  ::closedir(proc);
  std::ranges::sort(table.processes, {}, &ProcessStat::pid);
  return table;
}

std::vector<ProcessStat> descendants_of(const ProcessTable& table, std::int64_t ancestor) {
  std::vector<ProcessStat> family;
  std::vector<std::int64_t> parents{ancestor};
  for (std::size_t i = 0; i < parents.size(); ++i) {
    for (const auto& process : table.processes) {
      if (process.parent != parents[i] || process.pid == ancestor) continue;
      if (std::ranges::find(parents, process.pid) != parents.end()) continue;  // a torn table may hold a loop
      parents.push_back(process.pid);
      family.push_back(process);
    }
  }
  return family;
}

}  // namespace holdfast
