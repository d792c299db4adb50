// What a search has shown, for people and for programs: its bounds, what it visited, what was left out, and
// whether anything of it counts.
#pragma once

#include <string>
#include <vector>

#include "sim/explore/prove.h"

namespace holdfast::sim {

// Why a complete search may have shown nothing: a kind of fault that never fired, an invariant that was never
// at risk. Empty: it has earned its name.
std::vector<std::string> vacuous_in(const ProveBounds&, const ProveResult&);
// What the search leaves out by its model, in words.
std::vector<std::string> excluded_by(const ProveBounds&);

std::string certificate(const ProveBounds&, const ProveResult&);
std::string certificate_json(const ProveBounds&, const ProveResult&);

}  // namespace holdfast::sim
