#include "sim/explore/planned_faults.h"

#include <algorithm>

#include "sim/world/strikes.h"

namespace holdfast::sim {
namespace {

const Session* session_at(const World& w, const Event& e) {
  const auto server = w.servers.find(e.subject);
  if (server == w.servers.end() || e.what >= server->second.sessions.size()) return nullptr;
  return &std::next(server->second.sessions.begin(), e.what)->second;
}

// The phase that a trigger means: of the attempt that the event is about; nothing: there is none.
std::optional<Phase> phase_at(const World& w, const Event& e) {
  AttemptId about;
  if (e.what_kind == Do::hold) about = whom(w.flights[e.subject].effect);
  if (e.what_kind == Do::strike && e.fault == FaultId::C3) {
    if (const Session* session = session_at(w, e)) about = session->attempt;
  } else if (e.what_kind == Do::strike && e.fault != FaultId::C2 && fault(e.fault).actor == Actor::world &&
             e.subject < w.runtimes.size()) {
    about = w.runtimes[e.subject].attempt;
  }
  if (const auto phase = phase_of(w, about)) return phase;
  // What strikes a server, a clock or a dispatcher: anybody's phase will do, the first ticket's is taken.
  return phase_of(w, {w.setup->tickets.front().id, {}});
}

// What this fault could do now, budgets or not.
void strikes_of(FaultId id, const World& w, const Event& chosen, std::vector<Event>& can) {
  if (fault(id).actor == Actor::port) {
    const Flight& f = w.flights[chosen.subject];
    if (!f.held && f.part == 0 && !f.detached && strikes_at(id, w, f))
      can.push_back({Do::hold, chosen.subject, 0, id});
    return;
  }
  if (id == FaultId::E1)
    for (std::size_t d = 0; d < w.dispatchers.size(); ++d)
      if (w.dispatchers[d].running) can.push_back({Do::crash, static_cast<std::uint8_t>(d), 0, id});
  FaultSet one;
  one.add(id);
  world_strikes(w, one, can);
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
    std::vector<Event> can;  // the plan's own faults have no budget and need not be among the random ones
    strikes_of(t.fault, w, chosen, can);
    if (t.phase) std::erase_if(can, [&](const Event& e) { return phase_at(w, e) != t.phase; });
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
