// Finds the processes of one attempt by what they cannot easily lose: the token in their environment, and a
// working directory in the attempt's worktree. The last resort where the runner died first and there was no
// cgroup.
#pragma once

#include <string>
#include <vector>

#include "dispatcher/core/attempt_sightings.h"
#include "dispatcher/system/process_table.h"

namespace holdfast {

struct AttemptScan {
  std::vector<ProcessStat> with_token;    // surely the attempt's
  std::vector<ProcessStat> in_worktree;   // perhaps; a person's shell may stand there too
  Presence complete = Presence::unknown;  // present: nobody who could be the attempt's was left out
  std::string note;                       // who was
};
AttemptScan scan_for(const Containment&);

}  // namespace holdfast
