// One function for each safety invariant, in their order.
#include <algorithm>

#include "dispatcher/core/budget.h"
#include "dispatcher/core/names.h"
#include "dispatcher/core/rules.h"
#include "dispatcher/core/words.h"
#include "sim/oracle/oracle.h"
#include "sim/world/ports.h"

namespace holdfast::sim {
namespace {

using enum Invariant;

std::string who(int by) {
  if (by == by_person) return "a person";
  if (by == by_worker) return "a worker";
  if (by == by_world) return "somebody else";
  return "dispatcher " + std::to_string(by);
}

const Runtime* runtime_of(const World& w, const AttemptId& id) {
  const Runtime* found = nullptr;
  const auto record = w.records.find(id);
  for (const Runtime& r : w.runtimes)
    if (r.attempt == id &&
        (record == w.records.end() || record->second.decided_by == r.pid || found == nullptr))
      found = &r;
  return found;
}

bool died_now(const RowChanged& row) {
  return row.after.cause != Cause::none && (!row.before || row.before->cause == Cause::none);
}

bool says_now(const RowChanged& row) {
  const auto final = [](Said said) { return said == Said::done || said == Said::review; };
  return final(row.after.said) && (!row.before || !final(row.before->said));
}

bool has_said(const World& w, const Attempt& a) {
  return std::ranges::any_of(w.runtimes,
                             [&](const Runtime& r) { return r.attempt == a.id && r.said == a.said; });
}

void live_runtime_is_never_reverted(const World& w, Findings& out) {
  for (const BoardMoved& move : w.happened.board) {
    if (move.to != BoardState::todo || move.by < 0) continue;
    out.risk(S1);
    if (live_runtimes(w, move.ticket) > 0)
      out.broken(S1, move.ticket, who(move.by) + " put it back to todo while its runtime is alive");
    else if (may_still_be_born(w, move.ticket))
      out.broken(S1, move.ticket, who(move.by) + " put it back to todo while a spawn may still take effect");
  }
}

void one_live_runtime(const World& w, Findings& out) {
  if (w.happened.born.empty() && w.happened.spawned.empty()) return;
  std::map<TicketId, int> live;
  for (const Runtime& r : w.runtimes)
    if (lives(w, r)) live[r.attempt.ticket] += 1;
  for (const auto& [ticket, n] : live) {
    out.risk(S2);
    if (n > 1) out.broken(S2, ticket, std::to_string(n) + " runtimes of it live");
  }
}

void one_owner_of_a_worktree(const World& w, Findings& out) {
  for (const SlotTouched& touch : w.happened.slots) {
    if (touch.slot.empty()) continue;
    out.risk(S3);
    if (touch.owner_alive)
      out.broken(S3, touch.by_attempt.ticket,
                 touch.slot.value + " was written for " + attempt_key(touch.by_attempt) + " while " +
                     attempt_key(*touch.owner_alive) + " lives in it");
  }
  if (w.happened.born.empty()) return;
  std::map<std::string, AttemptId> owners;
  for (const Runtime& r : w.runtimes) {
    if (r.slot.empty() || !lives(w, r)) continue;
    const auto [at, first] = owners.emplace(r.slot, r.attempt);
    if (!first && at->second != r.attempt)
      out.broken(S3, r.attempt.ticket,
                 attempt_key(r.attempt) + " and " + attempt_key(at->second) + " both live in " + r.slot);
  }
}

void one_runtime_of_a_session(const World& w, Findings& out) {
  if (w.happened.spawned.empty() && w.happened.born.empty()) return;
  std::map<AttemptId, int> live;
  for (const Runtime& r : w.runtimes)
    if (r.worker_lives()) live[r.attempt] += 1;
  for (const auto& [id, n] : live) {
    out.risk(S4);
    if (n > 1) out.broken(S4, id.ticket, std::to_string(n) + " workers of " + attempt_key(id) + " live");
  }
}

void old_generations_change_nothing(const World& w, Findings& out) {
  for (const WriteRefused& refused : w.happened.refused) {
    const auto top = w.history.top.find(refused.attempt.ticket);
    if (top != w.history.top.end() && refused.attempt.generation < top->second) out.risk(S5);
  }
  for (const RowChanged& row : w.happened.rows) {
    const auto top = w.history.top.find(row.after.id.ticket);
    if (top == w.history.top.end()) continue;
    if (row.before || row.after.id.generation == top->second) out.risk(S5);
    if (row.after.id.generation < top->second)
      out.broken(S5, row.after.id.ticket,
                 who(row.by) + " changed " + attempt_key(row.after.id) + " although generation " +
                     std::to_string(top->second.value) + " was claimed");
    if (row.before && !row.before->open() && row.after.open())
      out.broken(S5, row.after.id.ticket, who(row.by) + " opened " + attempt_key(row.after.id) + " again");
  }
}

void unknown_is_not_dead(const World& w, Findings& out) {
  for (const RowChanged& row : w.happened.rows) {
    if (!died_now(row)) continue;
    out.risk(S6);
    if (row.after.cause == Cause::declared_dead) continue;
    if (lives(w, row.after.id))
      out.broken(S6, row.after.id.ticket,
                 attempt_key(row.after.id) + " was recorded dead (" + words_for(row.after.cause) +
                     ") while it lives");
    for (const Flight& f : w.flights) {
      const auto* spawn = std::get_if<SpawnSession>(&f.effect);
      if (spawn == nullptr || f.held || spawn->attempt != row.after.id) continue;
      const auto record = w.records.find(row.after.id);
      if (record == w.records.end() || record->second.shown.decision == Decision::none)
        out.broken(S6, row.after.id.ticket,
                   attempt_key(row.after.id) + " was recorded dead while its spawn may still take effect");
    }
  }
}

void only_the_meant_one_is_hit(const World& w, Findings& out) {
  for (const Signalled& s : w.happened.signalled) {
    out.risk(S7);
    if (!s.hit)
      out.broken(S7, s.asked_for.ticket, "a signal for " + attempt_key(s.asked_for) + " hit a stranger");
    else if (*s.hit != s.asked_for)
      out.broken(S7, s.asked_for.ticket,
                 "a signal for " + attempt_key(s.asked_for) + " hit " + attempt_key(*s.hit));
  }
  for (const SessionEnded& s : w.happened.sessions) {
    out.risk(S7);
    if (s.hit && *s.hit != s.asked_for)
      out.broken(S7, s.asked_for.ticket,
                 "the end of " + attempt_key(s.asked_for) + "'s session hit " + attempt_key(*s.hit));
    else if (s.live && !s.asked_by_person)
      out.broken(S7, s.asked_for.ticket,
                 "the session of " + attempt_key(s.asked_for) + " was ended while it lived");
  }
}

void no_commit_is_lost(const World& w, Findings& out) {
  if (w.happened.refs.empty() && w.happened.slots.empty()) return;
  std::set<CommitNo> reachable;
  const auto walk = [&](CommitNo from) {
    std::vector<CommitNo> open{from};
    while (!open.empty()) {
      const CommitNo at = open.back();
      open.pop_back();
      if (at < 0 || !reachable.insert(at).second) continue;
      open.push_back(w.git.commits[static_cast<std::size_t>(at)].parent);
      open.push_back(w.git.commits[static_cast<std::size_t>(at)].second);
    }
  };
  for (const auto& [name, tip] : w.git.refs) walk(tip);
  for (const auto& [id, tree] : w.git.slots) walk(tree.head);
  std::optional<std::set<int>> landed;
  for (std::size_t i = 0; i < w.git.commits.size(); ++i) {
    const Commit& c = w.git.commits[i];
    if (c.by.generation.value == 0) continue;
    out.risk(S8);
    if (reachable.contains(static_cast<CommitNo>(i))) continue;
    if (!landed) landed = patches_of(w.git, ref_of(w.git, w.setup->policy.target));
    if (c.patch != 0 && landed->contains(c.patch)) continue;
    out.broken(S8, c.by.ticket,
               "commit c" + std::to_string(i) + " of " + attempt_key(c.by) + " is on no ref");
  }
}

void changes_are_saved_first(const World& w, Findings& out) {
  for (const SlotTouched& touch : w.happened.slots) {
    out.risk(S9);
    if (touch.changes_lost > 0)
      out.broken(S9, touch.by_attempt.ticket,
                 std::to_string(touch.changes_lost) + " uncommitted changes in " + touch.slot.value +
                     " were destroyed unsaved");
  }
}

void prompts_are_read_once(const World& w, Findings& out) {
  for (const InputRead& input : w.happened.inputs) {
    if (input.kind != MessageKind::prompt) continue;
    out.risk(S10);
    const auto read = w.history.prompts_read.find(input.runtime);
    if (read != w.history.prompts_read.end() && read->second > 1)
      out.broken(
          S10, input.runtime.ticket,
          attempt_key(input.runtime) + " has read its prompt " + std::to_string(read->second) + " times");
  }
}

bool is_over(BoardState state) {
  return state == BoardState::done || state == BoardState::cancelled;
}

void over_is_over(const World& w, Findings& out) {
  for (const BoardMoved& move : w.happened.board) {
    if (move.by < 0) continue;
    out.risk(S11);
    if (is_over(move.from) && move.to != move.from)
      out.broken(S11, move.ticket,
                 who(move.by) + " moved it from " + words_for(move.from) + " to " + words_for(move.to));
  }
  for (const Spawned& spawn : w.happened.spawned) {
    const auto moved = w.history.moved_at.find(spawn.attempt.ticket);
    const auto claimed = w.history.claimed_at.find(spawn.attempt);
    // What a person did a moment ago cannot be known yet; what was over before the claim must be.
    if (!is_over(spawn.board) || moved == w.history.moved_at.end() || claimed == w.history.claimed_at.end())
      continue;
    if (moved->second + minutes(5) < claimed->second)
      out.broken(S11, spawn.attempt.ticket,
                 "a session was spawned for a ticket that was over before the claim");
  }
}

void spawns_are_announced(const World& w, Findings& out) {
  for (const Spawned& spawn : w.happened.spawned) {
    out.risk(S12);
    if (!spawn.announced)
      out.broken(S12, spawn.attempt.ticket,
                 attempt_key(spawn.attempt) + " was spawned without a row that says so");
  }
}

void running_was_spawned(const World& w, Findings& out) {
  for (const RowChanged& row : w.happened.rows) {
    if (!says_live(row.after.phase)) continue;
    out.risk(S13);
    if (!w.history.spawns.contains(row.after.id))
      out.broken(S13, row.after.id.ticket,
                 attempt_key(row.after.id) + " is recorded " + words_for(row.after.phase) +
                     " and was never spawned");
  }
}

void the_pool_is_conserved(const World& w, Findings& out) {
  if (w.happened.rows.empty()) return;
  for (const auto& [id, slot] : w.ledger.slots) {
    out.risk(S14);
    if (slot.state != SlotState::leased) continue;
    const Attempt* holder = newest(w, slot.holder.ticket);
    if (holder == nullptr || holder->id != slot.holder || !holder->open())
      out.broken(S14, slot.holder.ticket,
                 id.value + " is leased to " + attempt_key(slot.holder) + ", which is not open");
    else if (holder->slot != id)
      out.broken(S14, slot.holder.ticket,
                 id.value + " is leased to an attempt that has " + holder->slot.value);
  }
  for (const auto& [ticket, row] : w.ledger.tickets) {
    if (!row.newest || !row.newest->open()) continue;
    const auto slot = w.ledger.slots.find(row.newest->slot);
    if (slot == w.ledger.slots.end() || slot->second.state != SlotState::leased ||
        slot->second.holder != row.newest->id)
      out.broken(S14, ticket, attempt_key(row.newest->id) + " is open and its slot is not leased to it");
  }
}

void only_our_own_is_written(const World& w, Findings& out) {
  for (const RefMoved& ref : w.happened.refs) {
    if (ref.by < 0) continue;
    out.risk(S15);
    const bool ours = ref.ref.starts_with("refs/heads/hf/") || ref.ref.starts_with("refs/holdfast/") ||
                      ref.ref == w.setup->policy.target;
    if (!ours) out.broken(S15, {}, who(ref.by) + " moved " + ref.ref);
    if (ref.forced)
      out.broken(S15, {}, who(ref.by) + " moved " + ref.ref + " to something that does not hold it");
  }
  for (const SlotTouched& touch : w.happened.slots)
    if (touch.slot.empty()) out.broken(S15, touch.by_attempt.ticket, "the main checkout was used");
}

void attempts_are_bounded(const World& w, Findings& out) {
  const Policy& p = w.setup->policy;
  const int most = p.attempts_max + p.free_deaths_max + p.setup_failures_max + 4 +
                   4 * (w.setup->person_budget - w.persons_left) + (w.setup->fault_budget - w.faults_left);
  for (const RowChanged& row : w.happened.rows) {
    if (row.before) continue;
    out.risk(S16);
    if (static_cast<int>(row.after.id.generation.value) > most)
      out.broken(S16, row.after.id.ticket,
                 std::to_string(row.after.id.generation.value) + " attempts, and the budgets allow " +
                     std::to_string(most));
  }
  // What is nobody's fault does not use up the ticket's attempts.
  for (const RowChanged& row : w.happened.rows) {
    if (row.after.open() || (row.before && !row.before->open())) continue;
    const auto& memory = w.ledger.tickets.at(row.after.id.ticket).memory;
    int chargeable = 0;
    for (const auto& [id, closed] : w.ledger.closed)
      if (id.ticket == row.after.id.ticket && charge_for(closed.cause) == Charge::ticket) ++chargeable;
    out.risk(S16);
    // A person may want it tried once more, and a row that was written over may say so.
    const int more = (w.setup->person_budget - w.persons_left) +
                     (w.setup->faults.has(FaultId::A8) ? w.setup->fault_budget - w.faults_left : 0);
    if (chargeable > w.setup->policy.attempts_max + more)
      out.broken(S16, row.after.id.ticket,
                 std::to_string(chargeable) + " attempts ended by its fault, and the budget allows " +
                     std::to_string(w.setup->policy.attempts_max + more));
    if (memory.charged > chargeable)
      out.broken(S16, row.after.id.ticket,
                 std::to_string(memory.charged) + " attempts were charged to it, and " +
                     std::to_string(chargeable) + " ended by its fault");
  }
}

// Every spawn has its claim, and claims have the rate; a dispatcher that was started again has it anew. Where
// a clock was moved, a back-off may be over at once, and what was counted by the old one counts no more.
void spawns_have_a_rate(const World& w, Findings& out) {
  const bool claimed =
      std::ranges::any_of(w.happened.rows, [](const RowChanged& row) { return !row.before; });
  const bool clocks_are_right =
      std::ranges::all_of(w.dispatchers, [](const DispatcherSeat& seat) { return seat.clock_off.ms == 0; });
  if (!claimed || !clocks_are_right) return;
  out.risk(S17);
  const auto recent = std::ranges::count_if(w.history.claimed_at, [&](const auto& claim) {
    return w.now - claim.second < seconds(1) && claim.second > w.history.clock_moved_at;
  });
  const auto lives = std::ssize(w.dispatchers) + std::ranges::count_if(w.history.restarts, [&](Instant at) {
                       return w.now - at < seconds(1);
                     });
  const auto most = w.setup->policy.spawns_per_second * lives;
  if (recent > most) out.broken(S17, {}, std::to_string(recent) + " claims within one second");
}

void conflict_is_not_failure(const World& w, Findings& out) {
  for (const RowChanged& row : w.happened.rows) {
    if (!died_now(row) || !w.history.spawns.contains(row.after.id)) continue;
    out.risk(S19);
    if (row.after.cause == Cause::never_came_to_be && w.history.ever_lived.contains(row.after.id))
      out.broken(S19, row.after.id.ticket,
                 attempt_key(row.after.id) + " is recorded as never spawned, and its worker has lived");
  }
}

void changes_are_logged(const World& w, Findings& out) {
  for (const RowChanged& row : w.happened.rows) {
    if (row.before && *row.before == row.after) continue;
    out.risk(S20);
    if (row.events == 0)
      out.broken(S20, row.after.id.ticket, "a change of " + attempt_key(row.after.id) + " is not in the log");
    if (row.after.open() && row.after.cause != Cause::none && row.after.evidence.empty())
      out.broken(S20, row.after.id.ticket, attempt_key(row.after.id) + " is dead without evidence");
  }
}

void done_means_landed(const World& w, Findings& out) {
  for (const BoardMoved& move : w.happened.board) {
    if (move.to != BoardState::done || move.by < 0) continue;
    out.risk(S21);
    const std::set<int> landed = patches_of(w.git, ref_of(w.git, w.setup->policy.target));
    bool any = false;
    for (const Commit& c : w.git.commits) {
      if (c.by.ticket != move.ticket || c.patch == 0) continue;
      any = true;
      if (!landed.contains(c.patch))
        out.broken(S21, move.ticket, "a commit of " + attempt_key(c.by) + " is not on the target");
    }
    if (!any) out.broken(S21, move.ticket, "it is done and nobody has committed anything for it");
    for (const auto& [change, by] : w.git.changed_by)
      if (by.ticket == move.ticket)
        out.broken(S21, move.ticket, attempt_key(by) + " left uncommitted work, which is not on the target");
  }
}

void causes_are_true(const World& w, Findings& out) {
  for (const RowChanged& row : w.happened.rows) {
    if (says_now(row)) {
      out.risk(S22);
      if (!has_said(w, row.after))
        out.broken(S22, row.after.id.ticket,
                   attempt_key(row.after.id) + " is recorded to have said that it is finished; it never did");
    }
    if (!died_now(row)) continue;
    out.risk(S22);
    const Attempt& a = row.after;
    const Runtime* r = runtime_of(w, a.id);
    const auto wrong = [&](const std::string& truth) {
      out.broken(S22, a.id.ticket,
                 attempt_key(a.id) + " is recorded as " + sentence_for(a.cause, a.exit_code) + "; in truth " +
                     truth);
    };
    switch (a.cause) {
      case Cause::never_came_to_be:
        if (w.history.ever_lived.contains(a.id)) wrong("its worker has lived");
        break;
      case Cause::oom_kill:
        if (r == nullptr || !r->oom) wrong("no memory was short");
        break;
      case Cause::clean_exit:
      case Cause::exit_code:
        if (r == nullptr || r->exit_code.value_or(-1) != a.exit_code) wrong("it did not exit so");
        break;
      case Cause::signal:
        if (r == nullptr || (r->signal.value_or(-1) != a.exit_code && r->runner_signal != a.exit_code))
          wrong("no such signal ended it");
        break;
      case Cause::session_killed:
      case Cause::server_lost:
        if (r == nullptr || !r->hung_up) wrong("nobody hung it up");
        break;
      case Cause::stopped_by_us:
        if (a.ending == Ending::none) wrong("nobody told it to end");
        break;
      case Cause::stopped_by_operator:
        if (a.wish == StopWish::none) wrong("no person wanted it ended");
        break;
      case Cause::none:
      case Cause::host_lost:
      case Cause::provider_limit:
      case Cause::declared_dead:
      case Cause::unknown: break;
    }
  }
}

void live_carries_no_failure(const World& w, Findings& out) {
  for (const RowChanged& row : w.happened.rows) {
    if (!lives(w, row.after.id)) continue;
    out.risk(S23);
    if (row.after.cause != Cause::none && row.after.cause != Cause::declared_dead)
      out.broken(S23, row.after.id.ticket, attempt_key(row.after.id) + " lives and carries a failure");
  }
}

void persons_are_respected(const World& w, Findings& out) {
  for (const TypedWhileAttached& typed : w.happened.typed) {
    out.risk(S24);
    out.broken(S24, typed.attempt.ticket, "a message was typed into a session with a person in it");
  }
  for (const Signalled& s : w.happened.signalled) {
    out.risk(S24);
    if (s.attached && !s.asked_by_person)
      out.broken(S24, s.asked_for.ticket, "a runtime was signalled while a person is attached");
  }
  for (const SessionEnded& s : w.happened.sessions)
    if (s.attached && !s.asked_by_person)
      out.broken(S24, s.asked_for.ticket, "a session was ended while a person is attached");
}

constexpr void (*checkers[])(const World&, Findings&) = {
    live_runtime_is_never_reverted,
    one_live_runtime,
    one_owner_of_a_worktree,
    one_runtime_of_a_session,
    old_generations_change_nothing,
    unknown_is_not_dead,
    only_the_meant_one_is_hit,
    no_commit_is_lost,
    changes_are_saved_first,
    prompts_are_read_once,
    over_is_over,
    spawns_are_announced,
    running_was_spawned,
    the_pool_is_conserved,
    only_our_own_is_written,
    attempts_are_bounded,
    spawns_have_a_rate,
    conflict_is_not_failure,
    changes_are_logged,
    done_means_landed,
    causes_are_true,
    live_carries_no_failure,
    persons_are_respected,
};

}  // namespace

void check_safety(const World& w, Findings& out) {
  if (!w.happened.anything) return;
  for (const auto check : checkers) check(w, out);
}

}  // namespace holdfast::sim
