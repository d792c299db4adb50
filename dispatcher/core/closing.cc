// From the end of a runtime to a ticket that is accounted for: end what still lives, save what it left, judge
// it, give everything back, tell the board. Nothing unsaved is destroyed: where saving fails, the worktree is
// kept as it is.
#include <algorithm>

#include "dispatcher/core/budget.h"
#include "dispatcher/core/decide.h"
#include "dispatcher/core/gate.h"
#include "dispatcher/core/names.h"
#include "dispatcher/core/telling.h"
#include "dispatcher/core/words.h"

namespace holdfast {
namespace {

bool explicit_stop(const Attempt& a) {
  switch (a.wish) {
    case StopWish::stop:
    case StopWish::park:
    case StopWish::cancel: return true;
    case StopWish::none: return false;
  }
  __builtin_unreachable();
}

// An explicit stop is not kept waiting by a server that does not say who is attached.
int looks_wanted(const Attempt& a) {
  return explicit_stop(a) ? 3 : looks_in_vain_max;
}

}  // namespace

// TERM to the whole tree, KILL after a grace; dead only when it is gone, however often it was killed.
Plan plan_ending(const Knowledge& k, const TicketKnowledge& t, const Policy& policy) {
  const Attempt& a = *t.newest;
  const Profile* profile = profile_of(policy, a.profile);
  const Rule rule = a.phase == Phase::finished ? Rule::finish_up : Rule::obey;
  const Containment whole = containment_of(a, t.seen);

  // No runner has said that it is there: whoever comes first decides, and then it is dead or it can be ended.
  const bool started = t.seen.record && t.seen.record->what.decision == Decision::started;
  if (a.phase == Phase::newborn && !started && !t.seen.sealed_at)
    return {rule,
            "it is sealed unless its runner has started",
            Seal{a.id, "ended before its runner started"},
            {}};

  if (a.phase == Phase::finished && !explicit_stop(a) && a.ending == Ending::none) {
    const Instant until = a.changed_at + (profile ? profile->finish_grace : seconds(10));
    if (k.now < until && k.now >= a.changed_at) return resting(rule, "it may end by itself", until);
  }
  const Duration grace = profile ? profile->term_grace : seconds(10);
  const auto gets_time = [&](const std::optional<Instant>& sent, Duration wait) {
    return sent && k.now - *sent < wait;
  };
  const bool waits = (a.ending == Ending::term_sent && gets_time(t.work.term_sent, grace)) ||
                     (a.ending == Ending::kill_sent && gets_time(t.work.kill_sent, seconds(5)));
  // Nobody types into or kills a session with a person in it, but for an explicit stop, after a notice. They
  // may also come between one step of its ending and the next.
  const bool listing_old = !seen_within(t.seen.pane, seconds(5), k.now);
  if (!waits && listing_old && t.work.server_looks < looks_wanted(a))
    return {rule, "whether a person is attached", ListServer{a.shard, a.id.ticket}, {}};
  if (!waits && persons_attached(a, t.seen) > 0) {
    if (!explicit_stop(a)) {
      if (a.attention.empty())
        return {rule,
                "a person is attached",
                WriteLedger{
                    RecordAttention{a.id, std::string(told_attached) + ": it is ended after they detach"}},
                {}};
      return resting(rule, "a person is attached", k.now + seconds(5));
    }
    if (!t.work.notice_given)
      return {rule,
              "the person who is attached is told",
              GiveNotice{a.server, a.session, "holdfast ends this session: " + a.wish_by, a.id},
              {}};
  }

  switch (a.ending) {
    case Ending::none:
      return {rule, "its tree is told to end", WriteLedger{RecordEnding{a.id, Ending::term_sent}}, {}};
    case Ending::term_sent:
      if (!t.work.term_sent) return {rule, "its tree is told to end", EndTree{whole, EndSignal::term}, {}};
      if (waits) return resting(rule, "it gets time to end", *t.work.term_sent + grace);
      return {rule, "it did not end in time", WriteLedger{RecordEnding{a.id, Ending::kill_sent}}, {}};
    case Ending::kill_sent: break;
  }
  if (!waits) return {rule, "its tree is killed", EndTree{whole, EndSignal::kill}, {}};
  if (k.now - a.ending_at > seconds(10) && a.attention.empty())
    return {rule,
            "it was killed and is not gone: it keeps its lease, and a person is told",
            WriteLedger{RecordAttention{a.id, std::string(told_undying) + ": killed, and still there (" +
                                                  describe(a, t.seen, k.now) + ")"}},
            {}};
  return resting(rule, "it was killed; it is dead when it is gone", *t.work.kill_sent + seconds(5));
}

namespace {

struct Judgement {
  std::optional<BoardState> disposition;
  std::string reason;
  Memory memory;
};

// A person's word about what is to become of the ticket.
std::optional<Judgement> by_wish(const Attempt& a, const TicketKnowledge& t) {
  switch (a.wish) {
    case StopWish::stop: return Judgement{BoardState::blocked, "stopped: " + a.wish_by, t.memory};
    case StopWish::park: return Judgement{BoardState::backlog, "parked: " + a.wish_by, t.memory};
    case StopWish::cancel: return Judgement{BoardState::cancelled, "cancelled: " + a.wish_by, t.memory};
    case StopWish::none: break;
  }
  // The board's own word, while it ran: left as it is.
  if (t.board) switch (t.board->state) {
      case BoardState::done:
      case BoardState::cancelled:
      case BoardState::backlog: return Judgement{std::nullopt, "a person has moved the ticket", t.memory};
      case BoardState::todo:
      case BoardState::in_progress:
      case BoardState::in_review:
      case BoardState::blocked: break;
    }
  return std::nullopt;
}

// What was seen and then needed no saving any more has been saved by another dispatcher.
bool has_salvage(const TicketKnowledge& t) {
  if (!t.work.salvaged || !t.work.facts) return false;
  const BranchFacts& facts = *t.work.facts;
  if (facts.uncommitted == Tri::yes || facts.untracked == Tri::yes) return true;
  const bool nothing_left = facts.uncommitted == Tri::no && facts.untracked == Tri::no;
  return !t.work.salvaged->refs.empty() && !nothing_left;
}

Judgement judge_finished(const TicketKnowledge& t, const Policy& policy) {
  const Attempt& a = *t.newest;
  if (!t.work.salvage_failure.empty())
    return {BoardState::blocked, "its work could not be saved elsewhere: " + t.work.salvage_failure,
            t.memory};
  if (t.work.landed) {
    const Landed& landed = *t.work.landed;
    switch (landed.answer) {
      case LandAnswer::landed:
      case LandAnswer::already_landed: break;  // the facts were read again since, and decide below
      case LandAnswer::parked: return {BoardState::in_review, "ready to land: " + landed.note, t.memory};
      case LandAnswer::conflict:
        return {BoardState::blocked,
                "landing conflicts (resolve it on " + a.branch.value + ", then `holdfast ticket approve " +
                    a.id.ticket.value + "`): " + landed.output,
                t.memory};
      case LandAnswer::check_failed:
        return {BoardState::blocked,
                "the check failed before landing (mend it on " + a.branch.value +
                    ", then `holdfast ticket approve " + a.id.ticket.value + "`): " + landed.output,
                t.memory};
      case LandAnswer::moved:
        return {BoardState::in_review, "it could not be landed: " + landed.note, t.memory};
    }
  }
  // What could not be given back may not have been inspected since: nothing is known of it then.
  BranchFacts unknown;
  unknown.note = t.work.release_failure;
  const GateRuling ruling = gate(a.said, t.work.facts.value_or(unknown), has_salvage(t), t.memory, policy);
  std::string reason = ruling.reason;
  if (!a.said_text.empty())
    reason = (a.said == Said::done ? "DONE: " : "REVIEW: ") + a.said_text + " -- " + reason;
  if (!t.work.push_failure.empty()) reason += "; not pushed: " + t.work.push_failure;
  switch (ruling.step) {
    case GateStep::done: return {BoardState::done, reason, t.memory};
    case GateStep::land:
    case GateStep::review: break;
  }
  return {BoardState::in_review, reason, t.memory};
}

Judgement judge_lost(const Knowledge& k, const TicketKnowledge& t, const Policy& policy) {
  const Attempt& a = *t.newest;
  Aftermath after = aftermath(t.memory, a, policy, k.now);
  if (!t.work.salvage_failure.empty())
    return {BoardState::blocked, "its work could not be saved elsewhere: " + t.work.salvage_failure,
            after.memory};
  if (a.cause == Cause::never_came_to_be && !t.work.setup_trouble.empty())
    after.reason += ": " + t.work.setup_trouble;
  for (const Message& m : t.messages)
    if (m.attempt == a.id && m.kind == MessageKind::prompt && m.state == MessageState::dropped &&
        !m.why.empty() && a.running_at.set())
      return {BoardState::blocked, "its prompt could not be delivered: " + m.why, after.memory};
  // Where no worker ever ran, whatever is on its branch is somebody else's.
  const bool ran = a.cause != Cause::never_came_to_be;
  const bool commits =
      ran && t.work.facts && t.work.facts->has_commits != Tri::no && t.work.facts->commits != 0;
  if (!commits) return {after.next, after.reason, after.memory};
  switch (policy.recovered) {
    case RecoveredPolicy::review:
      return {BoardState::in_review,
              sentence_for(a.cause, a.exit_code) +
                  " without a DONE; recovered, unconfirmed: " + describe(*t.work.facts),
              after.memory};
    case RecoveredPolicy::continue_branch:
      after.memory.continue_from = a.branch;
      return {after.next, after.reason + "; the next attempt continues " + a.branch.value, after.memory};
  }
  __builtin_unreachable();
}

constexpr Duration looked_for_in_vain = minutes(1);

std::string last_words_of(const MarkerReader& reader) {
  std::string words;
  const auto& lines = reader.last_lines();
  for (std::size_t i = lines.size() > 20 ? lines.size() - 20 : 0; i < lines.size(); ++i)
    words += lines[i] + "\n";
  return words;
}

// A person's word that it is dead opens the way, and never over something that is seen to live: that is ended
// first, and keeps its lease until it is gone.
std::optional<Plan> doubt_the_declaration(const Knowledge& k, const TicketKnowledge& t) {
  const Attempt& a = *t.newest;
  if (a.cause != Cause::declared_dead || a.step != Step::spawn_begun || t.work.released) return std::nullopt;
  const bool looked = seen_within(t.seen.process, seconds(10), k.now) &&
                      (!t.work.kill_sent || t.seen.process->at > *t.work.kill_sent);
  // Where nothing can be looked at any more (its record is gone), the person's word stands: looks were tried
  // since, for a while, and none of them has shown anything.
  const bool seen_since = t.seen.process && t.seen.process->at >= a.died_at;
  const bool tried_since = t.work.looked_at.set() && t.work.looked_at >= a.died_at;
  if (!looked && !seen_since && tried_since && k.now - a.died_at >= looked_for_in_vain) return std::nullopt;
  if (!looked) return Plan{Rule::close, "whether it is as dead as was declared", look_at(t, true), {}};
  if (verdict_of(a, t.seen, k.now) != Verdict::alive) return std::nullopt;
  const std::string lives = "it was declared dead and lives: " + describe(a, t.seen, k.now);
  if (a.attention.empty()) return Plan{Rule::close, lives, WriteLedger{RecordAttention{a.id, lives}}, {}};
  if (!t.work.kill_sent || k.now - *t.work.kill_sent >= seconds(5))
    return Plan{Rule::close, lives, EndTree{containment_of(a, t.seen), EndSignal::kill}, {}};
  return resting(Rule::close, lives, *t.work.kill_sent + seconds(5));
}

}  // namespace

Plan plan_closing(const Knowledge& k, const TicketKnowledge& t, const Policy& policy) {
  const Attempt& a = *t.newest;
  const Work& work = t.work;
  const Rule rule = Rule::close;
  const bool kept = !work.release_failure.empty() || !work.salvage_failure.empty();
  if (auto doubted = doubt_the_declaration(k, t)) return *doubted;

  // Its session: as recorded, or (where its spawn's answer was lost) as listed.
  const auto* listed = t.seen.pane && t.seen.pane->what.pane ? &*t.seen.pane->what.pane : nullptr;
  const bool may_have_session = a.step == Step::spawn_begun && !work.session_ended;
  const bool listing_old = !seen_within(t.seen.pane, seconds(3), k.now);
  if (may_have_session && listing_old && work.server_looks < looks_wanted(a))
    return {rule, "whether its session is there, and a person in it", ListServer{a.shard, a.id.ticket}, {}};
  if (may_have_session && persons_attached(a, t.seen) > 0 && !explicit_stop(a)) {
    if (a.attention.empty())
      return {rule,
              "a person is attached",
              WriteLedger{RecordAttention{
                  a.id, std::string(told_attached) + ": its session is ended after they detach"}},
              {}};
    return resting(rule, "a person is attached", k.now + seconds(4));
  }
  if (!kept) {
    if (!work.facts)
      return {rule, "what it left is inspected", InspectBranch{branch_order(a, policy, true)}, {}};
    const bool clean = work.facts->uncommitted == Tri::no && work.facts->untracked == Tri::no &&
                       work.facts->operation_in_progress == Tri::no && work.facts->detached != Tri::yes;
    // Where it could not be given back because of what nobody has saved, the files know better than the
    // inspection.
    if ((!clean || work.release_tries > 0) && !work.salvaged)
      return {rule, "what it left uncommitted is saved", SalvageWorktree{branch_order(a, policy, true)}, {}};
    if (clean && !work.salvaged && !work.pinned && work.facts->has_commits != Tri::no)
      return {rule, "its commits are pinned", PinBranch{branch_order(a, policy, true), PinWhen::closing}, {}};
    if (!policy.remote.empty() && work.facts->has_commits == Tri::yes && !work.pushed &&
        work.push_failure.empty())
      return {rule, "its branch is pushed", PushBranch{branch_order(a, policy, true)}, {}};
    if (a.phase == Phase::finished && !work.landed && !by_wish(a, t) &&
        gate(a.said, *work.facts, has_salvage(t), t.memory, policy).step == GateStep::land) {
      LandOrder order{a.id,          a.branch,     work.facts->tip,      policy.target,
                      policy.remote, policy.check, policy.check_timeout, {}};
      order.message =
          "Land " + a.id.ticket.value + (t.board ? ": " + printable(t.board->title, 200) : std::string());
      return {rule, "it is landed", LandBranch{order}, {}};
    }
  }
  // The one that is there now has the name of this very attempt, whatever id the first spawn was given: two
  // dispatchers may have spawned it one after the other, and a dead session takes up its name.
  if (may_have_session && listed && !listing_old)
    return {rule,
            "its session is ended",
            EndSession{t.seen.pane->what.server, a.session, listed->session_id, a.id},
            {}};
  // Its server did not say who is in it: the session stays, and the doctor shows it.
  const bool nobody_knows = may_have_session && !t.seen.pane && !explicit_stop(a);
  if (a.server.known() && !work.session_ended && !nobody_knows)
    return {rule, "its session is ended", EndSession{a.server, a.session, a.session_id, a.id}, {}};
  if (may_have_session && listed)
    return {rule,
            "its session is ended",
            EndSession{t.seen.pane->what.server, a.session, listed->session_id, a.id},
            {}};
  if (!kept && !work.released)
    return {rule,
            "its worktree is given back",
            ReleaseSlot{
                {a.slot, a.id}, work.facts->head.empty() ? work.facts->tip : work.facts->head, policy.start},
            {}};

  if (a.cause == Cause::provider_limit)
    if (auto rest = plan_account_rest(k, t, policy, rule)) return *rest;
  auto judged = by_wish(a, t);
  if (!judged) judged = a.phase == Phase::finished ? judge_finished(t, policy) : judge_lost(k, t, policy);
  Close close;
  close.attempt = a.id;
  close.disposition = judged->disposition;
  close.reason = judged->reason;
  close.memory = judged->memory;
  close.last_words = last_words_of(t.reader);
  close.branch_facts = work.facts ? describe(*work.facts) : "not inspected";
  if (work.salvaged) close.salvage_refs = work.salvaged->refs;
  if (kept) {
    close.slot_after = SlotState::quarantined;
    close.slot_note = work.salvage_failure.empty() ? work.release_failure : work.salvage_failure;
  }
  return {rule, "everything is saved and given back: " + judged->reason, WriteLedger{close}, {}};
}

Plan plan_settling(const Knowledge&, const TicketKnowledge& t, const Policy&) {
  const Attempt& a = *t.newest;
  const Rule rule = Rule::settle;
  // What the board showed before the attempt was closed says neither that it knows nor that a person has
  // moved the ticket: it may have been an old view, and then nobody would ever tell it. (A move needs no such
  // look: it names the version that it goes by.)
  const Plan look_again{rule, "the board's ticket is read", ReadTicket{a.id.ticket}, {}};
  Plan settled{rule, "the board knows", WriteLedger{Settle{a.id}}, {}};
  if (!t.board && t.work.board_gone == BoardGone::sure) {
    settled.why = "its ticket is gone from the board";
    return settled;
  }
  if (!t.board) return look_again;
  if (!t.work.board_read) settled = look_again;
  // Another dispatcher has settled this attempt and begun the next: what we wanted to say is over.
  if (const auto mover = parse_attempt_key(t.board->moved_by);
      mover && mover->ticket == a.id.ticket && mover->generation > a.id.generation)
    return {rule, "a newer attempt of it was begun: left as it is", WriteLedger{Settle{a.id}}, {}};
  if (!a.disposition) {
    const bool still_ours =
        t.board->state == BoardState::in_progress && t.board->moved_by == attempt_key(a.id);
    if (!still_ours) return settled;
    return {rule,
            "nobody else has moved it",
            MoveTicket{a.id.ticket, t.board->version, BoardState::blocked,
                       std::string(told_ended) + ": " + sentence_for(a.cause, a.exit_code),
                       attempt_key(a.id) + "-closed"},
            {}};
  }
  if (t.board->state == *a.disposition) return settled;
  // What a person has set meanwhile stays. Only a ticket that still says in_progress (or todo: never told) is
  // ours to move; a cancel or park that a person asked of us is theirs too.
  const bool asked =
      explicit_stop(a) && t.board->state != BoardState::done && t.board->state != BoardState::cancelled;
  const bool ours = t.board->state == BoardState::in_progress ||
                    (t.board->state == BoardState::todo && *a.disposition != BoardState::todo);
  if (!ours && !asked) {
    settled.why = t.work.board_read ? "a person has moved it: left as it is" : settled.why;
    return settled;
  }
  switch (*a.disposition) {
    case BoardState::todo:
      // certify() gives back the death that the ledger holds; without one there is no way to `todo`.
      if (const auto certificate = certify(a, t.seen, a.died_at))
        return {rule, a.reason, ReturnToTodo{*certificate, t.board->version, a.reason}, {}};
      return {rule, "closed without a death: this must not be", std::nullopt, {}};
    case BoardState::backlog:
    case BoardState::in_progress:
    case BoardState::in_review:
    case BoardState::blocked:
    case BoardState::done:
    case BoardState::cancelled: break;
  }
  return {rule,
          a.reason,
          MoveTicket{a.id.ticket, t.board->version, *a.disposition, a.reason, attempt_key(a.id) + "-closed"},
          {}};
}

}  // namespace holdfast
