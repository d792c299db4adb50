// What may happen next, as `prove` sees it: fewer orders than the world allows, and why nothing is lost or
// what is given up. docs/state-model.md has the arguments; each rule can be switched off, and a test compares
// the verdicts.
#pragma once

#include <optional>
#include <vector>

#include "sim/world/world.h"

namespace holdfast::sim {

struct Reductions {
  // Calls that only look, and the installation's own, are answered before anything else happens. A call
  // during which the world moves is slow, and that is a fault: F5.
  bool prompt_reads = true;
  // What a call has done is answered before anything else happens (when it is done is free). F5 again, else.
  bool prompt_answers = true;
  // Time passes only while no dispatcher has anything to do: what has not been struck by a fault is answered
  // before the next timer is due. F5 again, else.
  bool prompt_calls = true;
  // A state in which only one thing can happen, and that is not time, is passed through, and not stored.
  bool run_on = true;
  // While a prompt call is on its way, a dispatcher dies only where that call is about to change something.
  bool crash_where_it_matters = true;
  // Workers and runners act only where it makes a difference whether they did: while nobody does anything, or
  // before a call that would see or touch them. Every other call takes hold first.
  bool workers_when_it_matters = true;
  // News come at once, while nobody does anything: what else may happen first may also happen before the look
  // that follows them.
  bool news_at_once = true;
  // What a dead dispatcher has asked of git acts, or is found never to have left, only where it meets
  // somebody: before a call of git's, beside a worker that may still write, and while faults may still
  // strike.
  bool late_git_when_met = true;
};

// Everything that may happen next, faults included.
void moves(const World&, const Reductions&, std::vector<Event>& out);

// What nobody waits for any more, looks and answers; news of what a look has just seen; and pins that hold
// nothing.
void forget_what_tells_nothing(World&);

// The only thing that may happen next, if there is only one, and it is not time.
std::optional<Event> forced_move(const World&, const Reductions&);

}  // namespace holdfast::sim
