#include "sim/explore/fair.h"

#include <algorithm>
#include <vector>

#include "dispatcher/core/names.h"
#include "sim/world/strikes.h"

namespace holdfast::sim {
namespace {

// A worker that does its work: reads what it is sent, commits once, says DONE, ends.
std::optional<Act> fair_act(const Runtime& r, const std::vector<Act>& can) {
  const auto may = [&](Act act) { return std::ranges::find(can, act) != can.end(); };
  for (const Act act : {Act::die_of_kill, Act::wake, Act::die_of_term, Act::get_ready, Act::read_input})
    if (may(act)) return act;
  if (!r.worker_lives()) return may(Act::child_ends) ? std::optional(Act::child_ends) : std::nullopt;
  if (r.inputs == 0) return std::nullopt;  // it waits for its prompt
  if (r.said == Said::question) return std::nullopt;
  if (r.said == Said::nothing) {
    if (may(Act::commit) && r.commits == 0) return Act::commit;
    return Act::say_done;
  }
  return Act::exit_well;
}

}  // namespace

std::optional<Event> next_fair(const World& w, Instant until) {
  std::vector<Event> can;
  enabled(w, can);
  constexpr Do order[] = {Do::start, Do::resume, Do::hold, Do::reply, Do::news, Do::think, Do::runner};
  for (const Do kind : order)
    for (const Event& e : can)
      if (e.what_kind == kind) return e;
  for (std::size_t i = 0; i < w.runtimes.size(); ++i) {
    std::vector<Act> acts;
    for (const Event& e : can)
      if (e.what_kind == Do::worker && e.subject == i) acts.push_back(static_cast<Act>(e.what));
    if (acts.empty()) continue;
    if (const auto act = fair_act(w.runtimes[i], acts))
      return Event{Do::worker, static_cast<std::uint8_t>(i), static_cast<std::uint8_t>(*act), FaultId::none};
  }
  std::vector<Event> deeds;
  person_deeds(w, deeds);
  for (const Event& e : deeds) {
    if (static_cast<Deed>(e.what) != Deed::answer) continue;
    const auto ticket = std::next(w.board.tickets.begin(), e.subject);
    const Attempt* a = newest(w, ticket->first);
    const auto row = w.ledger.tickets.find(ticket->first);
    const bool answered = std::ranges::any_of(row->second.messages, [&](const Message& m) {
      return m.attempt == a->id && m.kind == MessageKind::answer && m.state != MessageState::delivered;
    });
    if (!answered) return e;
  }
  for (const Event& e : can)
    if (e.what_kind == Do::vanish && w.flights[e.subject].held) return e;
  for (const Event& e : can)
    if (e.what_kind == Do::time && w.now < until) return e;
  return std::nullopt;
}

namespace {

// Where nothing but looking has happened for a minute, nobody wakes from a short wait any more. What is left
// are the long ones (an account's rest, a person who is to be told): a dispatcher that is woken late, and
// later each time, gets to them as well, without all the looks in between.
Event wakes_later(Event e, const World& w, Instant quiet_since) {
  const Duration quiet = w.now - quiet_since;
  const bool nothing_moves = w.flights.empty() && w.setup->longest_sleep <= minutes(1);
  if (e.what_kind == Do::time && nothing_moves && quiet >= minutes(1))
    e.what = static_cast<std::uint8_t>(std::min<std::int64_t>(quiet.ms / minutes(1).ms, 30));
  return e;
}

}  // namespace

Rest run_fair(World& w, const std::function<bool(const Event&)>& take) {
  heal(w);
  constexpr int patience = 20'000;
  Instant quiet_since = w.now;
  for (int i = 0; i < patience; ++i) {
    const auto e = next_fair(w, quiet_since + minutes(30));
    if (!e) return Rest::reached;
    if (!take(wakes_later(*e, w, quiet_since))) return Rest::stopped;
    if (w.happened.anything) quiet_since = w.now;
  }
  return Rest::never;
}

}  // namespace holdfast::sim
