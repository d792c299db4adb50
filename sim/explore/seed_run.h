// One run from one seed: a random setup, a random schedule with faults, then the healing and the fair end.
// All of it follows from the seed alone.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "sim/base/digest.h"
#include "sim/explore/plan.h"
#include "sim/explore/tally.h"
#include "sim/oracle/oracle.h"

namespace holdfast::sim {

enum class Schedule { uniform, pct, swarm };  // swarm: uniform, with whole kinds of faults switched off

struct SeedOptions {
  DispatcherMaker maker = shipped_dispatcher();
  Defects defects;
  std::optional<Schedule> schedule;  // nothing: the seed chooses
  FaultSet faults = FaultSet::all();
  std::vector<Trigger> triggers;  // planned faults, besides the random ones
  int most_events = 2000;         // before the healing
  std::uint64_t converges = 8;    // one run in so many is also crashed on the way (L6); 0: none
  bool keep_trace = false;
  bool small = false;  // one ticket, one dispatcher, nothing that takes long
};
// Short runs: many for each second, for what is broken near the beginning.
SeedOptions short_seeds();

enum class RunEnd { passed, unsafe, stuck };

struct SeedResult {
  std::uint64_t seed = 0;
  RunEnd ending = RunEnd::passed;
  std::vector<Violation> violations;  // of the first bad step, or of the end
  int at_event = 0;                   // of the violation
  Digest digest;                      // of every event and what it did
  WorldPlan plan;
  int healed_at = -1;              // the event after which the faults stopped; -1: it did not come to that
  std::vector<std::string> trace;  // names of events, where asked for
  std::vector<Trigger> unfired;    // planned faults that never struck
  bool crashed = false;            // what failed is the run with a crash that is compared with its reference
};

std::shared_ptr<const Setup> setup_for(std::uint64_t seed, const SeedOptions&);
// One event and what it did, into the digest of a run.
void add_to(Digest&, const World&, const Event&);

WorldPlan plan_for(std::uint64_t seed, const SeedOptions&);
SeedResult run_plan(const WorldPlan&, std::uint64_t seed, const SeedOptions&, Tally&);
// The same with the plan that follows from the seed.
SeedResult run_seed(std::uint64_t seed, const SeedOptions&, Tally&);

}  // namespace holdfast::sim
