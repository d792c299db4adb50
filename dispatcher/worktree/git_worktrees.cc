#include "dispatcher/worktree/git_worktrees.h"

#include "dispatcher/worktree/operations.h"

namespace holdfast {

GitWorktrees::GitWorktrees(const std::string& repository, const std::string& state_folder,
                           WorktreeOptions options)
    : context_(std::make_unique<const Context>(repository, state_folder, std::move(options))) {}
GitWorktrees::~GitWorktrees() = default;

Reply<std::vector<SlotSighting>> GitWorktrees::ensure_pool(int capacity, const std::string& start,
                                                           Duration deadline) {
  return holdfast::ensure_pool(*context_, capacity, start, Deadline(deadline));
}
Reply<std::vector<SlotSighting>> GitWorktrees::look_at_pool(Duration deadline) {
  return holdfast::look_at_pool(*context_, Deadline(deadline));
}
Reply<Prepared> GitWorktrees::prepare(const PrepareOrder& order, Duration deadline) {
  return prepare_slot(*context_, order, Deadline(deadline));
}
Reply<BranchFacts> GitWorktrees::inspect(const BranchOrder& order, Duration deadline) {
  return inspect_branch(*context_, order, Deadline(deadline));
}
Reply<Salvaged> GitWorktrees::pin(const BranchOrder& order, PinWhen when, Duration deadline) {
  switch (when) {
    case PinWhen::seen: return pin_what_lives(order, deadline);
    case PinWhen::closing: break;
  }
  {
    const std::scoped_lock lock(pins_mutex_);
    pins_.forget(order.attempt);
  }
  return pin_branch(*context_, order, Deadline(deadline));
}
Reply<Salvaged> GitWorktrees::pin_what_lives(const BranchOrder& order, Duration deadline) {
  PinLook now = look_before_pin(*context_, order);
  {
    const std::scoped_lock lock(pins_mutex_);
    if (pins_.is_as_at_the_last_pin(order.attempt, now)) return {{Transport::answered, 0, "", ""}, {}};
  }
  auto reply = pin_seen(*context_, order, Deadline(deadline));
  if (reply.raw.transport == Transport::answered && reply.raw.code == 0) {
    const std::scoped_lock lock(pins_mutex_);
    pins_.pinned(order.attempt, std::move(now));
  }
  return reply;
}
Reply<Salvaged> GitWorktrees::salvage(const BranchOrder& order, Duration deadline) {
  return salvage_slot(*context_, order, Deadline(deadline));
}
Reply<SlotSighting> GitWorktrees::release(const SlotOrder& order, const CommitId& expected_head,
                                          const std::string& start, Duration deadline) {
  {
    const std::scoped_lock lock(pins_mutex_);
    pins_.forget(order.attempt);
  }
  return release_slot(*context_, order, expected_head, start, Deadline(deadline));
}
Reply<Landed> GitWorktrees::land(const LandOrder& order, Duration deadline) {
  return land_branch(*context_, order, Deadline(deadline));
}
Reply<Nothing> GitWorktrees::push(const BranchOrder& order, Duration deadline) {
  return push_branch(*context_, order, Deadline(deadline));
}
Reply<std::vector<AttemptId>> GitWorktrees::traces(Duration deadline) {
  return traces_in_refs(*context_, Deadline(deadline));
}

}  // namespace holdfast
