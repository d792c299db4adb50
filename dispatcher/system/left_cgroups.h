// Cgroups of runners that were killed before they could tidy up.
//
// Only an empty one can be removed, and a process that is gone may stand in it for a while longer: until its
// parent takes its exit status. So it is tried again, also by the next dispatcher. A runner that was killed
// between making one and recording it has left one too.
#pragma once

#include <string>
#include <vector>

#include "dispatcher/core/ids.h"
#include "dispatcher/system/file_records.h"

namespace holdfast {

enum class Tidied {
  gone,     // it is not there (any more)
  not_yet,  // somebody lives in it, or did a moment ago
  foreign,  // it does not bear the attempt's name
};
// REQUIRES: the attempt's runner is gone.
Tidied tidy_cgroup(const AttemptId&, const std::string& cgroup);

// Those that its runner may have made without a word of it in the record.
std::vector<std::string> unrecorded_cgroups(const AttemptId&, const std::string& token);

// Those of all attempts whose runner is gone. How many there were and are not any more.
int remove_left_cgroups(FileRecords&);

}  // namespace holdfast
