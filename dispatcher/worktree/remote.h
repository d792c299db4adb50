// A remote as it was last seen, below refs/holdfast/remote/<name>/. Remote-tracking refs belong to people and
// their git; ours are fetched beside them, so that nothing outside refs/holdfast/ moves because we looked.
#pragma once

#include "dispatcher/worktree/context.h"

namespace holdfast {

enum class RemoteSeen { fresh, not_asked, unreachable };

// Fetches the target and all hf/ branches if the last picture is too old. Never fails: what could not be
// asked is told.
RemoteSeen look_at_remote(const Context&, const std::string& remote, const std::string& target,
                          const Deadline&);

// "refs/heads/main" or "refs/remotes/origin/main" -> "main"; what the branch is called there.
std::string name_on_remote(const std::string& target, const std::string& remote);
std::string mirror_of(const std::string& remote, const std::string& branch);

// One fetch of one branch (and hf/ branches) into the mirror.
ChildEnd fetch_into_mirror(const Context&, const std::string& remote, const std::string& branch,
                           const GitHow&);

}  // namespace holdfast
