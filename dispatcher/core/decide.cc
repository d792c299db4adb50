#include "dispatcher/core/decide.h"

#include <algorithm>

#include "dispatcher/core/classify.h"
#include "dispatcher/core/gate.h"
#include "dispatcher/core/names.h"
#include "dispatcher/core/telling.h"
#include "dispatcher/core/words.h"

namespace holdfast {
namespace {

// Nothing of a spawned attempt is decided on old sightings: look first where there is news, or routine has
// come.
std::optional<Plan> look_first(const Knowledge& k, const TicketKnowledge& t, const Policy& policy,
                               Rule rule) {
  const Attempt& a = *t.newest;
  const bool existed = a.step == Step::spawn_begun && !t.seen.sealed_at;
  if (!existed || !a.open() || a.cause != Cause::none) return std::nullopt;
  // In the middle of a pickup of our own nothing can be seen that the next step does not show.
  const bool picking_up =
      a.phase == Phase::planned && (t.work.pane || (t.work.spec_written && !t.work.spawn_tried));
  if (picking_up) return std::nullopt;
  const bool behind = t.seen.record && t.seen.record->what.stream_bytes > t.reader.offset();
  const bool routine = k.now - t.work.looked_at >= policy.look_every || t.work.looked_at > k.now;
  if (!t.work.look_now && !behind && !routine) return std::nullopt;
  return Plan{rule,
              behind ? "its output is not read to the end" : "look before deciding",
              look_at(t, t.work.scan_next),
              {}};
}

Plan writing(Rule rule, std::string why, LedgerWrite write) {
  return {rule, std::move(why), WriteLedger{std::move(write)}, {}};
}

Plan plan_dispatch(const Knowledge& k, const TicketKnowledge& t, const Policy& policy) {
  if (const auto wait = not_eligible(k, t, policy)) return resting(Rule::dispatch, wait->why, wait->until);
  const Profile& profile = *profile_of(policy, t.board->profile);
  Claim claim;
  claim.ticket = t.board->id;
  claim.title = t.board->title;
  claim.profile = profile.name;
  if (profile.prompt_by == PromptBy::paste) claim.prompt = prompt_text(*t.board, profile);
  claim.start = t.memory.continue_from.empty() ? policy.start : "refs/heads/" + t.memory.continue_from.value;
  if (const auto floor = k.floors.find(claim.ticket); floor != k.floors.end()) claim.floor = floor->second;
  // A ticket that was there when servers were lost gets the server that nobody else is on.
  claim.shard = policy.shards;
  if (!t.memory.alone) {
    std::map<int, int> live;
    for (const auto& [id, other] : k.tickets)
      if (other.newest && other.newest->open()) ++live[other.newest->shard];
    // A server that does not answer gets nobody new, as long as another does.
    const auto burden = [&](int shard) {
      const auto seen = k.shards.find(shard);
      return std::pair{seen == k.shards.end() || !seen->second.reachable, live[shard]};
    };
    claim.shard = 0;
    for (int shard = 1; shard < policy.shards; ++shard)
      if (burden(shard) < burden(claim.shard)) claim.shard = shard;
  }
  return writing(Rule::dispatch, "it is todo and eligible", claim);
}

Plan plan_watch_review(const Knowledge& k, const TicketKnowledge& t, const Policy& policy) {
  if (!t.newest) return resting(Rule::watch_review, "in review, and no attempt of ours");
  if (t.work.facts && t.work.reviewed_at.set()) {
    if (const auto landed = seen_landed(*t.work.facts, t.memory))
      return {Rule::watch_review,
              *landed,
              MoveTicket{t.newest->id.ticket, t.board->version, BoardState::done, *landed,
                         attempt_key(t.newest->id) + "-landed"},
              {}};
    const Instant next = t.work.reviewed_at + policy.review_every;
    if (k.now < next) {
      BranchFacts asked = *t.work.facts;
      asked.stranded = stranded_of(asked, t.memory);  // what a person has waived keeps nothing waiting
      return resting(Rule::watch_review, "not seen landed yet: " + describe(asked), next);
    }
  }
  return {Rule::watch_review,
          "see whether it was landed",
          InspectBranch{branch_order(*t.newest, policy, false)},
          {}};
}

// Dead, and not in the ledger yet.
Plan plan_death(const Knowledge& k, const TicketKnowledge& t) {
  const Attempt& a = *t.newest;
  if (cause_needs_listing(a, t.seen) && t.work.server_looks < 3)
    return {Rule::record_death,
            "whether its session or its server went first",
            ListServer{a.shard, a.id.ticket},
            {}};
  const auto certificate = certify(a, t.seen, k.now);
  if (!certificate)
    return resting(Rule::record_death, "not certain enough for a certificate", k.now + seconds(1));
  const std::string why =
      sentence_for(certificate->cause(), certificate->code()) + ": " + certificate->evidence();
  if (a.phase == Phase::finished) return writing(Rule::close, why, RecordDeath{a.id, *certificate});
  return writing(Rule::record_death, why, RecordLost{a.id, *certificate});
}

// A runtime that nobody can tell about is shown to a person after a while; nothing else follows from not
// knowing.
std::optional<Plan> show_unknown(const Knowledge& k, const TicketKnowledge& t, const Policy& policy,
                                 Rule rule) {
  const Attempt& a = *t.newest;
  if (!t.unknown_since.set() || a.step != Step::spawn_begun || a.phase == Phase::planned) return std::nullopt;
  if (k.now - t.unknown_since < policy.unknown_shown_after || !a.attention.empty()) return std::nullopt;
  return writing(rule, "unknown for too long: shown to a person",
                 RecordAttention{a.id, std::string(told_unknown) + ": " + describe(a, t.seen, k.now) +
                                           "; `holdfast runtime declare-dead` if you know that it does not"});
}

std::string quiet_words(Duration quiet) {
  const bool short_one = quiet < minutes(2);
  return std::to_string(quiet.ms / (short_one ? 1000 : 60'000)) + (short_one ? " s" : " minutes");
}

Plan plan_watch(const Knowledge& k, const TicketKnowledge& t, const Policy& policy) {
  const Attempt& a = *t.newest;
  const Profile* profile = profile_of(policy, a.profile);
  if (auto rest = plan_account_rest(k, t, policy, Rule::watch)) return *rest;
  std::string attention;
  for (const Message& m : t.messages)
    if (m.attempt == a.id && m.kind == MessageKind::prompt && m.state == MessageState::dropped)
      attention = "its prompt could not be delivered: " + m.why;
  if (profile && attention.empty()) {
    const auto& lines = t.reader.last_lines();
    for (std::size_t i = lines.size() > 6 ? lines.size() - 6 : 0; i < lines.size(); ++i)
      for (const std::string& pattern : profile->permission_patterns)
        if (!pattern.empty() && lines[i].find(pattern) != std::string::npos)
          attention = "it waits for a permission: " + lines[i];
    const Instant last = t.seen.record ? t.seen.record->what.last_output_at : Instant{};
    // The worker believes that it has reported, and waits; only a person can see that it was passed over.
    if (const auto marker = passed_over(t, policy);
        attention.empty() && marker && last.set() && k.now - last > passed_over_shown_after)
      attention = "it wrote '" + printable(marker->line, 200) +
                  "', which also stands in what was sent to it: not taken for its word; have it say so in "
                  "other words";
    if (attention.empty() && last.set() && k.now - last > profile->quiet_after)
      attention = "no output for " + quiet_words(profile->quiet_after) + " or more";
  }
  if (!attention.empty() && a.attention.empty())
    return writing(Rule::watch, attention, RecordAttention{a.id, attention});
  return resting(Rule::watch, "it runs", t.work.looked_at + policy.look_every);
}

// Life goes on as if the board had said in_progress, whether or not it can be put right now.
Plan by_rule(const Knowledge&, const TicketKnowledge&, const Policy&, Rule, bool ask_board);
Plan plan_keep_and_show(const Knowledge& k, const TicketKnowledge& t, const Policy& policy, bool ask_board) {
  if (ask_board && t.board && t.board->state == BoardState::todo)
    return {Rule::keep_and_show,
            reason_for(Rule::keep_and_show),
            MoveTicket{t.board->id, t.board->version, BoardState::in_progress,
                       std::string(told_kept) + " (" + attempt_key(t.newest->id) + ")",
                       attempt_key(t.newest->id)},
            {}};
  return by_rule(k, t, policy, rule_for(t.newest->phase, Verdict::unknown, BoardState::in_progress), false);
}

Plan by_rule(const Knowledge& k, const TicketKnowledge& t, const Policy& policy, Rule rule, bool ask_board) {
  switch (rule) {
    case Rule::rest: return resting(rule, reason_for(rule));
    case Rule::dispatch: return plan_dispatch(k, t, policy);
    case Rule::watch_review: return plan_watch_review(k, t, policy);
    case Rule::pick_up:
    case Rule::adopt:
    case Rule::abandon: return plan_pick_up(k, t, policy);
    case Rule::bring_up: return plan_bring_up(k, t, policy);
    case Rule::deliver:
      return plan_messages(k, t, policy,
                           writing(rule, "it has everything it needs", RecordRunning{t.newest->id}));
    case Rule::watch: return plan_messages(k, t, policy, plan_watch(k, t, policy));
    case Rule::await_answer: {
      if (t.work.answered) return writing(rule, "it was answered", RecordRunning{t.newest->id});
      if (ask_board && !t.work.commented && t.board)
        return {rule,
                "the question goes to the board",
                CommentTicket{t.board->id,
                              attempt_key(t.newest->id) + "-q" + std::to_string(t.newest->said_offset),
                              "QUESTION: " + t.newest->said_text},
                {}};
      return plan_messages(k, t, policy,
                           resting(rule, "it waits for an answer: " + t.newest->said_text,
                                   t.work.looked_at + policy.look_every));
    }
    case Rule::keep_and_show: return plan_keep_and_show(k, t, policy, ask_board);
    case Rule::obey:
    case Rule::finish_up: return plan_ending(k, t, policy);
    case Rule::record_death: return plan_death(k, t);
    case Rule::close: return t.newest->cause == Cause::none ? plan_death(k, t) : plan_closing(k, t, policy);
    case Rule::settle: return plan_settling(k, t, policy);
  }
  __builtin_unreachable();
}

BoardView board_view(const TicketKnowledge& t) {
  if (t.newest && t.newest->open()) {
    switch (t.newest->wish) {
      case StopWish::stop:
      case StopWish::park:
      case StopWish::cancel: return BoardState::cancelled;
      case StopWish::none: break;
    }
  }
  return t.board ? BoardView(t.board->state) : std::nullopt;
}

// What the last look stood before is pinned where nothing else is to be done, and nobody is about to end it.
bool may_pin(const Attempt& a, const TicketKnowledge& t) {
  return t.work.pin_due && is_at_work(a.phase) && a.ending == Ending::none && a.wish == StopWish::none &&
         !a.slot.empty();
}

// The board says in_progress in the name of an attempt that is over and of which it was told: a late write of
// ours took hold after that, or another dispatcher went by an older view of the ledger. Nobody else would
// ever put it right.
bool told_too_early(const TicketKnowledge& t) {
  if (!t.newest || t.newest->open() || !t.newest->settled || !t.board) return false;
  const auto mover = parse_attempt_key(t.board->moved_by);
  return t.board->state == BoardState::in_progress && mover && mover->ticket == t.newest->id.ticket &&
         mover->generation <= t.newest->id.generation;
}

Plan decide_asking(const Knowledge& k, const TicketId& id, const Policy& policy, bool ask_board);

}  // namespace

Plan decide(const Knowledge& k, const TicketId& id, const Policy& policy, bool ask_board) {
  const auto found = k.tickets.find(id);
  const auto wait = found == k.tickets.end() ? std::nullopt : board_waits(k, found->second);
  Plan plan = decide_asking(k, id, policy, ask_board && !wait);
  const bool asks = plan.effect && family_of(call_of(*plan.effect)) == Family::board;
  if (asks && wait) return resting(plan.rule, wait->why, wait->until);
  if (asks && !ask_board) return resting(plan.rule, "many ask the board now: it is next");
  if (!plan.effect && wait && wait->until.set() && (!plan.wake_at.set() || wait->until < plan.wake_at))
    plan.wake_at = wait->until;
  return plan;
}

std::optional<Wait> board_waits(const Knowledge& k, const TicketKnowledge& t) {
  if (k.board_away) return Wait{"the board cannot be read: it is asked again when its list can be", {}};
  if (still_waits(k.now, t.board_hold_until, minutes(1)))
    return Wait{"waits for the board after: " + t.board_trouble, t.board_hold_until};
  if (t.work.board_gone == BoardGone::said)
    return Wait{"the board says that it is gone: its list is read before that is believed", {}};
  return std::nullopt;
}

namespace {

Plan decide_asking(const Knowledge& k, const TicketId& id, const Policy& policy, bool ask_board) {
  const auto found = k.tickets.find(id);
  if (found == k.tickets.end()) return resting(Rule::rest, "nothing is known of it");
  const TicketKnowledge& t = found->second;
  if (!k.ledger_loaded) return resting(Rule::rest, "the ledger is not read yet");
  if (t.ledger_unsure)
    return resting(Rule::rest, "a write's answer was lost: the ledger is read again first");

  const Attempt* a = t.current();
  const Verdict verdict =
      a ? (a->cause != Cause::none ? Verdict::dead : verdict_of(*a, t.seen, k.now)) : Verdict::unknown;
  const Rule rule = rule_for(a ? RecordedPhase(a->phase) : std::nullopt, verdict, board_view(t));

  if (still_waits(k.now, t.hold_until, minutes(1)))
    return resting(rule, "waits after: " + t.trouble, t.hold_until);
  if (!a && told_too_early(t)) return plan_settling(k, t, policy);
  // A move whose answer was lost: what the board says now is not news, so nobody would tell.
  const bool to_read = !t.board && t.work.board_gone != BoardGone::sure;
  const bool forgotten = ask_board && to_read && k.board_read;
  const auto read_again = [&] { return Plan{rule, "the board's ticket is read again", ReadTicket{id}, {}}; };
  if (!a && forgotten) return read_again();
  if (a) {
    if (auto look = look_first(k, t, policy, rule)) return *look;
    // What it said before it died counts, so it is recorded before the death is.
    if (says_live(a->phase))
      if (const auto marker = next_marker(t, policy)) {
        if (marker->kind == Said::question && verdict != Verdict::dead && a->phase != Phase::newborn)
          return writing(rule, "it asked: " + marker->text,
                         RecordWaiting{a->id, marker->text, marker->offset});
        if (marker->kind != Said::question)
          return writing(rule, "it said that it is finished",
                         RecordFinished{a->id, marker->kind, marker->text, marker->offset});
      }
    // It is dead and waits for nobody; a DONE that was never said, or one that was and is passed over, would
    // be for good.
    if (says_live(a->phase) && verdict == Verdict::dead && to_read && last_word_unsure(t, policy))
      return {rule, "whether its last word is its own: the board's ticket is read", ReadTicket{id}, {}};
    if (says_live(a->phase) && forgotten) return read_again();
    if (says_live(a->phase) && orphaned(*a, t.seen)) return plan_ending(k, t, policy);
    if (verdict == Verdict::alive && a->attention.starts_with(told_unknown))
      return writing(rule, "it is known to live again: nobody need look after it",
                     RecordAttention{a->id, ""});
    if (verdict == Verdict::unknown)
      if (auto shown = show_unknown(k, t, policy, rule)) return *shown;
  }
  Plan plan = by_rule(k, t, policy, rule, ask_board);
  if (!plan.effect && a && verdict != Verdict::dead && may_pin(*a, t))
    plan.effect = PinBranch{branch_order(*a, policy, true), PinWhen::seen};
  return plan;
}

}  // namespace

std::optional<Plan> plan_account_rest(const Knowledge& k, const TicketKnowledge& t, const Policy& policy,
                                      Rule rule) {
  const Attempt& a = *t.newest;
  const Profile* profile = profile_of(policy, a.profile);
  if (!profile || t.reader.limit_line().empty()) return std::nullopt;
  const AccountName account{profile->account.empty() ? profile->name : profile->account};
  const auto known = k.pauses.find(account);
  if (known != k.pauses.end() && known->second.until >= k.now) return std::nullopt;
  return writing(rule, "its provider's limit was reached: the account rests",
                 PauseAccount{{account, k.now + policy.account_pause, t.reader.limit_line()}, a.id});
}

// --- small shared parts
// ----------------------------------------------------------------------------------------------

const Profile* profile_of(const Policy& policy, const std::string& name) {
  const auto found = policy.profiles.find(name.empty() ? policy.default_profile : name);
  return found == policy.profiles.end() ? nullptr : &found->second;
}

Containment containment_of(const Attempt& a, const Sightings& seen) {
  Containment c{a.id, a.token, a.cgroup, a.runner, a.worker, a.worktree};
  if (seen.record) {  // the record is where the ledger's copies come from
    const RecordSighting& record = seen.record->what;
    if (record.runner.known()) c.runner = record.runner;
    if (record.worker.known()) c.worker = record.worker;
    if (!record.cgroup.empty()) c.cgroup = record.cgroup;
  }
  return c;
}

Look look_at(const TicketKnowledge& t, bool scan) {
  return {containment_of(*t.newest, t.seen), scan, t.reader.offset(),
          static_cast<std::int64_t>(t.hook_said.size())};
}

BranchOrder branch_order(const Attempt& a, const Policy& policy, bool with_slot) {
  return {with_slot ? a.slot : SlotId{}, a.id, a.branch, a.base, policy.target, policy.remote};
}

int persons_attached(const Attempt&, const Sightings& seen) {
  return seen.pane && seen.pane->what.pane ? seen.pane->what.pane->persons_attached : 0;
}

const MessageSighting* sighting_of(const Sightings& seen, const MessageId& id) {
  if (!seen.record) return nullptr;
  for (const MessageSighting& one : seen.record->what.messages)
    if (one.id == id) return &one;
  return nullptr;
}

namespace {

bool text_known(const TicketKnowledge& t) {
  return t.board || t.text_before;
}

// What went through the worker's terminal, or may be drawn there by the worker itself. A prompt in a file
// never does; of one in an argument that nobody has read yet nothing can be told.
bool may_be_our_own_text(const Marker& marker, const TicketKnowledge& t, const Profile* profile) {
  if (profile && profile->prompt_by == PromptBy::argument) {
    if (!text_known(t)) return true;
    const std::string& title = t.board ? t.board->title : t.text_before->title;
    const std::string& body = t.board ? t.board->body : t.text_before->body;
    if (is_echo(marker, body) || is_echo(marker, title) || is_echo(marker, profile->preamble)) return true;
  }
  return std::ranges::any_of(t.messages, [&](const Message& m) { return is_echo(marker, m.text); });
}

}  // namespace

bool last_word_unsure(const TicketKnowledge& t, const Policy& policy) {
  const Profile* profile = profile_of(policy, t.newest->profile);
  const auto& all = t.reader.markers();
  return profile && profile->prompt_by == PromptBy::argument && !text_known(t) && !all.empty() &&
         all.back().offset > said_position(t.newest->said_offset).stream;
}

std::optional<Marker> passed_over(const TicketKnowledge& t, const Policy& policy) {
  const std::int64_t recorded = said_position(t.newest->said_offset).stream;
  const auto& all = t.reader.markers();
  if (all.empty() || all.back().offset <= recorded || last_word_unsure(t, policy)) return std::nullopt;
  if (!may_be_our_own_text(all.back(), t, profile_of(policy, t.newest->profile))) return std::nullopt;
  return all.back();
}

std::optional<Marker> next_marker(const TicketKnowledge& t, const Policy& policy) {
  const Profile* profile = profile_of(policy, t.newest->profile);
  const SaidPosition old = said_position(t.newest->said_offset);
  for (Marker marker : t.reader.markers()) {
    if (marker.offset <= old.stream || may_be_our_own_text(marker, t, profile)) continue;
    marker.offset = said_offset({old.hook, marker.offset});
    return marker;
  }
  // The hook's own channel carries nothing but what the worker said.
  std::size_t at = 0;
  for (std::size_t end = t.hook_said.find('\n'); end != std::string::npos; end = t.hook_said.find('\n', at)) {
    std::string_view line = std::string_view(t.hook_said).substr(at, end - at);
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    at = end + 1;
    const auto read = static_cast<std::int64_t>(at);
    if (read <= old.hook) continue;
    if (auto marker = marker_in(line, said_offset({read, old.stream}), WordAt::first_column)) return marker;
  }
  return std::nullopt;
}

namespace {
struct PromptLimit {
  std::size_t bytes;
  const char* way;
};
std::optional<PromptLimit> limit_of(PromptBy by) {
  switch (by) {
    case PromptBy::argument: return PromptLimit{argument_bytes_max, "gives it as an argument"};
    case PromptBy::paste: return PromptLimit{pasted_bytes_max, "pastes it"};
    case PromptBy::file: return std::nullopt;
  }
  __builtin_unreachable();
}
}  // namespace

std::optional<std::string> too_long_to_give(const BoardTicket& ticket, const Profile& profile) {
  const auto limit = limit_of(profile.prompt_by);
  if (!limit) return std::nullopt;
  const std::size_t size = prompt_text(ticket, profile).size();
  if (size <= limit->bytes) return std::nullopt;
  return "its prompt has " + std::to_string(size) + " bytes and profile '" + profile.name + "' " +
         limit->way + ", which can have " + std::to_string(limit->bytes) +
         ": shorten it, or take a profile that puts it in a file";
}

std::optional<Wait> not_eligible(const Knowledge& k, const TicketKnowledge& t, const Policy& policy) {
  const BoardTicket& ticket = *t.board;
  if (t.newest && t.newest->open()) return Wait{"an attempt is open", {}};
  if (k.board_away) return Wait{"the board cannot be read: nothing new is begun by an old view of it", {}};
  if (!policy.only_labels.empty() && std::ranges::none_of(ticket.labels, [&](const std::string& label) {
        return std::ranges::find(policy.only_labels, label) != policy.only_labels.end();
      }))
    return Wait{"it has none of the labels that this dispatcher works for", {}};
  const Profile* profile = profile_of(policy, ticket.profile);
  if (!profile) return Wait{"there is no worker profile '" + ticket.profile + "'", {}};
  if (auto why = too_long_to_give(ticket, *profile)) return Wait{*std::move(why), {}};
  for (const TicketId& needed : ticket.depends_on) {
    const auto other = k.tickets.find(needed);
    if (other == k.tickets.end() || !other->second.board)
      return Wait{"it depends on " + needed.value + ", which is not on the board", {}};
    if (other->second.board->state != BoardState::done)
      return Wait{"it depends on " + needed.value + ", which is " + words_for(other->second.board->state),
                  {}};
  }
  if (still_waits(k.now, t.memory.not_before, {policy.backoff_max.ms + policy.backoff_max.ms / 4 + 1}))
    return Wait{"it backs off after its last attempt", t.memory.not_before};
  const AccountName account{profile->account.empty() ? profile->name : profile->account};
  if (const auto pause = k.pauses.find(account);
      pause != k.pauses.end() && still_waits(k.now, pause->second.until, {2 * policy.account_pause.ms}))
    return Wait{"account " + account.value + " rests: " + pause->second.why, pause->second.until};
  if (still_waits(k.now, k.breaker.open_until, {2 * policy.breaker_rest.ms}))
    return Wait{"too many attempts died young: dispatching rests", k.breaker.open_until};
  if (t.memory.alone)
    for (const auto& [id, other] : k.tickets)
      if (other.newest && other.newest->open() && other.newest->shard == policy.shards)
        return Wait{"it is retried alone, and " + id.value + " is alone there now", {}};
  return std::nullopt;
}

}  // namespace holdfast
