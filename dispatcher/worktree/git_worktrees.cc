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
Reply<Salvaged> GitWorktrees::pin(const BranchOrder& order, Duration deadline) {
  return pin_branch(*context_, order, Deadline(deadline));
}
Reply<Salvaged> GitWorktrees::salvage(const BranchOrder& order, Duration deadline) {
  return salvage_slot(*context_, order, Deadline(deadline));
}
Reply<SlotSighting> GitWorktrees::release(const SlotOrder& order, const CommitId& expected_head,
                                          const std::string& start, Duration deadline) {
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
