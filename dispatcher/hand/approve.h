// A person's word that what waits in review is good, or that what kept a finished one from being landed is
// resolved. What is on the target already, and what has no commits, is done by that word. Else its branch is
// landed first, as the dispatcher would do by the policy `land`: the check runs, the target ref is moved by
// compare-and-swap or not at all.
//
// A ticket whose commits could not be landed stays where it is, and nothing of it is lost; a call that is
// repeated finds what an earlier one landed.
#pragma once

#include <string>

#include "dispatcher/core/policy.h"
#include "dispatcher/hand/hand.h"
#include "dispatcher/ports/worktrees.h"

namespace holdfast {

struct Approved {
  BoardTicket ticket;  // as it is now
  std::string how;     // in words: "landed as 1a2b3c", "is on the target already", "has no commits"
};

// `reason`: the person's own words, or nothing. Refused: 409 `not_in_review`, `runtime_open`,
// `land_conflict`, `check_failed`, `ready_to_land` (the words hold the command for a person), `target_moved`,
// `stranded`, `unsaved` (nothing was landed then), `conflict` (the ticket was changed meanwhile); 503
// `not_known` where the branch could not be seen. Slow: git and the check.
Taken<Approved> approve(const Hand&, Worktrees&, const Policy&, const TicketId&, const std::string& reason);

}  // namespace holdfast
