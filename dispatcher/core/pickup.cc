// From a claim to a runtime that is ready for input. Every step can be repeated; after a lost answer the next
// step is a look.
#include <algorithm>

#include "dispatcher/core/decide.h"
#include "dispatcher/core/names.h"
#include "dispatcher/core/telling.h"
#include "dispatcher/core/words.h"

namespace holdfast {
namespace {

// Claimed, and nothing exists in tmux: no session can appear, so giving up needs no look.
Plan before_spawn(const Knowledge& k, const TicketKnowledge& t, const Policy& policy, Rule rule) {
  const Attempt& a = *t.newest;
  const auto give_up = [&](std::string why) {
    Plan plan{Rule::abandon, std::move(why), std::nullopt, {}};
    if (const auto certificate = certify(a, t.seen, k.now))
      plan.effect = WriteLedger{RecordLost{a.id, *certificate}};
    return plan;
  };
  if (rule == Rule::abandon) return give_up(reason_for(rule));
  if (t.work.setup_failures >= setup_failures_max)
    return give_up("it could not be prepared: " + t.work.setup_trouble);
  if (t.work.board_gone == BoardGone::sure) return give_up("its ticket is gone from the board");
  if (!t.board) return {rule, "the board's ticket is read", ReadTicket{a.id.ticket}, {}};
  const Profile* profile = profile_of(policy, a.profile);
  if (!profile) return give_up("worker profile '" + a.profile + "' is gone from the configuration");

  // In the name of an earlier attempt, or of a person, it may be put right by somebody who does not know of
  // this one yet. (A board that keeps no names says nothing.)
  const auto mover = parse_attempt_key(t.board->moved_by);
  const bool by_another = mover ? mover->ticket == a.id.ticket && mover->generation < a.id.generation
                                : !t.board->moved_by.empty();
  if (t.board->state == BoardState::todo || (t.board->state == BoardState::in_progress && by_another))
    return {rule,
            "the board is told",
            MoveTicket{a.id.ticket, t.board->version, BoardState::in_progress,
                       "claimed as generation " + std::to_string(a.id.generation.value), attempt_key(a.id)},
            {}};
  if (!t.work.prepared)
    return {rule, "its worktree is prepared", PrepareWorktree{{a.slot, a.id, a.branch, a.start}}, {}};
  if (!t.work.spec_written) {
    Attempt with_path = a;
    with_path.worktree = t.work.prepared->path;
    const bool pasted = profile->prompt_by == PromptBy::paste;
    return {rule,
            "its runner's orders are written",
            WriteSpec{spec_for(with_path, *t.board, *profile, policy),
                      pasted ? "" : prompt_text(*t.board, *profile)},
            {}};
  }
  return {rule,
          "the spawn is announced before it is tried",
          WriteLedger{BeginSpawn{a.id, t.work.prepared->base, t.work.prepared->path}},
          {}};
}

// A session may exist from here on. Only the record's decision file says whether a worker can ever start.
Plan after_spawn_begun(const Knowledge& k, const TicketKnowledge& t, const Policy& policy, Rule rule) {
  const Attempt& a = *t.newest;
  const auto shard = k.shards.find(a.shard);
  const bool started = t.seen.record && t.seen.record->what.decision == Decision::started;
  const auto* pane = t.seen.pane && t.seen.pane->what.pane ? &*t.seen.pane->what.pane : nullptr;

  if (started || t.work.pane) {
    SpawnedPane found = t.work.pane.value_or(SpawnedPane{});
    if (!t.work.pane && pane)
      found = {t.seen.pane->what.server, pane->session_id, pane->pane_id, pane->pane_pid};
    const bool listed = t.seen.pane && t.seen.record && t.seen.pane->at >= t.seen.record->at;
    if (!t.work.pane && !pane && !listed && t.work.server_looks < 3)
      return {Rule::adopt, "its runner was found; now its pane", ListServer{a.shard, a.id.ticket}, {}};
    return {Rule::adopt,
            started ? "its runner was found" : "its pane exists",
            WriteLedger{RecordNewborn{a.id, found}},
            {}};
  }

  if (rule != Rule::abandon && !t.work.spawn_tried && t.work.spec_written) {
    if (shard == k.shards.end() || !shard->second.server.known())
      return resting(rule, "tmux server " + std::to_string(a.shard) + " is started first");
    SpawnOrder order;
    order.shard = a.shard;
    order.session = a.session;
    order.working_directory = a.worktree;
    return {rule, "its session is spawned", SpawnSession{order, a.id}, {}};
  }

  // The answer was lost, or the dispatcher was restarted in between: look, then adopt or seal, never guess.
  if (!t.seen.pane && t.work.server_looks < 3)
    return {rule, "whether its session is there", ListServer{a.shard, a.id.ticket}, {}};
  const Instant until = a.spawned_at + policy.newborn_grace;
  const bool in_grace = k.now < until && k.now >= a.spawned_at;
  // Whoever has announced it may be about to spawn it: to seal it at once would take it from them, again and
  // again.
  const bool by_another = !t.work.spec_written && !t.work.spawn_tried;
  if (by_another && in_grace && rule != Rule::abandon)
    return resting(rule, "it was announced by another dispatcher, or before a restart: it gets time", until);
  if (pane && !pane->dead && in_grace)
    return resting(rule, "its session is there: its runner gets time to say so", until);
  return {rule,
          "whoever comes first decides: it is sealed unless its runner has started",
          Seal{a.id, "no runner has started; the spawn's answer was lost or refused"},
          {}};
}

}  // namespace

Plan plan_pick_up(const Knowledge& k, const TicketKnowledge& t, const Policy& policy) {
  const Rule rule = rule_for(Phase::planned, verdict_of(*t.newest, t.seen, k.now),
                             t.newest->wish != StopWish::none ? BoardView(BoardState::cancelled)
                             : t.board                        ? BoardView(t.board->state)
                                                              : std::nullopt);
  return t.newest->step == Step::claimed ? before_spawn(k, t, policy, rule)
                                         : after_spawn_begun(k, t, policy, rule);
}

Plan plan_bring_up(const Knowledge& k, const TicketKnowledge& t, const Policy& policy) {
  const Attempt& a = *t.newest;
  const Profile* profile = profile_of(policy, a.profile);
  const RecordSighting* record = t.seen.record ? &t.seen.record->what : nullptr;
  const bool started = record && record->decision == Decision::started;

  if (!started) {
    const Instant until = a.changed_at + policy.newborn_grace;
    if (k.now < until && k.now >= a.changed_at)
      return resting(Rule::bring_up, "its runner has not reported yet; it is newborn", until);
    return {Rule::bring_up,
            "its pane exists, but no runner came in time: sealed unless it has started",
            Seal{a.id, "the pane exists, but no runner started within the newborn grace"},
            {}};
  }
  if (!record->gone_ahead && !t.work.go_given)
    return {Rule::bring_up, "it gets its go-ahead", GiveGo{a.id}, {}};
  if (record->worker_running && record->ready)
    return {Rule::bring_up,
            "it is ready for input",
            WriteLedger{RecordReady{a.id, record->runner, record->worker, record->cgroup}},
            {}};

  const Instant late = a.changed_at + (profile ? profile->ready_within : minutes(2));
  if (k.now >= late && a.attention.empty())
    return {Rule::bring_up,
            "late, which proves nothing: a person is told",
            WriteLedger{RecordAttention{a.id, "its worker is not ready for input after " +
                                                  std::to_string((k.now - a.spawned_at).ms / 1000) + " s"}},
            {}};
  return resting(Rule::bring_up, "its worker is not ready for input yet",
                 a.attention.empty() ? late : t.work.looked_at + policy.look_every);
}

// Messages in their order, one at a time; `otherwise` where none is to be delivered.
Plan plan_messages(const Knowledge& k, const TicketKnowledge& t, const Policy& policy, Plan otherwise) {
  const Attempt& a = *t.newest;
  const Profile* profile = profile_of(policy, a.profile);
  const Message* next = nullptr;
  for (const Message& m : t.messages) {
    const bool pending = m.state == MessageState::queued || m.state == MessageState::posted ||
                         m.state == MessageState::unverified;
    if (m.attempt == a.id && pending && (next == nullptr || m.queued_at < next->queued_at)) next = &m;
  }
  if (next == nullptr) return otherwise;

  const MessageSighting* sighting = sighting_of(t.seen, next->id);
  const Rule rule = otherwise.rule;
  const auto move = [&](MessageState to, std::string why) {
    return Plan{rule,
                std::string("its message is ") + words_for(to),
                WriteLedger{MoveMessage{a.id, next->id, to, std::move(why)}},
                {}};
  };
  switch (sighting ? sighting->progress : MessageProgress::absent) {
    case MessageProgress::consumed: return move(MessageState::delivered, "");
    case MessageProgress::refused: return move(MessageState::dropped, sighting->why);
    case MessageProgress::posted:
    case MessageProgress::handed: {
      if (next->state == MessageState::queued) return move(MessageState::posted, "");
      const Duration patience = profile ? profile->verify_within : seconds(60);
      if (next->state == MessageState::unverified) {
        if (a.attention.empty())
          return {rule,
                  "shown to a person",
                  WriteLedger{RecordAttention{a.id, "delivery unverified: message " + next->id.value +
                                                        " was handed over and has not been read"}},
                  {}};
        return otherwise;
      }
      // A clock that went back does not make it longer.
      if (!still_waits(k.now, next->changed_at + patience, Duration{patience.ms + 60'000}))
        return move(MessageState::unverified, "handed over, not seen to be read");
      return resting(rule, "its message was handed over and is not read yet", next->changed_at + patience);
    }
    case MessageProgress::absent: break;
  }
  if (next->state == MessageState::unverified) return otherwise;
  // What the runtime said is kept with the message, for people; the message itself stays queued.
  if (!t.work.post_refusal.empty() && t.work.post_refusal != next->why)
    return move(t.work.post_hopeless ? MessageState::dropped : MessageState::queued, t.work.post_refusal);

  // A session with a person in it is not typed into.
  const bool listing_old = !seen_within(t.seen.pane, seconds(3), k.now);
  if (listing_old && t.work.server_looks < looks_in_vain_max)
    return {rule, "whether a person is attached", ListServer{a.shard, a.id.ticket}, {}};
  if (persons_attached(a, t.seen) > 0) {
    if (a.attention.empty())
      return {rule,
              "a person is attached",
              WriteLedger{
                  RecordAttention{a.id, std::string(told_attached) + ": messages wait until they detach"}},
              {}};
    return resting(rule, "a person is attached: messages wait", k.now + seconds(5));
  }
  return {rule, "it gets its message", Post{a.id, next->id, next->text}, {}};
}

}  // namespace holdfast
