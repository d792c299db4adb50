// The simulated board: tickets with versions, moved on condition. It speaks HTTP's status codes and, unlike
// the built-in board, has no trigger that would refuse `todo` beside a live runtime: that is the dispatcher's
// duty.
#include "dispatcher/core/names.h"
#include "sim/world/ports.h"

namespace holdfast::sim {
namespace {

std::optional<BoardTicket> shown(const World& w, const TicketId& id) {
  const auto found = w.board.tickets.find(id);
  if (found == w.board.tickets.end() || w.board.removed.contains(id)) return std::nullopt;
  return found->second;
}

bool move_if(World& w, Flight& f, const TicketId& id, std::int64_t expected, BoardState to,
             const std::string& reason, const std::string& key) {
  const auto ticket = shown(w, id);
  if (!ticket) {
    f.raw = answered(404, "no such ticket");
    return true;
  }
  if (ticket->version != expected) {
    f.raw = answered(409, "version " + std::to_string(ticket->version));
    f.value = *ticket;
    return true;
  }
  const bool over = ticket->state == BoardState::done || ticket->state == BoardState::cancelled;
  if (!over || ticket->state != to) move_ticket(w, id, to, f.dispatcher, reason, key);
  f.raw = answered(200);
  f.value = w.board.tickets.at(id);
  return true;
}

}  // namespace

void move_ticket(World& w, const TicketId& id, BoardState to, int by, const std::string& reason,
                 const std::string& key) {
  BoardTicket& ticket = w.board.tickets.at(id);
  w.board.before[id] = ticket;
  w.happened.board.push_back({id, ticket.state, to, by, reason});
  w.happened.anything = true;
  ticket.state = to;
  w.history.moved_at[id] = w.now;
  ticket.version += 1;
  ticket.reason = reason;
  ticket.moved_by = by >= 0 ? key : "person";
  ticket.changed_at = clock_of(w, by);
  w.board.changed[id] = ++w.board.cursor;
  board_changed(w);
}

bool perform(World& w, Flight& f, const ReadTicket& e) {
  if (const auto ticket = shown(w, e.ticket)) {
    f.raw = answered(200);
    f.value = *ticket;
  } else {
    f.raw = answered(404, "no such ticket");
  }
  return true;
}

bool perform(World& w, Flight& f, const MoveTicket& e) {
  return move_if(w, f, e.ticket, e.expected_version, e.to, e.reason, e.key);
}

bool perform(World& w, Flight& f, const ReturnToTodo& e) {
  return move_if(w, f, e.certificate.attempt().ticket, e.expected_version, BoardState::todo, e.reason,
                 attempt_key(e.certificate.attempt()));
}

bool perform(World& w, Flight& f, const CommentTicket& e) {
  if (!shown(w, e.ticket)) {
    f.raw = answered(404, "no such ticket");
    return true;
  }
  w.board.comments.insert(e.key);
  f.raw = answered(200);
  return true;
}

bool perform(World& w, Flight& f, const ReadBoard& e) {
  BoardChanges changes;
  changes.cursor = w.board.cursor;
  for (const auto& [id, ticket] : w.board.tickets) {
    const auto changed = w.board.changed.find(id);
    if (changed != w.board.changed.end() && changed->second > e.cursor && !w.board.removed.contains(id))
      changes.tickets.push_back(ticket);
  }
  f.raw = answered(200);
  f.value = std::move(changes);
  return true;
}

}  // namespace holdfast::sim
