// What lies between BEGIN and COMMIT of a ledger write: the view, core's rules, the delta.
#pragma once

#include "dispatcher/core/ledger_rules.h"
#include "dispatcher/ledger/sqlite_connection.h"
#include "dispatcher/ports/ledger.h"
#include "dispatcher/ports/reply.h"

namespace holdfast::sqlite {

// The rows that core's rules read for this write.
LedgerView view_for(Connection&, const LedgerWrite&);

// Stores the delta that came from `view`; gives the events their numbers.
void store(Connection&, const LedgerView& view, LedgerDelta& delta);

// All three. Where the connection has failed afterwards the reply means nothing yet.
Reply<LedgerDelta> judge_and_store(Connection&, const LedgerWrite&, Instant now);

// What a dispatcher needs to know of one ticket.
TicketLedger ticket_ledger(Connection&, const TicketId&);
std::vector<TicketId> tickets_that_matter(Connection&);
std::vector<TicketId> tickets_changed_after(Connection&, std::int64_t seq);

}  // namespace holdfast::sqlite
