// The simulated tmux servers: sessions by exact name and id, dead panes that remain, incarnations. Only the
// explicit start makes a server.
#include "dispatcher/core/names.h"
#include "sim/world/ports.h"

namespace holdfast::sim {

bool long_attached(const Session& session, const Flight& f) {
  return session.persons > 0 && f.asked_true - session.attached_at > seconds(20);
}

bool perform(World& w, Flight& f, const StartServer& e) {
  Server& server = w.servers[e.shard];
  if (!server.alive) {
    server = {};
    server.alive = true;
    server.incarnation = {e.shard, w.next_server++, 1};
  }
  f.value = server.incarnation;
  return true;
}

bool perform(World& w, Flight& f, const SpawnSession& e) {
  Server& server = w.servers[e.order.shard];
  if (!server.alive) {
    if (!w.setup->defects.starts_servers_anywhere) {
      // The client finds nobody to ask.
      f.raw = {Transport::never_sent, 0, "", "no server running"};
      return true;
    }
    server = {};
    server.alive = true;
    server.incarnation = {e.order.shard, w.next_server++, 1};
  }
  if (server.sessions.contains(e.order.session)) {
    f.raw = answered(1, "duplicate session: " + e.order.session.value);
    return true;
  }
  Runtime r;
  r.attempt = e.attempt;
  r.pid = w.next_pid;
  w.next_pid += 3;
  r.shard = e.order.shard;
  r.session_id = "$" + std::to_string(w.next_session);
  r.exec_fails = f.fault == FaultId::F6;
  Session session;
  session.id = r.session_id;
  session.pane = "%" + std::to_string(w.next_session++);
  session.pid = r.pid;
  session.attempt = e.attempt;
  const auto row = w.ledger.tickets.find(e.attempt.ticket);
  const bool announced =
      row != w.ledger.tickets.end() && row->second.newest &&
      row->second.newest->id.generation >= e.attempt.generation &&
      (row->second.newest->id != e.attempt || row->second.newest->step == Step::spawn_begun);
  const auto ticket = w.board.tickets.find(e.attempt.ticket);
  const bool known = ticket != w.board.tickets.end() && !w.board.removed.contains(e.attempt.ticket);
  w.happened.spawned.push_back(
      {e.attempt, f.dispatcher, announced, known ? ticket->second.state : BoardState::todo, known});
  w.happened.anything = true;
  w.history.spawns[e.attempt] += 1;
  auto& recent = w.history.recent_spawns;
  std::erase_if(recent, [&](Instant at) { return w.now - at >= seconds(1); });
  recent.push_back(w.now);
  f.value = SpawnedPane{server.incarnation, session.id, session.pane, r.pid};
  server.sessions[e.order.session] = std::move(session);
  w.runtimes.push_back(std::move(r));
  server_changed(w, e.order.shard);
  return true;
}

bool perform(World& w, Flight& f, const ListServer& e) {
  ServerListing listing;
  listing.shard = e.shard;
  const auto found = w.servers.find(e.shard);
  if (found != w.servers.end() && found->second.alive) {
    listing.server = found->second.incarnation;
    for (const auto& [name, session] : found->second.sessions) {
      PaneSighting pane;
      pane.session = name;
      pane.session_id = session.id;
      pane.pane_id = session.pane;
      pane.pane_pid = session.pid;
      pane.dead = session.dead;
      pane.exit_status = session.exit_status;
      pane.exit_signal = session.exit_signal;
      pane.persons_attached = session.persons;
      listing.panes.push_back(std::move(pane));
    }
  }
  f.value = std::move(listing);
  return true;
}

bool perform(World& w, Flight& f, const EndSession& e) {
  const auto found = w.servers.find(e.server.shard);
  if (found == w.servers.end() || !found->second.alive || found->second.incarnation != e.server) return true;
  auto& sessions = found->second.sessions;
  auto hit = sessions.end();
  for (auto at = sessions.begin(); at != sessions.end(); ++at) {
    const bool by_id = !e.session_id.empty() && at->second.id == e.session_id && at->first == e.session;
    const bool by_name = e.session_id.empty() && at->first == e.session;
    if (by_id || by_name) hit = at;
  }
  if (w.setup->defects.sessions_by_prefix && hit == sessions.end())
    for (auto at = sessions.begin(); at != sessions.end(); ++at)
      if (at->first.value.starts_with("hf-" + e.attempt.ticket.value)) hit = at;
  if (hit == sessions.end()) return true;
  const Session session = hit->second;
  sessions.erase(hit);
  const bool live = lives(w, session.attempt);
  const auto ticket = w.board.tickets.find(e.attempt.ticket);
  const auto row = w.ledger.tickets.find(e.attempt.ticket);
  const bool asked_by_person =
      (ticket != w.board.tickets.end() && ticket->second.moved_by.starts_with("person")) ||
      (row != w.ledger.tickets.end() && row->second.newest && row->second.newest->wish != StopWish::none);
  w.happened.sessions.push_back(
      {e.attempt, session.attempt, live, long_attached(session, f), asked_by_person, f.dispatcher});
  w.happened.anything = true;
  for (Runtime& r : w.runtimes)
    if (r.session_id == session.id && r.shard == e.server.shard) hang_up(w, r);
  server_changed(w, e.server.shard);
  return true;
}

bool perform(World&, Flight&, const GiveNotice&) {
  return true;
}

}  // namespace holdfast::sim
