#include "dispatcher/hand/retry_elsewhere.h"

#include "dispatcher/core/classify.h"
#include "dispatcher/core/names.h"
#include "dispatcher/core/verdict.h"
#include "dispatcher/core/words.h"

namespace holdfast {
namespace {

std::unexpected<Refusal> no(int status, const char* code, std::string words) {
  return std::unexpected(Refusal{status, code, std::move(words)});
}

std::unexpected<Refusal> board_said(const RawReply& raw, const TicketId& id) {
  if (raw.transport == Transport::answered && raw.code == 404)
    return no(404, "no_such_ticket", "no ticket " + id.value + " on its board");
  if (raw.transport == Transport::answered && (raw.code == 409 || raw.code == 412))
    return no(409, "version_conflict", id.value + " was changed on its board meanwhile: " + raw.error);
  if (raw.transport == Transport::never_sent)
    return no(503, "board_away", "its board cannot be asked now: " + raw.error);
  return no(503, "not_known", "its board did not say what came of it: " + raw.error);
}

}  // namespace

Taken<BoardTicket> retry_elsewhere(const Hand& hand, Board& board, const TicketId& id,
                                   const std::string& reason) {
  const auto attempts = hand.ledger.attempts_of(id);
  if (attempts.raw.transport != Transport::answered || attempts.raw.code != 0)
    return std::unexpected(refusal_of(attempts.raw));
  if (attempts.value.empty())
    return no(409, "never_begun", id.value + " was never begun here; move it on its board");
  const Attempt& newest = attempts.value.back();
  if (newest.open()) return no(409, "runtime_open", attempt_key(newest.id) + " is still open");
  if (!newest.settled)
    return no(409, "not_told", attempt_key(newest.id) + " is closed, but its board does not know yet");
  const auto certificate = certify(newest, {}, hand.now);
  if (!certificate) return no(409, "no_death", attempt_key(newest.id) + " is closed without a death");
  const auto there = board.read(id);
  if (!is_done(classify(Call::board_read, there.raw))) return board_said(there.raw, id);
  const BoardState state = there.value.state;
  if (state == BoardState::done || state == BoardState::cancelled)
    return no(409, "conflict",
              id.value + " is " + words_for(state) + " on its board; only there that is taken back");
  const auto wrote = hand.ledger.write(Retry{id, hand.by + (reason.empty() ? "" : ": " + reason)}, hand.now);
  if (wrote.raw.transport != Transport::answered || wrote.raw.code != 0)
    return std::unexpected(refusal_of(wrote.raw));
  if (state == BoardState::todo) return there.value;
  const auto moved = board.return_to_todo(*certificate, there.value.version,
                                          reason.empty() ? "tried again by " + hand.by : reason, hand.now);
  if (!is_done(classify(Call::board_return, moved.raw))) return board_said(moved.raw, id);
  return moved.value;
}

}  // namespace holdfast
