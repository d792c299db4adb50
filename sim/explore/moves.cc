#include "sim/explore/moves.h"

#include <algorithm>
#include <tuple>

#include "dispatcher/core/classify.h"
#include "sim/world/meeting.h"
#include "sim/world/ports.h"
#include "sim/world/processes.h"
#include "sim/world/strikes.h"

namespace holdfast::sim {
namespace {

// Until one timer has run out.
bool is_slow(const Flight& f) {
  return f.fault == FaultId::F5 && !f.late;
}

// Nobody else writes what it reads, or its dispatcher does nothing before it, so it might as well be asked
// later.
bool cannot_be_slow(const World& w, const Flight& f) {
  const Call call = call_of(f.effect);
  const bool nobody_else = w.dispatchers.size() == 1 && w.setup->person_budget == 0;
  return call == Call::ledger_load || (call == Call::ledger_changes && nobody_else);
}

bool of_git(const Flight& f) {
  return family_of(call_of(f.effect)) == Family::git;
}

// Of a request whose sender is gone it shows at once whether it has left. (Not so in git: the lock that a
// helper holds makes a difference for as long as it is there.)
bool has_left(const Flight& f) {
  return f.alone_for > 1 && !of_git(f);
}

bool waits_for_deadline(const World& w, const Flight& f) {
  return f.held && f.silent_until.set() && f.silent_until > w.now;
}

// Its dispatcher could get its answer now, and nothing has gone wrong with it.
bool is_prompt(const World& w, const Flight& f) {
  const DispatcherSeat& seat = w.dispatchers[static_cast<std::size_t>(f.dispatcher)];
  return !f.detached && !is_slow(f) && seat.running && !seat.paused && !waits_for_deadline(w, f);
}

// A crash matters where something is about to change or has changed. Before and after a look, and before and
// after an answer is heard, the same is left of a dispatcher that dies: nothing.
bool crash_matters(const Flight& f) {
  return !f.held && !only_reads(call_of(f.effect));
}

bool has_something_to_hear(const World& w, const DispatcherSeat& seat) {
  return seat.running && !seat.paused && (seat.has_news() || (seat.wake.set() && seat.wake <= w.now));
}

// Its runner, or the kernel, has something to do that takes no time.
bool has_to_act(const World& w, const Runtime& r) {
  return !r.slow && (runner_can_step(w, r) || (r.worker_lives() && r.kill));
}

// The installation's own calls are prompt, and stay it when their dispatcher dies: while nothing has gone
// wrong with it, the pool is not kept locked by the dead for longer than a timer runs.
bool is_late_pool(const Flight& f) {
  return f.detached && !f.held && !is_slow(f) && std::holds_alternative<EnsurePool>(f.effect);
}

bool time_may_pass(const World& w) {
  if (std::ranges::any_of(w.flights, is_late_pool)) return false;
  if (std::ranges::any_of(w.runtimes, [&](const Runtime& r) { return has_to_act(w, r); })) return false;
  if (std::ranges::any_of(w.flights, [&](const Flight& f) { return is_prompt(w, f); })) return false;
  return std::ranges::none_of(w.dispatchers,
                              [&](const DispatcherSeat& seat) { return has_something_to_hear(w, seat); });
}

void slowness(const World& w, std::vector<Event>& out) {
  if (w.healed || w.faults_left <= 0 || !w.setup->faults.has(FaultId::F5)) return;
  for (std::size_t i = 0; i < w.flights.size(); ++i)
    if (is_prompt(w, w.flights[i]) && w.flights[i].fault == FaultId::none && !cannot_be_slow(w, w.flights[i]))
      out.push_back({Do::strike, static_cast<std::uint8_t>(i), of_call, FaultId::F5});
  for (std::size_t i = 0; i < w.runtimes.size(); ++i)
    if (has_to_act(w, w.runtimes[i]))
      out.push_back({Do::strike, static_cast<std::uint8_t>(i), of_runtime, FaultId::F5});
}

bool reads_or_is_the_installations(const Flight& f) {
  return only_reads(call_of(f.effect)) || ticket_of(f.effect).empty();
}

bool comes_first(const World& w, const Reductions& on, const Flight& f) {
  if (!is_prompt(w, f)) return false;
  if (on.prompt_answers && f.held) return true;
  if (on.prompt_reads && reads_or_is_the_installations(f)) return true;
  return on.workers_when_it_matters && !f.held && meets_nobody(w, f);
}

// The call that comes before everything else. Which one, where there are several, does not depend on who
// asked first.
std::optional<std::size_t> first_prompt(const World& w, const Reductions& on) {
  const auto order = [&](const Flight& f) {
    return std::tuple(!f.held, !reads_or_is_the_installations(f), !only_reads(call_of(f.effect)),
                      f.dispatcher, f.effect.index(), ticket_of(f.effect), f.number);
  };
  std::optional<std::size_t> first;
  for (std::size_t i = 0; i < w.flights.size(); ++i) {
    if (!comes_first(w, on, w.flights[i])) continue;
    if (!first || order(w.flights[i]) < order(w.flights[*first])) first = i;
  }
  return first;
}

bool about_flight(const Event& e) {
  return e.what_kind == Do::hold || e.what_kind == Do::vanish || e.what_kind == Do::reply ||
         (e.what_kind == Do::strike && e.fault == FaultId::F5 && e.what == of_call);
}

bool is_late_git(const Flight& f) {
  return f.detached && !f.held && of_git(f) && !std::holds_alternative<EnsurePool>(f.effect);
}

// May it still come before the call that comes first?
bool may_come_before(const World& w, const Reductions& on, const Flight& f, const Event& e) {
  if (about_flight(e)) {
    const Flight& other = w.flights[e.subject];
    // Where it waits until it is met, this is where it is.
    const bool is_met = on.late_git_when_met && is_late_git(other) && late_git_meets_somebody(w, other);
    return &other == &f || (is_met && !f.held && of_git(f));
  }
  if (e.what_kind == Do::crash) return !on.crash_where_it_matters || crash_matters(f);
  if (f.held || !on.workers_when_it_matters) return false;
  return would_make_a_difference(w, f, e);
}

// A request of somebody who is gone that will change nothing, whenever it arrives: a version that is over
// never comes back, and a server that runs and will not be lost is started by nobody.
bool comes_too_late(const World& w, const Flight& f) {
  const auto is_over = [&](const TicketId& id, std::int64_t version) {
    const auto ticket = w.board.tickets.find(id);
    return ticket == w.board.tickets.end() || ticket->second.version != version;
  };
  if (const auto* move = std::get_if<MoveTicket>(&f.effect))
    return is_over(move->ticket, move->expected_version);
  if (const auto* back = std::get_if<ReturnToTodo>(&f.effect))
    return is_over(back->certificate.attempt().ticket, back->expected_version);
  if (const auto* start = std::get_if<StartServer>(&f.effect)) {
    const auto server = w.servers.find(start->shard);
    const bool may_be_lost = w.faults_left > 0 && !w.healed && w.setup->faults.has(FaultId::C2);
    return server != w.servers.end() && server->second.alive && !may_be_lost;
  }
  return false;
}

}  // namespace

void moves(const World& w, const Reductions& on, std::vector<Event>& out) {
  enabled(w, out);
  enabled_faults(w, out);
  if (on.prompt_calls || on.prompt_answers || on.prompt_reads) slowness(w, out);
  std::erase_if(out,
                [&](const Event& e) { return e.what_kind == Do::vanish && has_left(w.flights[e.subject]); });
  if (on.late_git_when_met)
    std::erase_if(out, [&](const Event& e) {
      const bool acts = e.what_kind == Do::hold || e.what_kind == Do::vanish;
      return acts && is_late_git(w.flights[e.subject]) && !late_git_meets_somebody(w, w.flights[e.subject]);
    });
  if (on.prompt_calls && !time_may_pass(w))
    std::erase_if(out, [](const Event& e) { return e.what_kind == Do::time; });
  if (const auto first = first_prompt(w, on)) {
    const Flight& f = w.flights[*first];
    if (!f.held && on.workers_when_it_matters && news_come_first(w, f))
      std::erase_if(out, [&](const Event& e) { return e.subject != f.dispatcher || !about_news(e); });
    else
      std::erase_if(out, [&](const Event& e) { return !may_come_before(w, on, f, e); });
    return;
  }
  if (!on.news_at_once) return;
  const bool busy = std::ranges::any_of(w.flights, [&](const Flight& f) { return is_prompt(w, f); });
  const bool heard = std::ranges::none_of(
      w.dispatchers, [&](const DispatcherSeat& seat) { return has_something_to_hear(w, seat); });
  if (!busy && !heard) std::erase_if(out, [](const Event& e) { return !may_come_before_news(e); });
}

void forget_what_tells_nothing(World& w) {
  std::erase_if(w.flights, [&](const Flight& f) {
    return f.detached && (f.held || only_reads(call_of(f.effect)) || comes_too_late(w, f));
  });
  for (Flight& f : w.flights)
    if (f.detached && f.alone_for < 2)
      f.alone_for = of_git(f) ? std::uint8_t{2} : static_cast<std::uint8_t>(f.alone_for + 1);
  for (const Flight& f : w.flights) {
    const auto* look = std::get_if<Look>(&f.effect);
    if (look == nullptr || f.detached || f.part == 0 || f.fault != FaultId::none) continue;
    w.dispatchers[static_cast<std::size_t>(f.dispatcher)].attempt_news.erase(look->containment.attempt);
  }
  forget_idle_pins(w);
}

std::optional<Event> forced_move(const World& w, const Reductions& on) {
  std::vector<Event> can;
  moves(w, on, can);
  if (can.size() != 1 || can.front().what_kind == Do::time) return std::nullopt;
  return can.front();
}

}  // namespace holdfast::sim
