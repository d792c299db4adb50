// Liveness: after the faults have stopped, the world was healed and everything fair has happened, is
// everything accounted for? Each finding names what is stuck.
#include <algorithm>

#include "dispatcher/core/names.h"
#include "dispatcher/core/rules.h"
#include "dispatcher/core/words.h"
#include "sim/oracle/oracle.h"

namespace holdfast::sim {
namespace {

using enum Invariant;

int free_slots(const World& w) {
  return static_cast<int>(
      std::ranges::count_if(w.ledger.slots, [](const auto& s) { return s.second.state == SlotState::free; }));
}

// Somebody would take one more, and has where to put it.
bool there_is_room(const World& w) {
  const auto open = std::ranges::count_if(
      w.ledger.tickets, [](const auto& row) { return row.second.newest && row.second.newest->open(); });
  return free_slots(w) > 0 &&
         std::ranges::any_of(w.dispatchers, [&](const DispatcherSeat& seat) { return open < seat.capacity; });
}

}  // namespace

void check_liveness(const World& w, Findings& out) {
  for (const auto& [id, ticket] : w.board.tickets) {
    if (w.board.removed.contains(id)) continue;
    const Attempt* a = newest(w, id);
    const bool open = a && a->open();
    if (ticket.state == BoardState::todo) {
      out.risk(L1);
      if (!open && there_is_room(w)) out.broken(L1, id, "it is todo, a slot is free, and nobody claims it");
      if (open) out.broken(L1, id, "it is todo beside the open attempt " + attempt_key(a->id));
    }
    if (open) {
      out.risk(L2);
      const bool alive = lives(w, a->id);
      if (!alive)
        out.broken(L2, id,
                   attempt_key(a->id) + " is recorded " + words_for(a->phase) + " and nothing of it lives" +
                       (a->attention.empty() ? "" : " (" + a->attention + ")"));
      if (alive && says_live(a->phase)) {
        out.risk(L7);
        const auto read = w.history.prompts_read.find(a->id);
        if (read == w.history.prompts_read.end() && a->attention.empty())
          out.broken(L7, id, attempt_key(a->id) + " lives without its prompt, and nobody is told");
      }
    } else if (a && !a->settled) {
      out.broken(L2, id, attempt_key(a->id) + " is closed and the board was never told");
    }
    // What somebody else wrote over it is drift: shown by the doctor, never put right on a guess.
    if (ticket.state == BoardState::in_progress && !open && !ticket.moved_by.starts_with("person"))
      out.broken(L2, id, "the board says in_progress, and no attempt is open");

    const std::set<int> landed = patches_of(w.git, w.git.refs.at(w.setup->policy.target));
    const bool stranded = std::ranges::any_of(w.git.commits, [&](const Commit& c) {
      return c.by.ticket == id && c.patch != 0 && !landed.contains(c.patch);
    });
    if (stranded && a) {
      out.risk(L4);
      const bool shown = ticket.state == BoardState::in_review || ticket.state == BoardState::blocked ||
                         open || ticket.state == BoardState::cancelled ||
                         ticket.moved_by.starts_with("person") || ticket.state == BoardState::backlog ||
                         !there_is_room(w);  // it waits for its next attempt, which begins there
      if (!shown)
        out.broken(L4, id, std::string("commits are stranded, and it is ") + words_for(ticket.state));
    }
  }
  for (const auto& [id, slot] : w.ledger.slots) {
    if (slot.state != SlotState::leased) continue;
    out.risk(L3);
    const Attempt* holder = newest(w, slot.holder.ticket);
    if (holder == nullptr || !holder->open())
      out.broken(L3, slot.holder.ticket, id.value + " is leased to the closed " + attempt_key(slot.holder));
  }
  for (const auto& [shard, server] : w.servers)
    for (const auto& [name, session] : server.sessions) {
      const Attempt* a = newest(w, session.attempt.ticket);
      if (a && a->id == session.attempt && a->open()) continue;
      out.risk(L3);
      // A late one whose runner found that the attempt was decided already: a dead pane without a worker. The
      // doctor shows it; strays are never ended unasked.
      const auto record = w.records.find(session.attempt);
      const bool came_too_late =
          session.dead && record != w.records.end() && record->second.decided_by != session.pid;
      if (came_too_late) continue;
      out.broken(L3, session.attempt.ticket,
                 "the session " + name.value + " of a closed attempt is still there");
    }
}

}  // namespace holdfast::sim
