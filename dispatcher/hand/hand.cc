#include "dispatcher/hand/hand.h"

#include <algorithm>

#include "dispatcher/board/ticket_checks.h"
#include "dispatcher/core/markers.h"
#include "dispatcher/core/names.h"
#include "dispatcher/core/words.h"

namespace holdfast {
namespace {

std::unexpected<Refusal> refuse(int status, std::string code, std::string words,
                                std::string runtime_status = {}) {
  return std::unexpected(Refusal{status, std::move(code), std::move(words), std::move(runtime_status)});
}

bool answered(const RawReply& raw) {
  return raw.transport == Transport::answered && raw.code == 0;
}

std::string by_and_why(const Hand& hand, const std::string& reason) {
  return reason.empty() ? hand.by : hand.by + ": " + reason;
}

// The newest attempt of a ticket that must be on the board, or have one: then it is on a board elsewhere.
Taken<std::optional<Attempt>> newest_of(const Hand& hand, const TicketId& id) {
  const auto page = hand.desk.show(id);
  if (!page && page.error().status != 404) return std::unexpected(refusal_of(page.error()));
  auto attempts = hand.ledger.attempts_of(id);
  if (!answered(attempts.raw)) return std::unexpected(refusal_of(attempts.raw));
  if (!page && attempts.value.empty()) return std::unexpected(refusal_of(page.error()));
  if (attempts.value.empty()) return std::optional<Attempt>{};
  return std::optional(std::move(attempts.value.back()));
}

Taken<Ended> end_ticket(const Hand& hand, const TicketId& id, const std::string& reason, StopWish wish,
                        BoardState otherwise) {
  const auto newest = newest_of(hand, id);
  if (!newest) return std::unexpected(newest.error());
  if (*newest && (*newest)->open()) {
    const auto wrote = hand.ledger.write(RecordWish{(*newest)->id, wish, by_and_why(hand, reason)}, hand.now);
    if (!answered(wrote.raw)) return std::unexpected(refusal_of(wrote.raw));
    return Ended{(*newest)->id, otherwise};
  }
  const auto moved = hand.desk.move(id, otherwise, reason, hand.by, hand.now);
  if (!moved) return std::unexpected(refusal_of(moved.error()));
  return Ended{std::nullopt, otherwise};
}

Taken<Message> queue(const Hand& hand, const Attempt& attempt, MessageKind kind, const std::string& text,
                     const std::string& name) {
  if (const auto wrong = what_is_wrong_with_text(text))
    return refuse(422, "invalid_text", "the message " + *wrong);
  if (text.empty()) return refuse(422, "invalid_text", "the message is empty");
  Message message;
  message.id = {name};
  message.attempt = attempt.id;
  message.kind = kind;
  message.text = text;
  message.by = hand.by;
  const auto wrote = hand.ledger.write(QueueMessage{message}, hand.now);
  if (!answered(wrote.raw)) return std::unexpected(refusal_of(wrote.raw));
  return wrote.value.messages.empty() ? message : wrote.value.messages.front();
}

}  // namespace

Refusal refusal_of(const DeskError& error) {
  switch (error.status) {
    case 404: return {404, "no_such_ticket", error.words};
    case 409: return {409, "conflict", error.words};
    case 422: return {422, "invalid", error.words};
    case 503: return {503, "busy", error.words};
    case 507: return {507, "full_or_read_only", error.words};
    default: return {500, "failed", error.words};
  }
}

Refusal refusal_of(const RawReply& raw) {
  if (raw.transport != Transport::answered)
    return {503, "no_answer", raw.error.empty() ? "the ledger did not answer" : raw.error};
  switch (raw.code) {
    case ledger_conflict:
    case ledger_exhausted: return {409, "conflict", raw.error};
    case ledger_stale: return {409, "stale_generation", raw.error};
    case ledger_invalid: return {422, "invalid", raw.error};
    default: return {500, "failed", raw.error};
  }
}

Taken<TicketId> ticket_called(const std::string& name) {
  if (const auto wrong = what_is_wrong_with_ticket_id(name))
    return refuse(422, "invalid_id", "ticket id '" + printable(name, 80) + "' " + *wrong);
  return TicketId{name};
}

Taken<Attempt> attempt_called(Ledger& ledger, const std::string& name) {
  const auto exact = parse_attempt_key(name);
  const auto ticket = exact ? Taken<TicketId>(exact->ticket) : ticket_called(name);
  if (!ticket) return std::unexpected(ticket.error());
  auto attempts = ledger.attempts_of(*ticket);
  if (!answered(attempts.raw)) return std::unexpected(refusal_of(attempts.raw));
  for (auto one = attempts.value.rbegin(); one != attempts.value.rend(); ++one)
    if (!exact || one->id == *exact) return std::move(*one);
  return refuse(404, "no_such_runtime", exact ? "no attempt " + name : ticket->value + " has no attempt");
}

Taken<Attempt> open_attempt_called(Ledger& ledger, const std::string& name) {
  auto attempt = attempt_called(ledger, name);
  if (attempt && !attempt->open())
    return refuse(409, "runtime_closed", attempt_key(attempt->id) + " is closed: " + attempt->reason,
                  words_for(attempt->phase));
  return attempt;
}

Taken<Ended> cancel(const Hand& hand, const TicketId& id, const std::string& reason) {
  return end_ticket(hand, id, reason, StopWish::cancel, BoardState::cancelled);
}
Taken<Ended> park(const Hand& hand, const TicketId& id, const std::string& reason) {
  return end_ticket(hand, id, reason, StopWish::park, BoardState::backlog);
}

Taken<BoardTicket> retry(const Hand& hand, const TicketId& id, const std::string& reason) {
  if (const auto page = hand.desk.show(id); !page) return std::unexpected(refusal_of(page.error()));
  const auto wrote = hand.ledger.write(Retry{id, by_and_why(hand, reason)}, hand.now);
  if (!answered(wrote.raw)) return std::unexpected(refusal_of(wrote.raw));
  const auto moved =
      hand.desk.move(id, BoardState::todo, reason.empty() ? "tried again" : reason, hand.by, hand.now);
  if (!moved) return std::unexpected(refusal_of(moved.error()));
  return *moved;
}

Taken<AttemptId> stop(const Hand& hand, const std::string& runtime, const std::string& reason) {
  const auto attempt = open_attempt_called(hand.ledger, runtime);
  if (!attempt) return std::unexpected(attempt.error());
  const auto wrote =
      hand.ledger.write(RecordWish{attempt->id, StopWish::stop, by_and_why(hand, reason)}, hand.now);
  if (!answered(wrote.raw)) return std::unexpected(refusal_of(wrote.raw));
  return attempt->id;
}

Taken<Message> send(const Hand& hand, const Attempt& attempt, const std::string& text,
                    const std::string& name) {
  auto sent = queue(hand, attempt, MessageKind::note, text, name);
  if (sent || sent.error().status != 409) return sent;
  // The name is taken: by this very message, said before, or by another.
  const auto messages = hand.ledger.messages_of(attempt.id);
  for (const Message& m : messages.value)
    if (m.id.value == name && m.text == text && m.kind == MessageKind::note) return m;
  return sent;
}

Taken<Message> answer(const Hand& hand, const TicketId& id, const std::string& text) {
  const auto newest = newest_of(hand, id);
  if (!newest) return std::unexpected(newest.error());
  if (!*newest || !(*newest)->open())
    return refuse(409, "runtime_closed", id.value + " has no runtime that could be answered", "closed");
  const Attempt& a = **newest;
  if (a.phase != Phase::waiting)
    return refuse(409, "nothing_asked",
                  attempt_key(a.id) + " has not asked anything, status=" + words_for(a.phase) +
                      "; `holdfast runtime send` sends a note all the same",
                  words_for(a.phase));
  // One answer to a question: it is named after the place of its question, and the ledger takes a name once.
  // One that was given up may be said again.
  const auto messages = hand.ledger.messages_of(a.id);
  if (!answered(messages.raw)) return std::unexpected(refusal_of(messages.raw));
  std::string name = attempt_key(a.id) + "-answer-" + std::to_string(a.said_offset);
  for (auto same = messages.value.begin(); same != messages.value.end();) {
    if (same->id.value != name) {
      ++same;
      continue;
    }
    if (same->state != MessageState::dropped)
      return refuse(409, "already_answered",
                    attempt_key(a.id) + ": its question is already answered, by " + printable(same->by, 80),
                    words_for(same->state));
    name += "-again";
    same = messages.value.begin();
  }
  auto sent = queue(hand, a, MessageKind::answer, text, name);
  if (!sent && sent.error().status == 409)
    return refuse(409, "already_answered",
                  attempt_key(a.id) + ": its question is already answered, or it has ended", "answered");
  return sent;
}

std::optional<Refusal> not_ready(const Attempt& attempt, const std::vector<Message>& messages,
                                 const RecordSighting* record) {
  const auto no = [](const std::string& status) {
    return Refusal{409, "runtime_not_ready", "runtime is not ready for input, status=" + status, status};
  };
  switch (attempt.phase) {
    case Phase::planned:
    case Phase::newborn:
    case Phase::finished:
    case Phase::lost:
    case Phase::closed: return no(words_for(attempt.phase));
    case Phase::ready:
    case Phase::running:
    case Phase::waiting: break;
  }
  if (record != nullptr && record->end) return no("ended");
  if (record != nullptr && !record->ready) return no(record->worker_running ? "running" : "starting");
  for (const Message& m : messages)
    if (m.attempt == attempt.id && (m.state == MessageState::queued || m.state == MessageState::posted))
      return no("busy");  // an earlier message is still on its way
  return std::nullopt;
}

}  // namespace holdfast
