// A look of our own, for plan, explain and doctor: everything that the dispatcher would read, read once and
// fed through the same core; nothing is written, and no worker can tell.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "dispatcher/board/desk.h"
#include "dispatcher/core/decide.h"
#include "dispatcher/core/schedule.h"
#include "dispatcher/driver/perform.h"
#include "dispatcher/look/hindrances.h"

namespace holdfast {

class LookAround {
 public:
  // A person waits for it: what does not answer soon is said to be silent, not dead, so `within.call` should
  // be short.
  LookAround(World& looked_at, Desk& board_desk, const Policy& policy, const Deadlines& deadlines)
      : world(looked_at), desk(board_desk), within(deadlines) {
    brain.policy = policy;
  }
  virtual ~LookAround() = default;  // whoever opens the parts for it keeps them with it
  LookAround(const LookAround&) = delete;
  LookAround& operator=(const LookAround&) = delete;

  // Reads ledger, board, records and tmux servers. `worktrees`: also asks git about the pool and its refs.
  void look(bool worktrees);
  // Performs one effect that only reads, and absorbs its answer.
  void perform_reading(const Effect&);
  // What would be done next about this ticket; what it must see first is looked at.
  Plan plan_for(const TicketId&);

  World& world;
  Desk& desk;
  Deadlines within;
  Brain brain;
  std::map<int, RawReply> silent;     // tmux servers that did not answer: they are asked once a look
  std::vector<std::string> troubles;  // what could not be looked at
  std::vector<SlotSighting> slots;    // as git has them
  std::vector<Hindrance> hindrances;  // what the dispatcher tried last, in vain

 private:
  [[nodiscard]] bool is_on_the_board(const CommentTicket&);
};

// What an attempt looks like now: `dead` also where its death is recorded already.
Verdict verdict_for(const TicketKnowledge&, Instant now);

}  // namespace holdfast
