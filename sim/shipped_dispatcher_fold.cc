// The shipped dispatcher's part of the state key: its whole brain. A file of its own, because walking over
// every field of every struct is slow to compile.
#include "sim/base/fold_values.h"
#include "sim/shipped_dispatcher.h"

namespace holdfast::sim {

void fold_value(Fold& fold, const Doubt& doubt) {
  fold_value(fold, doubt.attempt());
  fold_value(fold, doubt.at());
}

void fold_value(Fold& fold, const DeathCertificate& certificate) {
  fold_value(fold, certificate.attempt());
  fold_value(fold, certificate.cause());
  fold_value(fold, certificate.code());
  fold_value(fold, certificate.evidence());
  fold_value(fold, certificate.at());
  fold_value(fold, certificate.unless_announced());
}

// What it has read so far; in the simulated world it always stands behind a whole line, so there is no more
// to it.
void fold_value(Fold& fold, const MarkerReader& reader) {
  fold_value(fold, reader.offset());
  fold_value(fold, reader.markers());
  fold_value(fold, reader.last_lines());
  fold_value(fold, reader.limit_line());
}

// Of the policy only the capacity ever changes in a run.
void fold_value(Fold& fold, const Policy& policy) {
  fold_value(fold, policy.capacity);
}

namespace {
void fold_ticket(Fold& fold, const TicketKnowledge& t) {
  fold_value(fold, t.board);
  fold_value(fold, t.memory);
  fold_value(fold, t.newest);
  fold_value(fold, t.messages);
  fold_value(fold, t.seen);
  fold_value(fold, t.reader);
  fold_value(fold, t.stream_finished);
  fold_value(fold, t.hook_said);
  fold_value(fold, t.work);
  fold_value(fold, t.ledger_unsure);
  fold_value(fold, t.tries);
  fold_value(fold, t.hold_until);
  fold_value(fold, t.trouble);
  fold_value(fold, t.hold_ends_with_news);
  fold_value(fold, t.unknown_since);
}
}  // namespace

void ShippedDispatcher::fold(Fold& fold) const {
  fold_value(fold, brain.policy);
  const Knowledge& k = brain.knowledge;
  fold_value(fold, k.now);
  fold_value(fold, k.ledger_loaded);
  fold_value(fold, k.records_listed);
  fold_value(fold, k.traces_listed);
  fold_value(fold, k.pool_ready);
  fold_value(fold, k.board_read);
  fold_value(fold, k.ledger_trouble);
  fold.number(k.tickets.size());
  for (const auto& [id, t] : k.tickets) {
    fold_value(fold, id);
    fold_ticket(fold, t);
  }
  fold_value(fold, k.slots);
  fold_value(fold, k.shards);
  fold_value(fold, k.pauses);
  fold_value(fold, k.floors);
  fold_value(fold, k.traces);
  fold_value(fold, k.breaker);
  fold_value(fold, k.breaker_unsaved);
  fold_value(fold, k.first_look_done);
  fold_value(fold, brain.agenda);
}

}  // namespace holdfast::sim
