#include "sim/explore/planned_faults.h"

#include <algorithm>

namespace holdfast::sim {
namespace {

// The phase that a trigger means: of the attempt that the event is about; nothing: it is about none.
std::optional<Phase> phase_at(const World& w, const Event& e) {
  TicketId id;
  if (e.what_kind == Do::hold) id = ticket_of(w.flights[e.subject].effect);
  if (e.what_kind == Do::strike && fault(e.fault).actor == Actor::world && e.subject < w.runtimes.size())
    id = w.runtimes[e.subject].attempt.ticket;
  if (const Attempt* a = newest(w, id)) return a->phase;
  // What strikes a server, a clock or a dispatcher: anybody's phase will do, the first ticket's is taken.
  if (const Attempt* a = newest(w, w.setup->tickets.front().id)) return a->phase;
  return std::nullopt;
}

bool anybody_is(const World& w, Phase phase) {
  return std::ranges::any_of(w.ledger.tickets, [&](const auto& row) {
    return row.second.newest && row.second.newest->phase == phase;
  });
}

}  // namespace

PlannedFaults::PlannedFaults(const std::vector<Trigger>& triggers) {
  for (const Trigger& one : triggers) states_.push_back({one});
}

std::optional<Event> PlannedFaults::strikes(const World& w, const Event& chosen, Random& random) {
  if (states_.empty()) return std::nullopt;
  if (!began_.set()) began_ = w.now;
  for (State& s : states_) {
    const Trigger& t = s.trigger;
    if (s.fired >= t.times || (t.after != FaultId::none && !fired_.has(t.after))) continue;
    const Duration since = w.now - began_;
    if (since < t.from || (t.within && since > Duration{t.from.ms + t.within->ms})) continue;
    const bool at_a_call = fault(t.fault).actor == Actor::port;
    if (at_a_call && chosen.what_kind != Do::hold) continue;
    if (t.call && call_of(w.flights[chosen.subject].effect) != *t.call) continue;
    if (t.phase && !anybody_is(w, *t.phase)) continue;
    World free = w;  // the plan's own faults have no budget and need not be among the random ones
    auto setup = std::make_shared<Setup>(*w.setup);
    setup->faults = {};
    setup->faults.add(t.fault);
    free.setup = setup;
    free.faults_left = free.crashes_left = 1;
    std::vector<Event> can;
    enabled_faults(free, can);
    std::erase_if(can, [&](const Event& e) {
      return e.fault != t.fault || (at_a_call && e.subject != chosen.subject) ||
             (t.phase && phase_at(w, e) != t.phase);
    });
    if (can.empty()) continue;
    if (++s.seen < t.nth || !random.in_a_thousand(t.chance)) continue;
    s.fired += 1;
    return can[random.below(can.size())];
  }
  return std::nullopt;
}

void PlannedFaults::note(const World& w) {
  if (states_.empty()) return;
  for (const FaultFired& f : w.happened.faults) fired_.add(f.fault);
}

std::vector<Trigger> PlannedFaults::unfired() const {
  std::vector<Trigger> rest;
  for (const State& s : states_)
    if (s.fired == 0) rest.push_back(s.trigger);
  return rest;
}

}  // namespace holdfast::sim
