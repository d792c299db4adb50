#include "sim/world/meeting.h"

#include <algorithm>

#include "dispatcher/core/classify.h"
#include "sim/world/ports.h"
#include "sim/world/processes.h"
#include "sim/world/strikes.h"

namespace holdfast::sim {
namespace {

using enum FaultId;

bool is_of(const Runtime& r, const TicketId& ticket) {
  return ticket.empty() || r.attempt.ticket == ticket;
}

bool a_worker_lives(const World& w, const TicketId& ticket) {
  return std::ranges::any_of(w.runtimes,
                             [&](const Runtime& r) { return is_of(r, ticket) && r.worker_lives(); });
}

bool all_gone(const World& w, const TicketId& ticket) {
  return std::ranges::all_of(w.runtimes,
                             [&](const Runtime& r) { return !is_of(r, ticket) || tree_is_empty(r); });
}

// A call that sees what its ticket's runtimes do: one of the few before which they may act.
bool sees_runtimes(const Flight& f) {
  switch (call_of(f.effect)) {
    case Call::look: return f.part == 0;
    case Call::server_list:
    case Call::inspect: return true;
    case Call::ledger_load:
    case Call::ledger_changes:
    case Call::ledger_write:
    case Call::board_changes:
    case Call::board_read:
    case Call::board_move:
    case Call::board_return:
    case Call::board_comment:
    case Call::spec_write:
    case Call::seal:
    case Call::go:
    case Call::post:
    case Call::record_list:
    case Call::server_start:
    case Call::spawn:
    case Call::session_end:
    case Call::notice:
    case Call::tree_end:
    case Call::pool_ensure:
    case Call::prepare:
    case Call::pin:
    case Call::salvage:
    case Call::release:
    case Call::land:
    case Call::push:
    case Call::traces: return false;
  }
  __builtin_unreachable();
}

// For a listing by routine: everybody's.
TicketId seen_by(const Flight& f) {
  return ticket_of(f.effect);
}

bool is_git(Call call) {
  return family_of(call) == Family::git;
}

}  // namespace

bool strikes_a_runtime(const Event& e) {
  if (e.what_kind != Do::strike) return false;
  if (e.fault == F5) return e.what == of_runtime;
  for (const FaultId one : {C1, C4, C12, C14, D10, D11, D12})
    if (e.fault == one) return true;
  return false;
}

bool meets_nobody(const World& w, const Flight& f) {
  for (const Flight& other : w.flights)
    if (&other != &f && !other.held && !only_reads(call_of(other.effect))) return false;
  const TicketId ticket = ticket_of(f.effect);
  switch (call_of(f.effect)) {
    // Rows, board and orders are read by no worker and no runner; whether they live, the later the less.
    case Call::ledger_write:
    case Call::board_return:
    case Call::board_comment:
    case Call::spec_write:
    case Call::spawn:
    case Call::notice: return true;
    // But what is done has to be landed, and a worker may still commit.
    case Call::board_move: {
      const auto* move = std::get_if<MoveTicket>(&f.effect);
      return move == nullptr || move->to != BoardState::done || !a_worker_lives(w, ticket);
    }
    case Call::go:
      return std::ranges::none_of(
          w.runtimes, [&](const Runtime& r) { return is_of(r, ticket) && runner_can_step(w, r); });
    case Call::seal:
      return std::ranges::none_of(w.runtimes, [&](const Runtime& r) {
        return is_of(r, ticket) && r.runner == RunnerStage::launching;
      });
    case Call::post:
    case Call::tree_end:
    case Call::session_end: return all_gone(w, ticket);
    case Call::prepare:
    case Call::inspect:
    case Call::pin:
    case Call::salvage:
    case Call::release:
    case Call::land:
    case Call::push: return !a_worker_lives(w, ticket);
    case Call::ledger_load:
    case Call::ledger_changes:
    case Call::board_changes:
    case Call::board_read:
    case Call::look:
    case Call::record_list:
    case Call::server_start:
    case Call::server_list:
    case Call::pool_ensure:
    case Call::traces: return false;
  }
  __builtin_unreachable();
}

namespace {

// Before a call that sees it; or to be seen by a look in the middle of what its dispatcher does, which it can
// only be if its news are heard, and unless that look comes anyway.
bool is_looked_for(const World& w, const Flight& f, const Runtime& r) {
  const Call call = call_of(f.effect);
  if (sees_runtimes(f)) return is_of(r, seen_by(f));
  if (only_reads(call) || ticket_of(f.effect).empty()) return false;
  const DispatcherSeat& seat = w.dispatchers[static_cast<std::size_t>(f.dispatcher)];
  return r.attempt.ticket == ticket_of(f.effect) && seat.mind.there() && !seat.mind->will_look(r.attempt);
}

}  // namespace

bool news_come_first(const World& w, const Flight& f) {
  if (only_reads(call_of(f.effect)) || ticket_of(f.effect).empty()) return false;
  const DispatcherSeat& seat = w.dispatchers[static_cast<std::size_t>(f.dispatcher)];
  return seat.running && !seat.paused && !seat.attempt_news.empty();
}

bool would_make_a_difference(const World& w, const Flight& f, const Event& e) {
  const Call call = call_of(f.effect);
  const bool own = ticket_of(f.effect).empty();  // the installation's: nothing but what it sees
  const bool changes = !only_reads(call) && !own;
  switch (e.what_kind) {
    case Do::worker:
    case Do::runner: return is_looked_for(w, f, w.runtimes[e.subject]);
    case Do::news:
    case Do::think:
    case Do::person: return changes;
    case Do::start:
    case Do::resume: return changes;
    case Do::strike: break;
    case Do::hold:
    case Do::vanish:
    case Do::reply:
    case Do::time:
    case Do::crash: return false;
  }
  if (strikes_a_runtime(e)) return is_looked_for(w, f, w.runtimes[e.subject]);
  if (e.fault == C2 || e.fault == C3) return sees_runtimes(f) || (changes && family_of(call) == Family::tmux);
  if (e.fault == D8 || e.fault == D9) {
    const auto* write = std::get_if<WriteLedger>(&f.effect);
    return (is_git(call) && !own) || (write && std::holds_alternative<Claim>(write->write));
  }
  if (e.fault == A8) return family_of(call) == Family::board;
  return changes && e.fault != E7;
}

namespace {

// A pin of what was seen is read by no call: it keeps out whoever wants the same worktree, and that is all.
// (Where its branch is gone, it is what the attempt is known by.)
bool only_keeps_out(const World& w, const PinBranch& pin) {
  return pin.when == PinWhen::seen && ref_of(w.git, "refs/heads/" + pin.order.branch.value) >= 0;
}

SlotId slot_of(const Effect& effect) {
  if (const auto* prepare = std::get_if<PrepareWorktree>(&effect)) return prepare->order.slot;
  if (const auto* pin = std::get_if<PinBranch>(&effect)) return pin->order.slot;
  if (const auto* salvage = std::get_if<SalvageWorktree>(&effect)) return salvage->order.slot;
  if (const auto* release = std::get_if<ReleaseSlot>(&effect)) return release->order.slot;
  return {};
}

}  // namespace

// Nobody but git reads or writes the repository, besides workers, faults and people. Whoever lives in a
// worktree is asked for when somebody else writes there (S3), so then it may come at any time.
bool late_git_meets_somebody(const World& w, const Flight& late) {
  const bool may_be_struck = w.faults_left > 0 && !w.healed;
  if (may_be_struck || w.setup->person_budget > 0) return true;
  const auto* pin = std::get_if<PinBranch>(&late.effect);
  const bool keeps_out = pin != nullptr && only_keeps_out(w, *pin);
  const auto meets_call = [&](const Flight& other) {
    if (&other == &late || other.held || !is_git(call_of(other.effect))) return false;
    return !keeps_out || slot_of(other.effect) == pin->order.slot;
  };
  if (std::ranges::any_of(w.flights, meets_call)) return true;
  const int most = w.setup->worker.commits;
  return std::ranges::any_of(w.runtimes, [&](const Runtime& r) {
    if (pin == nullptr) return lives(w, r);
    return r.worker_lives() && r.commits > 0 && r.commits < most;  // before the first there is nothing to pin
  });
}

bool about_news(const Event& e) {
  return e.what_kind == Do::news || (e.what_kind == Do::strike && e.fault == A7);
}

bool may_come_before_news(const Event& e) {
  switch (e.what_kind) {
    case Do::news:
    case Do::think:
    case Do::start:
    case Do::resume:
    case Do::person:
    case Do::hold:
    case Do::vanish:
    case Do::reply:
    case Do::time: return true;
    case Do::worker:
    case Do::runner:
    case Do::crash: return false;
    case Do::strike: return e.fault == A7 || e.fault == A8 || e.fault == F4;
  }
  __builtin_unreachable();
}

}  // namespace holdfast::sim
