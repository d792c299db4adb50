#include "sim/explore/tally.h"

#include <algorithm>

#include "sim/world/strikes.h"

namespace holdfast::sim {
namespace {

using enum FaultId;

bool about_a_session(Deed deed) {
  return deed == Deed::attach || deed == Deed::detach || deed == Deed::end_session;
}

// Which of the worker's natures this act shows.
FaultId nature_of(const Runtime& r, Act act) {
  if (act == Act::fork_child) return G6;
  if (act == Act::exit_badly && r.worker == WorkerStage::booting) return G2;
  if (act == Act::exit_well && r.said == Said::nothing) return r.commits == 0 ? G1 : G5;
  if (act == Act::chat && r.commits == 0) return G4;
  if (act == Act::commit && r.lines == 0) return G3;
  return none;
}

bool picks_up(const Flight& f, int d) {
  const bool of_a_pickup = std::holds_alternative<PrepareWorktree>(f.effect) ||
                           std::holds_alternative<WriteSpec>(f.effect) ||
                           std::holds_alternative<SpawnSession>(f.effect);
  return f.dispatcher != d && of_a_pickup;
}

bool still_recovers(const World& w, int d) {
  return w.dispatchers[static_cast<std::size_t>(d)].life > 1 &&
         std::ranges::any_of(w.flights, [&](const Flight& f) {
           return f.dispatcher == d && !f.detached &&
                  (std::holds_alternative<LoadLedger>(f.effect) ||
                   std::holds_alternative<ListRecords>(f.effect) ||
                   std::holds_alternative<ListTraces>(f.effect) ||
                   std::holds_alternative<EnsurePool>(f.effect));
         });
}

}  // namespace

void Tally::count_choice(const World& w, const Event& e) {
  const auto one = [&](FaultId id, const AttemptId& about) {
    if (id == none) return;
    const auto phase = phase_of(w, about);
    fired[static_cast<std::size_t>(id)] += 1;
    fired_in[static_cast<std::size_t>(id)][phase ? static_cast<std::size_t>(*phase) : phases] += 1;
  };
  const int d = e.subject;
  const bool another = std::ranges::count_if(w.dispatchers, &DispatcherSeat::running) -
                           (w.dispatchers.size() > e.subject && w.dispatchers[e.subject].running ? 1 : 0) >
                       0;
  switch (e.what_kind) {
    case Do::worker:
      return one(nature_of(w.runtimes[e.subject], static_cast<Act>(e.what)), w.runtimes[e.subject].attempt);
    case Do::person: {
      if (about_a_session(static_cast<Deed>(e.what))) return one(C15, {});
      if (static_cast<Deed>(e.what) == Deed::push) return;
      return one(A9, {std::next(w.board.tickets.begin(), e.subject)->first, {}});
    }
    case Do::crash:
      if (still_recovers(w, d)) one(E2, {});
      return;
    case Do::start:
      if (another) one(E3, {});
      if (another && std::ranges::any_of(w.flights, [&](const Flight& f) { return picks_up(f, d); }))
        one(E8, {});
      return;
    case Do::resume:
      if (another) one(E4, {});
      return;
    case Do::time:
      for (const DispatcherSeat& seat : w.dispatchers)
        if (seat.running && seat.wake.set() && seat.wake <= w.now) return one(F5, {});
      return;
    case Do::hold: {
      const auto* end = std::get_if<EndSession>(&w.flights[e.subject].effect);
      if (end == nullptr) return;
      for (const auto& [shard, server] : w.servers)
        for (const auto& [name, session] : server.sessions)
          if (name != end->session && name.value.starts_with("hf-" + end->attempt.ticket.value))
            return one(C9, end->attempt);
      return;
    }
    case Do::vanish:
    case Do::reply:
    case Do::news:
    case Do::think:
    case Do::runner:
    case Do::strike: return;
  }
}

void Tally::count(const World& w) {
  events += 1;
  if (!w.happened.anything) return;
  for (const FaultFired& f : w.happened.faults) {
    const auto id = static_cast<std::size_t>(f.fault);
    fired[id] += 1;
    fired_in[id][f.phase ? static_cast<std::size_t>(*f.phase) : phases] += 1;
  }
  for (const RowChanged& row : w.happened.rows) {
    if (!row.before) lives += 1;
    if (row.after.cause != Cause::none && (!row.before || row.before->cause == Cause::none))
      deaths[static_cast<std::size_t>(row.after.cause)] += 1;
  }
}

void Tally::count(const Findings& findings) {
  for (std::size_t i = 0; i < invariants; ++i) at_risk[i] += findings.at_risk[i];
}

void Tally::add(const Tally& other) {
  runs += other.runs;
  events += other.events;
  lives += other.lives;
  for (std::size_t i = 0; i < fault_ids; ++i) {
    fired[i] += other.fired[i];
    for (std::size_t p = 0; p <= phases; ++p) fired_in[i][p] += other.fired_in[i][p];
  }
  for (std::size_t i = 0; i < invariants; ++i) at_risk[i] += other.at_risk[i];
  for (std::size_t i = 0; i < causes; ++i) deaths[i] += other.deaths[i];
}

}  // namespace holdfast::sim
