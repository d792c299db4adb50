// Quarantined slots, and which of them can be free ones again.
#pragma once

#include <optional>
#include <vector>

#include "dispatcher/cli/installation.h"
#include "dispatcher/cli/look.h"
#include "dispatcher/core/knowledge.h"

namespace holdfast::cli {

// Quarantined slots whose folder is not there.
std::vector<Slot> lost_slots(const Knowledge&, const std::vector<SlotSighting>& seen);
// Quarantined slots that are clean and still on their attempt's branch: something was in the way when they
// were to be given back (somebody stood in them, say).
std::vector<Slot> held_up_slots(const Knowledge&, const std::vector<SlotSighting>& seen);
// Gives both kinds back as when an attempt is closed, saving first, and sees them so; what stood in the way,
// slot by slot. All commits stay reachable, and what was staged is saved.
std::vector<std::string> bring_back_slots(OwnLook&);
// Clean, detached, nobody's.
std::vector<Slot> slots_fit_again(const Knowledge&, const std::vector<SlotSighting>& seen);
std::optional<Trouble> free_slots(Ledger&, const std::vector<Slot>&, int& freed, Instant now);

}  // namespace holdfast::cli
