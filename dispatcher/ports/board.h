// What the driver asks of a board: where tickets live and people look.
//
// A board is remote, even the built-in one: a transition is conditional on the version that was read, and may
// answer conflict, late, or never. `key` makes a repeated call recognisable: a ticket's `moved_by` shows
// whose transition the last one was, so that our own earlier write whose answer was lost is told from
// somebody else's.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dispatcher/core/board_ticket.h"
#include "dispatcher/core/certificate.h"
#include "dispatcher/ports/reply.h"

namespace holdfast {

// RawReply of a board, whatever carries it: `code` is an HTTP status. 200: moved (value: the ticket now).
// 404: no such ticket. 409: the version is not the expected one, or an open runtime forbids it (value: the
// ticket now, where known). 422: no such transition. 503: busy or unreachable. 507: full disk or read-only.
// 0: an answer that is none of a board's (a proxy's page, a body that cannot be read), whatever its status.
// What each of them means at each moment is written down in core/board_answers.h.
class Board {
 public:
  virtual ~Board() = default;
  virtual Reply<BoardChanges> changes_after(std::int64_t cursor, int at_most) = 0;
  virtual Reply<BoardTicket> read(const TicketId&) = 0;
  virtual Reply<BoardTicket> move(const BoardMove&, Instant now) = 0;
  // The only way back to `todo` for a dispatcher.
  virtual Reply<BoardTicket> return_to_todo(const DeathCertificate&, std::int64_t expected_version,
                                            const std::string& reason, Instant now) = 0;
  // Appends a comment once per key.
  virtual Reply<Nothing> comment(const TicketId&, const std::string& key, const std::string& text,
                                 Instant now) = 0;
};

}  // namespace holdfast
