// Who lives in a cgroup, read from its files. Works the same for both versions of the hierarchy.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dispatcher/core/attempt_sightings.h"

namespace holdfast {

struct CgroupReading {
  Presence inhabited = Presence::unknown;  // gone: no process in it or below it, or the folder is not there
  std::vector<std::int64_t> pids;          // of the cgroup and of every cgroup below
};
CgroupReading read_cgroup(const std::string& folder);

// How often the kernel's OOM killer struck in it (memory.events of version 2, memory.oom_control of version
// 1); not set: neither file says so.
std::optional<std::int64_t> oom_kills_in(const std::string& folder);

// Removes the folder and those below, which works only where nobody lives in them. errno, 0: gone.
int remove_cgroup(const std::string& folder);

}  // namespace holdfast
