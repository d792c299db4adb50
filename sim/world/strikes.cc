#include "sim/world/strikes.h"

#include <algorithm>
#include <span>

#include "dispatcher/core/classify.h"
#include "dispatcher/core/names.h"
#include "sim/world/ports.h"
#include "sim/world/processes.h"

namespace holdfast::sim {
namespace {

using enum FaultId;

// Errno and SQLite numbers by name, as the adapters report them.
constexpr int try_again = 11, enomem = 12, emfile = 24, eio = 5;
constexpr int sqlite_busy = 5, sqlite_readonly = 8, sqlite_ioerr = 10, sqlite_busy_snapshot = 517,
              sqlite_constraint_trigger = 1811;

struct Words {
  FaultId fault;
  Transport transport;
  int code;
  const char* error;
};
constexpr auto said = Transport::answered;

// One table for each family of calls; the last line is for every other fault.
constexpr Words ledger_words[] = {
    {A1, said, 100'001, "an attempt is open"},
    {A3, said, sqlite_busy, "database is locked"},
    {A4, said, sqlite_busy_snapshot, "database is locked"},
    {A5, said, sqlite_constraint_trigger, "constraint failed"},
    {A10, said, sqlite_readonly, "attempt to write a readonly database"},
    {D1, said, 100'003, "no slot is free"},
    {none, said, sqlite_ioerr, "disk I/O error"},
};
constexpr Words board_words[] = {
    {B1, said, 409, "version conflict"},      {B5, said, 502, "bad gateway"},
    {B6, said, 503, "service unavailable"},   {B13, said, 401, "token expired"},
    {A10, said, 507, "insufficient storage"}, {B7, Transport::cut, 0, "connection reset by peer"},
    {none, said, 500, "internal error"},
};
constexpr Words tmux_words[] = {
    {C5, said, 1, "duplicate session"},
    {C6, said, 1, "create session failed"},
    {F6, Transport::never_sent, try_again, "fork: Resource temporarily unavailable"},
    {F7, Transport::never_sent, emfile, "Too many open files"},
    {none, Transport::cut, 0, "server exited unexpectedly"},
};
constexpr Words files_words[] = {
    {B1, said, try_again, "runtime is not ready for input, status=running"},
    {F6, said, enomem, "Cannot allocate memory"},
    {F7, said, emfile, "Too many open files"},
    {none, said, eio, "Input/output error"},
};
constexpr Words git_words[] = {
    {D5, said, 128, "fatal: Unable to create 'index.lock': File exists."},
    {D6, said, 128, "fatal: failed to read"},
    {D7, said, 128, "fatal: the branch is already used by worktree at '/elsewhere'"},
    {D14, said, 1, "! [rejected] (non-fast-forward)"},
    {D15, said, 128, "error: unable to write: No space left on device"},
    {D2, said, 137, "killed"},
    {D13, said, 137, "killed"},
    {none, said, 128, "fatal: unexpected"},
};

RawReply reply_from(std::span<const Words> table, FaultId id) {
  const auto found = std::ranges::find(table, id, &Words::fault);
  const Words& words = found == table.end() ? table.back() : *found;
  return {words.transport, words.code, "", words.error};
}

const LedgerWrite* write_of(const Flight& f) {
  const auto* write = std::get_if<WriteLedger>(&f.effect);
  return write ? &write->write : nullptr;
}

template <class T>
bool writes(const Flight& f) {
  const LedgerWrite* write = write_of(f);
  return write && std::holds_alternative<T>(*write);
}

}  // namespace

RawReply false_reply(FaultId id, const Effect& e) {
  switch (family_of(call_of(e))) {
    case Family::ledger: return reply_from(ledger_words, id);
    case Family::board: return reply_from(board_words, id);
    case Family::files: return reply_from(files_words, id);
    case Family::tmux: return reply_from(tmux_words, id);
    case Family::git: return reply_from(git_words, id);
  }
  __builtin_unreachable();
}

bool strikes_at(FaultId id, const World& w, const Flight& f) {
  const Fault& entry = fault(id);
  if (entry.actor != Actor::port) return false;
  if (std::ranges::find(entry.calls, call_of(f.effect)) == entry.calls.end()) return false;
  if (id == A1 || id == A2 || id == D1 || id == D4) return writes<Claim>(f);
  if (id == A5) return writes<RecordNewborn>(f) || writes<RecordReady>(f);
  if (id == A6) return !w.board.before.empty();
  return true;
}

std::optional<Phase> phase_of(const World& w, const AttemptId& about) {
  const Attempt* a = newest(w, about.ticket);
  if (a == nullptr) return std::nullopt;
  const bool earlier = about.generation.value != 0 && about.generation < a->id.generation;
  return earlier ? Phase::closed : a->phase;
}

AttemptId whom(const Effect& effect) {
  AttemptId id = attempt_of(effect);
  if (id.ticket.empty()) id.ticket = ticket_of(effect);
  return id;
}

void count_fault(World& w, FaultId id, const AttemptId& about) {
  w.happened.faults.push_back({id, about.ticket, phase_of(w, about)});
  w.happened.anything = true;
}

namespace {
// Leased, and nobody works in it any more: its attempt's death is recorded, it is not closed yet.
bool over(const World& w, std::map<SlotId, Slot>::const_iterator slot) {
  if (slot == w.ledger.slots.end() || slot->second.state != SlotState::leased) return false;
  const Attempt* a = newest(w, slot->second.holder.ticket);
  return a && a->id == slot->second.holder && a->cause != Cause::none;
}
}  // namespace

void world_strikes(const World& w, const FaultSet& on, std::vector<Event>& out) {
  const auto add = [&](FaultId id, std::size_t subject, std::uint8_t what = 0) {
    if (on.has(id)) out.push_back({Do::strike, static_cast<std::uint8_t>(subject), what, id});
  };
  for (std::size_t i = 0; i < w.runtimes.size(); ++i) {
    const Runtime& r = w.runtimes[i];
    if (r.worker_lives()) {
      add(C1, i);
      if (!r.stopped) add(C14, i);
      if (r.commits > 0) {
        add(D10, i);
        add(D11, i);
      }
      if (r.worker == WorkerStage::at_work) add(D12, i);
    }
    if (r.runner == RunnerStage::holding || r.runner == RunnerStage::minding ||
        r.runner == RunnerStage::launching)
      add(C4, i);
    if (r.worker == WorkerStage::gone && !r.pid_reused) add(C12, i);
  }
  for (const auto& [shard, server] : w.servers) {
    if (!server.alive) continue;
    add(C2, static_cast<std::size_t>(shard));
    std::size_t n = 0;
    for (const auto& [name, session] : server.sessions) {
      if (!session.dead) add(C3, static_cast<std::size_t>(shard), static_cast<std::uint8_t>(n));
      ++n;
    }
  }
  std::size_t n = 0;
  for (const auto& [id, ticket] : w.board.tickets) {
    const auto before = w.board.before.find(id);
    if (before != w.board.before.end() && before->second.state != ticket.state) add(A8, n);
    ++n;
  }
  n = 0;
  for (const auto& [id, tree] : w.git.slots) {
    const auto slot = w.ledger.slots.find(id);
    const bool free = slot != w.ledger.slots.end() && slot->second.state == SlotState::free;
    if (free && tree.present) add(D8, n);
    if ((free || over(w, slot)) && tree.present && tree.changes.empty()) add(D9, n);
    ++n;
  }
  for (std::size_t d = 0; d < w.dispatchers.size(); ++d) {
    const DispatcherSeat& seat = w.dispatchers[d];
    if (!seat.running) {
      if (!seat.start_refused) add(E6, d);
      continue;
    }
    if (seat.has_news()) add(A7, d);
    add(A11, d);
    if (seat.clock_off.ms == 0) {
      add(F1, d);
      add(F2, d);
      if (d > 0) add(F3, d);
    }
    if (!seat.paused) add(E9, d);
    if (seat.capacity > 1) add(E7, d);
  }
  add(F4, 0);
}

namespace {

void kill_runner(World& w, Runtime& r) {
  runner_is_gone(w, r, std::nullopt, 9);
}

void break_board_row(World& w, const TicketId& id) {
  const BoardState old = w.board.before.at(id).state;
  move_ticket(w, id, old, by_world, "written over", "");
}

void wake_everybody(World& w) {
  for (DispatcherSeat& seat : w.dispatchers) {
    if (!seat.running) continue;
    seat.ledger_news = seat.board_news = true;
    for (const auto& [id, record] : w.records) seat.attempt_news.insert(id);
    for (const auto& [shard, server] : w.servers) seat.server_news.insert(shard);
  }
}

template <class Map>
auto nth(Map& map, std::size_t n) {
  auto at = map.begin();
  std::advance(at, static_cast<std::ptrdiff_t>(n));
  return at;
}

// What each fault does, by its name. The event's subject is a runtime, server, ticket, slot or dispatcher.
void kill_worker(World& w, const Event& e) {  // C1 for memory, D10 right after a commit
  Runtime& r = w.runtimes[e.subject];
  count_fault(w, e.fault, r.attempt);
  r.oom = r.oom || e.fault == C1;
  r.stopped = false;
  r.kill = true;
}

void land_unseen_and_kill(World& w, const Event& e) {
  Runtime& r = w.runtimes[e.subject];
  if (const Worktree* tree = worktree_of(w, r); tree && tree->head >= 0) {
    Commit merge;
    merge.parent = ref_of(w.git, w.setup->policy.target);
    merge.second = tree->head;
    w.git.commits.push_back(merge);
    set_ref(w, w.setup->policy.target, static_cast<CommitNo>(w.git.commits.size()) - 1, by_person);
  }
  kill_worker(w, e);
}

void stop_worker(World& w, const Event& e) {
  count_fault(w, e.fault, w.runtimes[e.subject].attempt);
  w.runtimes[e.subject].stopped = true;
}

void kill_pane_process(World& w, const Event& e) {
  count_fault(w, e.fault, w.runtimes[e.subject].attempt);
  kill_runner(w, w.runtimes[e.subject]);
}

void reuse_pid(World& w, const Event& e) {
  count_fault(w, e.fault, w.runtimes[e.subject].attempt);
  w.runtimes[e.subject].pid_reused = true;
}

void rename_branch(World& w, const Event& e) {
  Runtime& r = w.runtimes[e.subject];
  count_fault(w, e.fault, r.attempt);
  Worktree* tree = worktree_of(w, r);
  if (tree == nullptr || tree->branch.empty()) return;
  const std::string mine = "mine-" + std::to_string(r.pid);
  set_ref(w, "refs/heads/" + mine, tree->head, by_worker);
  w.git.refs.erase("refs/heads/" + tree->branch);
  tree->branch = mine;
}

void end_server(World& w, const Event& e) {
  const int shard = e.subject;
  Server& server = w.servers.at(shard);
  count_fault(w, e.fault, {});
  for (Runtime& r : w.runtimes)
    if (r.shard == shard) hang_up(w, r);
  server.sessions.clear();
  server.alive = false;
  server_changed(w, shard);
}

void end_session(World& w, const Event& e) {
  const int shard = e.subject;
  Server& server = w.servers.at(shard);
  const auto session = nth(server.sessions, e.what);
  count_fault(w, e.fault, session->second.attempt);
  for (Runtime& r : w.runtimes)
    if (r.session_id == session->second.id && r.shard == shard) hang_up(w, r);
  server.sessions.erase(session);
  server_changed(w, shard);
}

void write_over(World& w, const Event& e) {
  const TicketId id = nth(w.board.tickets, e.subject)->first;
  count_fault(w, e.fault, {id, {}});
  break_board_row(w, id);
}

void remove_folder(World& w, const Event& e) {
  count_fault(w, e.fault, {});
  nth(w.git.slots, e.subject)->second.present = false;
}

void dirty_slot(World& w, const Event& e) {
  count_fault(w, e.fault, {});
  nth(w.git.slots, e.subject)->second.changes.push_back(w.git.next_change++);
}

void refuse_start(World& w, const Event& e) {
  count_fault(w, e.fault, {});
  w.dispatchers[e.subject].start_refused = true;
}

void drop_news(World& w, const Event& e) {
  DispatcherSeat& seat = w.dispatchers[e.subject];
  count_fault(w, e.fault, seat.attempt_news.empty() ? AttemptId{} : *seat.attempt_news.begin());
  seat.attempt_news.clear();
  seat.server_news.clear();
  seat.ledger_news = seat.board_news = false;
}

void repeat_news(World& w, const Event& e) {
  count_fault(w, e.fault, {});
  wake_everybody(w);
}

void move_clock(World& w, const Event& e) {
  count_fault(w, e.fault, {});
  for (const auto& [fault, off] : clock_faults())
    if (fault == e.fault) w.dispatchers[e.subject].clock_off = off;
  w.history.clock_moved_at = w.now;
}

void stand_still(World& w, const Event& e) {
  count_fault(w, e.fault, {});
  w.dispatchers[e.subject].paused = true;
}

// Its answer, or its next step, takes longer than anything else does: the world moves and timers run out
// meanwhile.
void be_slow(World& w, const Event& e) {
  if (e.what == of_runtime) {
    Runtime& r = w.runtimes[e.subject];
    count_fault(w, e.fault, r.attempt);
    r.slow = true;
    return;
  }
  Flight& f = w.flights[e.subject];
  count_fault(w, e.fault, whom(f.effect));
  f.fault = e.fault;
}

void shrink(World& w, const Event& e) {
  count_fault(w, e.fault, {});
  w.dispatchers[e.subject].capacity -= 1;
}

void suspend(World& w, const Event& e) {
  count_fault(w, e.fault, {});
  w.now = w.now + suspended_for;
}

struct Form {
  FaultId fault;
  void (*strike)(World&, const Event&);
};
constexpr Form forms[] = {
    {A7, drop_news},
    {A8, write_over},
    {A11, repeat_news},
    {C1, kill_worker},
    {C2, end_server},
    {C3, end_session},
    {C4, kill_pane_process},
    {C12, reuse_pid},
    {C14, stop_worker},
    {D8, remove_folder},
    {D9, dirty_slot},
    {D10, kill_worker},
    {D11, land_unseen_and_kill},
    {D12, rename_branch},
    {E6, refuse_start},
    {E7, shrink},
    {E9, stand_still},
    {F1, move_clock},
    {F2, move_clock},
    {F3, move_clock},
    {F4, suspend},
    {F5, be_slow},
};

}  // namespace

std::span<const std::pair<FaultId, Duration>> clock_faults() {
  static constexpr std::pair<FaultId, Duration> all[] = {
      {F1, minutes(60)}, {F2, minutes(-60)}, {F3, minutes(7)}};
  return all;
}

void strike(World& w, const Event& event) {
  const auto* const form = std::ranges::find(forms, event.fault, &Form::fault);
  if (form != std::end(forms)) form->strike(w, event);
}

// --- people

void person_deeds(const World& w, std::vector<Event>& out) {
  const auto add = [&](Deed deed, std::size_t subject) {
    out.push_back({Do::person, static_cast<std::uint8_t>(subject), static_cast<std::uint8_t>(deed), none});
  };
  std::size_t n = 0;
  for (const auto& [id, ticket] : w.board.tickets) {
    const std::size_t i = n++;
    if (w.board.removed.contains(id)) continue;
    const Attempt* a = newest(w, id);
    const bool open = a && a->open();
    const bool over = ticket.state == BoardState::done || ticket.state == BoardState::cancelled;
    if (over) {
      add(Deed::reopen, i);
      continue;
    }
    if (ticket.state != BoardState::todo) add(Deed::set_todo, i);
    add(Deed::cancel, i);
    add(Deed::set_done, i);
    add(Deed::edit, i);
    if (ticket.state != BoardState::backlog) add(Deed::to_backlog, i);
    if (open && a->wish == StopWish::none) {
      add(Deed::wish_stop, i);
      add(Deed::wish_cancel, i);
      add(Deed::wish_park, i);
    }
    if (open && a->phase == Phase::waiting) add(Deed::answer, i);
    if (a && ticket.state == BoardState::in_review) {
      add(Deed::land_by_merge, i);
      add(Deed::land_by_squash, i);
    }
  }
  const bool landing = std::ranges::any_of(
      w.flights, [](const Flight& f) { return std::holds_alternative<LandBranch>(f.effect) && !f.held; });
  if (landing) add(Deed::push, 0);
  std::size_t which = 0;
  for (const auto& [shard, server] : w.servers)
    for (const auto& [name, session] : server.sessions) {
      if (session.persons == 0)
        add(Deed::attach, which);
      else
        add(Deed::detach, which);
      add(Deed::end_session, which);
      ++which;
    }
}

namespace {

struct Found {
  int shard = 0;
  SessionName name;
};
std::optional<Found> session_no(const World& w, std::size_t which) {
  std::size_t n = 0;
  for (const auto& [shard, server] : w.servers)
    for (const auto& [name, session] : server.sessions)
      if (n++ == which) return Found{shard, name};
  return std::nullopt;
}

void wish(World& w, const TicketId& id, StopWish what) {
  const Attempt* a = newest(w, id);
  if (!a) return;
  std::optional<LedgerDelta> delta;
  write_ledger(w, RecordWish{a->id, what, "a person"}, by_person, delta);
}

void land(World& w, const TicketId& id, bool squash) {
  const std::string& target = w.setup->policy.target;
  const Attempt* a = newest(w, id);
  if (!a) return;
  const CommitNo tip = ref_of(w.git, "refs/heads/" + a->branch.value);
  const CommitNo base = ref_of(w.git, target);
  if (tip < 0 || base < 0 || reaches(w.git, base, tip)) return;
  if (squash) {
    for (CommitNo at = tip; at >= 0 && !reaches(w.git, base, at);
         at = w.git.commits[static_cast<std::size_t>(at)].parent) {
      Commit copy;
      copy.parent = ref_of(w.git, target);
      copy.patch = w.git.commits[static_cast<std::size_t>(at)].patch;
      w.git.commits.push_back(copy);
      set_ref(w, target, static_cast<CommitNo>(w.git.commits.size()) - 1, by_person);
    }
    return;
  }
  Commit merge;
  merge.parent = base;
  merge.second = tip;
  w.git.commits.push_back(merge);
  set_ref(w, target, static_cast<CommitNo>(w.git.commits.size()) - 1, by_person);
}

}  // namespace

void person_does(World& w, const Event& event) {
  const auto deed = static_cast<Deed>(event.what);
  if (deed == Deed::attach || deed == Deed::detach || deed == Deed::end_session) {
    const auto found = session_no(w, event.subject);
    if (!found) return;
    auto& sessions = w.servers.at(found->shard).sessions;
    Session& session = sessions.at(found->name);
    if (deed == Deed::attach) {
      session.persons = 1;
      session.attached_at = w.now;
    } else if (deed == Deed::detach) {
      session.persons = 0;
    } else {
      for (Runtime& r : w.runtimes)
        if (r.session_id == session.id && r.shard == found->shard) hang_up(w, r);
      sessions.erase(found->name);
    }
    return server_changed(w, found->shard);
  }
  const TicketId id = nth(w.board.tickets, event.subject)->first;
  switch (deed) {
    case Deed::set_todo: return move_ticket(w, id, BoardState::todo, by_person, "by hand", "");
    case Deed::cancel: return move_ticket(w, id, BoardState::cancelled, by_person, "by hand", "");
    case Deed::set_done: return move_ticket(w, id, BoardState::done, by_person, "by hand", "");
    case Deed::to_backlog: return move_ticket(w, id, BoardState::backlog, by_person, "by hand", "");
    case Deed::reopen: return move_ticket(w, id, BoardState::todo, by_person, "reopened", "");
    case Deed::edit: {
      BoardTicket& ticket = w.board.tickets.at(id);
      w.board.before[id] = ticket;
      ticket.version += 1;
      ticket.title += "!";
      ticket.changed_at = w.now;
      w.board.changed[id] = ++w.board.cursor;
      return board_changed(w);
    }
    case Deed::remove: w.board.removed.insert(id); return board_changed(w);
    case Deed::wish_stop: return wish(w, id, StopWish::stop);
    case Deed::wish_cancel: return wish(w, id, StopWish::cancel);
    case Deed::wish_park: return wish(w, id, StopWish::park);
    case Deed::answer: {
      const Attempt* a = newest(w, id);
      Message m;
      m.attempt = a->id;
      m.id = {attempt_key(a->id) + "-a" + std::to_string(w.ledger.seq)};
      m.kind = MessageKind::answer;
      m.text = "the second";
      m.by = "person";
      m.queued_at = m.changed_at = w.now;
      std::optional<LedgerDelta> delta;
      write_ledger(w, QueueMessage{m}, by_person, delta);
      return;
    }
    case Deed::land_by_merge: return land(w, id, false);
    case Deed::land_by_squash: return land(w, id, true);
    case Deed::push: {
      Commit other;
      other.parent = ref_of(w.git, w.setup->policy.target);
      other.patch = w.git.next_patch++;
      w.git.commits.push_back(other);
      return set_ref(w, w.setup->policy.target, static_cast<CommitNo>(w.git.commits.size()) - 1, by_person);
    }
    case Deed::attach:
    case Deed::detach:
    case Deed::end_session: return;
  }
}

}  // namespace holdfast::sim
