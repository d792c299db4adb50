// Helpers of a dispatcher that was killed: a git that hangs would hold its worktree's lock for ever.
#pragma once

#include <string>
#include <vector>

namespace holdfast {

// What goes into the environment of every helper: whose it is, and in which session it was started.
std::vector<std::string> helper_marks(const std::string& state_folder);

// Kills processes that carry the mark of this state folder, are still in the session in which the helper was
// started, and descend from no living holdfast program; what they did is as after a crash. One that went into
// a session of its own is a daemon that a check or a filter left on purpose (a build server, a cache of
// credentials): it has inherited the mark and is nobody's helper. How many there were. REQUIRES: the caller
// is the one dispatcher of the folder.
int end_orphaned_helpers(const std::string& state_folder);

}  // namespace holdfast
