// Tickets as JSON Lines: one object on one line for each ticket. What is written can be read again, byte for
// byte; what is read is checked strictly, and every mistake is named by line, place and what was expected.
//
//   {"id":"T-1","title":"Fix it","body":"...","state":"todo","priority":100,"profile":"","labels":["bug"],
//    "depends_on":["T-0"],"created_at":1700000000000,"changed_at":1700000000000,"reason":"","comments":[...]}
//
// Only id and title are required; state is then `todo`, as with `ticket add`, priority 100, the times those
// of the import.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "dispatcher/board/ticket_rows.h"
#include "dispatcher/core/board_ticket.h"

namespace holdfast {

struct TicketLine {
  int line = 0;
  BoardTicket ticket;
  std::vector<sqlite::Comment> comments;
};

struct LineError {
  int line = 0;
  std::string path;      // JSON pointer into that line's object; empty: the line itself
  std::string expected;  // in words: "must be a string, is a number"
  friend bool operator==(const LineError&, const LineError&) = default;
};

// "line 3: /labels/1: is empty"
std::string words_for(const LineError&);

struct TicketLines {
  std::vector<TicketLine> lines;
  std::vector<LineError> errors;  // at most 100; the rest is not looked at
};

// Everything that can be said without a board: syntax, types, texts, ids twice, rings of dependencies.
TicketLines parse_ticket_lines(std::string_view text, Instant now);

std::string ticket_line(const BoardTicket&, const std::vector<sqlite::Comment>&);  // with its newline

}  // namespace holdfast
