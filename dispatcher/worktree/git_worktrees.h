// The port Worktrees over git: a pool of worktrees of one repository, below a state folder of the
// dispatcher's.
//
//   <state>/pool/slot-001 ...   the worktrees
//   <state>/scratch/            where a landing is checked
//   <state>/locks/              one lock file per slot and ref, inherited by every helper
//   <state>/leases/             who has which slot
//   <state>/quarantine/         what was moved out of the way; never deleted by us
//
// Any number of calls at once, from any threads; calls that touch the same slot or ref answer "busy" rather
// than wait.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "dispatcher/ports/worktrees.h"
#include "dispatcher/worktree/context.h"
#include "dispatcher/worktree/pin_memo.h"

namespace holdfast {

class GitWorktrees final : public Worktrees {
 public:
  // `repository`: a checkout, its .git, or a bare repository. Folders are made; see check_repository for the
  // rest.
  GitWorktrees(const std::string& repository, const std::string& state_folder, WorktreeOptions options = {});
  ~GitWorktrees() override;

  Reply<std::vector<SlotSighting>> ensure_pool(int capacity, const std::string& start,
                                               Duration deadline) override;
  Reply<std::vector<SlotSighting>> look_at_pool(Duration deadline) override;
  Reply<Prepared> prepare(const PrepareOrder&, Duration deadline) override;
  Reply<BranchFacts> inspect(const BranchOrder&, Duration deadline) override;
  Reply<Salvaged> pin(const BranchOrder&, PinWhen, Duration deadline) override;
  Reply<Salvaged> pin(const BranchOrder& order, Duration deadline) {
    return pin(order, PinWhen::closing, deadline);
  }
  Reply<Salvaged> salvage(const BranchOrder&, Duration deadline) override;
  Reply<SlotSighting> release(const SlotOrder&, const CommitId& expected_head, const std::string& start,
                              Duration deadline) override;
  Reply<Landed> land(const LandOrder&, Duration deadline) override;
  Reply<Nothing> push(const BranchOrder&, Duration deadline) override;
  Reply<std::vector<AttemptId>> traces(Duration deadline) override;

 private:
  Reply<Salvaged> pin_what_lives(const BranchOrder&, Duration deadline);

  std::unique_ptr<const Context> context_;
  std::mutex pins_mutex_;
  PinMemo pins_;
};

}  // namespace holdfast
