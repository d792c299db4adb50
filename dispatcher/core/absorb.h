// What has been learned goes into Knowledge. The only writer of Knowledge; decide() only reads it.
#pragma once

#include <set>
#include <string>
#include <variant>

#include "dispatcher/core/effects.h"
#include "dispatcher/core/knowledge.h"
#include "dispatcher/core/policy.h"

namespace holdfast {

// News only wakes: it says where to look, never what is there.
struct AttemptNews {
  AttemptId attempt;
};  // its record folder changed
struct ServerNews {
  int shard = 0;
};  // sessions or clients changed
struct LedgerNews {};  // somebody else may have written
struct BoardNews {};
using News = std::variant<AttemptNews, ServerNews, LedgerNews, BoardNews>;

// An effect is on its way. To be called before its answer is absorbed, by whoever performs effects.
void begun(Knowledge&, const Effect&);

// Both return the tickets about which something is new, so that only those are decided again.
std::set<TicketId> absorb(Knowledge&, const Answer&, const Policy&);
std::set<TicketId> absorb(Knowledge&, const News&);

}  // namespace holdfast
