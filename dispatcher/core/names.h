// Names that are made from hostile text: branch slugs, session names, keys for files and refs.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "dispatcher/core/ids.h"

namespace holdfast {

// A ticket id is 1 to 64 characters of [A-Za-z0-9_-], begins with a letter or digit, and does not end in
// "-g<digits>" (which would make attempt names ambiguous). Everything else is refused at the door, so that an
// id can stand in a session name, a ref, a folder and an argv as it is. nullopt: fine; else what is wrong, in
// words for a person.
std::optional<std::string> what_is_wrong_with_ticket_id(std::string_view id);

// "hf-<ticket>-g<generation>": tmux session. No ':' and no '.', which tmux would rewrite.
SessionName session_name(const AttemptId&);

// "<ticket>-g<generation>": record folder, cgroup, lock files, refs/holdfast/keep/<ticket>/g<generation>.
std::string attempt_key(const AttemptId&);
std::optional<AttemptId> parse_attempt_key(std::string_view key);

// "hf/<ticket>-<slug>-g<generation>". The slug keeps [a-z0-9] of the title, words joined by '.', at most 40
// characters; "work" if none are left. It holds no '-', and ids hold no '.', so a branch names its attempt
// without ambiguity even where one ticket's id is the beginning of another's.
BranchName branch_name(const AttemptId&, std::string_view title);
std::optional<AttemptId> parse_branch(std::string_view branch);  // nullopt: not one of ours

}  // namespace holdfast
