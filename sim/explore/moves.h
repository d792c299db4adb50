// What may happen next, as `prove` sees it: fewer orders than the world allows, and why nothing is lost or what
// is given up. docs/state-model.md has the arguments; each rule can be switched off, and a test compares the
// verdicts.
#pragma once

#include <vector>

#include "sim/world/world.h"

namespace holdfast::sim {

struct Reductions {
  // The installation's own calls (reading board and ledger, listing servers ...) are answered one after the
  // other before anything else happens. One that is slow, so that the world moves meanwhile, is a fault: F5.
  bool prompt_routine = true;
  // Time passes only while no dispatcher has anything to do: what has not been struck by a fault is answered
  // before the next timer is due. A slow call is a fault: F5.
  bool prompt_calls = true;
  // Tickets, dispatchers and slots that are equal but for their names are the same.
  bool symmetry = true;
};

// Everything that may happen next, faults included.
void moves(const World&, const Reductions&, std::vector<Event>& out);

}  // namespace holdfast::sim
