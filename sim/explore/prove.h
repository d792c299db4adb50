// Every reachable state within bounds, breadth first: a shortest trace to a violation, or a certificate that
// there is none. docs/state-model.md says what a state is, what is left out, and what is proved.
//
// States are told apart by fingerprints of 128 bits (sim/world/key.h): the certificate says "probabilistic"
// and with what probability a state may have been missed. From every state the faults also stop, and the fair
// continuation must come to rest with everything accounted for.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "sim/base/digest.h"
#include "sim/explore/moves.h"
#include "sim/explore/tally.h"
#include "sim/oracle/oracle.h"

namespace holdfast::sim {

struct ProveBounds {
  int tickets = 1;
  int dispatchers = 1;
  int faults = 1;    // fault events in a run, each from the whole enabled catalogue
  int crashes = 1;   // deaths of a dispatcher
  int persons = 0;   // acts of people
  int attempts = 1;  // of a ticket that are charged to it, and as many that are not
  int commits = 1;   // of a worker
  int changes = 0;   // that a worker leaves uncommitted
  FaultSet kinds = FaultSet::all();
  std::uint64_t most_states = 0;  // 0: as many as there are
  std::uint64_t most_bytes = std::uint64_t{12} << 30;
  int jobs = 1;
  bool liveness = true;
  Reductions reductions;
};

enum class ProveEnd { complete, violated, stuck, incomplete };

struct ProveResult {
  ProveEnd end = ProveEnd::incomplete;
  std::string why_incomplete;
  std::uint64_t states = 0, transitions = 0, fair_states = 0;
  std::uint64_t frontier = 0, widest = 0;  // states whose successors are not known yet; the most at once
  int depth = 0;
  double seconds = 0;
  std::uint64_t bytes = 0, most_bytes = 0;  // of the sets of states; of everything, at its highest
  Digest digest;                            // of the set of states, in whatever order they were found
  Tally tally;
  std::vector<Violation> violations;
  // Broken twins that were searched within the very same bounds and reductions, and those that were caught.
  int twins_tried = 0;
  std::vector<std::string> twins_killed;
  std::vector<std::string> trace;  // shortest, to the violation
  // Of each of its lines: it follows by itself from what was before. The others are what a person has to
  // read.
  std::vector<bool> follows;
  std::vector<std::string> fair;  // from there to the end, where it is stuck
};

std::shared_ptr<const Setup> prove_setup(const ProveBounds&, DispatcherMaker, const Defects&);
// `progress` is called now and then, by one thread at a time; `stop` ends it early, and then the result says
// incomplete.
ProveResult prove(const ProveBounds&, const std::shared_ptr<const Setup>&,
                  const std::function<void(const ProveResult&)>& progress, const std::atomic<bool>& stop);

}  // namespace holdfast::sim
