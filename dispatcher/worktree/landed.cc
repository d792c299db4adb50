#include "dispatcher/worktree/landed.h"

#include <algorithm>
#include <map>

namespace holdfast {
namespace {

constexpr int most_target_commits = 3000;
constexpr int most_line_commits = 500;
constexpr std::size_t most_paths = 200;

using Direction = History::Direction;

// When each patch id was last seen on the target; 0: never.
class TargetPatches {
 public:
  static OrReply<TargetPatches> read(const History& history, const std::string& target,
                                     const std::string& since, const std::vector<std::string>& paths) {
    std::vector<std::string> what{"--no-merges", "--full-history", target, "^" + since};
    if (paths.size() <= most_paths) {
      what.emplace_back("--");
      what.insert(what.end(), paths.begin(), paths.end());
    }
    const auto commits = history.list(what, most_target_commits);
    if (!commits) return std::unexpected(commits.error());
    const auto patches = history.patches(*commits, Direction::forward);
    if (!patches) return std::unexpected(patches.error());
    TargetPatches found;
    found.none_ = commits->empty();
    found.complete_ = commits->size() < most_target_commits;
    int n = 0;
    for (const auto& patch : *patches) found.last_[patch.id] = ++n;
    return found;
  }
  [[nodiscard]] int last(const std::string& id) const {
    const auto at = last_.find(id);
    return id.empty() || at == last_.end() ? 0 : at->second;
  }
  [[nodiscard]] bool complete() const { return complete_; }
  [[nodiscard]] bool none() const { return none_; }  // nothing on the target has touched these paths since

