#include "sim/explore/themes.h"

#include <algorithm>

namespace holdfast::sim {
namespace {

using enum FaultId;

void several_for_one_slot(WorldPlan& p) {
  p.tickets = std::max(p.tickets, 2);
  p.capacity = 1;
}
void no_echo(WorldPlan& p) {
  p.echoes = false;
}
void a_crowd(WorldPlan& p) {
  p.tickets = 3;
  p.capacity = 2;
}
void it_lands(WorldPlan& p) {
  p.land = true;
  p.persons = 3;
  p.dispatchers = 1;
  p.faults = std::min(p.faults, 3);
}
void two_at_once(WorldPlan& p) {
  p.dispatchers = 2;
  p.attempts_max = 3;
  p.backoff_s = 1;
}
// What is planned strikes one ticket, and nothing else goes wrong: whatever befalls another is the
// dispatcher's doing.
void one_is_struck(WorldPlan& p) {
  a_crowd(p);
  p.dispatchers = 1;
  p.faults = p.crashes = p.persons = 0;
}
void all_on_one_server(WorldPlan& p) {
  a_crowd(p);
  p.shards = 1;
}
void somebody_answers(WorldPlan& p) {
  p.persons = 6;
  p.dispatchers = 1;
}
void soon_told_to_end(WorldPlan& p) {
  p.finish_s = 0;
  p.term_s = 1;
}

std::vector<Theme> make() {
  return {
      // The incident itself: the send is refused after the spawn has succeeded.
      {.name = "late-409", .share = 20, .kinds = {B1}, .triggers = {"B1,call=post,phase=ready,chance=800"}},
      {.name = "lost-answers",
       .kinds = {B2, B4},
       .triggers = {"B2,call=post,phase=ready,chance=500", "B4,call=post,phase=ready,chance=500"},
       .pace = {.late = 60}},
      {.name = "deaf",
       .share = 2,
       .kinds = {C13},
       .triggers = {"C13,call=post,phase=ready"},
       .plan = no_echo},
      {.name = "twice", .kinds = {B9}, .triggers = {"B9,call=post,phase=ready"}, .pace = {.late = 80}},
      {.name = "orphans",
       .share = 3,
       .kinds = {G6, C4},
       .triggers = {"C4,phase=running"},
       .pace = {.children_stay = true}},
      {.name = "traceless", .share = 2, .kinds = {C3, C4}, .triggers = {"C4,phase=running", "C3,after=C4"}},
      {.name = "stubborn", .kinds = {C14}, .plan = soon_told_to_end, .pace = {.time = 10, .stubborn = true}},
      {.name = "storm", .share = 2, .kinds = {G2, F7}, .plan = a_crowd, .pace = {.time = 0, .frail = 40}},
      {.name = "busy-target",
       .share = 3,
       .kinds = {D14},
       .triggers = {"D14,call=land,chance=150"},
       .plan = it_lands,
       .pace = {.push = 500, .persons = 0}},
      {.name = "renamed-branch", .share = 3, .kinds = {D12}, .triggers = {"D12,phase=ready"}},
      {.name = "late-changes", .kinds = {D9}, .triggers = {"D9,phase=lost", "D9,phase=finished"}},
      {.name = "empty-hands", .share = 2, .pace = {.commit = 1}},
      {.name = "takeover",
       .share = 3,
       .kinds = {E3, E4, E9, G2},
       .triggers = {"E9,phase=newborn,chance=200,times=2", "E9,phase=lost,chance=300,times=2"},
       .plan = two_at_once,
       .pace = {.resume = 1}},
      {.name = "one-is-struck",
       .share = 3,
       .kinds = {C1},
       .triggers = {"C1,phase=running,chance=300"},
       .plan = one_is_struck,
       .pace = {.haste = 1}},
      {.name = "a-server-goes",
       .share = 2,
       .kinds = {C2},
       .triggers = {"C2,phase=running,chance=100"},
       .plan = all_on_one_server},
      // Two at once, one of them slow: what it asked for takes hold when the other has gone on.
      {.name = "slow-second",
       .share = 7,
       .kinds = {E3, C7},
       .anything = 8,
       .plan = two_at_once,
       .pace = {.slow = 250, .resume = 1, .haste = 1}},
      {.name = "anything", .share = 3, .anything = 12, .plan = a_crowd, .pace = {.late = 80, .haste = 1}},
      // The same for calls that are asked for early and come to their fault late.
      {.name = "late-calls",
       .share = 6,
       .kinds = {E3},
       .at_calls = 4,
       .plan = two_at_once,
       .pace = {.resume = 1, .haste = 1, .waits_for_phase = true}},
      {.name = "late-calls-to-what-is-ready",
       .share = 2,
       .kinds = {E3, C13},
       .triggers = {"C13,call=post,phase=ready,times=9"},
       .at_calls = 4,
       .calls_in = Phase::ready,
       .plan = two_at_once,
       .pace = {.resume = 1, .haste = 1, .waits_for_phase = true}},
      {.name = "late-calls-to-what-runs",
       .share = 3,
       .kinds = {E3},
       .at_calls = 4,
       .calls_in = Phase::running,
       .plan = two_at_once,
       .pace = {.resume = 1, .haste = 0, .ask = 0, .waits_for_phase = true}},
      {.name = "late-calls-to-what-waits",
       .share = 4,
       .kinds = {E3},
       .at_calls = 4,
       .calls_in = Phase::waiting,
       .plan = two_at_once,
       .pace = {.resume = 1, .haste = 0, .ask = 60, .waits_for_phase = true}},
      {.name = "late-calls-to-what-has-finished",
       .share = 4,
       .kinds = {E3},
       .at_calls = 4,
       .calls_in = Phase::finished,
       .plan = two_at_once,
       .pace = {.resume = 1, .haste = 4, .stubborn = true, .waits_for_phase = true}},
      {.name = "asks-and-goes",
       .share = 3,
       .kinds = {G1, G4, G5},
       .plan = somebody_answers,
       .pace = {.persons = 250, .haste = 1, .ask = 80, .leave = 12}},
      {.name = "late-git",
       .share = 3,
       .kinds = {B4, G1, G2},
       .triggers = {"B4,call=prepare,chance=600"},
       .plan = several_for_one_slot,
       .pace = {.late = 500, .late_from = 1, .frail = 6}},
  };
}

}  // namespace

const std::vector<Theme>& themes() {
  static const std::vector<Theme> all = make();
  return all;
}

const Theme* theme_named(std::string_view name) {
  const auto found = std::ranges::find(themes(), name, &Theme::name);
  return name.empty() || found == themes().end() ? nullptr : &*found;
}

}  // namespace holdfast::sim
