// Quarantined slots that are as free ones must be: clean, detached, nobody's.
#pragma once

#include <optional>
#include <vector>

#include "dispatcher/cli/installation.h"
#include "dispatcher/core/knowledge.h"

namespace holdfast::cli {

std::vector<Slot> slots_fit_again(const Knowledge&, const std::vector<SlotSighting>& seen);
std::optional<Trouble> free_slots(Ledger&, const std::vector<Slot>&, int& freed, Instant now);

}  // namespace holdfast::cli
