// A person's side of the built-in board: what the command line and the page do to tickets.
//
// A person may move a ticket anywhere, out of `done` and `cancelled` too; only the file's constraint stands
// in the way: no `todo` beside an open runtime. Nothing is ever deleted. Safe to call from several threads.
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "dispatcher/board/ticket_lines.h"
#include "dispatcher/core/board_ticket.h"
#include "dispatcher/ledger/ledger_mode.h"

namespace holdfast {

// `status` is an HTTP number: 404 no such ticket, 409 it is there already / changed meanwhile / has a
// runtime, 422 the text or the value is wrong, 500 503 507 the file. `words` is one line for a person.
struct DeskError {
  int status = 0;
  std::string words;
  friend bool operator==(const DeskError&, const DeskError&) = default;
};
template <class T>
using DeskAnswer = std::expected<T, DeskError>;

struct NewTicket {
  TicketId id{};  // empty: the next free "T-<number>"
  std::string title{}, body{};
  BoardState state = BoardState::todo;
  int priority = 100;
  std::string profile{};
  std::vector<std::string> labels{};
  std::vector<TicketId> depends_on{};
};

// What is not named stays as it is.
struct TicketEdit {
  std::optional<std::string> title, body, profile;
  std::optional<int> priority;
  std::optional<std::vector<std::string>> labels;
  std::optional<std::vector<TicketId>> depends_on;
  std::optional<std::int64_t> expected_version;  // nothing: whatever it is now
};

// What the dispatcher of another installation does, for which this is the board.
struct TicketTransition {
  std::int64_t expected_version = 0;
  std::optional<BoardState> from;  // a second condition
  BoardState to = BoardState::in_progress;
  std::string reason;
  std::string key;  // of its attempt: whose transition it was
};

struct TicketFilter {
  std::set<BoardState> states{};      // empty: any
  std::vector<std::string> labels{};  // all of them
  std::string text{};                 // in id, title or body, whatever the case of ASCII letters
  int at_most = 10'000;
};

struct TicketMove {
  Instant at;
  std::optional<BoardState> from;  // nothing: it was made
  BoardState to = BoardState::backlog;
  std::string moved_by;
  std::string reason;
  friend bool operator==(const TicketMove&, const TicketMove&) = default;
};

struct TicketPage {
  BoardTicket ticket;
  std::vector<BoardTicket> depends_on;  // as they are now, without body, labels and dependencies
  std::vector<TicketId> dependents;
  std::vector<sqlite::Comment> comments;
  std::vector<TicketMove> history;  // oldest first
};

struct Imported {
  int tickets = 0;
  int held = 0;  // of them: blocked, since they were in progress where they come from
};

class Desk {
 public:
  ~Desk();

  // `by` is a person's name; empty: nobody in particular.
  DeskAnswer<BoardTicket> add(const NewTicket&, const std::string& by, Instant now);
  DeskAnswer<BoardTicket> edit(const TicketId&, const TicketEdit&, Instant now);
  DeskAnswer<BoardTicket> move(const TicketId&, BoardState to, const std::string& reason,
                               const std::string& by, Instant now,
                               std::optional<std::int64_t> expected_version = {});
  DeskAnswer<sqlite::Comment> comment(const TicketId&, const std::string& text, const std::string& by,
                                      Instant now);

  // 409: it is not as expected any more. 422 also out of `done` and `cancelled`, which only a person leaves.
  DeskAnswer<BoardTicket> transition(const TicketId&, const TicketTransition&, Instant now);
  // Once per key; false: a comment of that key is there already.
  DeskAnswer<bool> comment_once(const TicketId&, const std::string& key, const std::string& text,
                                const std::string& by, Instant now);
  // As ports/board.h has it: every ticket that changed after the cursor, as it is now.
  DeskAnswer<BoardChanges> changes_after(std::int64_t cursor, int at_most);

  // By priority, then age; without their bodies.
  DeskAnswer<std::vector<BoardTicket>> list(const TicketFilter&);
  DeskAnswer<TicketPage> show(const TicketId&);

  // All or nothing. The answer is what was added, or every mistake that was found; a failure of the file is a
  // mistake on line 0. A line that is in_progress becomes a ticket that is blocked, with the reason: its
  // worker, if it lives, lives where the line comes from, and only a person can know that it has ended.
  std::expected<Imported, std::vector<LineError>> import_lines(std::string_view text, const std::string& by,
                                                               Instant now);
  DeskAnswer<std::string> export_lines();

 private:
  friend std::expected<std::unique_ptr<Desk>, std::string> open_desk(const std::string&, LedgerMode);
  struct Parts;
  explicit Desk(std::unique_ptr<Parts>);
  std::unique_ptr<Parts> parts_;
};

std::expected<std::unique_ptr<Desk>, std::string> open_desk(const std::string& path, LedgerMode);

}  // namespace holdfast
