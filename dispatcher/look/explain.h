// Why a ticket is as it is: the evidence of each probe, the rule that won, and what comes next.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "dispatcher/look/look.h"
#include "dispatcher/rows/rows.h"

namespace holdfast {

struct NamedProbe {
  const char* name;  // "tmux", "process", "record", "heartbeat", "host"
  Probe probe;
  std::string detail;
};

struct Explanation {
  TicketId ticket;
  std::optional<BoardTicket> board;  // nothing: it is not on the board
  std::optional<Attempt> attempt;    // the one that still needs something
  Verdict verdict = Verdict::unknown;
  std::vector<NamedProbe> probes;  // of the attempt
  Plan plan;
  Memory memory;
  std::vector<LedgerEvent> events;  // the newest, oldest of them first
  Instant now;
};

// Nothing: no such ticket, neither on the board nor in the ledger.
std::optional<Explanation> explain(LookAround&, const TicketId&);

Json row_of(const Explanation&, const LookAround&);

}  // namespace holdfast
