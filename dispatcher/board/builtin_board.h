// The built-in board: tickets in the ledger's own file, so that its constraint (no `todo` beside an open
// runtime) holds for every writer, a person with a SQL prompt included.
//
// To the dispatcher it is as remote as any other board: conditional on versions, answering in HTTP's numbers.
// `done` and `cancelled` are left by persons only (see desk.h). Safe to call from several threads.
#pragma once

#include <expected>
#include <memory>
#include <string>

#include "dispatcher/ledger/ledger_mode.h"
#include "dispatcher/ports/board.h"

namespace holdfast {

class BuiltinBoard final : public Board {
 public:
  ~BuiltinBoard() override;

  // At most 1000 tickets, and not many more than 32 MiB of bodies, at a time.
  Reply<BoardChanges> changes_after(std::int64_t cursor, int at_most) override;
  Reply<BoardTicket> read(const TicketId&) override;
  Reply<BoardTicket> move(const BoardMove&, Instant now) override;
  Reply<BoardTicket> return_to_todo(const DeathCertificate&, std::int64_t expected_version,
                                    const std::string& reason, Instant now) override;
  Reply<Nothing> comment(const TicketId&, const std::string& key, const std::string& text,
                         Instant now) override;

 private:
  friend std::expected<std::unique_ptr<BuiltinBoard>, std::string> open_board(const std::string&, LedgerMode,
                                                                              int);
  struct Parts;
  explicit BuiltinBoard(std::unique_ptr<Parts>);
  std::unique_ptr<Parts> parts_;
};

// `path` is the ledger's file. The error is one line for a person.
std::expected<std::unique_ptr<BuiltinBoard>, std::string> open_board(const std::string& path, LedgerMode,
                                                                     int busy_ms = ledger_busy_ms);

}  // namespace holdfast
