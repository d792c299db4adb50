// Helpers of a dispatcher that was killed: a git that hangs would hold its worktree's lock for ever.
#pragma once

#include <string>

namespace holdfast {

// In the environment of every helper: whose it is.
inline constexpr const char* helper_mark = "HOLDFAST_HELPER";

// Kills processes that carry the mark of this state folder and descend from no living holdfast program; what
// they did is as after a crash. How many there were. REQUIRES: the caller is the one dispatcher of the
// folder.
int end_orphaned_helpers(const std::string& state_folder);

}  // namespace holdfast
