// What truly happened in one step, for the oracles: facts about the world, not anybody's belief. Volatile:
// the list is emptied when the next step begins, and is no part of the state.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "dispatcher/core/attempt.h"
#include "dispatcher/core/effects.h"
#include "faults/fault.h"

namespace holdfast::sim {

inline constexpr int by_person = -1, by_world = -2, by_worker = -3;

struct BoardMoved {
  TicketId ticket;
  BoardState from = BoardState::todo, to = BoardState::todo;
  int by = by_person;
  std::string reason;
};
struct RowChanged {  // of the ledger
  std::optional<Attempt> before;
  Attempt after;
  int by = 0;
  Instant at;
  int events = 0;  // that were appended to the log with it
};
struct WriteRefused {
  AttemptId attempt;
  int by = 0;
};
struct WorkerBorn {
  AttemptId attempt;
};
struct TreeEmpty {
  AttemptId attempt;
};
struct InputRead {  // a worker has read a message
  AttemptId runtime;
  MessageId message;
  AttemptId meant_for;
  MessageKind kind = MessageKind::prompt;
};
struct TypedWhileAttached {
  AttemptId attempt;
};
struct Signalled {
  AttemptId asked_for;
  std::optional<AttemptId> hit;  // nothing: a stranger
  int by = 0;
  bool attached = false;
  bool asked_by_person = false;
};
struct SessionEnded {
  AttemptId asked_for;
  std::optional<AttemptId> hit;
  bool live = false;  // the runtime in it lived
  bool attached = false;
  bool asked_by_person = false;
  int by = 0;
};
struct Spawned {
  AttemptId attempt;
  int by = 0;
  bool announced = false;  // the ledger held the intent
  BoardState board = BoardState::todo;
  bool known = true;  // to the board
};
struct SlotTouched {  // a worktree was written by a dispatcher
  SlotId slot;        // empty: the main checkout
  AttemptId by_attempt;
  std::optional<AttemptId> owner_alive;  // somebody else lives in it
  int changes_lost = 0;                  // uncommitted, and salvaged nowhere
};
struct RefMoved {
  std::string ref;
  int by = 0;
  bool forced = false;  // neither forward, nor new, nor by compare-and-swap
};
struct FaultFired {
  FaultId fault = FaultId::none;
  TicketId ticket;  // that it was about; empty: the installation
  std::optional<Phase> phase;
};

struct Happenings {
  std::vector<BoardMoved> board;
  std::vector<RowChanged> rows;
  std::vector<WriteRefused> refused;
  std::vector<WorkerBorn> born;
  std::vector<TreeEmpty> ended;
  std::vector<InputRead> inputs;
  std::vector<TypedWhileAttached> typed;
  std::vector<Signalled> signalled;
  std::vector<SessionEnded> sessions;
  std::vector<Spawned> spawned;
  std::vector<SlotTouched> slots;
  std::vector<RefMoved> refs;
  std::vector<FaultFired> faults;
  bool anything = false;  // set by whoever adds; spares the oracles the empty steps

  void clear() {
    if (!anything) return;
    board.clear(), rows.clear(), refused.clear(), born.clear(), ended.clear(), inputs.clear(), typed.clear();
    signalled.clear(), sessions.clear(), spawned.clear(), slots.clear(), refs.clear(), faults.clear();
    anything = false;
  }
};

}  // namespace holdfast::sim
