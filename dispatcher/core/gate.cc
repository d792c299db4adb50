#include "dispatcher/core/gate.h"

#include <algorithm>

#include "dispatcher/core/telling.h"
#include "dispatcher/core/words.h"

namespace holdfast {
namespace {

bool landed(const BranchFacts& facts) {
  return facts.has_commits == Tri::yes &&
         (facts.ancestor_of_target == Tri::yes || facts.equal_patch_on_target == Tri::yes);
}

std::string list_of(const std::vector<Stranded>& stranded) {
  std::string line;
  for (const Stranded& one : stranded)
    line += (line.empty() ? "" : ", ") + one.ref + " (" + std::to_string(one.commits) + ")";
  return line;
}

std::string short_ref(const std::string& ref) {
  constexpr std::string_view heads = "refs/heads/";
  return ref.starts_with(heads) ? ref.substr(heads.size()) : ref;
}

}  // namespace

std::vector<Stranded> stranded_of(const BranchFacts& facts, const Memory& memory) {
  std::vector<Stranded> rest;
  for (const Stranded& one : facts.stranded) {
    const bool waived = std::ranges::any_of(memory.waived, [&](const std::string& name) {
      return name == one.ref || name == short_ref(one.ref);
    });
    if (!waived) rest.push_back(one);
  }
  return rest;
}

GateRuling gate(Said said, const BranchFacts& facts, bool salvaged, const Memory& memory,
                const Policy& policy) {
  const auto review = [](std::string reason) { return GateRuling{GateStep::review, std::move(reason)}; };
  if (facts.has_commits == Tri::unknown)
    return review("its branch could not be verified: " + (facts.note.empty() ? "no answer" : facts.note));
  if (facts.stranded_known != Tri::yes)
    return review("other branches of the ticket could not be verified: " + facts.note);
  const auto stranded = stranded_of(facts, memory);
  if (!stranded.empty())
    return review(std::string(told_stranded) + ": " + list_of(stranded) +
                  "; land or waive them, then `holdfast ticket approve`");
  if (facts.uncommitted == Tri::unknown || facts.untracked == Tri::unknown)
    return review("whether it left anything uncommitted could not be verified: " +
                  (facts.note.empty() ? "no answer" : facts.note));
  if (salvaged) return review("it left uncommitted work, which was salvaged");
  if (facts.operation_in_progress == Tri::yes)
    return review("it left a rebase, merge or cherry-pick in progress");
  if (facts.has_commits == Tri::no) return review("it committed nothing");
  if (said == Said::review) return review("it asked for a review");
  if (landed(facts)) {
    if (facts.unpushed != Tri::no)
      return review("it is on the target here, but not verifiably on the remote");
    return {GateStep::done, "landed: " + describe(facts)};
  }
  if (policy.gate == GatePolicy::review) return review("finished; waits for review and landing");
  if (facts.head != facts.tip && !facts.head.empty())
    return review("its HEAD is not its branch: " + describe(facts));
  return {GateStep::land, "finished and in order"};
}

std::optional<std::string> seen_landed(const BranchFacts& facts, const Memory& memory) {
  if (!landed(facts) || facts.stranded_known != Tri::yes) return std::nullopt;
  if (facts.uncommitted == Tri::yes || facts.untracked == Tri::yes) return std::nullopt;
  if (!stranded_of(facts, memory).empty()) return std::nullopt;
  return "seen landed: " + describe(facts);
}

std::string describe(const BranchFacts& facts) {
  std::string line = std::to_string(facts.commits) + (facts.commits == 1 ? " commit" : " commits");
  switch (facts.has_commits) {
    case Tri::no: line = "no commits"; break;
    case Tri::unknown: line = "commits unknown"; break;
    case Tri::yes:
      if (facts.ancestor_of_target == Tri::yes)
        line += ", merged into the target";
      else if (facts.equal_patch_on_target == Tri::yes)
        line += ", on the target as an equal patch";
      else if (facts.ancestor_of_target == Tri::no && facts.equal_patch_on_target == Tri::no)
        line += ", not on the target";
      else
        line += ", landing not verified";
      break;
  }
  if (!facts.tip.empty()) line += ", tip " + facts.tip.value.substr(0, 12);
  if (facts.uncommitted == Tri::yes || facts.untracked == Tri::yes) line += ", uncommitted work";
  if (facts.detached == Tri::yes) line += ", detached HEAD";
  if (facts.operation_in_progress == Tri::yes) line += ", operation in progress";
  if (facts.unpushed == Tri::yes) line += ", unpushed";
  if (!facts.stranded.empty()) line += ", stranded: " + list_of(facts.stranded);
  if (!facts.note.empty()) line += " (" + facts.note + ")";
  return line;
}

}  // namespace holdfast
