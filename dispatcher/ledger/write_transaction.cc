#include "dispatcher/ledger/write_transaction.h"

#include <algorithm>

#include "dispatcher/ledger/rows.h"

namespace holdfast::sqlite {
namespace {

bool is_undelivered(const Message& message) {
  return message.state == MessageState::queued || message.state == MessageState::posted;
}

bool is_in(const LedgerView& view, const Message& message) {
  return (view.message && view.message->id == message.id) ||
         std::ranges::any_of(view.undelivered, [&](const Message& m) { return m.id == message.id; });
}

std::vector<TicketId> tickets_from(Query q) {
  std::vector<TicketId> tickets;
  for (TicketId ticket; q.next();) {
    q.read(ticket);
    tickets.push_back(ticket);
  }
  return tickets;
}

}  // namespace

LedgerView view_for(Connection& db, const LedgerWrite& write) {
  LedgerView view;
  if (const TicketId ticket = ticket_of(write); !ticket.empty()) {
    view.memory = memory_of(db, ticket);
    view.newest = newest_attempt(db, ticket);
  }
  if (std::holds_alternative<Claim>(write)) view.first_free = first_free_slot(db);
  if (const auto* w = std::get_if<StoreSlot>(&write)) view.slot = slot_of(db, w->slot.id);
  if (const auto* w = std::get_if<QueueMessage>(&write)) view.message = message_of(db, w->message.id);
  if (const auto* w = std::get_if<MoveMessage>(&write)) view.message = message_of(db, w->id);
  if (view.newest && std::holds_alternative<Close>(write)) {
    view.leased = slot_leased_to(db, view.newest->id);
    view.undelivered = messages_of(db, view.newest->id);
    std::erase_if(view.undelivered, [](const Message& m) { return !is_undelivered(m); });
  }
  return view;
}

void store(Connection& db, const LedgerView& view, LedgerDelta& delta) {
  if (delta.attempt) {
    if (view.newest && view.newest->id == delta.attempt->id)
      update_attempt(db, *view.newest, *delta.attempt);
    else
      insert_attempt(db, *delta.attempt);
  }
  if (delta.memory) store_memory(db, *delta.memory);
  for (const Slot& slot : delta.slots) store_slot(db, slot);
  for (const Message& message : delta.messages) {
    if (is_in(view, message))
      update_message(db, message);
    else
      insert_message(db, message);
  }
  for (const AccountPause& pause : delta.pauses) store_pause(db, pause);
  if (delta.breaker) store_breaker(db, *delta.breaker);
  if (delta.server) store_server(db, *delta.server);
  for (LedgerEvent& event : delta.events) event.seq = append_event(db, event);
}

Reply<LedgerDelta> judge_and_store(Connection& db, const LedgerWrite& write, Instant now) {
  Reply<LedgerDelta> reply;
  reply.raw.transport = Transport::answered;
  const LedgerView view = view_for(db, write);
  if (db.failed()) return reply;
  auto delta = apply(view, write, now);
  if (!delta) {
    reply.raw.code = ledger_code(delta.error().why);
    reply.raw.error = std::move(delta.error().words);
    return reply;
  }
  store(db, view, *delta);
  reply.value = std::move(*delta);
  return reply;
}

TicketLedger ticket_ledger(Connection& db, const TicketId& ticket) {
  TicketLedger out;
  out.ticket = ticket;
  out.memory = memory_of(db, ticket);
  out.newest = newest_attempt(db, ticket);
  if (out.newest) {
    out.messages = messages_of(db, out.newest->id);
    std::erase_if(out.messages, [](const Message& m) { return m.state == MessageState::dropped; });
  }
  return out;
}

// What is over and done with is not read: there may be a million of it. A ticket that is in review, or in
// progress, on the board that lives in this file is not over, though nothing of its newest attempt is open.
std::vector<TicketId> tickets_that_matter(Connection& db) {
  return tickets_from(
      db.query("SELECT id AS ticket FROM tickets WHERE state IN (2, 3) "
               "UNION SELECT ticket FROM runtimes WHERE phase <> 7 "
               "UNION SELECT ticket FROM runtimes WHERE settled = 0 "
               "UNION SELECT ticket FROM memories WHERE charged <> 0 OR free_deaths <> 0 OR "
               "setup_failures <> 0 OR server_losses <> 0 OR alone <> 0 OR not_before <> 0 OR "
               "continue_from <> '' "
               "UNION SELECT ticket FROM waivers ORDER BY ticket"));
}

std::vector<TicketId> tickets_changed_after(Connection& db, std::int64_t seq) {
  return tickets_from(
      db.query("SELECT DISTINCT ticket FROM events WHERE seq > ? AND ticket <> '' ORDER BY ticket", seq));
}

}  // namespace holdfast::sqlite
