// Events in words that stay true when other events are taken out of a trace: "hold d0 spawn T-1 !C6",
// "worker T-1-g1 say-done". What a trace is made of, and what a person reads.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "sim/world/world.h"

namespace holdfast::sim {

std::string name_of(const World&, const Event&);
// The same with " #2" behind it where another event of that name could happen too and comes first.
std::string exact_name_of(const World&, const Event&);
// The enabled event of that name, faults and persons' deeds included, budgets or not; nothing: it cannot
// happen now.
std::optional<Event> event_named(const World&, std::string_view name);
const char* words_for(Act);
const char* words_for(Deed);

}  // namespace holdfast::sim
