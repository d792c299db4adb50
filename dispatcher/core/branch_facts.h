// What is known about a branch, a slot of the pool, a salvage and a landing. Three-valued: "cannot verify" is
// not "safe".
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dispatcher/core/ids.h"
#include "dispatcher/core/instant.h"

namespace holdfast {

enum class Tri { no, yes, unknown };  // unknown: could not be verified, which is never "safe"

struct SlotOrder {
  SlotId slot;
  AttemptId attempt;
};

struct PrepareOrder {
  SlotId slot;
  AttemptId attempt;
  BranchName branch;
  std::string start;  // what to branch from: "refs/heads/main", "refs/remotes/origin/main", a commit
};
struct Prepared {
  std::string path;  // absolute path of the worktree
  CommitId base;     // where the branch starts
  friend bool operator==(const Prepared&, const Prepared&) = default;
};

struct BranchOrder {
  SlotId slot;  // may be empty: facts about refs alone
  AttemptId attempt;
  BranchName branch;
  CommitId base;
  std::string target;  // full ref name of the target
  std::string remote;  // name of the remote, empty: none
};

// Which sighting of an attempt is pinned: one while it lives, which names what its HEAD and its branch stood
// at; or the one that closes it, which also judges what its worker has left elsewhere.
enum class PinWhen { seen, closing };

// One unlanded line of commits of the ticket (of any attempt, also salvages and pinned tips).
struct Stranded {
  std::string ref;
  CommitId tip;
  int commits = 0;
  friend bool operator==(const Stranded&, const Stranded&) = default;
};

struct BranchFacts {
  CommitId tip;     // of the branch; empty: the branch is gone
  CommitId head;    // of the worktree; empty: no worktree was asked about
  int commits = 0;  // base..tip (HEAD counted too, where it differs)
  Tri has_commits = Tri::unknown;
  // Tip reachable from target, and not reverted there since; "no" where there are no commits.
  Tri ancestor_of_target = Tri::unknown;
  Tri equal_patch_on_target =
      Tri::unknown;                // squash or rebase merge: combined or each patch equal, and still there
  Tri uncommitted = Tri::unknown;  // tracked changes, staged or not
  Tri untracked = Tri::unknown;
  Tri unpushed = Tri::unknown;  // "no" where there is no remote
  Tri detached = Tri::unknown;
  Tri operation_in_progress = Tri::unknown;  // rebase, merge, cherry-pick, bisect
  std::string target_tip;
  std::vector<Stranded>
      stranded;  // of every *other* attempt, of salvages, and what it left on other branches
  Tri stranded_known = Tri::unknown;  // unknown: the list may be incomplete
  std::string note;                   // why something is unknown
  friend bool operator==(const BranchFacts&, const BranchFacts&) = default;
};

struct Salvaged {
  std::vector<std::string> refs;  // what holds it; empty: nothing needed saving
  std::vector<CommitId> commits;
  std::string note;
  friend bool operator==(const Salvaged&, const Salvaged&) = default;
};

struct LandOrder {
  AttemptId attempt;
  BranchName branch;
  CommitId tip;                    // land exactly this
  std::string target;              // full ref name
  std::string remote;              // non-empty: push the result there, compare-and-swap
  std::vector<std::string> check;  // argv run in the scratch worktree; empty: none
  Duration check_timeout = minutes(10);
  std::string message;  // of the merge commit
};
enum class LandAnswer {
  landed,  // the target ref holds it now
  already_landed,
  parked,  // the target is checked out somewhere: it is on holdfast/landed, `note` has the command for a
           // person
  conflict,
  check_failed,
  moved,  // compare-and-swap lost: look and try again
};
struct Landed {
  LandAnswer answer = LandAnswer::moved;
  CommitId commit;
  std::string output;  // of the merge or the check, last 16 KiB
  std::string note;
  friend bool operator==(const Landed&, const Landed&) = default;
};

struct SlotSighting {
  SlotId slot;
  std::string path;
  Tri registered = Tri::unknown;  // git worktree list knows it and its folder is there
  Tri clean = Tri::unknown;
  Tri locked = Tri::unknown;  // index.lock and its kin, or a helper still holds the slot's lock
  CommitId head;
  BranchName branch;  // empty: detached
  friend bool operator==(const SlotSighting&, const SlotSighting&) = default;
};

}  // namespace holdfast
