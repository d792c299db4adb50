// The process table as a value, and the family tree in it.
#pragma once

#include <cstdint>
#include <vector>

#include "dispatcher/system/process_identity.h"

namespace holdfast {

struct ProcessTable {
  std::vector<ProcessStat> processes;     // ordered by pid; zombies included
  Presence complete = Presence::unknown;  // present: /proc could be listed to its end
};
ProcessTable read_process_table();

// All descendants of `ancestor` in this table, parents before children, without `ancestor`.
std::vector<ProcessStat> descendants_of(const ProcessTable&, std::int64_t ancestor);

}  // namespace holdfast
