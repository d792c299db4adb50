// Which broken twins a search catches within the very bounds and reductions of a certificate, and how many
// states that takes: a search that would catch none of them has shown nothing.
#pragma once

#include <atomic>
#include <cstdint>

#include "sim/explore/prove.h"

namespace holdfast::sim {

// Each twin is searched up to so many states, and told in `into`. `stop` ends it between two of them.
void prove_twins(const ProveBounds&, std::uint64_t most_states, const std::atomic<bool>& stop,
                 ProveResult& into);

}  // namespace holdfast::sim
