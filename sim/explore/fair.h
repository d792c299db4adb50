// What happens when nothing goes wrong any more: every flight lands, every answer arrives, workers do their
// work and end, people answer questions, and time passes. One order, the same every time.
#pragma once

#include <optional>

#include "sim/world/world.h"

namespace holdfast::sim {

// The next fair event; nothing: the world is at rest until `until`.
std::optional<Event> next_fair(const World&, Instant until);

}  // namespace holdfast::sim
