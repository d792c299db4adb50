// What is going on, at a glance: every ticket that is not over as one line, first those that need a person.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "dispatcher/look/plan.h"

namespace holdfast {

// The order is that of the lines.
enum class Need {
  answer,     // it asks
  look,       // something about its runtime is shown to a person, or nobody can tell whether it lives
  judgement,  // in review
  decision,   // blocked
  nothing,    // its worker is at work
  room,       // it waits to be claimed
  wish,       // it is in the backlog, done or cancelled
};
const char* words_of(Need);

struct OverviewLine {
  Need need = Need::nothing;
  TicketId ticket;
  std::optional<AttemptId> runtime;  // that still needs something
  std::optional<BoardState> state;   // nothing: it is not on the board
  std::optional<Phase> phase;        // of the runtime
  std::optional<Verdict> verdict;    // of the runtime
  Instant since;                     // its last change
  std::string title;                 // hostile, as the next
  std::string what;                  // the question, the attention, the reason, or what comes next
};

struct Overview {
  Instant at;
  int live = 0, places = 0;       // runtimes, and how many there may be
  int free_slots = 0, slots = 0;  // worktrees
  std::map<Need, int> needs;      // also those that are not listed
  std::vector<OverviewLine> lines;
  std::vector<std::string> troubles;  // what could not be seen, and what stands in the way
};

// `live`: what plan_tickets says of the runtimes. `all`: also what needs nothing and nobody (Need::wish).
Overview overview_of(const Knowledge&, const Policy&, const std::vector<PlannedTicket>& live, bool all);
// The same by a look, with its troubles.
Overview overview_of(LookAround&, bool all);

Json row_of(const Overview&);

}  // namespace holdfast
