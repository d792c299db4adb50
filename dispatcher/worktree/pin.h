// Pinning what was seen of an attempt, for callers that hold its slot already.
#pragma once

#include "dispatcher/worktree/operations.h"

namespace holdfast {

// REQUIRES: the slot's lock is held and in `how`; null: no slot, the attempt's refs alone.
Reply<Salvaged> pin_held(const Context&, const BranchOrder&, const PoolSlot*, PinWhen, const GitHow&);
// As when its attempt is closed.
Reply<Salvaged> pin_held(const Context&, const BranchOrder&, const PoolSlot*, const GitHow&);

}  // namespace holdfast
