// A person's hand on tickets and runtimes: what the command line and the HTTP interface do for people. Where
// an attempt is open, ending it is a wish in the ledger, which the dispatcher obeys; else it is a move on the
// board.
//
// Every function either does its one thing or changes nothing, and a repeated call does no harm: a wish is
// there already, a message's name is taken once.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "dispatcher/board/desk.h"
#include "dispatcher/core/attempt.h"
#include "dispatcher/core/attempt_sightings.h"
#include "dispatcher/ports/ledger.h"

namespace holdfast {

// Why it was not done. `status` is an HTTP number: 404 no such thing, 409 not now, 422 wrong, 500 503 507 the
// ledger's file. `code` is stable, for programs; `words` is one line for people.
struct Refusal {
  int status = 500;
  std::string code = "failed";
  std::string words;
  std::string runtime_status = {};  // of the runtime that does not take it now: "ready", "busy", "closed"
};
template <class T>
using Taken = std::expected<T, Refusal>;

Refusal refusal_of(const DeskError&);
Refusal refusal_of(const RawReply& of_the_ledger);

struct Hand {
  Ledger& ledger;
  Desk& desk;
  std::string by;  // the person
  Instant now;
};

// "T-1" or "T-1-g2"; which is meant is never a guess, since no ticket id ends like the latter.
Taken<TicketId> ticket_called(const std::string& name);
Taken<Attempt> attempt_called(Ledger&, const std::string& name);       // of a ticket: the newest
Taken<Attempt> open_attempt_called(Ledger&, const std::string& name);  // 409 where it is closed

// Cancelled or parked: at once where nothing runs, else once it is ended, its work saved.
struct Ended {
  std::optional<AttemptId> wished;  // its dispatcher ends it; nothing: the ticket was moved
  BoardState state = BoardState::cancelled;
};
Taken<Ended> cancel(const Hand&, const TicketId&, const std::string& reason);
Taken<Ended> park(const Hand&, const TicketId&, const std::string& reason);

// `todo` again, with fresh budgets. 409 while an attempt is open.
Taken<BoardTicket> retry(const Hand&, const TicketId&, const std::string& reason);

// Ends a runtime; its ticket is blocked then.
Taken<AttemptId> stop(const Hand&, const std::string& runtime, const std::string& reason);

// Queued, and typed once the runtime takes input. `name`: two messages of one name are one; the answer is the
// one that is there.
Taken<Message> send(const Hand&, const Attempt&, const std::string& text, const std::string& name);
// To the question that was asked; 409 where none was, or it is answered already.
Taken<Message> answer(const Hand&, const TicketId&, const std::string& text);

// Why this runtime takes no input now: "runtime is not ready for input, status=..."; nothing: it does.
std::optional<Refusal> not_ready(const Attempt&, const std::vector<Message>&, const RecordSighting*);

}  // namespace holdfast
