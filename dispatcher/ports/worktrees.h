// What the driver asks of git: the pool of worktrees, facts about branches, salvage and landing.
//
// The main checkout is never a working directory of anything here, and no ref outside refs/heads/hf/*,
// refs/holdfast/* and (by compare-and-swap) the landing ref is written. Every helper process runs in a group
// of its own and holds the inherited lock of the slot or ref that it touches; while such a lock is held by
// anybody, a call that needs it answers never_sent with "busy: ...".
#pragma once

#include <string>
#include <vector>

#include "dispatcher/core/branch_facts.h"
#include "dispatcher/ports/reply.h"

namespace holdfast {

class Worktrees {
 public:
  virtual ~Worktrees() = default;

  // Creates whatever of the pool's slots is missing (detached at the target), repairs what is half there.
  // Slow.
  virtual Reply<std::vector<SlotSighting>> ensure_pool(int capacity, const std::string& start,
                                                       Duration deadline) = 0;
  virtual Reply<std::vector<SlotSighting>> look_at_pool(Duration deadline) = 0;

  // Creates the branch at `start` and switches the (clean, detached) slot to it. Repeating it for the same
  // attempt answers the same. Refuses a slot that is not clean.
  virtual Reply<Prepared> prepare(const PrepareOrder&, Duration deadline) = 0;

  virtual Reply<BranchFacts> inspect(const BranchOrder&, Duration deadline) = 0;

  // Pins what the attempt has made under refs/holdfast/keep/<ticket>/<g>/ (value: the refs written); what was
  // once held there stays held.
  //   seen     of one that lives, after each look at it: what HEAD and branch stand at, as `seen` and
  //   `seen-N`;
  //            its stash; what HEAD's reflog shows that it made and left. One that looks as it did at the
  //            last such call is answered without starting a process. Refuses a slot that is another
  //            attempt's.
  //   closing  of one that is over: HEAD, branch tip and stash, what it made and left, and its work on other
  //            branches that nothing else of it holds, as `side-N`: inspect() tells of those as stranded.
  virtual Reply<Salvaged> pin(const BranchOrder&, PinWhen, Duration deadline) = 0;

  // Saves everything uncommitted (untracked files too, ignored ones not) as a commit under
  // refs/holdfast/salvage/<ticket>/<g>/; nothing is changed in the worktree. Pins as well. The value names
  // the salvage alone, also one that an earlier call wrote for the same content (whose answer may have been
  // lost). Code 1 where anything could not be saved; what could be is saved then too.
  virtual Reply<Salvaged> salvage(const BranchOrder&, Duration deadline) = 0;

  // Gives the slot back: detached at `start`, clean. REQUIRES a salvage since the worker's death; refuses
  // (code 1, "dirty: ...") where something appeared after it. The branch stays.
  virtual Reply<SlotSighting> release(const SlotOrder&, const CommitId& expected_head,
                                      const std::string& start, Duration deadline) = 0;

  virtual Reply<Landed> land(const LandOrder&, Duration deadline) = 0;

  // Pushes the branch itself to the remote (never forced).
  virtual Reply<Nothing> push(const BranchOrder&, Duration deadline) = 0;

  // Every attempt that left a trace in refs: hf/* branches, keep and salvage refs.
  virtual Reply<std::vector<AttemptId>> traces(Duration deadline) = 0;
};

}  // namespace holdfast
