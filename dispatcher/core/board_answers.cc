#include "dispatcher/core/board_answers.h"

namespace holdfast {

BoardSaid board_said(const RawReply& raw) {
  switch (raw.transport) {
    case Transport::never_sent: return BoardSaid::never_sent;
    case Transport::no_answer: return BoardSaid::no_answer;
    case Transport::cut: return BoardSaid::cut;
    case Transport::answered: break;
  }
  if (raw.code >= 200 && raw.code < 300) return BoardSaid::yes;
  switch (raw.code) {
    case 0: return BoardSaid::garbled;
    case 401: return BoardSaid::unauthorized;
    case 403: return BoardSaid::forbidden;
    case 404: return BoardSaid::not_found;
    case 409: return BoardSaid::conflict;
    case 410: return BoardSaid::gone;
    case 412: return BoardSaid::outdated;
    case 400:
    case 413:
    case 422: return BoardSaid::unprocessable;
    case 423: return BoardSaid::locked;
    case 429: return BoardSaid::too_many;
    default: return BoardSaid::failed;
  }
}

BoardMoment moment_of_move(const std::optional<Attempt>& newest) {
  if (!newest) return BoardMoment::last_move;
  switch (newest->phase) {
    case Phase::planned: return newest->step == Step::claimed ? BoardMoment::claim : BoardMoment::after_spawn;
    case Phase::newborn:
    case Phase::ready: return BoardMoment::after_spawn;
    case Phase::running:
    case Phase::waiting: return BoardMoment::running;
    case Phase::finished:
    case Phase::lost:
    case Phase::closed: return BoardMoment::last_move;
  }
  __builtin_unreachable();
}

// A 4xx is the server's word that this request changed nothing; a 5xx is no word at all.
BoardMeaning meaning_of(BoardSaid said) {
  switch (said) {
    case BoardSaid::yes: return {Known::done};
    case BoardSaid::unauthorized:
    case BoardSaid::forbidden: return {Known::refused, Why::denied};
    case BoardSaid::not_found:
    case BoardSaid::gone: return {Known::refused, Why::gone};
    case BoardSaid::conflict:
    case BoardSaid::outdated: return {Known::refused, Why::conflict};
    case BoardSaid::unprocessable: return {Known::refused, Why::invalid};
    case BoardSaid::locked:
    case BoardSaid::too_many:
    case BoardSaid::never_sent: return {Known::refused, Why::busy};
    case BoardSaid::failed:
    case BoardSaid::no_answer:
    case BoardSaid::cut:
    case BoardSaid::garbled: return {Known::unknown};
  }
  __builtin_unreachable();
}

namespace {

// A claim, a correction, a last move: each names the version that it goes by, so what follows is the same. A
// conflict may be our own earlier write, or one of ours that comes late.
BoardNext after_move(BoardSaid said) {
  switch (said) {
    case BoardSaid::yes: return BoardNext::go_on;
    case BoardSaid::conflict:
    case BoardSaid::outdated: return BoardNext::take_their_view;
    case BoardSaid::unprocessable:  // it may have become a state that only persons leave
    case BoardSaid::failed:
    case BoardSaid::no_answer:
    case BoardSaid::cut:
    case BoardSaid::garbled: return BoardNext::read_first;
    case BoardSaid::unauthorized:
    case BoardSaid::forbidden:
    case BoardSaid::locked:
    case BoardSaid::too_many:
    case BoardSaid::never_sent: return BoardNext::same_again;
    case BoardSaid::not_found:
    case BoardSaid::gone: return BoardNext::is_it_gone;
  }
  __builtin_unreachable();
}

// It carries a key, so it may be sent until somebody has said what became of it.
BoardNext after_comment(BoardSaid said) {
  switch (said) {
    case BoardSaid::yes: return BoardNext::go_on;
    case BoardSaid::unauthorized:
    case BoardSaid::forbidden:
    case BoardSaid::locked:
    case BoardSaid::too_many:
    case BoardSaid::never_sent:
    case BoardSaid::failed:
    case BoardSaid::no_answer:
    case BoardSaid::cut:
    case BoardSaid::garbled: return BoardNext::same_again;
    case BoardSaid::not_found:
    case BoardSaid::gone:
    case BoardSaid::conflict:
    case BoardSaid::outdated:
    case BoardSaid::unprocessable: return BoardNext::let_it_be;
  }
  __builtin_unreachable();
}

BoardNext after_look(BoardSaid said) {
  switch (said) {
    case BoardSaid::yes: return BoardNext::go_on;
    case BoardSaid::not_found:
    case BoardSaid::gone: return BoardNext::is_it_gone;
    case BoardSaid::unauthorized:
    case BoardSaid::forbidden:
    case BoardSaid::conflict:
    case BoardSaid::outdated:
    case BoardSaid::unprocessable:
    case BoardSaid::locked:
    case BoardSaid::too_many:
    case BoardSaid::failed:
    case BoardSaid::never_sent:
    case BoardSaid::no_answer:
    case BoardSaid::cut:
    case BoardSaid::garbled: return BoardNext::same_again;
  }
  __builtin_unreachable();
}

}  // namespace

BoardNext next_after(BoardSaid said, BoardMoment moment) {
  switch (moment) {
    case BoardMoment::claim:
    case BoardMoment::after_spawn:
    case BoardMoment::running:
    case BoardMoment::last_move: return after_move(said);
    case BoardMoment::comment: return after_comment(said);
    case BoardMoment::look: return after_look(said);
  }
  __builtin_unreachable();
}

const char* words_for(BoardSaid said) {
  switch (said) {
    case BoardSaid::yes: return "200 to 299";
    case BoardSaid::unauthorized: return "401";
    case BoardSaid::forbidden: return "403";
    case BoardSaid::not_found: return "404";
    case BoardSaid::conflict: return "409";
    case BoardSaid::gone: return "410";
    case BoardSaid::outdated: return "412";
    case BoardSaid::unprocessable: return "400, 413, 422";
    case BoardSaid::locked: return "423";
    case BoardSaid::too_many: return "429";
    case BoardSaid::failed: return "5xx, any other number";
    case BoardSaid::never_sent: return "no connection, timeout before it was sent";
    case BoardSaid::no_answer: return "timeout after it was sent";
    case BoardSaid::cut: return "cut, in the body too";
    case BoardSaid::garbled: return "unreadable, or not a board's";
  }
  __builtin_unreachable();
}

const char* words_for(BoardMoment moment) {
  switch (moment) {
    case BoardMoment::claim: return "claim (before the spawn)";
    case BoardMoment::after_spawn: return "after the spawn";
    case BoardMoment::running: return "while it runs";
    case BoardMoment::last_move: return "last move";
    case BoardMoment::comment: return "comment";
    case BoardMoment::look: return "reading the ticket";
  }
  __builtin_unreachable();
}

const char* words_for(BoardNext next) {
  switch (next) {
    case BoardNext::go_on: return "go on";
    case BoardNext::take_their_view: return "take their view";
    case BoardNext::read_first: return "read first";
    case BoardNext::same_again: return "the same again";
    case BoardNext::is_it_gone: return "is it gone?";
    case BoardNext::let_it_be: return "let it be";
  }
  __builtin_unreachable();
}

}  // namespace holdfast
