// The decision table: (recorded phase x verdict x board state) -> rule. Written down for people in
// docs/decision-table.md; a test holds that page against this function and enumerates every row.
#pragma once

#include <optional>

#include "dispatcher/core/attempt.h"
#include "dispatcher/core/verdict.h"

namespace holdfast {

// What to do about a ticket, in one word each. core/decide.cc says how.
enum class Rule {
  rest,           // nothing is wanted, nothing is there
  dispatch,       // claim it, if it is eligible and there is room
  watch_review,   // see whether its branch has been landed
  pick_up,        // claimed: tell the board, prepare, spawn; after a lost answer look, then adopt or seal
  adopt,          // its runner was found: record the newborn
  abandon,        // nobody wants it any more: seal it before it is born
  bring_up,       // newborn: give the go-ahead, wait until it is ready for input
  deliver,        // ready: hand over the prompt
  watch,          // running: read what it says, deliver messages
  await_answer,   // it asked a QUESTION
  keep_and_show,  // the board says todo, the runtime lives: keep it, put the board right, spawn nothing
  obey,           // a person wants it ended: TERM, KILL, verified gone
  record_death,   // dead, and the ledger does not know yet: certificate
  finish_up,      // it said DONE or REVIEW and is not gone yet: give it time, then end it
  close,          // dead: inspect, save, gate, give everything back
  settle,         // closed: tell the board
};

// A board state as last read; nullopt: never read, or the ticket is gone from the board.
using BoardView = std::optional<BoardState>;
// A recorded phase; nullopt: no attempt is open and none is unsettled.
using RecordedPhase = std::optional<Phase>;

// A wish to stop, park or cancel counts as the board state `cancelled`; the caller maps it.
// Does the row say that a runtime is there and may still act? Not: before the spawn, and after its end or
// DONE.
bool says_live(Phase);
bool is_at_work(Phase);  // its worker has its worktree: ready, running or waiting

Rule rule_for(RecordedPhase, Verdict, BoardView);

const char* words_for(Rule);
const char* reason_for(Rule);  // one sentence, for explain and the docs

}  // namespace holdfast
