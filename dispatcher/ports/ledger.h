// What the driver asks of the ledger, the dispatcher's own durable memory.
//
// Rules are core's (core/ledger_rules.h); a ledger reads the view, applies, and stores the delta in one
// transaction. Safe to call from several threads and, for SQLite, from several processes (the command line
// writes wishes and messages).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dispatcher/core/ledger_rules.h"
#include "dispatcher/ports/reply.h"

namespace holdfast {

// Everything about one ticket that a dispatcher needs: newest attempt (open, or closed), memory, undelivered
// messages.
struct TicketLedger {
  TicketId ticket;
  Memory memory;
  std::optional<Attempt> newest;
  std::vector<Message>
      messages;  // of `newest`: queued, posted, unverified; and delivered ones (for the marker reader)
  friend bool operator==(const TicketLedger&, const TicketLedger&) = default;
};

struct LedgerContents {
  std::int64_t seq = 0;  // newest event contained
  std::vector<TicketLedger>
      tickets;  // load(): those with an open or unsettled attempt, or a memory that still matters
  std::vector<Slot> slots;
  std::vector<AccountPause> pauses;
  std::vector<ServerIncarnation> servers;
  Breaker breaker;
  friend bool operator==(const LedgerContents&, const LedgerContents&) = default;
};

// RawReply of a ledger: code 0: stored. SQLite's extended result code otherwise (SQLITE_BUSY, _FULL,
// _READONLY, _CORRUPT, _IOERR ...), with these of our own for a rule's refusal; `error` holds the words.
inline constexpr int ledger_conflict = 100'001;
inline constexpr int ledger_stale = 100'002;
inline constexpr int ledger_exhausted = 100'003;
inline constexpr int ledger_invalid = 100'004;

class Ledger {
 public:
  virtual ~Ledger() = default;
  virtual Reply<LedgerContents> load() = 0;
  // What changed after event `seq`, by whomever: whole TicketLedgers of the tickets touched, all slots,
  // pauses, breaker.
  virtual Reply<LedgerContents> changes_after(std::int64_t seq) = 0;
  virtual Reply<LedgerDelta> write(const LedgerWrite&, Instant now) = 0;

  // For people and pages; newest first where `newest_first`.
  virtual Reply<std::vector<Attempt>> attempts_of(const TicketId&) = 0;
  virtual Reply<std::vector<Attempt>> open_attempts() = 0;
  virtual Reply<std::vector<Message>> messages_of(const AttemptId&) = 0;
  virtual Reply<std::vector<LedgerEvent>> events_after(std::int64_t seq, const std::optional<TicketId>&,
                                                       int at_most) = 0;
};

}  // namespace holdfast
