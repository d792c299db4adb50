// Quarantined slots that are as free ones must be: clean, detached, nobody's.
#pragma once

#include <optional>
#include <vector>

#include "dispatcher/cli/installation.h"
#include "dispatcher/cli/look.h"
#include "dispatcher/core/knowledge.h"

namespace holdfast::cli {

// Quarantined slots whose folder is not there.
std::vector<Slot> lost_slots(const Knowledge&, const std::vector<SlotSighting>& seen);
// Makes those folders again, at the start and clean, and sees them so; what stood in the way, slot by slot.
// All commits stay reachable, and what was staged is saved.
std::vector<std::string> remake_lost_slots(OwnLook&);
std::vector<Slot> slots_fit_again(const Knowledge&, const std::vector<SlotSighting>& seen);
std::optional<Trouble> free_slots(Ledger&, const std::vector<Slot>&, int& freed, Instant now);

}  // namespace holdfast::cli
