// Everything that descends from the runner. The runner is a child subreaper: whoever loses his parent below
// it becomes its child, so "no children left" proves that nothing of the worker's is left.
#pragma once

#include <sys/resource.h>

#include <cstdint>
#include <vector>

#include "dispatcher/runner/cgroup_home.h"

namespace holdfast {

struct Reaped {
  std::int64_t pid = 0;
  int status = 0;  // as from waitpid
  rusage usage{};
};

// Takes all children that have ended. `any_left`: there are others.
struct Reaping {
  std::vector<Reaped> ended;
  bool any_left = false;
};
Reaping reap_children();

// The next child that has ended, still a zombie; 0: none.
std::int64_t peek_ended_child();

// Somebody other than `keeper` descends from the runner or lives in the cgroup. Only a hint to go on: the
// proof is that no child is left once the keeper is gone too.
Presence others_than(std::int64_t keeper, const CgroupHome&);

// Signals every descendant but the keeper, and every member of the cgroup, each through a pidfd after its
// start time was checked against the table that it was found in. Those who fork meanwhile are found by the
// next call.
void signal_family(const CgroupHome&, std::int64_t keeper, int signal);

}  // namespace holdfast
