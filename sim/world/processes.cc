#include "sim/world/processes.h"

#include <algorithm>

#include "dispatcher/core/names.h"
#include "sim/world/ports.h"

namespace holdfast::sim {
namespace {

constexpr Duration go_ahead_within = seconds(60), runner_grace = seconds(5);

MessageSighting* next_to_hand(Record& record) {
  for (MessageSighting& m : record.shown.messages)
    if (m.progress == MessageProgress::posted) return &m;
  return nullptr;
}

MessageSighting* next_to_read(Record& record) {
  for (MessageSighting& m : record.shown.messages)
    if (m.progress == MessageProgress::handed && std::ranges::find(record.deaf, m.id) == record.deaf.end())
      return &m;
  return nullptr;
}

void print(World& w, Runtime& r, const std::string& line) {
  Record& record = w.records[r.attempt];
  record.stream += line + "\n";
  record.shown.stream_bytes = static_cast<std::int64_t>(record.stream.size());
  record.shown.last_output_at = w.now;
  record_changed(w, r.attempt);
}

void end_worker(World& w, Runtime& r, std::optional<int> code, std::optional<int> signal) {
  r.worker = WorkerStage::gone;
  r.exit_code = code;
  r.signal = signal;
  r.term = r.kill = r.stopped = false;
  when_tree_ends(w, r);
}

// Between "told to end" and KILL.
bool told_long_enough(const World& w, const Runtime& r) {
  return (r.told || r.hung_up) && w.now - r.holding_since >= runner_grace;
}

}  // namespace

Worktree* worktree_of(World& w, const Runtime& r) {
  const auto found = w.git.slots.find(SlotId{r.slot});
  return found == w.git.slots.end() || !found->second.present ? nullptr : &found->second;
}

bool tree_is_empty(const Runtime& r) {
  return r.runner == RunnerStage::gone && !r.worker_lives() && !r.child;
}

void when_tree_ends(World& w, const Runtime& r) {
  if (r.worker_lives() || r.child || r.runner != RunnerStage::gone) return;
  w.happened.ended.push_back({r.attempt});
  w.happened.anything = true;
}

void hang_up(World&, Runtime& r) {
  if (r.runner != RunnerStage::gone) r.hung_up = true;
}

// The pane's process has ended: with remain-on-exit the dead pane tells how.
void runner_is_gone(World& w, Runtime& r, std::optional<int> status, std::optional<int> signal) {
  r.runner = RunnerStage::gone;
  r.runner_signal = signal.value_or(-1);
  if (const auto server = w.servers.find(r.shard); server != w.servers.end()) {
    auto& sessions = server->second.sessions;
    for (auto at = sessions.begin(); at != sessions.end(); ++at) {
      if (at->second.id != r.session_id) continue;
      at->second.dead = true;
      at->second.exit_status = status;
      at->second.exit_signal = signal;
      if (!w.setup->remain_on_exit) sessions.erase(at);
      server_changed(w, r.shard);
      break;
    }
  }
  record_changed(w, r.attempt);
  when_tree_ends(w, r);
}

void write_end(World& w, Runtime& r, std::string reason) {
  WorkerEnd end;
  end.exit_code = r.exit_code;
  end.signal = r.signal;
  end.oom = w.setup->cgroups ? (r.oom ? OomEvidence::killed : OomEvidence::none_seen) : OomEvidence::unknown;
  end.oom_evidence = w.setup->cgroups ? (r.oom ? "oom_kill 0 -> 1" : "oom_kill 0 -> 0") : "no memory cgroup";
  end.reason = std::move(reason);
  end.tree_empty = true;
  w.records[r.attempt].shown.end = end;
  record_changed(w, r.attempt);
}

bool runner_can_step(const World& w, const Runtime& r) {
  switch (r.runner) {
    case RunnerStage::gone: return false;
    case RunnerStage::launching: return true;
    case RunnerStage::holding: {
      const auto record = w.records.find(r.attempt);
      return r.hung_up || r.told || (record != w.records.end() && record->second.go) ||
             w.now - r.holding_since >= go_ahead_within;
    }
    case RunnerStage::minding: {
      if (r.worker == WorkerStage::gone) return true;
      if ((r.hung_up || r.told) && !r.term && !r.kill) return true;
      if (told_long_enough(w, r) && !r.kill) return true;
      const auto record = w.records.find(r.attempt);
      return record != w.records.end() && !r.stopped && !r.told && !r.hung_up &&
             std::ranges::any_of(record->second.shown.messages, [](const MessageSighting& m) {
               return m.progress == MessageProgress::posted;
             });
    }
  }
  __builtin_unreachable();
}

Instant runner_timer(const World& w, const Runtime& r) {
  if (r.runner == RunnerStage::holding) return r.holding_since + go_ahead_within;
  if (r.runner == RunnerStage::minding && (r.hung_up || r.told) && r.worker_lives() && !r.kill)
    return std::max(r.holding_since + runner_grace, w.now + millis(1));
  return {};
}

void runner_step(World& w, Runtime& r) {
  switch (r.runner) {
    case RunnerStage::gone: return;
    case RunnerStage::launching: {
      Record& record = w.records[r.attempt];
      const bool first = record.shown.decision == Decision::none && !r.hung_up;
      const bool anyhow = w.setup->defects.decision_not_exclusive && !r.hung_up;
      if (!first && !anyhow) return runner_is_gone(w, r, 1, std::nullopt);
      record.shown.decision = Decision::started;
      record.shown.runner = {"boot", "ns", r.pid, static_cast<std::uint64_t>(r.pid)};
      record.shown.started_at = w.now;
      record.decided_by = r.pid;
      r.runner = RunnerStage::holding;
      r.holding_since = w.now;
      if (const auto row = w.ledger.tickets.find(r.attempt.ticket);
          row != w.ledger.tickets.end() && row->second.newest && row->second.newest->id == r.attempt)
        r.slot = row->second.newest->slot.value;
      return record_changed(w, r.attempt);
    }
    case RunnerStage::holding: {
      Record& record = w.records[r.attempt];
      const char* reason = r.hung_up ? "hangup" : r.told ? "term" : record.go ? "" : "no-go-ahead";
      if (*reason == 0 && r.exec_fails) reason = "exec-failed: Cannot allocate memory";
      if (*reason != 0) {
        write_end(w, r, reason);
        return runner_is_gone(w, r, 0, std::nullopt);
      }
      record.shown.worker = {"boot", "ns", r.pid + 1, static_cast<std::uint64_t>(r.pid)};
      record.shown.gone_ahead = record.shown.worker_running = true;
      if (w.setup->cgroups) record.shown.cgroup = "/cg/" + attempt_key(r.attempt);
      r.runner = RunnerStage::minding;
      r.worker = WorkerStage::booting;
      w.history.ever_lived.insert(r.attempt);
      w.happened.born.push_back({r.attempt});
      w.happened.anything = true;
      return record_changed(w, r.attempt);
    }
    case RunnerStage::minding: break;
  }
  Record& record = w.records[r.attempt];
  if (r.worker == WorkerStage::gone) {
    // Leaves none behind: descendants are ended and reaped before the end is written.
    if (r.child) {
      r.child = false;
      return;
    }
    const std::string reason = !r.end_reason.empty() ? r.end_reason
                               : r.hung_up           ? "hangup"
                               : r.told              ? "term"
                                                     : "";
    write_end(w, r, reason);
    return runner_is_gone(w, r, 0, std::nullopt);
  }
  if (r.hung_up || r.told) {
    if (r.end_reason.empty()) {
      r.end_reason = r.hung_up ? "hangup" : "term";
      r.holding_since = w.now;
      r.term = true;
    } else if (told_long_enough(w, r)) {
      r.kill = true;
    } else {
      r.term = true;
    }
    r.stopped = false;
    return;
  }
  if (MessageSighting* m = next_to_hand(record)) {
    m->progress = MessageProgress::handed;
    // A cooked terminal echoes what is typed.
    print(w, r, record.texts[m->id]);
  }
}

void worker_acts(const World& w, const Runtime& r, std::vector<Act>& out) {
  if (!r.worker_lives()) {
    if (r.child) out.push_back(Act::child_ends);
    return;
  }
  if (r.kill) return out.push_back(Act::die_of_kill);
  if (r.stopped) return out.push_back(Act::wake);
  if (r.term) out.push_back(Act::die_of_term);
  const WorkerLimits& most = w.setup->worker;
  if (r.worker == WorkerStage::booting) {
    out.push_back(Act::get_ready);
    out.push_back(Act::exit_badly);
    return;
  }
  const auto record = w.records.find(r.attempt);
  if (record != w.records.end() && next_to_read(const_cast<Record&>(record->second)) != nullptr)
    out.push_back(Act::read_input);
  if (r.said == Said::nothing || r.said == Said::question) {
    if (r.inputs > 0) {
      out.push_back(Act::say_done);
      out.push_back(Act::say_review);
      if (r.questions < most.questions) out.push_back(Act::ask);
    }
    if (r.lines < most.lines) out.push_back(Act::chat);
    if (r.commits < most.commits) out.push_back(Act::commit);
    if (r.changes < most.changes) out.push_back(Act::change);
    if (r.children < most.children) out.push_back(Act::fork_child);
  }
  out.push_back(Act::exit_well);
  out.push_back(Act::exit_badly);
  out.push_back(Act::crash);
  if (r.child) out.push_back(Act::child_ends);
}

void worker_act(World& w, Runtime& r, Act act) {
  Record& record = w.records[r.attempt];
  switch (act) {
    case Act::get_ready:
      r.worker = WorkerStage::at_work;
      record.shown.ready = true;
      record.shown.ready_at = w.now;
      return record_changed(w, r.attempt);
    case Act::read_input: {
      MessageSighting* m = next_to_read(record);
      if (m == nullptr) return;
      m->progress = MessageProgress::consumed;
      r.inputs += 1;
      MessageKind kind = MessageKind::prompt;
      if (const auto row = w.ledger.tickets.find(r.attempt.ticket); row != w.ledger.tickets.end())
        for (const Message& one : row->second.messages)
          if (one.id == m->id) kind = one.kind;
      if (kind == MessageKind::prompt) w.history.prompts_read[r.attempt] += 1;
      w.happened.inputs.push_back({r.attempt, m->id, r.attempt, kind});
      w.happened.anything = true;
      if (r.said == Said::question) r.said = Said::nothing;
      return record_changed(w, r.attempt);
    }
    case Act::say_done: r.said = Said::done; return print(w, r, "DONE: all of it");
    case Act::say_review: r.said = Said::review; return print(w, r, "REVIEW: please");
    case Act::ask:
      r.said = Said::question;
      r.questions += 1;
      return print(w, r, "QUESTION: which " + std::to_string(r.questions));
    case Act::chat: r.lines += 1; return print(w, r, "at work");
    case Act::commit:
      r.commits += 1;
      if (Worktree* tree = worktree_of(w, r)) {
        Commit commit;
        commit.parent = tree->head;
        commit.patch = w.git.next_patch++;
        commit.by = r.attempt;
        w.git.commits.push_back(commit);
        tree->head = static_cast<CommitNo>(w.git.commits.size()) - 1;
        if (!tree->branch.empty()) set_ref(w, "refs/heads/" + tree->branch, tree->head, by_worker, true);
      }
      return;
    case Act::change:
      r.changes += 1;
      if (Worktree* tree = worktree_of(w, r)) {
        w.git.changed_by[w.git.next_change] = r.attempt;
        tree->changes.push_back(w.git.next_change++);
      }
      return;
    case Act::fork_child:
      r.children += 1;
      r.child = true;
      return;
    case Act::child_ends: r.child = false; return when_tree_ends(w, r);
    case Act::exit_well: return end_worker(w, r, 0, std::nullopt);
    case Act::exit_badly: return end_worker(w, r, 1, std::nullopt);
    case Act::crash: return end_worker(w, r, std::nullopt, 6);
    case Act::die_of_term: return end_worker(w, r, std::nullopt, 15);
    case Act::die_of_kill: return end_worker(w, r, std::nullopt, 9);
    case Act::wake: r.stopped = false; return;
  }
  __builtin_unreachable();
}

}  // namespace holdfast::sim
