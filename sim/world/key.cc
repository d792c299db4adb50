#include "sim/world/key.h"

#include "sim/base/fold_values.h"

namespace holdfast::sim {
namespace {

void fold_value(Fold& fold, const Flight& f) {
  holdfast::sim::fold_value(fold, f.dispatcher);
  holdfast::sim::fold_value(fold, f.effect);
  holdfast::sim::fold_value(fold, f.asked_at);
  holdfast::sim::fold_value(fold, f.asked_true);
  holdfast::sim::fold_value(fold, f.part);
  holdfast::sim::fold_value(fold, f.held);
  holdfast::sim::fold_value(fold, f.detached);
  holdfast::sim::fold_value(fold, f.fault);
  holdfast::sim::fold_value(fold, f.cell);
  holdfast::sim::fold_value(fold, f.raw);
  holdfast::sim::fold_value(fold, f.value);
  holdfast::sim::fold_value(fold, f.silent_until);
}

void fold_value(Fold& fold, const DispatcherSeat& seat) {
  holdfast::sim::fold_value(fold, seat.running);
  holdfast::sim::fold_value(fold, seat.paused);
  holdfast::sim::fold_value(fold, seat.clock_off);
  holdfast::sim::fold_value(fold, seat.capacity);
  holdfast::sim::fold_value(fold, seat.start_refused);
  holdfast::sim::fold_value(fold, seat.wake);
  holdfast::sim::fold_value(fold, seat.attempt_news);
  holdfast::sim::fold_value(fold, seat.server_news);
  holdfast::sim::fold_value(fold, seat.ledger_news);
  holdfast::sim::fold_value(fold, seat.board_news);
  holdfast::sim::fold_value(fold, seat.watched);
  if (seat.mind.there()) seat.mind->fold(fold);
}

}  // namespace

Digest key_of(const World& w) {
  Fold fold(w.now, minutes(30));
  fold_value(fold, w.board);
  fold_value(fold, w.ledger);
  fold_value(fold, w.servers);
  fold_value(fold, w.records);
  fold_value(fold, w.runtimes);
  fold_value(fold, w.git);
  fold.number(w.dispatchers.size());
  for (const DispatcherSeat& seat : w.dispatchers) fold_value(fold, seat);
  fold.number(w.flights.size());
  for (const Flight& f : w.flights) fold_value(fold, f);
  fold_value(fold, w.history);
  fold_value(fold, w.next_pid);
  fold_value(fold, w.next_session);
  fold_value(fold, w.next_server);
  fold_value(fold, w.faults_left);
  fold_value(fold, w.crashes_left);
  fold_value(fold, w.persons_left);
  fold_value(fold, w.healed);
  return fold.digest();
}

}  // namespace holdfast::sim
