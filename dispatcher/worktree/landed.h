// Is a line of commits on the target, and still there?
//
// Three kinds of evidence, each with its limits:
//
//   contained   Merging the line into the target, in memory, would change nothing. Right for squash, rebase
//   and
//               cherry-pick merges with whatever conflict resolution, and false after a revert. Says nothing
//               once the target went on to change the same lines (conflict), nor about a line whose changes
//               cancel out (merging nothing changes nothing: that is not landed, there is nothing to land).
//   patch       The line's combined patch, or each of its patches, is on the target with an equal patch id.
//   Survives
//               later changes of the same lines, but also a revert: so the *last* of patch and reverse patch
//               counts.
//   absent      Undoing the line on the target, in memory, would change nothing: nothing of it is there.
//
//   contained?  yes                                -> landed
//               else patch?  no                    -> not landed
//                            reversed or absent    -> not landed (it was, and was taken out again)
//                            merge conflicts       -> landed, and built upon since
//                            merge would change    -> unknown: a part of it is missing there
//
// A line that is an ancestor of the target is landed unless it was reverted: absent, or a reverse patch came
// last. (Contained cannot be asked by merging then; the change since the line's own base is applied instead.)
#pragma once

#include <string>

#include "dispatcher/core/branch_facts.h"
#include "dispatcher/worktree/history.h"

namespace holdfast {

struct Landing {
  Tri ancestor = Tri::unknown;     // and not reverted since
  Tri equal_patch = Tri::unknown;  // and still there
  std::string note;

  [[nodiscard]] bool landed() const { return ancestor == Tri::yes || equal_patch == Tri::yes; }
};

// `base`: where the line began; may be empty, then a revert of an ancestor cannot be seen. REQUIRES: the line
// has commits of its own.
Landing judge_landing(const History&, const std::string& target, const std::string& tip,
                      const std::string& base);

// Would merging `tip` into `into` change nothing although it has changes to offer, or is it an ancestor of
// it?
OrReply<bool> is_contained(const History&, const std::string& into, const std::string& tip);

}  // namespace holdfast
