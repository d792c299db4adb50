// Who meets whom: which calls see or touch what workers, runners and the world do by themselves. What does
// not meet may be taken in either order, and comes to the same. docs/state-model.md has the argument for
// each.
#pragma once

#include "sim/world/world.h"

namespace holdfast::sim {

// A call that has not taken hold: nothing that a worker or a runner may do before it makes a difference to
// it, nor the other way round; and no other call that could is in flight.
bool meets_nobody(const World&, const Flight&);

// The same for one event: would it make a difference whether it comes before this call, or after its answer?
bool would_make_a_difference(const World&, const Flight&, const Event&);
// What its ticket's runtime has done meanwhile is heard before it takes hold: heard later, it might as well
// have happened later.
bool news_come_first(const World&, const Flight&);

// News, and their loss.
bool about_news(const Event&);
// While nobody does anything and somebody has something to hear: would it make a difference whether it comes
// before that is heard, or has come before it arose, or comes before the look that follows?
bool may_come_before_news(const Event&);

// A helper of git's whose dispatcher is gone: would it make a difference whether it acts now, or later?
bool late_git_meets_somebody(const World&, const Flight&);

// Faults of one runtime: they come when an act of its own could.
bool strikes_a_runtime(const Event&);

}  // namespace holdfast::sim
