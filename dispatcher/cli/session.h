// What nearly every command begins with: the configuration, and the ledger's file behind it.
#pragma once

#include <memory>
#include <string>

#include "dispatcher/board/desk.h"
#include "dispatcher/cli/installation.h"
#include "dispatcher/cli/shell.h"
#include "dispatcher/hand/hand.h"

namespace holdfast::cli {

Or<Config> configuration(const Shell&);

// Ledger and board in one file, for commands that look at them or write into them.
struct Books {
  Config config;
  std::unique_ptr<SqliteLedger> ledger;
  std::unique_ptr<Desk> desk;
};
Or<Books> open_books(const Shell&, LedgerMode);
// For commands about tickets: those of a board elsewhere are there, and no command here sees them.
Or<Books> open_tickets(const Shell&, LedgerMode);

// Exit codes for what boards and ledgers answer.
Trouble trouble_of(const DeskError&);
Trouble trouble_of(const RawReply&);
Trouble trouble_of(const Refusal&);

// "T-1", or "T-1-g2" for one attempt; which is meant is never a guess, since no ticket id ends like the
// latter.
Or<TicketId> ticket_named(const std::string&);
Or<Attempt> attempt_named(Ledger&, const std::string&);       // of a ticket: the newest
Or<Attempt> open_attempt_named(Ledger&, const std::string&);  // conflict where it is closed

inline Exit fail(const Shell& shell, const Trouble& trouble) {
  return shell.fail(trouble.code, trouble.words);
}
Exit fail(const Shell&, const Refusal&);

Hand hand_of(const Books&, const Shell&);  // of the person who calls

}  // namespace holdfast::cli
