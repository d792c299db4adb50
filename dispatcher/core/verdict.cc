#include "dispatcher/core/verdict.h"

#include "dispatcher/core/names.h"

namespace holdfast {
namespace {

bool is_fresh(Instant seen, Instant now) {
  const Duration age = now - seen;
  return age >= Duration{-1000} && age <= fresh_for;  // a clock that jumped makes things stale, never dead
}

bool says(const Probe& probe, Life life) {
  return probe.fresh && probe.says == life;
}

bool record_is_final(const RecordSighting& record) {
  return record.decision == Decision::sealed || (record.end && record.end->tree_empty);
}

Life life_of_processes(const RecordSighting* record, const ProcessSighting& seen) {
  const bool ended = record && record_is_final(*record);
  const bool runner_can_act =
      seen.runner == Presence::present && !ended;  // it lingers a moment after its end
  if (runner_can_act || seen.worker == Presence::present || seen.cgroup == Presence::present ||
      seen.descendants == Presence::present)
    return Life::alive;

  // Dead needs the whole containment empty, and an identity to say so about.
  if (!record || !record->runner.known() || seen.runner != Presence::gone) return Life::unknown;
  const bool worker_gone = seen.worker == Presence::gone || !record->worker.known();
  if (!worker_gone) return Life::unknown;
  // A runner that died without a word has reaped nobody, and what it started may have left its cgroup:
  // everything is searched for the attempt's token too. What may not be read belongs to others; the cgroup
  // answers for it.
  const bool contained = !record->cgroup.empty() && seen.cgroup == Presence::gone && seen.scanned;
  const bool searched = seen.descendants == Presence::gone;
  return contained || searched ? Life::dead : Life::unknown;
}

Life life_of_pane(const Attempt& attempt, const PaneView& view) {
  if (view.pane) return view.pane->dead ? Life::dead : Life::alive;
  // Absence counts only from the very server that the session was created on, or where that one is gone.
  return attempt.server.known() ? Life::dead : Life::unknown;
}

}  // namespace

Verdict judge(const Evidence& e) {
  if (says(e.host, Life::dead)) return says(e.process, Life::alive) ? Verdict::unknown : Verdict::dead;
  if (says(e.process, Life::alive)) return Verdict::alive;
  if (says(e.record, Life::dead)) return Verdict::dead;
  if (says(e.process, Life::dead)) return Verdict::dead;
  if (says(e.heartbeat, Life::alive)) return Verdict::alive;
  return Verdict::unknown;
}

Evidence weigh(const Attempt& attempt, const Sightings& seen, Instant now) {
  Evidence e;
  const RecordSighting* record = seen.record ? &seen.record->what : nullptr;
  if (seen.sealed_at) {
    e.record = {Life::dead, true};  // final: the decision file never changes
  } else if (record) {
    if (record_is_final(*record))
      e.record = {Life::dead, is_fresh(seen.record->at, now)};
    else if (record->decision == Decision::started && !record->end)
      e.record = {Life::alive, is_fresh(seen.record->at, now)};
    if (record->last_output_at.set() && !record->end && now - record->last_output_at <= heartbeat_within)
      e.heartbeat = {Life::alive, is_fresh(seen.record->at, now) && record->decision == Decision::started};
  }
  if (seen.process) {
    const bool fresh = is_fresh(seen.process->at, now);
    // A look that is older than the record's end says nothing about the time after it.
    const bool overtaken = record && record_is_final(*record) && seen.process->at < seen.record->at;
    e.process = {life_of_processes(record, seen.process->what), fresh && !overtaken};
    switch (seen.process->what.host) {
      case Presence::present: e.host = {Life::alive, fresh}; break;
      case Presence::gone: e.host = {Life::dead, fresh}; break;
      case Presence::unknown: break;
    }
  }
  if (seen.pane) e.tmux = {life_of_pane(attempt, seen.pane->what), is_fresh(seen.pane->at, now)};
  return e;
}

namespace {

struct Finding {
  Cause cause = Cause::unknown;
  int code = -1;
  std::string evidence;
};

std::string pids_of(const RecordSighting& record) {
  return "runner pid " + std::to_string(record.runner.pid) +
         (record.worker.known() ? ", worker pid " + std::to_string(record.worker.pid) : std::string());
}

// Whether the tmux server that the session was created on is known to be gone.
bool server_is_lost(const Attempt& attempt, const Sightings& seen) {
  return seen.pane && attempt.server.known() && seen.pane->what.server != attempt.server;
}

Finding hung_up(const Attempt& attempt, const Sightings& seen, const std::string& evidence) {
  if (server_is_lost(attempt, seen))
    return {Cause::server_lost, -1,
            evidence + "; tmux server pid " + std::to_string(attempt.server.pid) + " is gone"};
  if (!seen.pane) return {Cause::unknown, -1, evidence + "; its tmux server did not answer"};
  return {Cause::session_killed, -1,
          evidence + "; tmux server pid " + std::to_string(attempt.server.pid) + " runs on"};
}

Finding stopped(const Attempt& attempt, int code, std::string evidence) {
  const bool by_person = attempt.wish != StopWish::none;
  return {by_person ? Cause::stopped_by_operator : Cause::stopped_by_us, code, std::move(evidence)};
}

Finding from_end(const Attempt& attempt, const Sightings& seen, const RecordSighting& record) {
  const WorkerEnd& end = *record.end;
  std::string evidence = "runner's record (" + pids_of(record) + "): ";
  if (end.reason == "no-go-ahead" || end.reason.starts_with("exec-failed"))
    return {Cause::never_came_to_be, -1, evidence + end.reason};
  if (end.signal)
    evidence += "signal " + std::to_string(*end.signal);
  else if (end.exit_code)
    evidence += "exit code " + std::to_string(*end.exit_code);
  else
    evidence += "no wait status";
  if (end.core_dumped) evidence += ", core dumped";
  if (!end.oom_evidence.empty()) evidence += ", " + end.oom_evidence;
  if (!end.reason.empty()) evidence += ", " + end.reason;

  // The kernel may have ended a child hours ago, and its worker lived on: only a KILL that nobody else has
  // sent, or a failure, is the OOM's.
  const bool oom = end.oom == OomEvidence::killed;
  const bool others = end.reason == "hangup" || attempt.ending != Ending::none;
  if (oom && end.signal == 9 && !others) return {Cause::oom_kill, 9, evidence};
  // The hang-up comes first: our own request to end a tree does not hang up its terminal.
  if (end.reason == "hangup") return hung_up(attempt, seen, evidence);
  // Without a reason the worker had exited before its runner heard that the tree was to end: what was ended
  // then were others.
  const bool by_itself = end.exit_code && end.reason.empty();
  if (attempt.ending != Ending::none && !by_itself)
    return stopped(attempt, end.signal.value_or(-1), evidence);
  if (oom && end.exit_code.value_or(0) != 0) return {Cause::oom_kill, *end.exit_code, evidence};
  if (!seen.limit_line.empty() && (end.signal || end.exit_code.value_or(0) != 0))
    return {Cause::provider_limit, -1, evidence + "; it said: " + seen.limit_line};
  if (end.signal) return {Cause::signal, *end.signal, evidence};
  if (end.exit_code)
    return {*end.exit_code == 0 ? Cause::clean_exit : Cause::exit_code, *end.exit_code, evidence};
  return {Cause::unknown, -1, evidence};
}

// The runner itself died, so nobody wrote an end. tmux may still know.
Finding without_end(const Attempt& attempt, const Sightings& seen, const RecordSighting& record) {
  const auto counted = seen.process ? seen.process->what.oom_kills : std::nullopt;
  const std::string gone =
      pids_of(record) + " gone without a recorded end" +
      (counted ? "; the kernel counted oom_kill " + std::to_string(*counted) + " in its cgroup"
               : std::string());
  if (seen.process && seen.process->what.host == Presence::gone)
    return {Cause::host_lost, -1, "boot id changed since the runner started (" + pids_of(record) + ")"};
  const bool by_person = attempt.wish != StopWish::none && attempt.ending != Ending::none;
  if (by_person) return stopped(attempt, -1, gone + " after it was told to end");
  if (counted.value_or(0) > 0) return {Cause::oom_kill, -1, gone};
  // A runner that was killed leaves its tree to us: that we ended the rest is not how it died.
  if (seen.pane && seen.pane->what.pane && seen.pane->what.pane->dead && seen.pane->what.pane->exit_signal)
    return {
        Cause::signal, *seen.pane->what.pane->exit_signal,
        gone + "; tmux saw the runner end by signal " + std::to_string(*seen.pane->what.pane->exit_signal)};
  // Only our KILL takes a runner away without its word: one that is told to end writes down that it was.
  if (attempt.ending == Ending::kill_sent) return stopped(attempt, -1, gone + " after its tree was killed");
  // A hang-up would have been recorded. Whether the runner or its session went first, nobody can say any
  // more.
  if (server_is_lost(attempt, seen)) return {Cause::unknown, -1, gone + "; its tmux server is gone too"};
  if (seen.pane && !seen.pane->what.pane) return {Cause::unknown, -1, gone + "; its session is gone too"};
  return {Cause::unknown, -1, gone};
}

}  // namespace

bool cause_needs_listing(const Attempt& attempt, const Sightings& seen) {
  if (attempt.cause != Cause::none || !seen.record || seen.sealed_at) return false;
  const RecordSighting& record = seen.record->what;
  if (record.decision != Decision::started) return false;
  if (record.end && record.end->reason != "hangup") return false;
  if (seen.process && seen.process->what.host == Presence::gone) return false;
  // A listing from before the death cannot say what came of the server.
  return !seen.pane || seen.pane->at < seen.record->at;
}

std::optional<DeathCertificate> certify(const Attempt& attempt, const Sightings& seen, Instant now) {
  const auto make = [&](Finding found, Instant at) {
    const bool unless_announced = attempt.cause == Cause::none && attempt.step == Step::claimed;
    return DeathCertificate(attempt.id, found.cause, found.code, std::move(found.evidence), at,
                            unless_announced);
  };
  if (attempt.cause != Cause::none)
    return make({attempt.cause, attempt.exit_code, attempt.evidence}, attempt.died_at);
  if (attempt.phase == Phase::planned && attempt.step == Step::claimed)
    return make({Cause::never_came_to_be, -1, "no spawn was ever announced"}, now);
  if (verdict_of(attempt, seen, now) != Verdict::dead) return std::nullopt;
  if (seen.sealed_at) return make({Cause::never_came_to_be, -1, "sealed before its runner started"}, now);
  if (!seen.record || seen.record->what.decision == Decision::none) return std::nullopt;
  const RecordSighting& record = seen.record->what;
  if (record.decision == Decision::sealed)
    return make({Cause::never_came_to_be, -1, "sealed before its runner started"}, now);
  return make(record.end ? from_end(attempt, seen, record) : without_end(attempt, seen, record), now);
}

std::optional<Doubt> doubt_about(const Attempt& attempt, const Sightings& seen, Instant looked_at,
                                 Instant now) {
  if (attempt.cause != Cause::none || attempt.step != Step::spawn_begun) return std::nullopt;
  if (!looked_at.set() || looked_at > now || now - looked_at > fresh_for) return std::nullopt;
  if (verdict_of(attempt, seen, now) != Verdict::unknown) return std::nullopt;
  return Doubt(attempt.id, now);
}

bool orphaned(const Attempt&, const Sightings& seen) {
  if (!seen.record || !seen.process || seen.record->what.end) return false;
  const ProcessSighting& process = seen.process->what;
  return seen.record->what.runner.known() && process.runner == Presence::gone &&
         (process.worker == Presence::present || process.cgroup == Presence::present ||
          process.descendants == Presence::present);
}

namespace {
const char* word(Life life) {
  switch (life) {
    case Life::alive: return "alive";
    case Life::dead: return "dead";
    case Life::unknown: return "unknown";
  }
  __builtin_unreachable();
}
std::string one(const char* name, const Probe& probe) {
  return std::string(name) + "=" + word(probe.says) +
         (probe.says != Life::unknown && !probe.fresh ? "(stale)" : "");
}
}  // namespace

std::string describe(const Evidence& e) {
  return one("process", e.process) + " " + one("record", e.record) + " " + one("heartbeat", e.heartbeat) +
         " " + one("tmux", e.tmux) + " " + one("host", e.host);
}

std::string describe(const Attempt& attempt, const Sightings& seen, Instant now) {
  const Evidence e = weigh(attempt, seen, now);
  return std::string(word(judge(e))) + " (" + describe(e) + ")";
}

}  // namespace holdfast
