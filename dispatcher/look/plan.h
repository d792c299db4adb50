// What would be done now, ticket by ticket, and why: the dispatcher's own decisions over a look, performed by
// nobody.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "dispatcher/look/look.h"
#include "dispatcher/rows/rows.h"

namespace holdfast {

struct PlannedTicket {
  TicketId ticket;
  std::optional<AttemptId> runtime;  // of the attempt that still needs something
  std::optional<BoardState> state;   // nothing: it is not on the board
  std::optional<Verdict> verdict;    // of the runtime
  Plan next;
};

enum class PlanScope {
  live,  // those with a runtime; nobody asks git about tickets in review
  due,   // and those about which there is something to do
  all,
};

// Live ones first, then those that would be claimed, in their order, then the rest.
std::vector<PlannedTicket> plan_tickets(LookAround&, PlanScope);

Json row_of(const PlannedTicket&);

const char* words_of(Life);
// "nothing could be seen of it" and what stands in the way, as texts for people.
Json troubles_of(const LookAround&);
Json hindrances_of(const LookAround&, const TicketId& about = {});  // empty: all of them

}  // namespace holdfast
