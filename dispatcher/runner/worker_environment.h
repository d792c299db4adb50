// What the worker finds in its environment: its orders' own, and how to talk back to whoever watches it.
#pragma once

#include <string>
#include <vector>

#include "dispatcher/core/attempt_sightings.h"

namespace holdfast {

// The spec's environment with HOLDFAST_TICKET, _GENERATION, _TOKEN, _RECORD, _READY_FILE, _ACCEPTED_FILE,
// _SAID_FILE, _WORKTREE, and _PROMPT_FILE where the folder holds a `prompt`. TERM is added only where the
// orders have none: what the terminal is, is not for the dispatcher to know.
std::vector<std::string> worker_environment(const RunnerSpec&, const std::string& folder);

}  // namespace holdfast
