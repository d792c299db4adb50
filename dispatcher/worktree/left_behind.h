// What an attempt made and neither its HEAD nor its branch holds any more.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "dispatcher/worktree/head_log.h"

namespace holdfast {

struct LeftBehind {
  // Commits that it made and that another local branch holds: work that is in the ticket's name and not on
  // the ticket's branch. The newest of each line.
  std::vector<std::string> aside;
  // What an amend, a reset or a rebase left, and what is unclear: the newest of each line that `aside` and
  // `pinned` do not hold.
  std::vector<std::string> replaced;
};

struct LeftQuestion {
  std::string branch;          // of the attempt: "hf/T-1-do-it-g1"
  std::set<std::string> held;  // what counts as held: HEAD, branch, base, ... (empty names count for nothing)
  std::set<std::string> pinned;  // held too, and no answer to where the work is
  bool aside = true;             // whether other branches are asked about
};

// No process is started where one commit only ever followed the other.
OrReply<LeftBehind> left_behind(const Context&, const HeadLog&, const LeftQuestion&, const GitHow&);

}  // namespace holdfast
