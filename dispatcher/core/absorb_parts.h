// The parts of absorb: what each kind of sighting changes in Knowledge, and what an answer of each outcome
// does. For absorb's own sources alone.
#pragma once

#include <algorithm>
#include <optional>
#include <set>
#include <string>

#include "dispatcher/core/absorb.h"
#include "dispatcher/core/outcome.h"

namespace holdfast {

// A sighting is as old as its question, and no younger than its answer where the clock went back in between.
inline Instant asked_when(const Answer& answer) {
  return std::min(answer.asked_at, answer.at);
}

// Sightings. Each adds to `touched` the tickets about which something is new; what is older than what is
// known already changes nothing.
void take_delta(Knowledge&, const LedgerDelta&, const Policy&, std::set<TicketId>& touched);
void take_contents(Knowledge&, const LedgerContents&, const Policy&, std::set<TicketId>& touched);
void take_board_ticket(Knowledge&, const BoardTicket&, std::set<TicketId>& touched);
void take_listing(Knowledge&, const ServerListing&, const TicketId& asked_by, Instant at,
                  std::set<TicketId>& touched);
// It was spawned just now: it is there, and nobody is attached to it yet.
void see_spawned(const Knowledge&, TicketKnowledge&, const SpawnedPane&, Instant at);
// A listing has come, or it will not.
void listing_is_over(Knowledge&, const ListServer&);
void take_look(Knowledge&, TicketKnowledge&, const Looked&, const Answer&);

// Why a refused or unknown effect of this ticket is not tried again at once.
void hold(Knowledge&, TicketKnowledge&, const TicketId&, const std::string& words, Duration first,
          bool call_is_post = false, bool soon = false);

// The same for what is asked of the board, which holds up nothing else.
void hold_board(const Knowledge&, TicketKnowledge&, const TicketId&, const std::string& words,
                Duration first);
// It is to be read before anything is decided from it again.
void forget_board(TicketKnowledge&);

// Answers, by their outcome. `refused`: nothing means Unknown.
void absorb_done(Knowledge&, const Answer&, const Policy&, std::set<TicketId>& touched);
void absorb_trouble(Knowledge&, const Answer&, std::set<TicketId>& touched, const std::string& words,
                    std::optional<Why> refused);

}  // namespace holdfast
