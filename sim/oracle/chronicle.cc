#include "sim/oracle/chronicle.h"

#include <algorithm>

#include "dispatcher/core/classify.h"
#include "dispatcher/core/names.h"
#include "dispatcher/core/words.h"

namespace holdfast::sim {
namespace {

using enum Invariant;

// What goes wrong at such a call is about everybody, whoever asked.
bool is_about_everybody(Call call) {
  switch (call) {
    case Call::ledger_load:
    case Call::ledger_changes:
    case Call::board_changes:
    case Call::record_list:
    case Call::server_start:
    case Call::server_list:
    case Call::pool_ensure:
    case Call::traces: return true;
    case Call::ledger_write:
    case Call::board_read:
    case Call::board_move:
    case Call::board_return:
    case Call::board_comment:
    case Call::spec_write:
    case Call::seal:
    case Call::go:
    case Call::post:
    case Call::look:
    case Call::spawn:
    case Call::session_end:
    case Call::notice:
    case Call::tree_end:
    case Call::prepare:
    case Call::inspect:
    case Call::pin:
    case Call::salvage:
    case Call::release:
    case Call::land:
    case Call::push: return false;
  }
  __builtin_unreachable();
}

bool goes_by_itself(Act act) {
  switch (act) {
    case Act::exit_well:
    case Act::exit_badly:
    case Act::crash: return true;
    case Act::get_ready:
    case Act::read_input:
    case Act::say_done:
    case Act::say_review:
    case Act::ask:
    case Act::chat:
    case Act::commit:
    case Act::change:
    case Act::fork_child:
    case Act::child_ends:
    case Act::die_of_term:
    case Act::die_of_kill:
    case Act::wake: return false;
  }
  __builtin_unreachable();
}

bool has_reported(const World& w, const AttemptId& id) {
  return std::ranges::any_of(w.runtimes, [&](const Runtime& r) {
    return r.attempt == id && (r.said == Said::done || r.said == Said::review);
  });
}

// S18: where nothing struck a ticket, nobody ends its worker before it has reported, whatever strikes others.
void faults_stay_where_they_are(const World& w, const Chronicle& run, Findings& out) {
  if (run.everybody_touched || run.touched.empty() || w.dispatchers.size() > 1) return;
  for (const auto& [id, claims] : run.claims) {
    if (run.touched.contains(id)) continue;
    out.risk(S18);
    for (const Chronicle::Claimed& claim : claims) {
      const AttemptId& attempt = claim.attempt;
      const auto closed = w.ledger.closed.find(attempt);
      if (closed == w.ledger.closed.end() || !w.history.ever_lived.contains(attempt)) continue;
      if (run.ended_by_nature.contains(attempt) || has_reported(w, attempt)) continue;
      out.broken(S18, id,
                 attempt_key(attempt) + " was ended (" + words_for(closed->second.cause) +
                     ") before it had reported, and only other tickets were struck");
    }
  }
}

// What the dispatcher says of its newest attempt: "g2 running" in "in_progress, g2 running, alive; ...".
std::optional<std::string> attempt_in(const std::string& belief) {
  const auto from = belief.find(", g");
  if (from == std::string::npos) return std::nullopt;
  return belief.substr(from + 2, belief.find_first_of(",;", from + 2) - from - 2);
}

// L5: at rest each of several dispatchers knows of every open attempt what the ledger says, whoever wrote it;
// and they do not take a ticket from each other for nothing.
void both_make_progress(const World& w, const Chronicle& run, Findings& out) {
  if (w.dispatchers.size() < 2) return;
  for (std::size_t d = 0; d < w.dispatchers.size(); ++d) {
    const DispatcherSeat& seat = w.dispatchers[d];
    if (!seat.running || !seat.mind.there()) continue;
    for (const auto& [id, row] : w.ledger.tickets) {
      const std::string belief = seat.mind->belief(id);
      if (!row.newest || belief.empty()) continue;
      out.risk(L5);
      const Attempt& a = *row.newest;
      const auto seen = attempt_in(belief);
      if (!seen && !a.open()) continue;  // over, and forgotten
      const std::string is = "g" + std::to_string(a.id.generation.value) + " " + words_for(a.phase);
      if (seen.value_or("nothing") != is)
        out.broken(L5, id,
                   "dispatcher " + std::to_string(d) + " believes " + seen.value_or("nothing") +
                       ", and it is " + is);
    }
  }
  // Whose clock is off finds what another has just begun too old: that is the clock's doing.
  if (w.history.clock_moved_at.set()) return;
  for (const auto& [id, claims] : run.claims) {
    int taken = 0;
    for (std::size_t i = 1; i < claims.size(); ++i) {
      const Chronicle::Claimed& before = claims[i - 1];
      const auto closed = w.ledger.closed.find(before.attempt);
      // At once: what has waited for longer may have had its spawn, or its go-ahead, too late.
      const bool for_nothing =
          closed != w.ledger.closed.end() && closed->second.cause == Cause::never_came_to_be &&
          before.died_at - before.at < seconds(1) && claims[i].troubles_before == before.troubles_before;
      taken = for_nothing && claims[i].by != before.by ? taken + 1 : 0;
      if (taken == 2)
        out.broken(L5, id, "its dispatchers claim it in turn, and none of its attempts comes to be");
    }
  }
}

// L9: of all that went with a server, each has its recorded death, and its ticket is where somebody sees it.
void the_lost_are_accounted_for(const World& w, const Chronicle& run, Findings& out) {
  for (const Chronicle::Victim& victim : run.victims) {
    const TicketId& id = victim.attempt.ticket;
    if (w.board.removed.contains(id)) continue;
    out.risk(L9);
    const std::string of = " (one of " + std::to_string(victim.of) + " that went with their server)";
    const Attempt* a = newest(w, id);
    const auto closed = w.ledger.closed.find(victim.attempt);
    if (a == nullptr || a->id.generation < victim.attempt.generation) {
      out.broken(L9, id, "nothing is known of " + attempt_key(victim.attempt) + of);
      continue;
    }
    if (closed == w.ledger.closed.end()) {
      // Still open: its worker has outlived the server, or a person is told.
      if (!lives(w, victim.attempt) && a->attention.empty())
        out.broken(L9, id, attempt_key(victim.attempt) + " is recorded " + words_for(a->phase) + of);
      continue;
    }
    if (closed->second.cause == Cause::none)
      out.broken(L9, id, attempt_key(victim.attempt) + " was closed without a cause" + of);
    if (!a->open() && !a->settled)
      out.broken(L9, id, "the board does not know how " + attempt_key(a->id) + " ended" + of);
  }
}

}  // namespace

void Chronicle::before(const World& w, const Event& e) {
  switch (e.what_kind) {
    case Do::hold:
      if (e.fault != FaultId::none && is_about_everybody(call_of(w.flights[e.subject].effect)))
        everybody_touched = true;
      return;
    case Do::worker:
      if (goes_by_itself(static_cast<Act>(e.what))) ended_by_nature.insert(w.runtimes[e.subject].attempt);
      return;
    case Do::crash: everybody_touched = true; return;
    case Do::person: {
      ++troubles;
      switch (static_cast<Deed>(e.what)) {
        case Deed::attach:
        case Deed::detach:
        case Deed::end_session: everybody_touched = true; return;
        case Deed::push: return;
        case Deed::set_todo:
        case Deed::cancel:
        case Deed::set_done:
        case Deed::to_backlog:
        case Deed::reopen:
        case Deed::edit:
        case Deed::remove:
        case Deed::wish_stop:
        case Deed::wish_cancel:
        case Deed::wish_park:
        case Deed::answer:
        case Deed::land_by_merge:
        case Deed::land_by_squash:
          touched.insert(std::next(w.board.tickets.begin(), e.subject)->first);
          return;
      }
      return;
    }
    case Do::strike: {
      if (e.fault != FaultId::C2) return;
      const auto& sessions = w.servers.at(e.subject).sessions;
      const std::size_t first = victims.size();
      for (const auto& [name, session] : sessions)
        if (lives(w, session.attempt)) victims.push_back({session.attempt, 0});
      for (std::size_t i = first; i < victims.size(); ++i) victims[i].of = victims.size() - first;
      return;
    }
    case Do::vanish:
    case Do::reply:
    case Do::news:
    case Do::think:
    case Do::runner:
    case Do::time:
    case Do::start:
    case Do::resume: return;
  }
}

void Chronicle::after(const World& w) {
  if (!w.happened.anything) return;
  for (const FaultFired& f : w.happened.faults) {
    ++troubles;
    if (f.ticket.empty())
      everybody_touched = true;
    else
      touched.insert(f.ticket);
  }
  for (const RowChanged& row : w.happened.rows) {
    std::vector<Claimed>& all = claims[row.after.id.ticket];
    if (!row.before) all.push_back({row.after.id, row.by, troubles, w.now, {}});
    if (row.after.cause != Cause::none)
      for (Claimed& one : all)
        if (one.attempt == row.after.id && !one.died_at.set()) one.died_at = w.now;
  }
}

void check_run(const World& w, const Chronicle& run, Findings& out) {
  faults_stay_where_they_are(w, run, out);
  both_make_progress(w, run, out);
  the_lost_are_accounted_for(w, run, out);
}

}  // namespace holdfast::sim
