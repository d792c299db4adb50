// Tickets that wait for each other in a ring would wait for ever.
#pragma once

#include <map>
#include <vector>

#include "dispatcher/core/ids.h"

namespace holdfast {

using Dependencies = std::map<TicketId, std::vector<TicketId>>;

// The tickets of one ring, the first repeated at the end; empty: there is none.
std::vector<TicketId> find_cycle(const Dependencies&);

}  // namespace holdfast
