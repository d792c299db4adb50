// L6: after a crash at any point the end is the same as without it. The reference is the fair run of a plan
// in which nothing goes wrong; the other run is the same one, but for a dispatcher that dies once, at some
// event, and is started again. Compared is what there is at the end: the board's states, every attempt that
// lived and how it ended, prompts that were read, the pool, sessions, and what is on the target. Not compared
// are words (they name commits and what was seen on the way), and attempts that never came to be: an
// announced spawn that a crash left undecided is sealed, and another attempt takes its place.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/explore/plan.h"
#include "sim/oracle/oracle.h"

namespace holdfast::sim {

// The end of a run in lines.
std::vector<std::string> outcome_of(const World&);

// A plan without anything that may go wrong, and room for one crash.
WorldPlan untroubled(const WorldPlan&);

struct Convergence {
  WorldPlan plan;
  std::vector<std::string> events;  // in words, with the crash
  std::optional<Violation> violation;
};
// `at`: the dispatcher dies before that event of the reference, counted from 0 and taken modulo its length.
Convergence crash_at(const WorldPlan&, std::uint64_t at, const DispatcherMaker&, const Defects&);

// What the two ends differ in; nothing: they do not.
std::optional<Violation> compare_with_reference(const WorldPlan&, const World& end, const DispatcherMaker&,
                                                const Defects&);

}  // namespace holdfast::sim