 private:
  std::map<std::string, int> last_;
  bool complete_ = true;
  bool none_ = false;
};

struct PatchEvidence {
  Tri found = Tri::no;
  bool reversed = false;
};

// REQUIRES: `since` is reachable from both.
OrReply<PatchEvidence> patch_evidence(const History& history, const std::string& target,
                                      const std::string& since, const std::string& base,
                                      const std::string& tip) {
  const auto paths = history.paths_between(base, tip);
  if (!paths) return std::unexpected(paths.error());
  const auto on_target = TargetPatches::read(history, target, since, *paths);
  if (!on_target) return std::unexpected(on_target.error());
  if (on_target->none()) return PatchEvidence{};  // no patch there can be equal, or undo one
  const auto combined = history.patch_between(base, tip);
  if (!combined) return std::unexpected(combined.error());
  const auto undone = history.patch_between(tip, base);
  if (!undone) return std::unexpected(undone.error());
  const auto merges = history.count({"--merges", tip, "^" + base});
  if (!merges) return std::unexpected(merges.error());
  const auto line = history.list({"--no-merges", tip, "^" + base}, most_line_commits);
  if (!line) return std::unexpected(line.error());
  const auto forward = history.patches(*line, Direction::forward);
  if (!forward) return std::unexpected(forward.error());
  const auto reverse = history.patches(*line, Direction::reverse);
  if (!reverse) return std::unexpected(reverse.error());

  PatchEvidence evidence;
  int newest_landing = on_target->last(*combined);
  bool each = *merges == 0 && !forward->empty() && line->size() < most_line_commits;
  std::map<std::string, std::string> reverse_of;
  for (const auto& patch : *reverse) reverse_of[patch.commit] = patch.id;
  for (const auto& patch : *forward) {
    const int landed = on_target->last(patch.id);
    const std::string& opposite = reverse_of[patch.commit];
    each = each && landed > 0;
    newest_landing = std::max(newest_landing, landed);
    // A line that undoes one of its own patches is no revert of the line.
    if (std::ranges::find(*forward, opposite, &History::Patch::id) != forward->end()) continue;
    if (on_target->last(opposite) > std::max(landed, on_target->last(*combined))) evidence.reversed = true;
  }
  if (*undone != *combined && on_target->last(*undone) > newest_landing) evidence.reversed = true;
  const bool found = on_target->last(*combined) > 0 || each;
  evidence.found = found ? Tri::yes : on_target->complete() ? Tri::no : Tri::unknown;
  return evidence;
}

Landing cannot_tell(const RawReply& raw, Tri ancestor) {
  return {ancestor, Tri::unknown, "landing could not be verified: " + trimmed(raw.error)};
}

Landing judge_ancestor(const History& history, const std::string& target, const std::string& tip,
                       const std::string& base) {
  Landing landed{Tri::yes, Tri::no, ""};
  if (target == tip || base.empty()) return landed;
  const auto present = history.apply(base, target, tip);
  if (!present) return cannot_tell(present.error(), Tri::unknown);
  if (*present == InMemory::changes_nothing) return landed;
  Landing reverted{Tri::no, Tri::no, "it was merged into the target, and reverted there since"};
  const auto absent = history.apply(tip, target, base);
  if (!absent) return cannot_tell(absent.error(), Tri::unknown);
  if (*absent == InMemory::changes_nothing) return reverted;
  const auto evidence = patch_evidence(history, target, tip, base, tip);
  if (!evidence) return cannot_tell(evidence.error(), Tri::unknown);
  return evidence->reversed ? reverted : landed;
}

}  // namespace

Landing judge_landing(const History& history, const std::string& target, const std::string& tip,
                      const std::string& base) {
  const auto ancestor = history.is_ancestor(tip, target);
  if (!ancestor) return cannot_tell(ancestor.error(), Tri::unknown);
  if (*ancestor) return judge_ancestor(history, target, tip, base);

  const auto fork = history.merge_base(target, tip);
  if (!fork) return cannot_tell(fork.error(), Tri::no);
  if (fork->empty()) return {Tri::no, Tri::no, "it shares no history with the target"};
  const auto trees = history.trees({*fork, tip});
  if (!trees) return cannot_tell(trees.error(), Tri::no);
  if (trees->front() == trees->back()) return {Tri::no, Tri::no, "its commits change nothing"};
  if (*fork == target)
    return {Tri::no, Tri::no, ""};  // the target is where it began: nothing came to it since

  const auto merged = history.merge(target, tip);
  if (!merged) return cannot_tell(merged.error(), Tri::no);
  if (*merged == InMemory::changes_nothing) return {Tri::no, Tri::yes, ""};
  const auto evidence = patch_evidence(history, target, *fork, *fork, tip);
  if (!evidence) return cannot_tell(evidence.error(), Tri::no);
  switch (evidence->found) {
    case Tri::no: return {Tri::no, Tri::no, ""};
    case Tri::unknown:
      return {Tri::no, Tri::unknown, "the target has too many commits since to look for equal patches"};
    case Tri::yes: break;
  }
  Landing reverted{Tri::no, Tri::no, "an equal patch was on the target, and was reverted there since"};
  if (evidence->reversed) return reverted;
  const auto absent = history.apply(tip, target, *fork);
  if (!absent) return cannot_tell(absent.error(), Tri::no);
  if (*absent == InMemory::changes_nothing) return reverted;
  if (*merged == InMemory::conflicts) return {Tri::no, Tri::yes, ""};
  return {Tri::no, Tri::unknown, "an equal patch was on the target, but a part of it is missing there now"};
}

OrReply<bool> is_contained(const History& history, const std::string& into, const std::string& tip) {
  const auto ancestor = history.is_ancestor(tip, into);
  if (!ancestor || *ancestor) return ancestor;
  const auto fork = history.merge_base(into, tip);
  if (!fork) return std::unexpected(fork.error());
  if (fork->empty()) return false;
  const auto trees = history.trees({*fork, tip});
  if (!trees) return std::unexpected(trees.error());
  if (trees->front() == trees->back()) return false;
  const auto merged = history.merge(into, tip);
  if (!merged) return std::unexpected(merged.error());
  return *merged == InMemory::changes_nothing;
}

}  // namespace holdfast
