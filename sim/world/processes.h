// Runners and workers as small automata. A runner's next step follows from what it sees; a worker does as it
// likes, within the limits of the setup.
#pragma once

#include <vector>

#include "sim/world/world.h"

namespace holdfast::sim {

bool runner_can_step(const World&, const Runtime&);
void runner_step(World&, Runtime&);
// When a runner has something to do by the clock alone; not set: never.
Instant runner_timer(const World&, const Runtime&);

void worker_acts(const World&, const Runtime&, std::vector<Act>& out);
void worker_act(World&, Runtime&, Act);

}  // namespace holdfast::sim
