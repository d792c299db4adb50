// What a whole run has shown, for the invariants that speak of runs rather than of states: S18, L5 and L9. It
// is kept beside the world, not in it: the state key of `prove` knows nothing of it, and what `prove` checks
// does not ask it. (L6 compares two runs: sim/explore/convergence.h.)
#pragma once

#include <map>
#include <set>
#include <vector>

#include "sim/oracle/oracle.h"

namespace holdfast::sim {

class Chronicle {
 public:
  void before(const World&, const Event&);  // the choice, when it is about to be taken
  void after(const World&);                 // what came of it

  struct Claimed {
    AttemptId attempt;
    int by = 0;
    int troubles_before = 0;  // faults, deaths of dispatchers, acts of people until then
    Instant at, died_at;      // true time
  };
  std::map<TicketId, std::vector<Claimed>> claims;
  std::set<TicketId> touched;      // something struck it, or a person had a hand in it
  bool everybody_touched = false;  // something struck the installation
  int troubles = 0;
  std::set<AttemptId> ended_by_nature;  // workers that went of their own accord
  struct Victim {
    AttemptId attempt;
    std::size_t of = 0;  // so many went with that server
  };
  std::vector<Victim> victims;  // attempts whose session went with a tmux server
};

// At the end of a run, beside check_liveness.
void check_run(const World&, const Chronicle&, Findings&);

}  // namespace holdfast::sim
