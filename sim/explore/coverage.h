// Fault by phase: how often each fault has struck an attempt in each phase of its life, and for the cells
// that can never be reached, why not. What was never reached and could have been is a gap in what a run of
// many seeds shows.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sim/explore/tally.h"

namespace holdfast::sim {

struct CoverageCell {
  FaultId fault = FaultId::none;
  std::string_view phase;  // "planned" ... "closed", "none": about no attempt
  std::uint64_t fired = 0;
  std::string_view out_of_reach;  // why; empty: it can be reached
};

// Every fault with every phase, in the catalogue's order.
std::vector<CoverageCell> coverage(const Tally&);
// Why this fault never strikes in this phase (`phases`: no attempt); empty: it may.
std::string_view why_out_of_reach(FaultId, std::size_t phase);

// Faults that never fired and invariants that were never at risk, in words.
std::vector<std::string> never_seen(const Tally&);

// For people: a line for each fault, then what is empty and could be reached, then the reasons.
std::string coverage_table(const Tally&);

}  // namespace holdfast::sim
