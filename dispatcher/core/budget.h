// What a death costs, and what follows for the ticket. Each cause is charged to the right account: a lost
// tmux server or a provider's limit does not use up the ticket's attempts, but nothing is retried without a
// bound.
#pragma once

#include <optional>
#include <string>

#include "dispatcher/core/attempt.h"
#include "dispatcher/core/policy.h"

namespace holdfast {

enum class Charge { ticket, nobody, setup, provider };
Charge charge_for(Cause);

struct Aftermath {
  Memory memory;                       // charged; with the next attempt's earliest time
  BoardState next = BoardState::todo;  // todo or blocked
  std::string reason;
};

// After the death of `attempt`, before which the ticket's memory was `memory`. The jitter comes from the
// attempt's name, so that two tickets that died together do not come back together, and a replay gives the
// same times.
Aftermath aftermath(const Memory& memory, const Attempt& attempt, const Policy&, Instant now);

Duration backoff(int tries, Duration first, Duration most, std::string_view salt);

}  // namespace holdfast
