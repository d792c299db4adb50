// One effect becomes one port call. Plain blocking code: it is called on a worker thread, decides nothing,
// and hands the raw reply back.
#pragma once

#include "dispatcher/core/effects.h"
#include "dispatcher/core/policy.h"
#include "dispatcher/ports/world.h"

namespace holdfast {

struct Deadlines {
  Duration call = seconds(10);  // tmux and the like
  Duration git = seconds(60);
  Duration pool = minutes(10);  // the first checkout of every worktree; what was left in one
};

Answer perform(const Effect&, World&, const Deadlines&);

}  // namespace holdfast
