// The check between "the worker says so" and the board. The facts about the branches decide, not anybody's
// word.
#pragma once

#include <optional>
#include <string>

#include "dispatcher/core/attempt.h"
#include "dispatcher/core/branch_facts.h"
#include "dispatcher/core/policy.h"

namespace holdfast {

enum class GateStep {
  land,    // everything is in order and policy is to land it
  done,    // it is on the target: the ticket is done
  review,  // a person decides
};

struct GateRuling {
  GateStep step = GateStep::review;
  std::string reason;
};

// A worker that said DONE or REVIEW, and is dead. `salvaged`: uncommitted work was found and saved.
GateRuling gate(Said said, const BranchFacts&, bool salvaged, const Memory&, const Policy&);

// Is everything of the ticket on the target, and nothing left over? For tickets in review. Nothing: not yet,
// or not known.
std::optional<std::string> seen_landed(const BranchFacts&, const Memory&);

// The stranded lines of commits that nobody has waived.
std::vector<Stranded> stranded_of(const BranchFacts&, const Memory&);

// "2 commits on hf/T-1-fix-g1, not on the target; clean; stranded: none": one line for reports.
std::string describe(const BranchFacts&);

}  // namespace holdfast
