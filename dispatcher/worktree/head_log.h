// What the reflog of a slot's HEAD tells of the attempt that has the slot now: where HEAD stood, what was
// made there, and on which branches it was. A slot's reflog is longer than an attempt: what came before the
// slot was prepared is another's.
//
// Words decide who made a commit, since nothing else can: a branch that was only looked at, pulled or reset
// to is somebody else's work. What the words do not say is unclear, which is kept as if it were the worker's
// own and is never held against it.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "dispatcher/worktree/context.h"

namespace holdfast {

struct HeadLog {
  std::set<std::string> made;      // by commit, amend, merge, pick, revert, am, rebase
  std::set<std::string> unclear;   // HEAD stood there, or a rebase holds it, and the words say nothing
  std::set<std::string> stood;     // wherever it was
  std::set<std::string> branches;  // short names of those it was on, as checkouts tell
  bool straight = true;            // one commit only ever followed the other: HEAD holds them all
  std::int64_t since = 0;          // seconds of the epoch at which it begins; 0: it says nothing
};

HeadLog read_head_log(const PoolSlot&);

enum class HeadStep { made, moved, unclear };
HeadStep step_of(std::string_view words);  // "commit (amend): Do it", "checkout: moving from a to b"

}  // namespace holdfast
