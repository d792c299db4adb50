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

// RawReply of a ledger: code 0: stored. SQLite's extended result code otherwise (SQLITE_BUSY, _FULL,
// _READONLY, _CORRUPT, _IOERR ...), with these of our own for a rule's refusal; `error` holds the words.
inline constexpr int ledger_conflict = 100'001;
inline constexpr int ledger_stale = 100'002;
inline constexpr int ledger_exhausted = 100'003;
inline constexpr int ledger_invalid = 100'004;

inline int ledger_code(LedgerRefusal why) {
  switch (why) {
    case LedgerRefusal::conflict: return ledger_conflict;
    case LedgerRefusal::stale: return ledger_stale;
    case LedgerRefusal::exhausted: return ledger_exhausted;
    case LedgerRefusal::invalid: return ledger_invalid;
  }
  __builtin_unreachable();
}

class Ledger {
 public:
  virtual ~Ledger() = default;
  virtual Reply<LedgerContents> load() = 0;
  // What changed after event `seq`, by whomever: whole TicketLedgers of the tickets touched; always all
  // slots, pauses, servers and the breaker. A `seq` in the answer that is smaller than the one asked for says
  // that the ledger was restored from an older copy: load again.
  virtual Reply<LedgerContents> changes_after(std::int64_t seq) = 0;
  virtual Reply<LedgerDelta> write(const LedgerWrite&, Instant now) = 0;

  // For people and pages: attempts by generation, messages in the order of queueing, events by number.
  virtual Reply<std::vector<Attempt>> attempts_of(const TicketId&) = 0;
  virtual Reply<std::vector<Attempt>> open_attempts() = 0;
  virtual Reply<std::vector<Message>> messages_of(const AttemptId&) = 0;
  virtual Reply<std::vector<LedgerEvent>> events_after(std::int64_t seq, const std::optional<TicketId>&,
                                                       int at_most) = 0;
};

}  // namespace holdfast
