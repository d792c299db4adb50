// The ledger's values as rows: every field of a row is named once, and that list makes the SELECT, the INSERT
// and the UPDATE.
//
// Nothing here begins or ends a transaction, and nothing decides: the rules are core's.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "dispatcher/core/ledger_rules.h"
#include "dispatcher/ledger/sqlite_connection.h"

namespace holdfast::sqlite {

// --- reading
std::optional<Attempt> newest_attempt(Connection&, const TicketId&);
std::vector<Attempt> attempts_of(Connection&, const TicketId&);  // oldest first
std::vector<Attempt> open_attempts(Connection&);                 // by ticket
Memory memory_of(Connection&, const TicketId&);                  // of a new ticket: nothing but its name
std::optional<Slot> slot_of(Connection&, const SlotId&);
std::optional<Slot> first_free_slot(Connection&);
std::optional<Slot> slot_leased_to(Connection&, const AttemptId&);
std::vector<Slot> all_slots(Connection&);
std::optional<Message> message_of(Connection&, const MessageId&);
std::vector<Message> messages_of(Connection&, const AttemptId&);  // in the order of queueing
std::vector<AccountPause> all_pauses(Connection&);
std::vector<ServerIncarnation> all_servers(Connection&);
Breaker the_breaker(Connection&);
std::int64_t newest_event(Connection&);
std::vector<LedgerEvent> events_after(Connection&, std::int64_t seq, const std::optional<TicketId>&,
                                      int at_most);

// --- writing
void insert_attempt(Connection&, const Attempt&);
// Only over the revision that was read; a row that is not there any more as it was fails the transaction.
void update_attempt(Connection&, const Attempt& was, const Attempt& now);
void store_memory(Connection&, const Memory&);
void store_slot(Connection&, const Slot&);
void insert_message(Connection&, const Message&);
void update_message(Connection&, const Message&);
void store_pause(Connection&, const AccountPause&);
void store_server(Connection&, const ServerIncarnation&);
void store_breaker(Connection&, const Breaker&);
std::int64_t append_event(Connection&, const LedgerEvent&);  // its seq

}  // namespace holdfast::sqlite
