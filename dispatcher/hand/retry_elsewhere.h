// Another try for a ticket whose board is elsewhere: what a person does here and the board is told there.
//
// Back to `todo` only a death leads, on any board: that of the ticket's last attempt, which the ledger holds.
// A ticket of which there was none has nothing to be tried again; it is moved on its board.
#pragma once

#include "dispatcher/hand/hand.h"
#include "dispatcher/ports/board.h"

namespace holdfast {

// `todo` again, with fresh budgets. 409 while an attempt is open or the board has not been told of its end,
// where the ticket was changed meanwhile, and where it is done or cancelled; 503 `not_known` where the board
// did not say what came of it: look, before it is done again.
Taken<BoardTicket> retry_elsewhere(const Hand&, Board&, const TicketId&, const std::string& reason);

}  // namespace holdfast
