// What a person asks of the board's tables: lists, pages, the next free id, the import. No transactions.
#pragma once

#include "dispatcher/board/desk.h"

namespace holdfast::sqlite {

bool ticket_exists(Connection&, const TicketId&);
TicketId next_free_id(Connection&);                                          // "T-<number>"
bool waits_for(Connection&, const TicketId& ticket, const TicketId& other);  // directly or through others

std::vector<BoardTicket> filtered_tickets(Connection&, const TicketFilter&);
TicketPage ticket_page(Connection&, BoardTicket);

// Stores them all; what is wrong between them and the board is told line by line.
std::vector<LineError> import_tickets(Connection&, const std::vector<TicketLine>&);

}  // namespace holdfast::sqlite
