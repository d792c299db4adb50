// A run written down: its plan, its dispatcher by name, and its events in words. It can be replayed without
// the seed that it came from, also after events were taken out of it: what cannot happen any more is passed
// over.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "sim/explore/seed_run.h"

namespace holdfast::sim {

struct Trace {
  WorldPlan plan;
  std::string dispatcher = "shipped";
  std::vector<std::string> events;  // before the healing
  bool heals = false;               // then the faults stop, and what is fair happens
  bool converges = false;           // and the end is held against the run in which nothing went wrong (L6)
  std::vector<Invariant> violates;  // what a replay breaks; empty: nothing
  std::string words;                // of the first violation, for people
  std::uint64_t seed = 0;           // where it came from; 0: from nowhere
  friend bool operator==(const Trace&, const Trace&) = default;
};

struct Replayed {
  RunEnd ending = RunEnd::passed;
  std::vector<Violation> violations;
  int at_event = 0;
  std::vector<std::string> happened;  // the events that could happen, without the fair ones
  std::vector<std::string> fair;      // after the healing
  int passed_over = 0;
  Digest digest;
};

struct ReplayOptions {
  SeedOptions world;  // who is replayed
  int until = 0;      // events; 0: to the end
  bool fair_names = false;
  // Called before each event, with its number and its name, and after it with the world.
  std::function<void(int, const std::string&)> before;
  std::function<void(int, const World&)> after;
};

Replayed replay(const Trace&, const ReplayOptions&);
// The run of a seed as a trace, to the violation (or to the healing).
Trace trace_of(std::uint64_t seed, const SeedOptions&, const std::string& dispatcher);

// Truth and belief of every ticket, side by side: what there is, and what each dispatcher holds true.
std::vector<std::string> truth_and_belief(const World&);

// Smaller and smaller, while one of the same invariants is broken: fewer events, tickets, dispatchers, kinds
// of faults. `progress` is told the number of events left.
Trace shrink(const Trace&, const SeedOptions&, const std::function<void(std::size_t)>& progress);

}  // namespace holdfast::sim
