#include "dispatcher/core/rules.h"

namespace holdfast {
namespace {

enum class Want { run, drifted, end };

// What the board's state says about a runtime that lives. A person who blocks a ticket, or moves it into
// review, has not asked for its worker to be ended; one who sends it to the backlog, cancels it or calls it
// done has.
Want wanted(BoardView board) {
  if (!board) return Want::run;  // not read yet, or gone from the board: no reason to end anybody
  switch (*board) {
    case BoardState::in_progress:
    case BoardState::in_review:
    case BoardState::blocked: return Want::run;
    case BoardState::todo: return Want::drifted;
    case BoardState::backlog:
    case BoardState::done:
    case BoardState::cancelled: return Want::end;
  }
  __builtin_unreachable();
}

Rule without_attempt(BoardView board) {
  if (!board) return Rule::rest;
  switch (*board) {
    case BoardState::todo: return Rule::dispatch;
    case BoardState::in_review: return Rule::watch_review;
    case BoardState::backlog:
    case BoardState::in_progress:  // a person works on it, or drift: doctor shows it
    case BoardState::blocked:
    case BoardState::done:
    case BoardState::cancelled: return Rule::rest;
  }
  __builtin_unreachable();
}

Rule planned(Verdict verdict, BoardView board) {
  switch (verdict) {
    case Verdict::alive: return Rule::adopt;
    case Verdict::dead: return Rule::record_death;
    case Verdict::unknown: break;
  }
  if (board == BoardState::in_review || board == BoardState::blocked) return Rule::abandon;
  return wanted(board) == Want::end ? Rule::abandon : Rule::pick_up;
}

Rule live(Rule usual, Verdict verdict, BoardView board) {
  if (verdict == Verdict::dead) return Rule::record_death;
  switch (wanted(board)) {
    case Want::run: return usual;
    case Want::drifted: return Rule::keep_and_show;
    case Want::end: return Rule::obey;
  }
  __builtin_unreachable();
}

}  // namespace

Rule rule_for(RecordedPhase phase, Verdict verdict, BoardView board) {
  if (!phase) return without_attempt(board);
  switch (*phase) {
    case Phase::planned: return planned(verdict, board);
    case Phase::newborn: return live(Rule::bring_up, verdict, board);
    case Phase::ready: return live(Rule::deliver, verdict, board);
    case Phase::running: return live(Rule::watch, verdict, board);
    case Phase::waiting: return live(Rule::await_answer, verdict, board);
    case Phase::finished: return verdict == Verdict::dead ? Rule::close : Rule::finish_up;
    case Phase::lost: return Rule::close;
    case Phase::closed: return Rule::settle;
  }
  __builtin_unreachable();
}

bool says_live(Phase phase) {
  switch (phase) {
    case Phase::newborn:
    case Phase::ready:
    case Phase::running:
    case Phase::waiting: return true;
    case Phase::planned:
    case Phase::finished:
    case Phase::lost:
    case Phase::closed: return false;
  }
  __builtin_unreachable();
}

bool is_at_work(Phase phase) {
  switch (phase) {
    case Phase::ready:
    case Phase::running:
    case Phase::waiting: return true;
    case Phase::planned:
    case Phase::newborn:
    case Phase::finished:
    case Phase::lost:
    case Phase::closed: return false;
  }
  __builtin_unreachable();
}

const char* words_for(Rule rule) {
  switch (rule) {
    case Rule::rest: return "rest";
    case Rule::dispatch: return "dispatch";
    case Rule::watch_review: return "watch-review";
    case Rule::pick_up: return "pick-up";
    case Rule::adopt: return "adopt";
    case Rule::abandon: return "abandon";
    case Rule::bring_up: return "bring-up";
    case Rule::deliver: return "deliver";
    case Rule::watch: return "watch";
    case Rule::await_answer: return "await-answer";
    case Rule::keep_and_show: return "keep-and-show";
    case Rule::obey: return "obey";
    case Rule::record_death: return "record-death";
    case Rule::finish_up: return "finish-up";
    case Rule::close: return "close";
    case Rule::settle: return "settle";
  }
  __builtin_unreachable();
}

const char* reason_for(Rule rule) {
  switch (rule) {
    case Rule::rest: return "nothing is wanted of the dispatcher";
    case Rule::dispatch:
      return "it is todo and no attempt is open: claim it once it is eligible and there is room";
    case Rule::watch_review: return "it is in review: it is done once its branch is seen landed";
    case Rule::pick_up:
      return "it is claimed: tell the board, prepare the worktree, spawn; after a lost answer look first";
    case Rule::adopt: return "its runner lives: it is adopted, whatever the spawn answered";
    case Rule::abandon:
      return "nobody wants it any more and nothing of it lives: it is sealed before it is born";
    case Rule::bring_up: return "it is newborn: its silence means nothing until it is ready for input";
    case Rule::deliver: return "it is ready: it gets its prompt, once";
    case Rule::watch: return "it runs: what it says and how it ends is read from its stream and its record";
    case Rule::await_answer: return "it asked a question: the answer goes into this same runtime";
    case Rule::keep_and_show:
      return "the board says todo, but its runtime is not dead: it is kept, the board is put right, nothing "
             "is spawned";
    case Rule::obey:
      return "a person wants it ended: TERM, KILL after a grace, verified gone, salvaged, then the state "
             "changes";
    case Rule::record_death: return "it is certainly dead: the certificate is recorded";
    case Rule::finish_up:
      return "it said that it is finished and is not gone yet: it gets time to end, then it is ended";
    case Rule::close:
      return "it is dead: what it left is inspected and saved, then session, worktree and lease are given "
             "back";
    case Rule::settle: return "it is closed and the board does not know yet: the board is told";
  }
  __builtin_unreachable();
}

}  // namespace holdfast
