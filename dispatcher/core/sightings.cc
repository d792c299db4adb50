// What was seen goes into Knowledge: rows of the ledger, tickets of the board, listings of tmux, looks at an
// attempt. News may come late and in any order; what is older than what is known is passed over.
#include <algorithm>
#include <tuple>

#include "dispatcher/core/absorb_parts.h"
#include "dispatcher/core/budget.h"
#include "dispatcher/core/names.h"
#include "dispatcher/core/rules.h"

namespace holdfast {
namespace {

const Profile* profile_for(const Policy& policy, const Attempt& a) {
  return profile_of(policy, a.profile);
}

// A new attempt, or the first sight of one: nothing volatile is carried over.
void begin_attempt(TicketKnowledge& t, const Attempt& a, const Policy& policy) {
  const Profile* profile = profile_for(policy, a);
  t.seen = {};
  t.listings_too_old.clear();
  t.work = {};
  t.reader = profile ? MarkerReader(profile->limit_patterns, profile->word_at) : MarkerReader();
  t.stream_finished = false;
  t.hook_said.clear();
  t.unknown_since = {};
  t.tries = 0;
  t.hold_until = {};
  t.board_tries = 0;
  t.board_hold_until = {};
}

// What is known of it now is newer than every listing that is on its way. Clocks cannot say: the spawn has
// the time of whoever announced it, and much fits into one millisecond.
void listings_begin_anew(const Knowledge& k, TicketKnowledge& t, const Attempt& a) {
  const auto shard = k.shards.find(a.shard);
  t.listings_too_old = shard == k.shards.end() ? std::set<TicketId>{} : shard->second.asked_by;
}

// A row from before the one that is known.
bool is_older(const Attempt& a, const TicketKnowledge& t) {
  return t.newest &&
         std::pair(a.id.generation, a.revision) < std::pair(t.newest->id.generation, t.newest->revision);
}

void take_attempt(Knowledge& k, TicketKnowledge& t, const Attempt& a, const Policy& policy) {
  if (is_older(a, t)) return;
  const bool same = t.newest && t.newest->id == a.id;
  if (!same) begin_attempt(t, a, policy);
  const bool new_phase = same && t.newest->phase != a.phase;
  const bool new_question = same && t.newest->said_offset != a.said_offset;
  if (new_phase && a.phase == Phase::lost && a.spawned_at.set() && a.died_at - a.spawned_at < policy.young &&
      charge_for(a.cause) == Charge::ticket) {
    auto& young = k.breaker.young_deaths;
    young.push_back(k.now);
    std::erase_if(young, [&](Instant at) { return k.now - at > policy.breaker_window; });
    // Each is stored: what the ledger does not have is forgotten with the next read of it.
    k.breaker_unsaved = true;
    if (static_cast<int>(young.size()) >= policy.breaker_deaths) {
      k.breaker.open_until = k.now + policy.breaker_rest;
      young.clear();
    }
  }
  if (new_phase && a.phase == Phase::closed) {
    // What was inspected before the salvage is not what a review may go by. Else it is, and the next review
    // comes in its time.
    if (t.work.salvaged) t.work.facts.reset();
    t.work.reviewed_at = t.work.facts ? k.now : Instant{};
    t.work.board_gone = BoardGone::no;  // that it is to be told nothing is asked afresh
  }
  // Another dispatcher has spawned it: our own failed preparations say nothing about the slot any more.
  if (same && t.newest->step == Step::claimed && a.step == Step::spawn_begun) t.work.release_failure.clear();
  // Another dispatcher has found it dead: that no session was there was seen before that, and is asked again.
  const bool died = same && t.newest->cause == Cause::none && a.cause != Cause::none;
  if (died && t.seen.pane && !t.seen.pane->what.pane) {
    t.seen.pane.reset();
    listings_begin_anew(k, t, a);
  }
  const bool announced = same && t.newest->step == Step::spawn_begun;
  if (!announced && a.step == Step::spawn_begun) listings_begin_anew(k, t, a);
  if (new_phase || new_question) {
    t.tries = 0;
    t.hold_until = {};
    t.work.answered = false;
    t.work.commented = false;
  }
  t.newest = a;
}

int rank_of(MessageState state) {
  switch (state) {
    case MessageState::queued: return 0;
    case MessageState::posted: return 1;
    case MessageState::unverified: return 2;
    case MessageState::delivered:
    case MessageState::dropped: return 3;
  }
  __builtin_unreachable();
}

// A message's way: each refusal takes it back to the beginning and is counted, so that the count says more
// than the state does; what was read or dropped stays so.
bool is_newer(const Message& m, const Message& known) {
  const auto how_far = [](const Message& one) {
    const int rank = rank_of(one.state);
    return std::tuple(rank == 3, one.conflicts, rank);
  };
  return how_far(m) >= how_far(known);
}

// News may be older than what is known, also the answer to our own write: another dispatcher has gone on
// meanwhile, and that was read first. Clocks cannot say (somebody else's may differ), the message's own way
// can.
void take_message(TicketKnowledge& t, const Message& m) {
  const auto known = std::ranges::find(t.messages, m.id, &Message::id);
  if (known == t.messages.end())
    t.messages.push_back(m);
  else if (is_newer(m, *known))
    *known = m;
}

}  // namespace

void take_delta(Knowledge& k, const LedgerDelta& delta, const Policy& policy, std::set<TicketId>& touched) {
  if (delta.attempt) {
    TicketKnowledge& t = k.tickets[delta.attempt->id.ticket];
    // Overtaken by a read of the ledger: what the write did has been seen, and what came after it.
    if (is_older(*delta.attempt, t)) return;
    take_attempt(k, t, *delta.attempt, policy);
    std::erase_if(t.messages, [&](const Message& m) { return m.attempt != delta.attempt->id; });
    touched.insert(delta.attempt->id.ticket);
  }
  if (delta.memory) {
    k.tickets[delta.memory->ticket].memory = *delta.memory;
    touched.insert(delta.memory->ticket);
  }
  for (const Slot& slot : delta.slots) k.slots[slot.id] = slot;
  for (const Message& m : delta.messages) {
    take_message(k.tickets[m.attempt.ticket], m);
    touched.insert(m.attempt.ticket);
  }
  for (const AccountPause& pause : delta.pauses) k.pauses[pause.account] = pause;
}

void take_contents(Knowledge& k, const LedgerContents& news, const Policy& policy,
                   std::set<TicketId>& touched) {
  for (const TicketLedger& row : news.tickets) {
    TicketKnowledge& t = k.tickets[row.ticket];
    if (!t.newest || (row.newest && !is_older(*row.newest, t))) t.memory = row.memory;
    if (row.newest) take_attempt(k, t, *row.newest, policy);
    for (const Message& m : row.messages) take_message(t, m);
    if (t.newest) std::erase_if(t.messages, [&](const Message& m) { return m.attempt != t.newest->id; });
    t.ledger_unsure = false;
    touched.insert(row.ticket);
  }
  for (const Slot& slot : news.slots) k.slots[slot.id] = slot;
  for (const AccountPause& pause : news.pauses) k.pauses[pause.account] = pause;
  if (!k.breaker_unsaved) k.breaker = news.breaker;
  for (auto& [id, t] : k.tickets)
    if (t.ledger_unsure) {  // read in full after the write was tried: what is not in it did not happen
      t.ledger_unsure = false;
      touched.insert(id);
    }
}

void take_board_ticket(Knowledge& k, const BoardTicket& ticket, std::set<TicketId>& touched) {
  TicketKnowledge& t = k.tickets[ticket.id];
  if (t.board_version > ticket.version) return;  // late news
  t.board_version = ticket.version;
  const bool moved = !t.board || t.board->state != ticket.state;
  t.board = ticket;
  t.text_before.reset();
  t.work.board_gone = BoardGone::no;
  touched.insert(ticket.id);
  if (moved)  // those that depend on it may go on now
    for (auto& [id, other] : k.tickets)
      if (other.board &&
          std::ranges::find(other.board->depends_on, ticket.id) != other.board->depends_on.end())
        touched.insert(id);
}

void see_spawned(const Knowledge& k, TicketKnowledge& t, const SpawnedPane& spawned, Instant at) {
  PaneSighting pane;
  pane.session = t.newest->session;
  pane.session_id = spawned.session_id;
  pane.pane_id = spawned.pane_id;
  pane.pane_pid = spawned.pane_pid;
  t.seen.pane = Seen<PaneView>{{spawned.server, pane}, at};
  listings_begin_anew(k, t, *t.newest);
}

void listing_is_over(Knowledge& k, const ListServer& e) {
  k.shards[e.shard].asked_by.erase(e.asked_by);
  for (auto& [id, t] : k.tickets)
    if (t.newest && t.newest->shard == e.shard) t.listings_too_old.erase(e.asked_by);
}

void take_listing(Knowledge& k, const ServerListing& listing, const TicketId& asked_by, Instant at,
                  std::set<TicketId>& touched) {
  Shard& shard = k.shards[listing.shard];
  if (at < shard.listed_at) return;
  shard.unsaved = shard.unsaved || shard.server != listing.server;
  shard.server = listing.server;
  shard.listed_at = at;
  shard.reachable = true;
  shard.trouble.clear();
  shard.panes = listing.panes;
  std::map<SessionName, const PaneSighting*> by_session;
  for (const PaneSighting& pane : listing.panes) {
    by_session[pane.session] = &pane;
    // A session is a trace of its attempt too: no generation is given out twice.
    if (pane.session.value.starts_with("hf-"))
      if (const auto attempt = parse_attempt_key(std::string_view(pane.session.value).substr(3))) {
        Generation& floor = k.floors[attempt->ticket];
        floor = std::max(floor, attempt->generation);
      }
  }
  for (auto& [id, t] : k.tickets) {
    const Attempt* a = t.current();
    if (a == nullptr || a->shard != listing.shard || a->step != Step::spawn_begun) continue;
    // From before its spawn was announced, or before it ended.
    if (t.listings_too_old.contains(asked_by)) continue;
    const auto found = by_session.find(a->session);
    PaneView view{listing.server, found == by_session.end() ? std::nullopt : std::optional(*found->second)};
    const bool same = t.seen.pane && t.seen.pane->what == view;
    t.seen.pane = Seen<PaneView>{std::move(view), at};
    if (!same) {
      t.work.look_now = true;
      touched.insert(id);
    }
  }
}

void take_look(Knowledge& k, TicketKnowledge& t, const Looked& looked, const Answer& answer) {
  const auto& asked = std::get<Look>(answer.effect);
  const Attempt& a = *t.newest;
  const bool gone_before = t.seen.process && t.seen.process->what.runner == Presence::gone;
  const bool ended_before = t.seen.record && t.seen.record->what.end;
  const bool gone_now = looked.record.runner.known() && looked.process.runner == Presence::gone;
  // What tmux showed before it ended cannot say how it ended; nor can a listing that is older than it.
  if ((gone_now && !gone_before) || (looked.record.end && !ended_before)) {
    t.seen.pane.reset();
    listings_begin_anew(k, t, a);
  }
  const Instant at = asked_when(answer);
  t.seen.record = Seen<RecordSighting>{looked.record, at};
  const auto counted = t.seen.process ? t.seen.process->what.oom_kills : std::nullopt;
  t.seen.process = Seen<ProcessSighting>{looked.process, at};
  // The cgroup goes with whoever found it empty; what was counted in it stays true.
  if (!looked.process.oom_kills) t.seen.process->what.oom_kills = counted;
  if (asked.stream_offset == t.reader.offset()) {
    if (looked.stream_offset > t.reader.offset()) t.reader.skip_to(looked.stream_offset);
    t.reader.feed(looked.stream);
  }
  if (looked.record.end && t.reader.offset() >= looked.record.stream_bytes && !t.stream_finished) {
    t.reader.finish();
    t.stream_finished = true;
  }
  if (asked.said_offset == static_cast<std::int64_t>(t.hook_said.size())) t.hook_said += looked.said;
  t.seen.limit_line = t.reader.limit_line();
  t.work.looked_at = at;
  t.work.pin_due = is_at_work(a.phase);
  if (looked.record.decision == Decision::sealed && !t.seen.sealed_at) t.seen.sealed_at = at;

  const Verdict verdict = verdict_of(a, t.seen, k.now);
  if (verdict != Verdict::unknown)
    t.unknown_since = {};
  else if (!t.unknown_since.set())
    t.unknown_since = k.now;
  // A runner that is gone without an end: only a search can tell whether something of it is left somewhere.
  const bool runner_gone =
      looked.record.runner.known() && looked.process.runner == Presence::gone && !looked.record.end;
  const bool unsure = weigh(a, t.seen, k.now).process.says == Life::unknown;
  t.work.scan_next = runner_gone && unsure && !asked.scan;
  if (t.work.scan_next) t.work.look_now = true;
}

void forget_board(TicketKnowledge& t) {
  if (!t.board) return;
  t.text_before = TicketText{std::move(t.board->title), std::move(t.board->body)};
  t.board.reset();
}

void hold_board(const Knowledge& k, TicketKnowledge& t, const TicketId& id, const std::string& words,
                Duration first) {
  t.board_tries += 1;
  t.board_trouble = words;
  t.board_hold_until = k.now + backoff(t.board_tries, first, seconds(30), id.value);
}

void hold(Knowledge& k, TicketKnowledge& t, const TicketId& id, const std::string& words, Duration first,
          bool call_is_post, bool soon) {
  t.tries += 1;
  t.trouble = words;
  t.hold_ends_with_news = call_is_post;
  // What somebody else holds for a moment is tried again soon; what fails is left in peace longer and longer.
  t.hold_until = k.now + backoff(t.tries, first, soon ? seconds(1) : seconds(30), id.value);
}

}  // namespace holdfast
