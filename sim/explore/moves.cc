#include "sim/explore/moves.h"

#include <algorithm>

namespace holdfast::sim {
namespace {

bool is_slow(const Flight& f) {
  return f.fault == FaultId::F5;
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

bool time_may_pass(const World& w) {
  if (std::ranges::any_of(w.flights, [&](const Flight& f) { return is_prompt(w, f); })) return false;
  return std::ranges::none_of(w.dispatchers, [&](const DispatcherSeat& seat) {
    return seat.running && !seat.paused && (seat.has_news() || (seat.wake.set() && seat.wake <= w.now));
  });
}

void slow_calls(const World& w, std::vector<Event>& out) {
  if (w.healed || w.faults_left <= 0 || !w.setup->faults.has(FaultId::F5)) return;
  for (std::size_t i = 0; i < w.flights.size(); ++i)
    if (is_prompt(w, w.flights[i]) && w.flights[i].fault == FaultId::none)
      out.push_back({Do::strike, static_cast<std::uint8_t>(i), 0, FaultId::F5});
}

// The call that comes before everything else.
std::optional<std::size_t> first_prompt(const World& w, const Reductions& reductions) {
  for (std::size_t i = 0; i < w.flights.size(); ++i) {
    const Flight& f = w.flights[i];
    const bool reads =
        only_reads(call_of(f.effect)) || ticket_of(f.effect).empty();  // or it is the installation's own
    const bool first = (reductions.prompt_reads && reads) || (reductions.prompt_answers && f.held);
    if (first && is_prompt(w, f)) return i;
  }
  return std::nullopt;
}

bool about_flight(const Event& e) {
  return e.what_kind == Do::hold || e.what_kind == Do::vanish || e.what_kind == Do::reply ||
         (e.what_kind == Do::strike && e.fault == FaultId::F5);
}

}  // namespace

void moves(const World& w, const Reductions& reductions, std::vector<Event>& out) {
  enabled(w, out);
  enabled_faults(w, out);
  if (reductions.prompt_calls || reductions.prompt_answers || reductions.prompt_reads) slow_calls(w, out);
  if (reductions.prompt_calls && !time_may_pass(w))
    std::erase_if(out, [](const Event& e) { return e.what_kind == Do::time; });
  const auto prompt = first_prompt(w, reductions);
  if (!prompt) return;
  const std::size_t which = *prompt;
  const bool crashes = !reductions.crash_where_it_matters || crash_matters(w.flights[which]);
  std::erase_if(out, [&](const Event& e) {
    return !(e.what_kind == Do::crash && crashes) && !(about_flight(e) && e.subject == which);
  });
}

void forget_looks_of_the_dead(World& w) {
  std::erase_if(w.flights, [](const Flight& f) { return f.detached && only_reads(call_of(f.effect)); });
}

std::optional<Event> forced_move(const World& w, const Reductions& reductions) {
  const auto prompt = first_prompt(w, reductions);
  if (!prompt) return std::nullopt;
  const Flight& f = w.flights[*prompt];
  const bool crashes = w.crashes_left > 0 && (!reductions.crash_where_it_matters || crash_matters(f));
  const bool may_go_wrong = !w.healed && (crashes || (w.faults_left > 0 && f.fault == FaultId::none));
  if (may_go_wrong) return std::nullopt;
  return Event{f.held ? Do::reply : Do::hold, static_cast<std::uint8_t>(*prompt), 0, FaultId::none};
}

}  // namespace holdfast::sim
