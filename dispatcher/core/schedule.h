// Which effects are started now. A pure step: the driver feeds answers and news in and performs what comes
// out; the simulator does exactly the same.
//
// One effect of a ticket at a time, many tickets at once, `effects_at_once` in all. Tickets are looked at
// again when something about them was learned or their own wake-up came; nothing is polled that is quiet.
// Tickets in review, of which there may be any number, have a quarter of the places and no more: watching
// what is finished never keeps anybody from beginning. Nor does pinning what was seen of those that live: it
// comes after everything else, has a quarter of the places too, and to its ticket it is as if it rested. Of
// what is asked of the board about tickets it is half, so that a board that lets one wait does not keep the
// other half of the world waiting.
#pragma once

#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "dispatcher/core/absorb.h"
#include "dispatcher/core/decide.h"
#include "dispatcher/core/knowledge.h"

namespace holdfast {

// One of the installation's own reads, done again and again.
struct Routine {
  bool flying = false;
  Instant next;        // not set: at once
  bool again = false;  // asked for while it was flying
};

struct Agenda {
  std::deque<TicketId> queue;  // to be decided, oldest first
  std::set<TicketId> queued;
  std::map<TicketId, Instant> alarm_of;
  std::set<std::pair<Instant, TicketId>> alarms;
  std::set<TicketId> busy;  // an effect of theirs is in flight
  int in_flight = 0;
  int claims_in_flight = 0;
  int by_the_way = 0;    // pins of attempts that live, in flight
  bool landing = false;  // one at a time: the target ref moves with each
  std::set<TicketId> waiting_to_land;
  std::set<TicketId> reviewing;  // being seen whether they were landed; the others wait in line
  std::deque<TicketId> waiting_to_review;
  int board_calls = 0;  // about tickets, in flight
  std::set<TicketId> waiting_for_board;
  std::deque<Instant> recent_claims;
  Instant claims_held_until;  // by the rate of spawns; not set: something else is waited for
  bool look_for_claims = false;
  bool stopping = false;  // nothing new is started

  Routine load, changes, board, records, traces, pool;
  std::set<SlotId> free_when_asked;  // the pool is slow to look at: slots that were free when that began
  std::map<int, Routine> start_server, list_server;
  std::deque<LedgerWrite> writes;  // about the installation, in order
  bool write_flying = false;
  Instant write_next;  // after one that failed
  std::int64_t ledger_seq = 0, board_cursor = 0;
};

struct Brain {
  Policy policy;
  Knowledge knowledge;
  Agenda agenda;
};

void absorb(Brain&, const Answer&);
void absorb(Brain&, const News&);

// What to start at `now`. Every effect returned counts as in flight until its answer was absorbed.
std::vector<Effect> next_effects(Brain&, Instant now);

// When next_effects has something to do without any news; not set: never.
Instant next_wake(const Brain&);

// Eligible tickets in the order in which they would be claimed.
std::vector<TicketId> ranking(const Knowledge&, const Policy&);

}  // namespace holdfast
