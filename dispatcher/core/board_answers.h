// What a board's answer means, by the moment at which the board was asked: the whole table in one place.
//
//   what it said x when  ->  what is known now (Done, Refused, Unknown), and what is done next
//
// core/classify takes the first half from here, core/absorb_trouble the second; docs/board-answers.md shows
// both to people, and a test plays every field of it to its end.
//
// Two things hold in every row. Whatever a board says, and for however long it says nothing, is no news about
// a runtime: none is ended and none is held up by it. And nobody is asked to do a thing a second time before
// it was looked whether it was done the first time; but for comments, which the board takes once by their
// key.
#pragma once

#include <optional>

#include "dispatcher/core/attempt.h"
#include "dispatcher/core/outcome.h"
#include "dispatcher/core/raw_reply.h"

namespace holdfast {

enum class BoardSaid {
  yes,            // 2xx, and a body that can be read
  unauthorized,   // 401
  forbidden,      // 403
  not_found,      // 404
  conflict,       // 409
  gone,           // 410
  outdated,       // 412: the version is not the one that the request names
  unprocessable,  // 400, 413, 422: it will not do this
  locked,         // 423
  too_many,       // 429
  failed,         // 5xx, and every number that is not named here
  never_sent,     // no connection, or no time left for it: nothing has left this process
  no_answer,      // sent, and the deadline passed
  cut,            // sent, and the connection ended before the answer did, in its body perhaps
  garbled,        // an answer that is none of a board's: a proxy's page, a body that cannot be read
};
inline constexpr int board_said_count = 15;
BoardSaid board_said(const RawReply&);

enum class BoardMoment {
  claim,        // todo -> in_progress, nothing is spawned yet
  after_spawn,  // the board is put right while its runtime comes up
  running,      // the board is put right while its worker runs, or waits for an answer
  last_move,    // what has become of it
  comment,      // a worker's question
  look,         // the ticket is read
};
inline constexpr int board_moment_count = 6;
// Of a move: by how far the ticket's newest attempt has come.
BoardMoment moment_of_move(const std::optional<Attempt>&);

enum class Known { done, refused, unknown };
struct BoardMeaning {
  Known known = Known::unknown;
  Why why = Why::busy;  // where it is refused
};
BoardMeaning meaning_of(BoardSaid);

enum class BoardNext {
  go_on,
  take_their_view,  // the ticket as the answer shows it, else as it is read: decide from that
  read_first,       // it may have happened: read the ticket, then decide
  same_again,       // nothing was changed: the same request later
  is_it_gone,       // one answer does not say so: see core/knowledge.h, BoardGone
  let_it_be,        // not worth asking again
};
BoardNext next_after(BoardSaid, BoardMoment);

const char* words_for(BoardSaid);
const char* words_for(BoardMoment);
const char* words_for(BoardNext);

}  // namespace holdfast
