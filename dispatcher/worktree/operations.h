// The operations behind GitWorktrees, one file each. They share nothing but the Context.
#pragma once

#include <string>
#include <vector>

#include "dispatcher/ports/reply.h"
#include "dispatcher/worktree/context.h"

namespace holdfast {

Reply<std::vector<SlotSighting>> ensure_pool(const Context&, int capacity, const std::string& start,
                                             const Deadline&);
Reply<std::vector<SlotSighting>> look_at_pool(const Context&, const Deadline&);
Reply<Prepared> prepare_slot(const Context&, const PrepareOrder&, const Deadline&);
Reply<BranchFacts> inspect_branch(const Context&, const BranchOrder&, const Deadline&);
Reply<Salvaged> pin_branch(const Context&, const BranchOrder&, const Deadline&);  // when it is closed
Reply<Salvaged> pin_seen(const Context&, const BranchOrder&, const Deadline&);    // while it lives
Reply<Salvaged> salvage_slot(const Context&, const BranchOrder&, const Deadline&);
Reply<SlotSighting> release_slot(const Context&, const SlotOrder&, const CommitId& expected_head,
                                 const std::string& start, const Deadline&);
Reply<Landed> land_branch(const Context&, const LandOrder&, const Deadline&);
Reply<Nothing> push_branch(const Context&, const BranchOrder&, const Deadline&);
Reply<std::vector<AttemptId>> traces_in_refs(const Context&, const Deadline&);

// What several of them need.
OrReply<std::string> resolve_commit(const Context&, const std::string& name,
                                    const GitHow&);  // full ref, or object id
SlotSighting sight_slot(const Context&, const PoolSlot&, const GitHow&);
// Without asking git: `clean` is no where the files already say so, else unknown.
SlotSighting sight_slot_by_its_files(const Context&, const PoolSlot&);
// The worktree's folder from its own index and HEAD, where it is gone; else nothing is done. What was
// uncommitted is lost with the folder, but for what was staged. REQUIRES the slot's lock, and that its
// commits are pinned.
OrReply<Nothing> remake_lost_folder(const Context&, const PoolSlot&, const AttemptId&, const GitHow&);
// Untracked files that only became visible because a checkout brought another .gitignore: moved to
// quarantine.
OrReply<Nothing> set_leftovers_aside(const Context&, const PoolSlot&, const GitHow&);

// Ignored files that stand where a checkout of `commit` puts one of its own: git overwrites those without a
// word, so they are moved to quarantine first.
OrReply<Nothing> set_colliding_aside(const Context&, const PoolSlot&, const std::string& commit,
                                     const GitHow&);

template <class T>
Reply<T> failed_with(RawReply raw) {
  return {std::move(raw), {}};
}

}  // namespace holdfast
