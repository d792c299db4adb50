// Twins of the way from a claim to a prompt that was read: spawning, announcing, delivering.
#include "dispatcher/core/names.h"
#include "sim/twins/tools.h"

namespace holdfast::sim {
namespace {

using enum Invariant;

// --- the incident: an error of the send is taken for a failed spawn

void put_back_to_todo(TwinMind mind, std::vector<Effect>& effects) {
  for (auto at = mind.marked.begin(); at != mind.marked.end();) {
    const auto known = mind.brain.knowledge.tickets.find(at->ticket);
    if (known == mind.brain.knowledge.tickets.end() || !known->second.board) {
      ++at;
      continue;
    }
    const bool gone = leaves(mind, effects,
                             MoveTicket{at->ticket, known->second.board->version, BoardState::todo,
                                        "tmux_spawn_failed", attempt_key(*at)});
    at = gone ? mind.marked.erase(at) : std::next(at);
  }
}
void mark_refused_send(TwinMind mind, Answer& answer) {
  if (const auto* post = std::get_if<Post>(&answer.effect); post && is_refused(answer))
    mind.marked.insert(post->attempt);
}
void mark_unanswered_send(TwinMind mind, Answer& answer) {
  if (const auto* post = std::get_if<Post>(&answer.effect); post && is_unknown(answer))
    mind.marked.insert(post->attempt);
}

// --- other ways of taking an error for evidence

void record_marked_lost(TwinMind mind, std::vector<Effect>& effects) {
  for (auto at = mind.marked.begin(); at != mind.marked.end();) {
    const Attempt* a = newest_of(mind, at->ticket);
    const bool over = a == nullptr || a->id != *at || !a->open() || a->cause != Cause::none;
    const bool gone = over || leaves(mind, effects, recorded_lost(mind, *a, Cause::never_came_to_be));
    at = gone ? mind.marked.erase(at) : std::next(at);
  }
}
void mark_refused_spawn(TwinMind mind, Answer& answer) {
  const auto* spawn = std::get_if<SpawnSession>(&answer.effect);
  if (spawn && answer.raw.transport == Transport::answered && answer.raw.code != 0)
    mind.marked.insert(spawn->attempt);
}
void mark_unknown_spawn(TwinMind mind, Answer& answer) {
  const auto* spawn = std::get_if<SpawnSession>(&answer.effect);
  if (spawn && is_unknown(answer)) mind.marked.insert(spawn->attempt);
}
void mark_spawned_without_ids(TwinMind mind, Answer& answer) {
  const auto* spawn = std::get_if<SpawnSession>(&answer.effect);
  const auto* pane = std::get_if<SpawnedPane>(&answer.value);
  if (spawn && pane && pane->session_id.empty()) mind.marked.insert(spawn->attempt);
}
void mark_silent_newborns(TwinMind mind, std::vector<Effect>& effects) {
  for_open(mind, [&](TicketKnowledge& t, const Attempt& a) {
    const bool reported = t.seen.record && t.seen.record->what.decision == Decision::started;
    if (a.phase == Phase::newborn && !reported) mind.marked.insert(a.id);
  });
  record_marked_lost(mind, effects);
}
void mark_duplicates(TwinMind mind, Answer& answer) {
  const auto* spawn = std::get_if<SpawnSession>(&answer.effect);
  if (spawn && answer.raw.error.find("duplicate session") != std::string::npos)
    mind.marked.insert(spawn->attempt);
}
void mark_not_ready_in_time(TwinMind mind, std::vector<Effect>& effects) {
  replace_write<RecordAttention>(effects, [&](const RecordAttention& w) -> std::optional<Effect> {
    const Attempt* a = newest_of(mind, w.attempt.ticket);
    if (!a || a->id != w.attempt || a->phase != Phase::newborn || !w.text.starts_with("its worker is not"))
      return std::nullopt;
    return recorded_lost(mind, *a, Cause::unknown);
  });
}

// --- effects before their records

void spawn_first(TwinMind mind, std::vector<Effect>& effects) {
  replace_write<BeginSpawn>(effects, [&](const BeginSpawn& w) -> std::optional<Effect> {
    const Attempt* a = newest_of(mind, w.attempt.ticket);
    const bool up = a && mind.brain.knowledge.shards[a->shard].server.known();
    if (!up || !mind.marked.insert(w.attempt).second) return std::nullopt;
    SpawnOrder order;
    order.shard = a->shard;
    order.session = a->session;
    order.working_directory = w.worktree;
    return SpawnSession{order, a->id};
  });
}
void newborn_before_spawn(TwinMind, std::vector<Effect>& effects) {
  replace<SpawnSession>(effects, [](const SpawnSession& e) -> std::optional<Effect> {
    return WriteLedger{RecordNewborn{e.attempt, {}}};
  });
}

// --- delivery

// A send without an answer is repeated under a new number, so that nobody can tell that it is the same.
void mark_tried_sends(TwinMind mind, Answer& answer) {
  if (auto* post = std::get_if<Post>(&answer.effect); post && is_unknown(answer))
    mind.marked.insert(post->attempt);
}
void send_again_under_a_new_id(TwinMind mind, std::vector<Effect>& effects) {
  replace<Post>(effects, [&](const Post& e) -> std::optional<Effect> {
    if (!mind.marked.contains(e.attempt)) return std::nullopt;
    return Post{e.attempt, {e.message.value + "-again"}, e.text};
  });
  // Whether the first one arrived is not asked.
  for_open(mind, [&](TicketKnowledge& t, const Attempt& a) {
    if (!mind.marked.contains(a.id)) return;
    for (const Message& m : t.messages)
      if (m.attempt == a.id && m.kind == MessageKind::prompt && m.state == MessageState::queued)
        if (leaves(mind, effects, Post{a.id, {m.id.value + "-again"}, m.text})) mind.marked.erase(a.id);
  });
}
void nobody_is_told_of_silence(Policy& p) {
  for (auto& [name, profile] : p.profiles) profile.quiet_after = minutes(1 << 20);
}
void take_handed_for_read(TwinMind, Answer& answer) {
  if (auto* looked = std::get_if<Looked>(&answer.value))
    for (MessageSighting& m : looked->record.messages)
      if (m.progress == MessageProgress::handed || m.progress == MessageProgress::posted)
        m.progress = MessageProgress::consumed;
}
void wait_for_ever(Policy& p) {
  for (auto& [name, profile] : p.profiles) profile.verify_within = profile.quiet_after = minutes(1 << 20);
}
void see_nobody_attached(TwinMind, Answer& answer) {
  if (auto* listing = std::get_if<ServerListing>(&answer.value))
    for (PaneSighting& pane : listing->panes) pane.persons_attached = 0;
}

void wait_for_newborns_for_ever(Policy& p) {
  p.newborn_grace = minutes(1 << 20);
}

}  // namespace

std::vector<Twin> twins_of_the_send() {
  return {
      {"revert-on-409",
       "a send that is refused puts the ticket back to todo",
       "the founding incident",
       {S1},
       {.answer = mark_refused_send, .effects = put_back_to_todo},
       {}},
      {"revert-on-send-timeout",
       "a send without an answer puts the ticket back to todo",
       "overdeck#3185",
       {S1},
       {.answer = mark_unanswered_send, .effects = put_back_to_todo},
       {}},
      {"spawn-error-is-refusal",
       "tmux's exit code 1 means that there is no session",
       "agent-orchestrator#3649",
       {S6, S22},
       {.answer = mark_refused_spawn, .effects = record_marked_lost},
       {}},
      {"absent-after-unknown-spawn",
       "a spawn without an answer has not happened",
       "chrismcdermut/proletariat#1049",
       {S6, S22},
       {.answer = mark_unknown_spawn, .effects = record_marked_lost},
       {}},
      {"empty-ids-are-failure",
       "a spawn that answers without ids has failed",
       "agent-orchestrator#3649",
       {S6, S22},
       {.answer = mark_spawned_without_ids, .effects = record_marked_lost},
       {}},
      {"duplicate-is-failure",
       "a session of that name is there already: the spawn has failed",
       "akashgit/remote-factory#1279",
       {S6, S22},
       {.answer = mark_duplicates, .effects = record_marked_lost},
       {}},
      {"no-newborn-grace",
       "a newborn that has not reported yet is dead",
       "sidekiq/sidekiq#4611",
       {S6, S22},
       {.effects = mark_silent_newborns},
       {}},
      {"grace-for-ever",
       "a newborn whose runner never comes is waited for, and waited for",
       "gocd/gocd#956",
       {L2},
       {.policy = wait_for_newborns_for_ever},
       {}},
      {"late-ready-is-failure",
       "a worker that is not ready in time is dead",
       "omnigent-ai/omnigent#4357",
       {S6},
       {.effects = mark_not_ready_in_time},
       {}},
      {"record-after-spawn",
       "the spawn is announced after it was done",
       "OpenHands/automation#461",
       {S12},
       {.effects = spawn_first},
       {}},
      {"newborn-before-spawn",
       "a row says that it lives before anything was spawned",
       "",
       {S13},
       {.effects = newborn_before_spawn},
       {}},
      {"deliver-twice",
       "a send without an answer is repeated as a new message",
       "code-yeongyu/oh-my-openagent#8579",
       {S10},
       {.answer = mark_tried_sends, .effects = send_again_under_a_new_id},
       {}},
      {"handed-is-read",
       "keys that were typed were read",
       "agent-orchestrator#2342",
       {L7},
       {.policy = nobody_is_told_of_silence, .answer = take_handed_for_read},
       {}},
      {"wait-for-ever",
       "a prompt that is never read is waited for",
       "agent-orchestrator#1376",
       {L7},
       {.policy = wait_for_ever},
       {}},
      {"nobody-is-attached",
       "a session with a person in it is typed into and ended",
       "",
       {S24},
       {.answer = see_nobody_attached},
       {}},
  };
}

}  // namespace holdfast::sim
