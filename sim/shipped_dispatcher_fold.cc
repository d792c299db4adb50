// The shipped dispatcher's part of the state key: its whole brain. A file of its own, because walking over
// every field of every struct is slow to compile.
#include "sim/base/fold_values.h"
#include "sim/shipped_dispatcher.h"

namespace holdfast::sim {
namespace {

// A hold that is over is as good as none, and then it does not matter what would have ended it.
void fold_hold(Fold& fold, const TicketKnowledge& t) {
  fold.ahead(t.board_hold_until);
  fold_value(fold, t.board_tries);
  fold.ahead(t.hold_until);
  fold_value(fold, t.hold_until.set() && fold.is_ahead(t.hold_until) && t.hold_ends_with_news);
}

// Alarms and holds that are over are as good as none; how long ago the clock last stood where it stands is
// only asked where it went back. The rate of claims is out of reach: no run within any bounds claims so
// often.
void fold_ticket(Fold& fold, const TicketKnowledge& t) {
  fold_value(fold, t.board);
  if (!t.board) {
    fold.count(Count::version, fold.about().ticket, t.board_version);
    fold_value(fold, t.text_before);
  }
  fold_value(fold, t.memory);
  fold_value(fold, t.newest);
  if (t.newest && !t.newest->open()) {
    // The attempt is over; what is known of it is forgotten when the next one begins.
    fold_value(fold, t.work.facts);
    fold.far_age(t.work.reviewed_at);
    fold_value(fold, t.work.board_read);
    fold_value(fold, t.work.board_gone);
    fold_value(fold, t.ledger_unsure);
    fold_value(fold, t.tries);
    fold_hold(fold, t);
    return;
  }
  if (t.newest)
    fold_messages(fold, *t.newest, t.messages);
  else
    fold_value(fold, t.messages);
  if (t.newest) fold_value(fold, t.listings_too_old);
  // Once its death is in the ledger nobody asks again what was seen of its processes and what it said.
  if (t.newest && t.newest->cause != Cause::none) {
    // A look that comes late still asks whether its end is news.
    fold_value(fold, t.seen.pane);
    fold.number(t.seen.sealed_at ? 1 : 0);
    fold.number(t.seen.process && t.seen.process->what.runner == Presence::gone ? 1 : 0);
    fold.number(t.seen.record && t.seen.record->what.end ? 1 : 0);
    fold_value(fold, t.reader.offset());
  } else {
    fold.shows_life(t.seen.record && t.seen.process && shows_life(t.seen.record->what, t.seen.process->what));
    fold_value(fold, t.seen);
    fold.shows_life(false);
    fold_value(fold, t.reader);
    fold_value(fold, t.stream_finished);
    fold_value(fold, t.hook_said);
    fold_value(fold, t.unknown_since);
  }
  if (t.newest)
    fold_work(fold, t.work, *t.newest);
  else
    fold_value(fold, t.work.board_gone);
  fold_value(fold, t.ledger_unsure);
  fold_value(fold, t.tries);
  fold_hold(fold, t);
}

// When a server may be started again is asked when there is none.
void fold_start_server(Fold& fold, const Agenda& a, const std::map<int, Shard>& shards) {
  for (const auto& [number, routine] : a.start_server) {
    const auto shard = shards.find(number);
    const bool runs = shard != shards.end() && shard->second.server.known();
    fold_value(fold, number);
    if (!runs || routine.flying || !fold.servers_stay()) fold_value(fold, routine);
  }
}

void fold_agenda(Fold& fold, const Agenda& a, const std::map<int, Shard>& shards) {
  fold_value(fold, a.queue);
  fold.number(a.alarm_of.size());
  for (const auto& [id, at] : a.alarm_of) {
    fold_value(fold, id);
    fold.ahead(at);
  }
  fold_value(fold, a.busy);
  fold_value(fold, a.in_flight);
  fold_value(fold, a.claims_in_flight);
  fold_value(fold, a.by_the_way);
  fold_value(fold, a.landing);
  fold_value(fold, a.waiting_to_land);
  fold_value(fold, a.reviewing);
  fold_value(fold, a.waiting_to_review);
  fold_value(fold, a.board_calls);
  fold_value(fold, a.waiting_for_board);
  fold.ahead(a.claims_held_until);
  fold_value(fold, a.look_for_claims);
  fold_value(fold, a.stopping);
  for (const Routine* r : {&a.load, &a.changes, &a.board, &a.records, &a.traces, &a.pool})
    fold_value(fold, *r);
  if (a.pool.flying) fold_value(fold, a.free_when_asked);
  fold_start_server(fold, a, shards);
  fold_value(fold, a.list_server);
  fold_value(fold, a.writes);
  fold_value(fold, a.write_flying);
  fold.ahead(a.write_next);
  fold.read_up_to(a.ledger_seq);
  fold.count(Count::cursor, a.board_cursor);
}

}  // namespace

void ShippedDispatcher::fold(Fold& fold) const {
  fold_value(fold, brain.policy);
  const Knowledge& k = brain.knowledge;
  fold.ahead(k.now);
  fold_value(fold, k.ledger_loaded);
  fold_value(fold, k.records_listed);
  fold_value(fold, k.traces_listed);
  fold_value(fold, k.pool_ready);
  fold_value(fold, k.board_read);
  fold_value(fold, k.board_away);
  fold.number(k.ledger_trouble.empty() ? 0 : 1);
  fold.number(k.tickets.size());
  for (const auto& [id, t] : k.tickets) {
    fold_value(fold, id);
    fold.about(t.newest ? t.newest->id : AttemptId{id, {}});
    fold_ticket(fold, t);
  }
  fold_value(fold, k.slots);
  fold_value(fold, k.shards);
  fold_value(fold, k.pauses);
  // A floor below what the ledger knows to have been claimed holds nothing up.
  for (const auto& [id, floor] : k.floors) {
    const auto t = k.tickets.find(id);
    if (t != k.tickets.end() && floor <= t->second.memory.last) continue;
    fold_value(fold, id);
    fold_value(fold, floor);
  }
  fold_value(fold, k.breaker.open_until);
  fold_value(fold, k.breaker_unsaved);
  fold_value(fold, k.first_look_done);
  fold_agenda(fold, brain.agenda, k.shards);
}

}  // namespace holdfast::sim
