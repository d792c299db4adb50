// A look of our own, for plan, explain and doctor: everything that the dispatcher would read, read once and
// fed through the same core; nothing is written, and no worker can tell.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "dispatcher/cli/hindrances.h"
#include "dispatcher/cli/installation.h"
#include "dispatcher/core/decide.h"
#include "dispatcher/core/schedule.h"

namespace holdfast::cli {

struct LookAround {
  Config config;
  std::unique_ptr<Installation> parts;
  Brain brain;
  std::map<int, RawReply> silent;     // tmux servers that did not answer: they are asked once a look
  std::vector<std::string> troubles;  // what could not be looked at
  std::vector<SlotSighting> slots;    // as git has them
  std::vector<Hindrance> hindrances;  // what the dispatcher tried last, in vain

  // Performs one effect that only reads, and absorbs its answer.
  void perform_reading(const Effect&);
  // What would be done next about this ticket; what it must see first is looked at.
  Plan plan_for(const TicketId&);
};

// `worktrees`: also ask git about the pool and its refs.
Or<std::unique_ptr<LookAround>> look_around(const Config&, bool worktrees);

}  // namespace holdfast::cli
