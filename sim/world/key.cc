#include "sim/world/key.h"

#include <algorithm>

#include "dispatcher/core/classify.h"
#include "sim/base/fold_values.h"
#include "sim/shipped_dispatcher.h"
#include "sim/world/strikes.h"

namespace holdfast::sim {
namespace {

using holdfast::sim::fold_value;

// The present by everybody's clock, and as it will be shown where a clock may still be moved; without those
// that show the same.
std::vector<Instant> clocks_of(const World& w) {
  std::vector<Instant> clocks{w.now};
  const auto add = [&](Duration off) {
    if (const Instant now = w.now + off; std::ranges::find(clocks, now) == clocks.end())
      clocks.push_back(now);
  };
  for (const DispatcherSeat& seat : w.dispatchers) add(seat.clock_off);
  if (w.faults_left <= 0 || w.healed) return clocks;
  for (const auto& [fault, off] : clock_faults())
    if (w.setup->faults.has(fault)) add(off);
  // After a suspension everybody's clock is as much later. (Where it was right before, that is as if it had
  // been moved.)
  if (w.setup->faults.has(FaultId::F4))
    for (const DispatcherSeat& seat : w.dispatchers) add({seat.clock_off.ms + suspended_for.ms});
  return clocks;
}

bool persons_may_come(const World& w) {
  return w.setup->person_budget > 0;
}

// A floor that the ledger knows to have been claimed holds nothing up.
void fold_effect(Fold& fold, const World& w, const Effect& effect) {
  const auto* write = std::get_if<WriteLedger>(&effect);
  const auto* claim = write ? std::get_if<Claim>(&write->write) : nullptr;
  const auto row = claim ? w.ledger.tickets.find(claim->ticket) : w.ledger.tickets.end();
  if (row == w.ledger.tickets.end() || claim->floor > row->second.memory.last)
    return fold_value(fold, effect);
  Claim known = *claim;
  known.floor = {};
  fold_value(fold, Effect(WriteLedger{known}));
}

// What it will have seen is as old as its question: held against what was seen before.
void fold_order(Fold& fold, const World& w, const Flight& f) {
  if (const auto* look = std::get_if<Look>(&f.effect))
    fold.in_order(Count::sighting, look->containment.attempt.ticket, f.asked_at);
  if (!std::holds_alternative<ListServer>(f.effect)) return;
  fold.listing_asked(f.asked_at);
  for (const auto& [id, ticket] : w.board.tickets) {
    fold.in_order(Count::sighting, id, f.asked_at);
  }
}

// The words of a board are read by people alone (they name its version).
void fold_raw(Fold& fold, const Flight& f) {
  if (family_of(call_of(f.effect)) != Family::board) return fold_value(fold, f.raw);
  fold_value(fold, f.raw.transport);
  fold_value(fold, f.raw.code);
}

// A smaller number than the one asked after is that of an older ledger.
void fold_reading(Fold& fold, const Flight& f) {
  const auto* read = std::get_if<ReadLedgerChanges>(&f.effect);
  const auto* news = std::get_if<LedgerContents>(&f.value);
  if (read && news) fold_value(fold, news->seq < read->after);
}

void fold_flight(Fold& fold, const World& w, const Flight& f) {
  fold.about(attempt_of(f.effect));
  fold.by(f.dispatcher);
  fold_value(fold, f.dispatcher);
  fold_effect(fold, w, f.effect);
  fold_value(fold, f.part);
  fold_value(fold, f.held);
  fold_value(fold, f.detached);
  fold_value(fold, f.alone_for);
  fold_value(fold, f.late);
  fold_value(fold, f.fault);
  fold_value(fold, f.cell);
  if (persons_may_come(w)) fold.age(f.asked_true, any_wait);
  if (f.detached) return;  // nobody waits for its answer
  fold.age(f.asked_at, any_wait);
  fold_order(fold, w, f);
  fold_raw(fold, f);
  fold_value(fold, f.value);
  fold_reading(fold, f);
  fold.ahead(f.silent_until);
}

// In an order of their own: nothing depends on which was asked for first.
void fold_flights(Fold& fold, const World& w, const Surroundings& around) {
  fold.number(w.flights.size());
  if (w.flights.size() < 2) {
    for (const Flight& f : w.flights) fold_flight(fold, w, f);
    return;
  }
  std::vector<std::pair<Digest, const Flight*>> order;
  for (const Flight& f : w.flights) {
    Fold own(around);
    fold_flight(own, w, f);
    order.emplace_back(own.digest(), &f);
  }
  // Flights of equal digests are equal: their order does not matter.
  std::ranges::sort(order, {}, [](const auto& one) { return one.first; });
  for (const auto& [digest, f] : order) fold_flight(fold, w, *f);
}

void fold_seat(Fold& fold, const DispatcherSeat& seat) {
  fold_value(fold, seat.running);
  fold_value(fold, seat.paused);
  fold_value(fold, seat.clock_off);
  fold_value(fold, seat.capacity);
  fold_value(fold, seat.start_refused);
  fold.ahead(seat.wake);
  fold_value(fold, seat.attempt_news);
  fold_value(fold, seat.server_news);
  fold_value(fold, seat.ledger_news);
  fold_value(fold, seat.board_news);
  fold_value(fold, seat.watched);
  if (seat.mind.there()) seat.mind->fold(fold);
}

bool death_is_recorded(const World& w, const AttemptId& id) {
  const Attempt* a = newest(w, id.ticket);
  return a && a->id.generation >= id.generation && (a->id != id || a->cause != Cause::none);
}

// Everybody who could look at its record knows that it is dead, and looks no more.
bool nobody_looks_again(const World& w, const AttemptId& id) {
  if (!death_is_recorded(w, id)) return false;
  return std::ranges::all_of(w.dispatchers, [&](const DispatcherSeat& seat) {
    if (!seat.mind.there()) return true;
    const auto* shipped = dynamic_cast<const ShippedDispatcher*>(&*seat.mind);
    if (shipped == nullptr) return false;
    const auto& tickets = shipped->brain.knowledge.tickets;
    const auto known = tickets.find(id.ticket);
    if (known == tickets.end() || !known->second.newest) return true;
    const Attempt& a = *known->second.newest;
    return a.id.generation > id.generation || (a.id == id && a.cause != Cause::none);
  });
}

void fold_record(Fold& fold, const World& w, const AttemptId& id, const Record& record) {
  fold_value(fold, id);
  fold.about(id);
  const bool gone = std::ranges::all_of(w.runtimes, [&](const Runtime& r) {
    return r.attempt != id || (r.runner == RunnerStage::gone && !r.worker_lives() && !r.child);
  });
  if (!gone || !nobody_looks_again(w, id)) return fold_value(fold, record);
  fold_value(fold, record.shown.decision);
  fold_value(fold, record.decided_by);
}

void fold_runtime(Fold& fold, const World& w, const Runtime& r) {
  // How it ended is asked once, when its death is recorded.
  fold.about(r.attempt);
  const bool gone = r.runner == RunnerStage::gone && !r.worker_lives() && !r.child;
  if (gone && death_is_recorded(w, r.attempt)) {
    fold_value(fold, r.attempt);
    fold_value(fold, r.pid);
    fold_value(fold, r.worker);
    fold_value(fold, r.pid_reused);
    return;
  }
  // What its worker has done so far limits what it may still do.
  const bool lives = r.worker_lives();
  fold_fields(fold, r, [&](const void* field) {
    if (field == &r.exit_code) return fold.end({r.exit_code, r.signal}), true;
    if (field == &r.signal) return true;
    if (field == &r.inputs) return fold.number(lives && r.inputs > 0 ? 1 : 0), true;
    if (field == &r.commits || field == &r.lines || field == &r.questions || field == &r.changes ||
        field == &r.children || field == &r.said || field == &r.stopped)
      return !lives;
    if (field != &r.holding_since) return false;
    if (r.runner == RunnerStage::holding) fold.age(r.holding_since, any_wait);
    if (r.runner == RunnerStage::minding && r.worker_lives())
      fold.age(r.holding_since, seconds(5));  // from "told" to KILL
    return true;
  });
}

// What a ticket was before is what stale reads show, and what may be written over it.
void fold_board(Fold& fold, const BoardStore& board, bool faults) {
  fold_value(fold, board.tickets);
  if (faults) fold_value(fold, board.before);
  for (const auto& [id, cursor] : board.changed) fold.count(Count::cursor, cursor);
  fold_value(fold, board.removed);
  fold.count(Count::cursor, board.cursor);
}

void fold_ledger(Fold& fold, const LedgerStore& ledger) {
  fold_value(fold, ledger.tickets);
  for (const auto& [id, row] : ledger.closed) fold_value(fold, id);
  fold_value(fold, ledger.slots);
  fold_value(fold, ledger.pauses);
  fold_value(fold, ledger.servers);
  fold_value(fold, ledger.breaker.open_until);
}

void fold_servers(Fold& fold, const std::map<int, Server>& servers) {
  for (const auto& [shard, server] : servers) {
    fold_value(fold, shard);
    fold_value(fold, server.incarnation);
    fold_value(fold, server.alive);
    fold_value(fold, server.sessions);
  }
}

// Of its times, what S11 compares. The rate of S17 is out of reach: no run within any bounds spawns so often.
void fold_history(Fold& fold, const World& w) {
  const History& h = w.history;
  fold_value(fold, h.top);
  // Of an attempt that is recorded dead nobody asks how it began, or what it read; it cannot read any more.
  const auto asked = [&](const AttemptId& id) { return !death_is_recorded(w, id) || lives(w, id); };
  for (const auto& [id, n] : h.prompts_read)
    if (asked(id)) fold_value(fold, id), fold_value(fold, n);
  for (const AttemptId& id : h.ever_lived)
    if (asked(id)) fold_value(fold, id);
  for (const auto& [id, n] : h.spawns)
    if (asked(id)) fold_value(fold, id), fold.number(n > 0 ? 1 : 0);
  for (const auto& [id, moved] : h.moved_at) {
    const BoardState state = w.board.tickets.at(id).state;
    if (state != BoardState::done && state != BoardState::cancelled) continue;
    fold.age(moved, seconds(301));
    for (const auto& [attempt, claimed] : h.claimed_at)
      if (attempt.ticket == id) fold.number(moved + minutes(5) < claimed ? 1 : 0);
  }
}

bool servers_stay(const World& w) {
  if (w.faults_left > 0 && !w.healed && w.setup->faults.has(FaultId::C2)) return false;
  return std::ranges::all_of(w.servers, [](const auto& server) { return server.second.alive; });
}

// Its dispatcher may believe from the answer that there is no server.
bool may_tell_of_no_server(const Flight& f) {
  if (f.detached) return false;
  const auto* listing = std::get_if<ServerListing>(&f.value);
  return std::holds_alternative<StartServer>(f.effect) || (listing && !listing->server.known());
}

Surroundings surroundings_of(const World& w) {
  Surroundings around;
  around.clocks = clocks_of(w);
  around.alone = w.dispatchers.size() == 1;
  for (const Runtime& r : w.runtimes)
    around.ends.push_back({r.attempt, {r.exit_code, r.signal}, death_is_recorded(w, r.attempt)});
  for (const auto& [id, sequence] : w.ledger.changed) around.changed.push_back(sequence);
  around.last_change = w.ledger.seq;
  around.servers_stay = servers_stay(w);
  for (const Flight& f : w.flights)
    if (may_tell_of_no_server(f))
      around.may_hear_otherwise.push_back(static_cast<std::uint64_t>(f.dispatcher));
  return around;
}

}  // namespace

Digest key_of(const World& w) {
  const Surroundings around = surroundings_of(w);
  Fold fold(around);
  fold_board(fold, w.board, w.faults_left > 0);
  fold_ledger(fold, w.ledger);
  fold_servers(fold, w.servers);
  fold.number(w.records.size());
  for (const auto& [id, record] : w.records) fold_record(fold, w, id, record);
  fold.number(w.runtimes.size());
  for (const Runtime& r : w.runtimes) fold_runtime(fold, w, r);
  fold_value(fold, w.git);
  fold.number(w.dispatchers.size());
  for (std::size_t d = 0; d < w.dispatchers.size(); ++d) {
    fold.by(static_cast<int>(d));
    fold_seat(fold, w.dispatchers[d]);
  }
  fold_flights(fold, w, around);
  fold_history(fold, w);
  fold_value(fold, w.faults_left);
  fold_value(fold, w.crashes_left);
  fold_value(fold, w.persons_left);
  fold_value(fold, w.healed);
  return fold.digest();
}

}  // namespace holdfast::sim
