#include "sim/twins/prove_twins.h"

#include <algorithm>

#include "sim/twins/twin.h"

namespace holdfast::sim {

void prove_twins(const ProveBounds& bounds, std::uint64_t most_states, const std::atomic<bool>& stop,
                 ProveResult& into) {
  ProveBounds each = bounds;
  each.most_states = most_states;
  for (const Twin& twin : twins()) {
    if (stop) return;
    const ProveResult r = prove(each, prove_setup(each, maker_of(twin), twin.defects), nullptr, stop);
    into.twins_tried += 1;
    const auto named = std::ranges::find_if(r.violations, [&](const Violation& v) {
      return std::ranges::find(twin.breaks, v.invariant) != twin.breaks.end();
    });
    if (named == r.violations.end()) continue;
    into.twins_killed.push_back(std::string(twin.id) + " (" + std::string(name_of(named->invariant)) + ", " +
                                std::to_string(r.states) + " states)");
  }
}

}  // namespace holdfast::sim
