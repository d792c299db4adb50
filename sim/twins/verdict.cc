// Twins of the question who is alive: silence, absence, errors, old answers and numbers taken for a death.
#include "dispatcher/core/names.h"
#include "sim/twins/tools.h"

namespace holdfast::sim {
namespace {

using enum Invariant;

void lost_where_marked(TwinMind mind, std::vector<Effect>& effects, Cause cause) {
  for (auto at = mind.marked.begin(); at != mind.marked.end();) {
    const Attempt* a = newest_of(mind, at->ticket);
    const bool over = a == nullptr || a->id != *at || !a->open() || a->cause != Cause::none;
    const bool gone = over || leaves(mind, effects, recorded_lost(mind, *a, cause));
    at = gone ? mind.marked.erase(at) : std::next(at);
  }
}
void lost_by_unknown(TwinMind mind, std::vector<Effect>& effects) {
  lost_where_marked(mind, effects, Cause::unknown);
}

// --- a probe that fails, or does not find it

void mark_failed_look(TwinMind mind, Answer& answer) {
  const auto* look = std::get_if<Look>(&answer.effect);
  if (look && (is_unknown(answer) || is_refused(answer))) mind.marked.insert(look->containment.attempt);
}
void mark_unreadable(TwinMind mind, Answer& answer) {
  const auto* look = std::get_if<Look>(&answer.effect);
  const auto* looked = std::get_if<Looked>(&answer.value);
  if (look && looked && looked->record.decision == Decision::unreadable)
    mind.marked.insert(look->containment.attempt);
}
void mark_by_listing(TwinMind mind, int shard, const std::vector<PaneSighting>& panes, bool dead_counts) {
  for_open(mind, [&](TicketKnowledge&, const Attempt& a) {
    if (a.shard != shard || a.phase == Phase::planned) return;
    const auto pane = std::ranges::find(panes, a.session, &PaneSighting::session);
    if (dead_counts ? pane != panes.end() && pane->dead : pane == panes.end()) mind.marked.insert(a.id);
  });
}
void mark_unlisted(TwinMind mind, Answer& answer) {
  if (const auto* listing = std::get_if<ServerListing>(&answer.value))
    mark_by_listing(mind, listing->shard, listing->panes, false);
}
void mark_dead_panes(TwinMind mind, Answer& answer) {
  if (const auto* listing = std::get_if<ServerListing>(&answer.value))
    mark_by_listing(mind, listing->shard, listing->panes, true);
}
void mark_all_of_a_silent_server(TwinMind mind, Answer& answer) {
  if (const auto* list = std::get_if<ListServer>(&answer.effect); list && is_unknown(answer))
    mark_by_listing(mind, list->shard, {}, false);
}
void mark_new_server(TwinMind mind, Answer& answer) {
  const auto* listing = std::get_if<ServerListing>(&answer.value);
  if (listing == nullptr) return;
  for_open(mind, [&](TicketKnowledge&, const Attempt& a) {
    if (a.shard == listing->shard && a.server.known() && a.server != listing->server)
      mind.marked.insert(a.id);
  });
}

// --- silence

void mark_quiet(TwinMind mind, std::vector<Effect>& effects) {
  for_open(mind, [&](TicketKnowledge& t, const Attempt& a) {
    if (a.phase != Phase::running || !t.seen.record) return;
    const Instant last = std::max(t.seen.record->what.last_output_at, a.running_at);
    if (mind.now - last > seconds(30)) mind.marked.insert(a.id);
  });
  lost_by_unknown(mind, effects);
}
void mark_old(TwinMind mind, std::vector<Effect>& effects) {
  for_open(mind, [&](TicketKnowledge&, const Attempt& a) {
    if (a.phase == Phase::running && mind.now - a.claimed_at > minutes(6)) mind.marked.insert(a.id);
  });
  lost_by_unknown(mind, effects);
}
void never_look(Policy& p) {
  p.look_every = minutes(1 << 20);
}

// --- half of the containment taken for the whole

void only_the_worker_counts(TwinMind, Answer& answer) {
  auto* looked = std::get_if<Looked>(&answer.value);
  if (looked == nullptr) return;
  looked->process.descendants = Presence::gone;
  looked->process.cgroup = looked->process.worker;
}
void only_the_runner_counts(TwinMind, Answer& answer) {
  auto* looked = std::get_if<Looked>(&answer.value);
  if (looked == nullptr || looked->process.runner != Presence::gone) return;
  looked->process.worker = looked->process.cgroup = looked->process.descendants = Presence::gone;
}

// --- what is known about one, applied to another

void old_end_for_the_new_one(TwinMind mind, std::vector<Effect>& effects) {
  // Looks are kept by ticket: the end that was read for one generation is there when the next has begun.
  for (auto& [id, t] : mind.brain.knowledge.tickets) {
    if (!t.newest) continue;
    const Attempt& a = *t.newest;
    if (t.seen.record && t.seen.record->what.end) mind.marked.insert(a.id);
    const AttemptId before{a.id.ticket, {a.id.generation.value - 1}};
    if (!mind.marked.contains(before) || !a.open() || a.cause != Cause::none || a.phase == Phase::planned)
      continue;
    if (leaves(mind, effects, recorded_lost(mind, a, Cause::exit_code, 1))) mind.marked.erase(before);
  }
}

// --- death by our own hand

void killed_is_dead(TwinMind mind, Answer& answer) {
  const auto* end = std::get_if<EndTree>(&answer.effect);
  if (end && end->signal == EndSignal::kill) mind.marked.insert(end->containment.attempt);
}
void told_is_dead(TwinMind mind, Answer& answer) {
  const auto* end = std::get_if<EndTree>(&answer.effect);
  if (end && end->signal == EndSignal::term) mind.marked.insert(end->containment.attempt);
}
void lost_by_us(TwinMind mind, std::vector<Effect>& effects) {
  lost_where_marked(mind, effects, Cause::stopped_by_us);
}

// --- certificates

// Never certified, and what would have said so waits for another look.
void never_certify(TwinMind, std::vector<Effect>& effects) {
  replace_write<RecordLost>(
      effects, [](const RecordLost& w) -> std::optional<Effect> { return ReadTicket{w.attempt.ticket}; });
  replace_write<RecordDeath>(
      effects, [](const RecordDeath& w) -> std::optional<Effect> { return ReadTicket{w.attempt.ticket}; });
}
void wait_after_reading(TwinMind mind) {
  for_open(mind, [&](TicketKnowledge& t, const Attempt& a) {
    const bool dead = verdict_of(a, t.seen, mind.now) == Verdict::dead;
    if (dead && !still_waits(mind.now, t.hold_until, minutes(1))) {
      // Every second time only, so that looking goes on.
      if (mind.marked.erase(a.id) == 0) {
        mind.marked.insert(a.id);
        t.hold_until = mind.now + seconds(59);
      }
    }
  });
}

template <class F>
void recertify(TwinMind mind, std::vector<Effect>& effects, F cause_for) {
  const auto again = [&](const auto& w) -> std::optional<Effect> {
    const Attempt* a = newest_of(mind, w.attempt.ticket);
    if (!a || a->id != w.attempt) return std::nullopt;
    const auto& [cause, code] = cause_for(w.certificate);
    if (cause == w.certificate.cause()) return std::nullopt;
    return recorded_lost(mind, *a, cause, code);
  };
  replace_write<RecordLost>(effects, again);
  replace_write<RecordDeath>(effects, again);
}
using Found = std::pair<Cause, int>;
void kill_is_oom(TwinMind mind, std::vector<Effect>& effects) {
  recertify(mind, effects, [](const DeathCertificate& c) {
    return c.cause() == Cause::signal && c.code() == 9 ? Found{Cause::oom_kill, 9}
                                                       : Found{c.cause(), c.code()};
  });
}
void unknown_is_clean(TwinMind mind, std::vector<Effect>& effects) {
  recertify(mind, effects, [](const DeathCertificate& c) {
    return c.cause() == Cause::unknown ? Found{Cause::clean_exit, 0} : Found{c.cause(), c.code()};
  });
}
void young_death_is_failed_spawn(TwinMind mind, std::vector<Effect>& effects) {
  recertify(mind, effects, [](const DeathCertificate& c) {
    const bool by_itself = c.cause() == Cause::exit_code || c.cause() == Cause::signal;
    return by_itself ? Found{Cause::never_came_to_be, -1} : Found{c.cause(), c.code()};
  });
}

}  // namespace

std::vector<Twin> twins_of_the_verdict() {
  return {
      {"failed-look-is-death",
       "a look that fails found nobody",
       "gastown#4468",
       {S6},
       {.answer = mark_failed_look, .effects = lost_by_unknown},
       {}},
      {"unreadable-is-death",
       "a record that cannot be read is the record of a dead one",
       "agent-orchestrator#1466",
       {S6},
       {.answer = mark_unreadable, .effects = lost_by_unknown},
       {}},
      {"unlisted-is-dead",
       "a session that is not in the listing has no worker any more",
       "gastown#3584",
       {S6},
       {.answer = mark_unlisted, .effects = lost_by_unknown},
       {}},
      {"dead-pane-is-dead-worker",
       "a dead pane has no worker any more",
       "gastown#3802",
       {S6},
       {.answer = mark_dead_panes, .effects = lost_by_unknown},
       {}},
      {"silent-server-is-empty",
       "a listing that fails is an empty one",
       "gastown#1440",
       {S6},
       {.answer = mark_all_of_a_silent_server, .effects = lost_by_unknown},
       {}},
      {"new-server-is-all-dead",
       "another tmux server: whoever was on the old one is dead",
       "overdeck#3539",
       {S6},
       {.answer = mark_new_server, .effects = lost_by_unknown},
       {}},
      {"quiet-is-dead",
       "no output for half a minute: dead",
       "taskforcesh/bullmq#3183",
       {S6, S23},
       {.effects = mark_quiet},
       {}},
      {"old-is-dead",
       "it runs for six minutes: reclaimed",
       "hexpm/hexpm#1825",
       {S6},
       {.effects = mark_old},
       {}},
      {"never-look",
       "nobody polls, and notifications are dropped",
       "gastown#3584",
       {L2},
       {.policy = never_look, .drops_news = true},
       {}},
      {"children-do-not-count",
       "its worker is all that is looked at and signalled; a child lives on",
       "claude-code#94045",
       {S6},
       {.answer = only_the_worker_counts},
       [] {
         Defects d;
         d.ends_only_the_runner = true;
         return d;
       }()},
      {"runner-gone-is-worker-gone",
       "the pane's process is gone, so the worker is",
       "gastown#2534",
       {S6},
       {.answer = only_the_runner_counts},
       {}},
      {"old-end-for-new-attempt",
       "the end of one generation is applied to the next",
       "gastown#1025",
       {S6, S22},
       {.effects = old_end_for_the_new_one},
       {}},
      {"killed-is-dead",
       "it was sent KILL, so it is dead",
       "stablyai/orca#21953",
       {S6},
       {.answer = killed_is_dead, .effects = lost_by_us},
       {}},
      {"told-is-dead",
       "it was told to end, so it has ended",
       "HenryLach/taskplane#242",
       {S6},
       {.answer = told_is_dead, .effects = lost_by_us},
       {}},
      {"never-certify",
       "no death is ever certain enough",
       "bobbit",
       {L2},
       {.knowledge = wait_after_reading, .effects = never_certify},
       {}},
      {"kill-is-oom",
       "signal 9 was the OOM killer",
       "activepieces#15130",
       {S22},
       {.effects = kill_is_oom},
       {}},
      {"unknown-is-clean-exit",
       "nothing is known of its end: it went well",
       "saltbo/agent-kanban#229",
       {S22},
       {.effects = unknown_is_clean},
       {}},
      {"death-is-failed-spawn",
       "a worker that fails was never spawned",
       "the founding incident",
       {S19, S22},
       {.effects = young_death_is_failed_spawn},
       {}},
  };
}

}  // namespace holdfast::sim
