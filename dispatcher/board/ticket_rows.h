// Tickets, their labels, dependencies and comments as rows. No transactions and no rules.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "dispatcher/core/board_ticket.h"
#include "dispatcher/ledger/sqlite_connection.h"

namespace holdfast::sqlite {

std::optional<BoardTicket> read_ticket(Connection&, const TicketId&);
void read_lists(Connection&, BoardTicket&);       // labels and dependencies of ticket.id
std::vector<TicketId> every_ticket(Connection&);  // in the order in which they were made

struct ChangedTicket {
  TicketId id;
  std::int64_t seq = 0;
  std::int64_t bytes = 0;  // of its body
};
std::vector<ChangedTicket> tickets_changed_after(Connection&, std::int64_t cursor, int at_most);

// The ticket as given, under the next number of the board's one counter of changes; its dependencies apart,
// since they may come after it.
void insert_ticket(Connection&, const BoardTicket&);
// Only over the version that was read; `now.version` must be larger.
void update_ticket(Connection&, const BoardTicket& was, const BoardTicket& now);
// Labels and dependencies that are there are dropped first.
void store_labels(Connection&, const BoardTicket&);
void store_dependencies(Connection&, const BoardTicket&);

struct Comment {
  std::string key;
  Instant at;
  std::string author;
  std::string text;
  friend bool operator==(const Comment&, const Comment&) = default;
};
// False: a comment of that key is there, and stays as it is.
bool append_comment(Connection&, const TicketId&, const Comment&);
std::vector<Comment> comments_of(Connection&, const TicketId&);

}  // namespace holdfast::sqlite
