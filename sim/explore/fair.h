// What happens when nothing goes wrong any more: every flight lands, every answer arrives, workers do their
// work and end, people answer questions, and time passes. One order, the same every time.
#pragma once

#include <functional>
#include <optional>

#include "sim/world/world.h"

namespace holdfast::sim {

// The next fair event; nothing: the world is at rest until `until`.
std::optional<Event> next_fair(const World&, Instant until);

// The faults stop, the world heals, and the fair events happen one after the other until nothing but looking
// has happened for longer than any wait of the policy. `take` performs one; false: it wants no more.
enum class Rest { reached, never, stopped };
Rest run_fair(World&, const std::function<bool(const Event&)>& take);

}  // namespace holdfast::sim
