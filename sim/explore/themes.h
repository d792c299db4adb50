// Themes: circumstances that belong together. Some defects are seen only where several things meet, each of
// which is rare: a worker that leaves a child behind, and a runner that is killed meanwhile. A part of the
// swarm's runs has a theme: its kinds of faults are on, its planned faults strike where they hurt, and its
// pace makes something late, slow or fast. What else happens in such a run is as random as in any other.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "sim/explore/plan.h"

namespace holdfast::sim {

// How likely some events are beside the others, and what is put off.
struct Pace {
  int time = 4;       // 0: time passes only when there is nothing else to do
  int late = 0;       // a late effect may wait for so many events before it takes hold; 0: it just does
  int late_from = 0;  // the part from which it always waits; 0: any part, every second time
  int slow = 0;    // a call of the last one of several dispatchers waits for so many events; 0: it does not
  int resume = 8;  // of a dispatcher that stands still
  int push = 100;  // in a thousand, that somebody else pushes while we land
  int commit = 32;
  int frail = 1;          // of workers that are so by nature: how soon they fail
  int persons = 15;       // in a thousand, that somebody acts
  int haste = 6;          // of workers that have their prompt: how soon they are done, and gone; 0: never
  int ask = 8;            // a question, instead of going on
  int leave = 1;          // of workers that go without a word by nature: how soon they do
  bool stubborn = false;  // workers stay when they have finished and when they are told to end
  bool children_stay = false;
  // A call of the last one of several dispatchers that a planned fault is to strike waits until its attempt
  // has got to the fault's phase.
  bool waits_for_phase = false;
};

struct Theme {
  std::string_view name;
  int share = 1;  // among the themes
  std::vector<FaultId> kinds{};
  std::vector<std::string_view> triggers{};
  int anything = 0;  // so many planned faults besides, of any kind, in any phase in which it may strike
  int at_calls = 0;  // and so many of any kind that strikes a call, at any one of its calls
  std::optional<Phase> calls_in{};  // all of them in this phase
  void (*plan)(WorldPlan&) = nullptr;
  Pace pace{};
};

const std::vector<Theme>& themes();
const Theme* theme_named(std::string_view);  // empty name, or unknown: none

}  // namespace holdfast::sim
