#include "dispatcher/core/absorb.h"

#include <algorithm>

#include "dispatcher/core/budget.h"
#include "dispatcher/core/classify.h"
#include "dispatcher/core/decide.h"
#include "dispatcher/core/names.h"

namespace holdfast {

bool Knowledge::full_look_done(int shard_count) const {
  if (first_look_done) return true;
  if (!ledger_loaded || !records_listed || !traces_listed || !board_read || !pool_ready) return false;
  for (int shard = 0; shard < shard_count; ++shard) {
    const auto found = shards.find(shard);
    if (found == shards.end() || !found->second.reachable) return false;
  }
  return true;
}

namespace {

const Profile* profile_for(const Policy& policy, const Attempt& a) {
  return profile_of(policy, a.profile);
}

// A sighting is as old as its question, and no younger than its answer where the clock went back in between.
Instant asked_when(const Answer& answer) {
  return std::min(answer.asked_at, answer.at);
}

// A new attempt, or the first sight of one: nothing volatile is carried over.
void begin_attempt(TicketKnowledge& t, const Attempt& a, const Policy& policy) {
  const Profile* profile = profile_for(policy, a);
  t.seen = {};
  t.work = {};
  t.reader = MarkerReader(profile ? profile->limit_patterns : std::vector<std::string>{});
  t.stream_finished = false;
  t.hook_said.clear();
  t.unknown_since = {};
  t.tries = 0;
  t.hold_until = {};
}

void take_attempt(Knowledge& k, TicketKnowledge& t, const Attempt& a, const Policy& policy) {
  const bool same = t.newest && t.newest->id == a.id;
  if (t.newest && (t.newest->id.generation > a.id.generation || (same && t.newest->revision > a.revision)))
    return;
  if (!same) begin_attempt(t, a, policy);
  const bool new_phase = same && t.newest->phase != a.phase;
  const bool new_question = same && t.newest->said_offset != a.said_offset;
  if (new_phase && a.phase == Phase::lost && a.spawned_at.set() && a.died_at - a.spawned_at < policy.young &&
      charge_for(a.cause) == Charge::ticket) {
    auto& young = k.breaker.young_deaths;
    young.push_back(k.now);
    std::erase_if(young, [&](Instant at) { return k.now - at > policy.breaker_window; });
    if (static_cast<int>(young.size()) >= policy.breaker_deaths) {
      k.breaker.open_until = k.now + policy.breaker_rest;
      k.breaker_unsaved = true;
      young.clear();
    }
  }
  if (new_phase && a.phase == Phase::closed) {
    // What was inspected before the salvage is not what a review may go by.
    t.work.facts.reset();
    t.work.reviewed_at = {};
  }
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

// `certain`: it is the answer to our own write, or was read because we were unsure. Else it may be older than
// what is known; clocks cannot say (somebody else's may differ), the message's own way can.
void take_message(TicketKnowledge& t, const Message& m, bool certain) {
  for (Message& known : t.messages)
    if (known.id == m.id) {
      const bool newer = rank_of(m.state) > rank_of(known.state) ||
                         (rank_of(m.state) == rank_of(known.state) && m.conflicts >= known.conflicts);
      if (certain || newer) known = m;
      return;
    }
  t.messages.push_back(m);
}

void take_delta(Knowledge& k, const LedgerDelta& delta, const Policy& policy, std::set<TicketId>& touched) {
  if (delta.attempt) {
    TicketKnowledge& t = k.tickets[delta.attempt->id.ticket];
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
    take_message(k.tickets[m.attempt.ticket], m, true);
    touched.insert(m.attempt.ticket);
  }
  for (const AccountPause& pause : delta.pauses) k.pauses[pause.account] = pause;
}

void take_contents(Knowledge& k, const LedgerContents& news, const Policy& policy,
                   std::set<TicketId>& touched) {
  for (const TicketLedger& row : news.tickets) {
    TicketKnowledge& t = k.tickets[row.ticket];
    t.memory = row.memory;
    if (row.newest) take_attempt(k, t, *row.newest, policy);
    for (const Message& m : row.messages) take_message(t, m, t.ledger_unsure);
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
  if (t.board && t.board->version > ticket.version) return;  // late news
  const bool moved = !t.board || t.board->state != ticket.state;
  t.board = ticket;
  touched.insert(ticket.id);
  if (moved)  // those that depend on it may go on now
    for (auto& [id, other] : k.tickets)
      if (other.board &&
          std::ranges::find(other.board->depends_on, ticket.id) != other.board->depends_on.end())
        touched.insert(id);
}

void take_listing(Knowledge& k, const ServerListing& listing, Instant at, std::set<TicketId>& touched) {
  Shard& shard = k.shards[listing.shard];
  if (at < shard.listed_at) return;
  shard = {listing.server, at, true, {}, listing.panes, shard.unsaved || shard.server != listing.server};
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
    // From before the spawn, unless the clock was moved in between.
    if (at < a->spawned_at && a->spawned_at <= k.now) continue;
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

void take_look(Knowledge& k, TicketKnowledge& t, const Looked& looked, const Answer& answer,
               const Policy& policy) {
  const auto& asked = std::get<Look>(answer.effect);
  const Attempt& a = *t.newest;
  const bool gone_before = t.seen.process && t.seen.process->what.runner == Presence::gone;
  const bool ended_before = t.seen.record && t.seen.record->what.end;
  const bool gone_now = looked.record.runner.known() && looked.process.runner == Presence::gone;
  // What tmux showed before it ended cannot say how it ended; nor can a listing that is older than it.
  if ((gone_now && !gone_before) || (looked.record.end && !ended_before)) t.seen.pane.reset();
  const Instant at = asked_when(answer);
  t.seen.record = Seen<RecordSighting>{looked.record, at};
  t.seen.process = Seen<ProcessSighting>{looked.process, at};
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
  if (looked.record.decision == Decision::sealed && !t.seen.sealed_at) t.seen.sealed_at = at;

  const Verdict verdict = verdict_of(a, t.seen, k.now);
  if (verdict != Verdict::unknown)
    t.unknown_since = {};
  else if (!t.unknown_since.set())
    t.unknown_since = k.now;
  // A runner that is gone without an end, and no cgroup that could vouch for the rest: only a complete scan
  // can.
  const bool runner_gone =
      looked.record.runner.known() && looked.process.runner == Presence::gone && !looked.record.end;
  t.work.scan_next = runner_gone && verdict == Verdict::unknown && !asked.scan;
  if (t.work.scan_next) t.work.look_now = true;
  (void)policy;
}

// Why a refused or unknown effect of this ticket is not tried again at once.
void hold(Knowledge& k, TicketKnowledge& t, const TicketId& id, const std::string& words, Duration first,
          bool call_is_post = false, bool soon = false) {
  t.tries += 1;
  t.trouble = words;
  t.hold_ends_with_news = call_is_post;
  // What somebody else holds for a moment is tried again soon; what fails is left in peace longer and longer.
  t.hold_until = k.now + backoff(t.tries, first, soon ? seconds(1) : seconds(30), id.value);
}

struct OnDone {
  Knowledge& k;
  const Answer& answer;
  const Policy& policy;
  std::set<TicketId>& touched;

  TicketKnowledge& ticket() const { return k.tickets[ticket_of(answer.effect)]; }
  template <class T>
  const T* value() const {
    return std::get_if<T>(&answer.value);
  }

  void operator()(const WriteLedger& e) const {
    if (const auto* delta = value<LedgerDelta>()) {
      take_delta(k, *delta, policy, touched);
      // It was so already, which we did not know: somebody else wrote it. What they wrote is read first.
      if (const TicketId id = ticket_of(e.write); !id.empty() && *delta == LedgerDelta{})
        k.tickets[id].ledger_unsure = true;
    }
    k.ledger_trouble.clear();
    if (std::holds_alternative<StoreBreaker>(e.write)) k.breaker_unsaved = false;
    if (const auto* stored = std::get_if<StoreServer>(&e.write))
      k.shards[stored->server.shard].unsaved = false;
    if (const auto* moved = std::get_if<MoveMessage>(&e.write); moved && moved->to == MessageState::delivered)
      for (const Message& m : ticket().messages)
        if (m.id == moved->id && m.kind != MessageKind::prompt) ticket().work.answered = true;
  }
  void operator()(const ReadTicket&) const { board_ticket(); }
  void operator()(const MoveTicket&) const { board_ticket(); }
  void operator()(const ReturnToTodo&) const { board_ticket(); }
  void operator()(const CommentTicket&) const { ticket().work.commented = true; }
  void operator()(const PrepareWorktree&) const {
    if (const auto* prepared = value<Prepared>()) ticket().work.prepared = *prepared;
  }
  void operator()(const WriteSpec&) const { ticket().work.spec_written = true; }
  void operator()(const SpawnSession&) const {
    TicketKnowledge& t = ticket();
    t.work.spawn_tried = true;
    if (const auto* pane = value<SpawnedPane>()) t.work.pane = *pane;
  }
  void operator()(const Seal&) const {
    TicketKnowledge& t = ticket();
    const auto* sealed = value<SealAnswer>();
    if (sealed == nullptr) return;
    switch (*sealed) {
      case SealAnswer::sealed: t.seen.sealed_at = answer.at; break;
      case SealAnswer::already_started: t.work.look_now = true; break;  // the runner was first: it is adopted
    }
  }
  void operator()(const GiveGo&) const { ticket().work.go_given = true; }
  void operator()(const Post&) const {
    ticket().work.look_now = true;
    ticket().work.post_refusal.clear();
  }
  void operator()(const Look&) const {
    TicketKnowledge& t = ticket();
    if (const auto* looked = value<Looked>(); looked && t.newest) take_look(k, t, *looked, answer, policy);
  }
  void operator()(const ListServer& e) const {
    if (const auto* listing = value<ServerListing>()) take_listing(k, *listing, asked_when(answer), touched);
    if (e.asked_by.empty()) return;
    // A listing that tells nothing new about it (clocks that were moved make one look old) is a look in vain.
    TicketKnowledge& t = ticket();
    const bool told = t.seen.pane && t.seen.pane->at >= asked_when(answer);
    t.work.server_looks = told ? 0 : t.work.server_looks + 1;
  }
  void operator()(const EndTree& e) const {
    TicketKnowledge& t = ticket();
    (e.signal == EndSignal::term ? t.work.term_sent : t.work.kill_sent) = answer.at;
    t.work.look_now = true;
  }
  void operator()(const EndSession&) const { ticket().work.session_ended = true; }
  void operator()(const GiveNotice&) const { ticket().work.notice_given = true; }
  void operator()(const InspectBranch&) const {
    TicketKnowledge& t = ticket();
    if (const auto* facts = value<BranchFacts>()) t.work.facts = *facts;
    t.work.reviewed_at = answer.at;
  }
  void operator()(const PinBranch&) const { ticket().work.pinned = true; }
  void operator()(const SalvageWorktree&) const {
    if (const auto* salvaged = value<Salvaged>()) ticket().work.salvaged = *salvaged;
  }
  void operator()(const ReleaseSlot&) const {
    if (const auto* slot = value<SlotSighting>()) ticket().work.released = *slot;
  }
  void operator()(const LandBranch&) const {
    TicketKnowledge& t = ticket();
    const auto* landed = value<Landed>();
    if (landed == nullptr) return;
    if (landed->answer == LandAnswer::moved && t.tries < 5)
      return hold(k, t, ticket_of(answer.effect), "the target moved", millis(50));
    t.work.landed = *landed;
    // What "landed" means is read from the branch again, not from the answer.
    if (landed->answer == LandAnswer::landed || landed->answer == LandAnswer::already_landed)
      t.work.facts.reset();
  }
  void operator()(const PushBranch&) const { ticket().work.pushed = true; }

  void operator()(const LoadLedger&) const {
    contents();
    k.ledger_loaded = true;
  }
  void operator()(const ReadLedgerChanges&) const { contents(); }
  void operator()(const ReadBoard&) const {
    if (const auto* news = value<BoardChanges>()) {
      for (const BoardTicket& ticket : news->tickets) take_board_ticket(k, ticket, touched);
      if (news->complete) k.board_read = true;
    }
  }
  void operator()(const StartServer& e) const {
    const auto* server = value<ServerIncarnation>();
    if (server == nullptr) return;
    Shard& shard = k.shards[e.shard];
    if (shard.server != *server) shard = {*server, {}, false, {}, {}, true};
    for (auto& [id, t] : k.tickets)
      if (t.current() && t.current()->shard == e.shard) touched.insert(id);
  }
  void operator()(const ListRecords&) const {
    traces();
    k.records_listed = true;
  }
  void operator()(const ListTraces&) const {
    traces();
    k.traces_listed = true;
  }
  void operator()(const EnsurePool&) const { k.pool_ready = true; }

 private:
  void board_ticket() const {
    const auto* shown = value<BoardTicket>();
    if (shown == nullptr) return;
    take_board_ticket(k, *shown, touched);
    TicketKnowledge& t = ticket();
    t.work.board_read = t.newest && !t.newest->open();
  }
  void contents() const {
    if (const auto* news = value<LedgerContents>()) take_contents(k, *news, policy, touched);
    k.ledger_trouble.clear();
  }
  void traces() const {
    const auto* found = value<std::vector<AttemptId>>();
    if (found == nullptr) return;
    for (const AttemptId& id : *found) {
      k.traces.insert(id);
      Generation& floor = k.floors[id.ticket];
      floor = std::max(floor, id.generation);
    }
  }
};

// Refused and Unknown: what to try again, when, and what to look at first. Nothing here says that anybody is
// dead.
struct OnTrouble {
  Knowledge& k;
  const Answer& answer;
  std::set<TicketId>& touched;
  const std::string& words;
  std::optional<Why> refused;  // nothing: Unknown

  TicketKnowledge& ticket() const { return k.tickets[ticket_of(answer.effect)]; }
  void again(Duration first) const {
    if (const TicketId id = ticket_of(answer.effect); !id.empty())
      hold(k, k.tickets[id], id, words, first, call_of(answer.effect) == Call::post,
           refused && *refused == Why::busy);
  }

  void operator()(const WriteLedger&) const {
    const TicketId id = ticket_of(answer.effect);
    if (!refused || *refused == Why::conflict || *refused == Why::stale) {
      if (!id.empty()) k.tickets[id].ledger_unsure = true;  // read what is there before anything else
      if (refused) return;
    }
    if (!refused || *refused == Why::denied || *refused == Why::exhausted || *refused == Why::invalid)
      k.ledger_trouble = words;
    again(millis(200));
  }
  void operator()(const ReadTicket&) const {
    if (refused && *refused == Why::gone) {
      ticket().board.reset();
      ticket().work.board_gone = true;
      return;
    }
    again(millis(200));
  }
  void operator()(const MoveTicket& e) const { board_trouble(e.ticket); }
  void operator()(const ReturnToTodo& e) const { board_trouble(e.certificate.attempt().ticket); }
  void operator()(const CommentTicket&) const {
    if (refused && *refused != Why::busy)
      ticket().work.commented = true;  // a comment is never worth a standstill
    else
      again(seconds(1));
  }
  void operator()(const PrepareWorktree&) const {
    setup_trouble();
    // A slot that is not as it was left is not for anybody: it is kept for a person.
    if (refused && (*refused == Why::dirty || *refused == Why::stale)) {
      ticket().work.release_failure = words;
      ticket().work.setup_failures = setup_failures_max;
    }
  }
  void operator()(const WriteSpec&) const { setup_trouble(); }
  void operator()(const SpawnSession&) const {
    TicketKnowledge& t = ticket();
    // Nothing was sent: the same spawn may be tried again. Anything else may have happened: look.
    if (refused && *refused == Why::busy && t.tries < 5) return again(millis(100));
    t.work.spawn_tried = true;
    t.work.look_now = true;
  }
  void operator()(const Seal&) const { again(millis(200)); }
  void operator()(const GiveGo&) const { again(millis(100)); }
  void operator()(const Post&) const {
    // The runtime is not ready, or busy: it and the message are kept, it is looked at, and the message is
    // tried again.
    ticket().work.look_now = true;
    ticket().work.post_refusal = words;
    ticket().work.post_hopeless = refused && *refused == Why::invalid;
    again(millis(100));
  }
  void operator()(const Look&) const {
    TicketKnowledge& t = ticket();
    t.work.looked_at = k.now;
    if (!t.unknown_since.set()) t.unknown_since = k.now;
    again(millis(500));
    t.work.look_now = true;
  }
  void operator()(const ListServer& e) const {
    Shard& shard = k.shards[e.shard];
    shard.reachable = false;
    shard.trouble = words;
    if (!e.asked_by.empty()) {
      ticket().work.server_looks += 1;
      again(millis(200));
    }
  }
  void operator()(const EndTree&) const { again(millis(500)); }
  void operator()(const EndSession&) const {
    TicketKnowledge& t = ticket();
    // The worker is dead already; a session that cannot be ended now is found by the doctor and by the next
    // listing.
    if (t.tries >= 8)
      t.work.session_ended = true;
    else
      again(millis(500));
  }
  void operator()(const GiveNotice&) const { ticket().work.notice_given = true; }
  void operator()(const InspectBranch&) const {
    TicketKnowledge& t = ticket();
    again(millis(500));
    t.work.reviewed_at = k.now;
    if (t.tries >= 6 && t.newest && t.newest->open() && !t.work.facts) {
      BranchFacts none;
      none.note = words;
      t.work.facts = none;  // every fact unknown, which is never "safe"
      t.work.release_failure = "it could not be inspected: " + words;
    }
  }
  void operator()(const PinBranch&) const {
    again(millis(500));
    if (ticket().tries >= 6) {
      ticket().work.pinned = true;
      ticket().work.release_failure = "its commits could not be pinned: " + words;
    }
  }
  void operator()(const SalvageWorktree&) const {
    again(millis(500));
    if (ticket().tries >= 6) ticket().work.salvage_failure = words;
  }
  void operator()(const ReleaseSlot&) const {
    TicketKnowledge& t = ticket();
    again(millis(500));
    if (refused && *refused == Why::dirty) {  // something appeared after the salvage: save that too
      t.work.facts.reset();
      t.work.salvaged.reset();
      t.work.release_tries += 1;
    }
    if (t.tries >= 6 || t.work.release_tries >= 3)
      t.work.release_failure = "it could not be given back: " + words;
  }
  void operator()(const LandBranch&) const {
    TicketKnowledge& t = ticket();
    again(seconds(1));
    if (t.tries >= 5) {
      Landed failed;
      failed.answer = LandAnswer::moved;
      failed.note = words;
      t.work.landed = failed;
    }
  }
  void operator()(const PushBranch&) const {
    again(seconds(1));
    if (ticket().tries >= 3 || (refused && *refused == Why::denied)) ticket().work.push_failure = words;
  }

  void operator()(const LoadLedger&) const { k.ledger_trouble = words; }
  void operator()(const ReadLedgerChanges&) const { k.ledger_trouble = words; }
  void operator()(const ReadBoard&) const {}
  void operator()(const StartServer& e) const {
    Shard& shard = k.shards[e.shard];
    shard.server = {};
    shard.trouble = words;
  }
  void operator()(const ListRecords&) const {}
  void operator()(const ListTraces&) const {}
  void operator()(const EnsurePool&) const {}

 private:
  void setup_trouble() const {
    again(millis(200));
    ticket().work.setup_failures += 1;
    ticket().work.setup_trouble = words;
  }
  void board_trouble(const TicketId& id) const {
    TicketKnowledge& t = k.tickets[id];
    // A conflict carries the ticket as it is now; what follows is decided from that. Everything else: read it
    // again.
    if (const auto* now = std::get_if<BoardTicket>(&answer.value);
        now && refused && *refused == Why::conflict && now->version != 0)
      take_board_ticket(k, *now, touched);
    else if (!refused || *refused == Why::conflict || *refused == Why::gone)
      t.board.reset();
    again(millis(100));
  }
};

}  // namespace

// What becomes news from now on may come too late for this look: it asks for the next one.
void begun(Knowledge& k, const Effect& effect) {
  if (!std::holds_alternative<Look>(effect)) return;
  if (const auto t = k.tickets.find(ticket_of(effect)); t != k.tickets.end()) t->second.work.look_now = false;
}

std::set<TicketId> absorb(Knowledge& k, const Answer& answer, const Policy& policy) {
  std::set<TicketId> touched;
  if (const TicketId id = ticket_of(answer.effect); !id.empty()) touched.insert(id);
  // An answer about an attempt that is not the ticket's newest any more says nothing about the one that is.
  if (const AttemptId about = attempt_of(answer.effect); about.generation.value != 0) {
    const auto t = k.tickets.find(about.ticket);
    if (t == k.tickets.end() || !t->second.newest || t->second.newest->id != about) return touched;
  }
  const Outcome outcome = classify(call_of(answer.effect), answer.raw);
  if (std::holds_alternative<Done>(outcome)) {
    std::visit(OnDone{k, answer, policy, touched}, answer.effect);
    // Progress: the next failure starts with a short wait again. A look is not progress of what is being
    // tried.
    const bool reading = call_of(answer.effect) == Call::look || call_of(answer.effect) == Call::server_list;
    const bool held_by_answer = std::holds_alternative<LandBranch>(answer.effect);
    if (const TicketId id = ticket_of(answer.effect); !id.empty() && !reading && !held_by_answer) {
      k.tickets[id].tries = 0;
      k.tickets[id].hold_until = {};
    }
  } else if (const auto* refused = std::get_if<Refused>(&outcome)) {
    std::visit(OnTrouble{k, answer, touched, refused->words(), refused->why()}, answer.effect);
  } else {
    std::visit(OnTrouble{k, answer, touched, std::get<Unknown>(outcome).words, std::nullopt}, answer.effect);
  }
  return touched;
}

std::set<TicketId> absorb(Knowledge& k, const News& news) {
  struct Table {
    Knowledge& k;
    std::set<TicketId> operator()(const AttemptNews& n) const {
      const auto found = k.tickets.find(n.attempt.ticket);
      if (found == k.tickets.end() || !found->second.newest || found->second.newest->id != n.attempt)
        return {};
      found->second.work.look_now = true;
      if (found->second.hold_ends_with_news) found->second.hold_until = {};
      return {n.attempt.ticket};
    }
    std::set<TicketId> operator()(const ServerNews&) const { return {}; }
    std::set<TicketId> operator()(const LedgerNews&) const { return {}; }
    std::set<TicketId> operator()(const BoardNews&) const { return {}; }
  };
  return std::visit(Table{k}, news);
}

}  // namespace holdfast
