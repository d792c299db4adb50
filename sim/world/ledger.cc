// The simulated ledger: core's rules around a map, one write at a time, as every real one does.
#include <algorithm>

#include "dispatcher/core/ledger_rules.h"
#include "dispatcher/core/names.h"
#include "sim/world/ports.h"

namespace holdfast::sim {
namespace {

template <class T>
concept NamesAttempt = requires(const T& w) {
  { w.attempt } -> std::convertible_to<AttemptId>;
};

AttemptId attempt_named_by(const LedgerWrite& write) {
  return std::visit(
      [](const auto& w) -> AttemptId {
        if constexpr (NamesAttempt<std::decay_t<decltype(w)>>)
          return w.attempt;
        else
          return {};
      },
      write);
}

LedgerView view_for(const World& w, const LedgerWrite& write) {
  LedgerView view;
  const TicketId ticket = ticket_of(write);
  const auto found = w.ledger.tickets.find(ticket);
  if (found != w.ledger.tickets.end()) {
    view.memory = found->second.memory;
    view.newest = found->second.newest;
    for (const Message& m : found->second.messages) {
      if (const auto* moved = std::get_if<MoveMessage>(&write); moved && moved->id == m.id) view.message = m;
      if (const auto* queued = std::get_if<QueueMessage>(&write); queued && queued->message.id == m.id)
        view.message = m;
      if (m.state == MessageState::queued || m.state == MessageState::posted) view.undelivered.push_back(m);
    }
  } else {
    view.memory.ticket = ticket;
  }
  if (w.setup->defects.ledger_without_fence) {
    const AttemptId named = attempt_named_by(write);
    if (const auto old = w.ledger.closed.find(named);
        old != w.ledger.closed.end() && !std::holds_alternative<Settle>(write)) {
      view.newest = old->second;
      view.newest->phase = Phase::running;  // as the writer believes
    }
  }
  if (w.setup->defects.claim_over_open && std::holds_alternative<Claim>(write)) view.newest.reset();
  for (const auto& [id, slot] : w.ledger.slots) {
    const bool for_anybody = w.setup->defects.claim_takes_any_slot && slot.state == SlotState::leased;
    if ((slot.state == SlotState::free || for_anybody) && !view.first_free) view.first_free = slot;
    if (view.newest && slot.holder == view.newest->id && slot.state == SlotState::leased) view.leased = slot;
  }
  if (const auto* store = std::get_if<StoreSlot>(&write))
    if (const auto slot = w.ledger.slots.find(store->slot.id); slot != w.ledger.slots.end())
      view.slot = slot->second;
  return view;
}

TicketLedger& row_of(LedgerStore& l, const TicketId& ticket) {
  TicketLedger& row = l.tickets[ticket];
  row.ticket = row.memory.ticket = ticket;
  return row;
}

void store(World& w, const TicketId& ticket, const LedgerDelta& delta, int by, Instant at) {
  LedgerStore& l = w.ledger;
  l.seq += static_cast<std::int64_t>(delta.events.size());
  if (delta.attempt) {
    TicketLedger& row = row_of(l, delta.attempt->id.ticket);
    std::optional<Attempt> before;
    const bool same = row.newest && row.newest->id == delta.attempt->id;
    if (row.newest && !same) row.messages.clear();
    if (same) before = std::move(row.newest);
    if (!before)
      if (const auto old = l.closed.find(delta.attempt->id); old != l.closed.end()) before = old->second;
    if (!before) w.history.claimed_at[delta.attempt->id] = w.now;
    w.happened.rows.push_back(
        {std::move(before), *delta.attempt, by, at, static_cast<int>(delta.events.size())});
    row.newest = delta.attempt;
    if (!delta.attempt->open()) l.closed[delta.attempt->id] = *delta.attempt;
    Generation& top = w.history.top[row.ticket];
    top = std::max(top, delta.attempt->id.generation);
  }
  if (!ticket.empty()) {
    TicketLedger& row = row_of(l, ticket);
    if (delta.memory) row.memory = *delta.memory;
    for (const Message& m : delta.messages) {
      const auto there = std::ranges::find(row.messages, m.id, &Message::id);  // in the order of queueing
      if (there == row.messages.end())
        row.messages.push_back(m);
      else
        *there = m;
    }
    l.changed[ticket] = l.seq;
  }
  for (const Slot& slot : delta.slots) l.slots[slot.id] = slot;
  for (const AccountPause& pause : delta.pauses) l.pauses[pause.account] = pause;
  if (delta.breaker) l.breaker = *delta.breaker;
  if (delta.server) l.servers[delta.server->shard] = *delta.server;
  w.happened.anything = true;
}

}  // namespace

RawReply write_ledger(World& w, const LedgerWrite& asked, int by, std::optional<LedgerDelta>& delta) {
  const Instant now = clock_of(w, by);
  LedgerWrite write = asked;
  if (auto* claim = std::get_if<Claim>(&write)) claim->token = "token";
  auto applied = apply(view_for(w, write), write, now);
  if (!applied) {
    if (const AttemptId named = attempt_named_by(write); named.generation.value != 0) {
      w.happened.refused.push_back({named, by});
      w.happened.anything = true;
    }
    return answered(100'001 + static_cast<int>(applied.error().why), applied.error().words);
  }
  if (w.setup->defects.ledger_without_log) applied->events.clear();
  if (w.setup->defects.close_keeps_lease && std::holds_alternative<Close>(write)) applied->slots.clear();
  store(w, ticket_of(write), *applied, by, now);
  ledger_changed(w, by);
  delta = std::move(*applied);
  return answered();
}

bool perform(World& w, Flight& f, const WriteLedger& e) {
  std::optional<LedgerDelta> delta;
  f.raw = write_ledger(w, e.write, f.dispatcher, delta);
  if (delta) f.value = std::move(*delta);
  return true;
}

namespace {

LedgerContents contents_after(const World& w, std::int64_t after, bool all) {
  LedgerContents contents;
  contents.seq = w.ledger.seq;
  for (const auto& [id, row] : w.ledger.tickets) {
    const auto changed = w.ledger.changed.find(id);
    if (all || (changed != w.ledger.changed.end() && changed->second > after))
      contents.tickets.push_back(row);
  }
  for (const auto& [id, slot] : w.ledger.slots) contents.slots.push_back(slot);
  for (const auto& [account, pause] : w.ledger.pauses) contents.pauses.push_back(pause);
  for (const auto& [shard, server] : w.ledger.servers) contents.servers.push_back(server);
  contents.breaker = w.ledger.breaker;
  return contents;
}

}  // namespace

bool perform(World& w, Flight& f, const LoadLedger&) {
  f.value = contents_after(w, 0, true);
  return true;
}

bool perform(World& w, Flight& f, const ReadLedgerChanges& e) {
  f.value = contents_after(w, e.after, false);
  return true;
}

}  // namespace holdfast::sim
