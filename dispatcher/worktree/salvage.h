// What was salvaged of an attempt, for those who must know before they clean up.
#pragma once

#include "dispatcher/worktree/operations.h"
#include "dispatcher/worktree/snapshot.h"

namespace holdfast {

struct Salvage {
  std::string ref;
  std::string commit;
  std::string content_key;
};
OrReply<std::vector<Salvage>> salvages_of(const Context&, const AttemptId&, const GitHow&);

}  // namespace holdfast
