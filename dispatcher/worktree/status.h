// What `git status` says about one worktree, as a value.
#pragma once

#include <string>
#include <vector>

#include "dispatcher/worktree/context.h"

namespace holdfast {

struct WorkStatus {
  std::string head;              // empty: no commit yet
  std::string branch;            // without refs/heads/; empty: detached
  bool tracked_changes = false;  // staged or not, conflicts included
  bool conflicts = false;
  bool untracked = false;
  std::vector<std::string> examples;  // a few paths, for people

  [[nodiscard]] bool clean() const { return !tracked_changes && !untracked; }
  [[nodiscard]] std::string in_words() const;
};

std::vector<std::string> status_arguments();  // of the git that parse_status() reads
OrReply<WorkStatus> read_status(const Context&, const PoolSlot&, const GitHow&);
OrReply<WorkStatus> parse_status(std::string_view porcelain_v2_nul);

}  // namespace holdfast
