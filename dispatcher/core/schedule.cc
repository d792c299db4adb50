#include "dispatcher/core/schedule.h"

#include <algorithm>
#include <cstdlib>
#include <tuple>
#include <utility>

#include "dispatcher/core/classify.h"
#include "dispatcher/core/telling.h"

namespace holdfast {
namespace {

void enqueue(Agenda& agenda, const TicketId& id) {
  if (agenda.queued.insert(id).second) agenda.queue.push_back(id);
}

void set_alarm(Agenda& agenda, const TicketId& id, Instant at) {
  if (const auto old = agenda.alarm_of.find(id); old != agenda.alarm_of.end()) {
    if (old->second == at) return;
    agenda.alarms.erase({old->second, id});
    agenda.alarm_of.erase(old);
  }
  if (!at.set()) return;
  agenda.alarm_of[id] = at;
  agenda.alarms.insert({at, id});
}

bool is_claim(const Effect& effect) {
  const auto* write = std::get_if<WriteLedger>(&effect);
  return write && std::holds_alternative<Claim>(write->write);
}

bool asks_board(const Effect& effect) {
  return family_of(call_of(effect)) == Family::board && !std::holds_alternative<ReadBoard>(effect);
}

bool is_review(const Plan& plan) {
  return plan.rule == Rule::watch_review && plan.effect &&
         std::holds_alternative<InspectBranch>(*plan.effect);
}

// Other effects come first, and leave it a quarter of the places at most.
bool has_place_by_the_way(const Brain& brain) {
  const Agenda& a = brain.agenda;
  return a.in_flight < brain.policy.effects_at_once &&
         a.by_the_way < std::max(1, brain.policy.effects_at_once / 4);
}

// One review is over: the longest waiting one is decided again. It may have become something else meanwhile.
void review_over(Agenda& agenda, const TicketId& id) {
  if (agenda.reviewing.erase(id) == 0 || agenda.waiting_to_review.empty()) return;
  enqueue(agenda, agenda.waiting_to_review.front());
  agenda.waiting_to_review.pop_front();
}

// A routine's answer has come: when to do it again.
void landed(Routine& routine, bool done, Instant now, Duration every) {
  routine.flying = false;
  routine.next = routine.again ? Instant{} : now + (done ? every : seconds(1));
  routine.again = false;
}

void ask(Routine& routine) {
  if (routine.flying)
    routine.again = true;
  else
    routine.next = {};
}

bool due(const Routine& routine, Instant now) {
  return !routine.flying && (!routine.next.set() || routine.next <= now);
}

constexpr Duration never = {1LL << 50};

// Slots that git has and the ledger does not know yet, and free ones that are not as they should be. One that
// came free while the pool was looked at was seen with its attempt still in it: that says nothing.
void register_slots(Brain& brain, const std::vector<SlotSighting>& seen) {
  for (const SlotSighting& sighting : seen) {
    const auto known = brain.knowledge.slots.find(sighting.slot);
    const bool fit = sighting.registered == Tri::yes && sighting.clean == Tri::yes && sighting.branch.empty();
    if (known == brain.knowledge.slots.end()) {
      Slot slot{sighting.slot,
                fit ? SlotState::free : SlotState::quarantined,
                {},
                sighting.path,
                fit ? "" : "found unclean, without a lease"};
      brain.agenda.writes.push_back(StoreSlot{slot});
    } else if (known->second.state == SlotState::free && !fit &&
               brain.agenda.free_when_asked.contains(sighting.slot)) {
      Slot slot = known->second;
      slot.state = SlotState::quarantined;
      slot.note = "free, but not clean and detached";
      brain.agenda.writes.push_back(StoreSlot{slot});
    }
  }
}

struct Returned {
  Brain& brain;
  const Answer& answer;
  bool done;

  void operator()(const LoadLedger&) const {
    contents();
    landed(brain.agenda.load, done, answer.at, never);
  }
  void operator()(const ReadLedgerChanges& e) const {
    contents();
    // A smaller number than the one asked after: an older copy was put in its place. Read it from its
    // beginning.
    if (const auto* news = std::get_if<LedgerContents>(&answer.value); news && done && news->seq < e.after) {
      brain.agenda.ledger_seq = 0;
      brain.agenda.changes.again = true;
    }
    landed(brain.agenda.changes, done, answer.at, brain.policy.board_every);
  }
  void operator()(const ReadBoard& e) const {
    bool more = false;
    if (const auto* news = std::get_if<BoardChanges>(&answer.value); news && done) {
      // A smaller number than the one asked after: the board was restored from an older copy. Read it all.
      const bool restored = news->cursor < e.cursor;
      brain.agenda.board_cursor = restored ? 0 : std::max(brain.agenda.board_cursor, news->cursor);
      if (restored) brain.agenda.board.again = true;
      more = !news->complete;
      if (!news->tickets.empty()) brain.agenda.look_for_claims = true;
    }
    landed(brain.agenda.board, done, answer.at, more ? Duration{0} : brain.policy.board_every);
  }
  void operator()(const StartServer& e) const {
    landed(brain.agenda.start_server[e.shard], done, answer.at, seconds(1));
    ask(brain.agenda.list_server[e.shard]);
  }
  void operator()(const ListServer& e) const {
    if (e.asked_by.empty())
      landed(brain.agenda.list_server[e.shard], done, answer.at, brain.policy.servers_every);
  }
  void operator()(const ListRecords&) const { landed(brain.agenda.records, done, answer.at, never); }
  void operator()(const ListTraces&) const { landed(brain.agenda.traces, done, answer.at, never); }
  void operator()(const EnsurePool&) const {
    if (const auto* slots = std::get_if<std::vector<SlotSighting>>(&answer.value); slots && done)
      register_slots(brain, *slots);
    landed(brain.agenda.pool, done, answer.at, never);
  }
  void operator()(const WriteLedger& e) const {
    if (!ticket_of(e.write).empty()) return;
    brain.agenda.write_flying = false;
    // A refusal by the rules stays one: somebody knew better. Everything else is tried again, later.
    const Outcome outcome = classify(Call::ledger_write, answer.raw);
    const auto* refused = std::get_if<Refused>(&outcome);
    const bool final = refused && (refused->why() == Why::conflict || refused->why() == Why::stale ||
                                   refused->why() == Why::invalid);
    if ((done || final) && !brain.agenda.writes.empty())
      brain.agenda.writes.pop_front();
    else
      brain.agenda.write_next = answer.at + seconds(1);
  }
  template <class OfATicket>
  void operator()(const OfATicket&) const {}

 private:
  void contents() const {
    if (const auto* news = std::get_if<LedgerContents>(&answer.value); news && done)
      brain.agenda.ledger_seq = std::max(brain.agenda.ledger_seq, news->seq);
  }
};

// One more than the configured ones while a ticket is retried with a server of its own.
int shards_in_use(const Brain& brain) {
  int shards = brain.policy.shards;
  for (const auto& [id, t] : brain.knowledge.tickets) {
    const bool alone = t.memory.alone && t.board && t.board->state != BoardState::done;
    if (alone) shards = std::max(shards, brain.policy.shards + 1);
    // A server that an open attempt is on is looked at, also after the configuration has shrunk.
    if (t.newest && t.newest->open()) shards = std::max(shards, t.newest->shard + 1);
  }
  return shards;
}

// What the installation itself needs: read everything once, keep servers up, read again where there may be
// news.
void routines(Brain& brain, Instant now, std::vector<Effect>& out) {
  Agenda& a = brain.agenda;
  Knowledge& k = brain.knowledge;
  // `asking` is what makes the effect: most routines are not due.
  const auto start = [&](Routine& routine, const auto& asking) {
    if (!due(routine, now)) return;
    routine.flying = true;
    a.in_flight += 1;
    begun(k, out.emplace_back(asking()));
  };
  if (!k.ledger_loaded) return start(a.load, [] { return LoadLedger{}; });

  bool unsure = false;
  for (const auto& [id, t] : k.tickets) unsure = unsure || t.ledger_unsure;
  if (unsure) ask(a.changes);
  start(a.changes, [&] { return ReadLedgerChanges{a.ledger_seq}; });
  start(a.board, [&] { return ReadBoard{a.board_cursor}; });
  if (!k.records_listed) start(a.records, [] { return ListRecords{}; });
  if (!k.traces_listed) start(a.traces, [] { return ListTraces{}; });
  if (!k.pool_ready) {
    if (due(a.pool, now)) {
      a.free_when_asked.clear();
      for (const auto& [id, slot] : k.slots)
        if (slot.state == SlotState::free) a.free_when_asked.insert(id);
    }
    start(a.pool, [&] { return EnsurePool{brain.policy.capacity, brain.policy.start}; });
  }
  for (int shard = 0; shard < shards_in_use(brain); ++shard) {
    if (!k.shards[shard].server.known())
      start(a.start_server[shard], [&] { return StartServer{shard}; });
    else
      start(a.list_server[shard], [&] { return ListServer{shard, {}}; });
  }
  for (auto& [number, shard] : k.shards) {
    if (!shard.unsaved || !shard.server.known()) continue;
    const bool queued = std::ranges::any_of(a.writes, [&](const LedgerWrite& w) {
      const auto* store = std::get_if<StoreServer>(&w);
      return store && store->server.shard == number;
    });
    if (!queued) a.writes.push_back(StoreServer{shard.server, "seen"});
  }
  if (k.breaker_unsaved && std::ranges::none_of(a.writes, [](const LedgerWrite& w) {
        return std::holds_alternative<StoreBreaker>(w);
      }))
    a.writes.push_back(StoreBreaker{
        k.breaker, k.breaker.open_until > now ? std::string(told_crash_loop) : "an attempt died young"});
  if (!a.write_flying && !a.writes.empty() && a.write_next <= now) {
    a.write_flying = true;
    a.in_flight += 1;
    out.push_back(WriteLedger{a.writes.front()});
  }
}

void start_for(Brain& brain, const TicketId& id, Effect effect, std::vector<Effect>& out) {
  // An effect whose answer did not come back to its ticket would leave the ticket busy for ever.
  if (ticket_of(effect) != id) std::abort();
  brain.agenda.busy.insert(id);
  brain.agenda.in_flight += 1;
  if (asks_board(effect)) brain.agenda.board_calls += 1;
  begun(brain.knowledge, effect);
  out.push_back(std::move(effect));
}

// What was to happen at a time would wait for that time to come again: everything is looked at now instead.
void after_the_clock_went_back(Brain& brain, Instant now) {
  Agenda& a = brain.agenda;
  const auto not_in_the_future = [&](auto& at) {
    if (at > now) at = now;
  };
  for (auto& [id, t] : brain.knowledge.tickets) {
    t.hold_until = {};
    // How long ago something was seen nobody can say any more: when its time comes again it is not new.
    t.seen.pane.reset();
    if (t.seen.record) t.seen.record->at = {};
    if (t.seen.process) t.seen.process->at = {};
    not_in_the_future(t.work.looked_at);
    not_in_the_future(t.work.reviewed_at);
    not_in_the_future(t.unknown_since);
    if (t.work.term_sent) not_in_the_future(*t.work.term_sent);
    if (t.work.kill_sent) not_in_the_future(*t.work.kill_sent);
    t.work.look_now = true;
    enqueue(a, id);
  }
  a.alarms.clear();
  a.alarm_of.clear();
  a.recent_claims.clear();
  a.write_next = {};
  a.look_for_claims = true;
  for (Routine* r : {&a.load, &a.changes, &a.board, &a.records, &a.traces, &a.pool})
    if (r->next > now + seconds(1)) r->next = {};
  for (auto* table : {&a.start_server, &a.list_server})
    for (auto& [shard, r] : *table) r.next = {};
  for (auto& [number, shard] : brain.knowledge.shards) not_in_the_future(shard.listed_at);
}

void claims(Brain& brain, Instant now, std::vector<Effect>& out) {
  Agenda& a = brain.agenda;
  const Knowledge& k = brain.knowledge;
  a.claims_held_until = {};
  if (!a.look_for_claims || !k.full_look_done(brain.policy.shards) || !k.ledger_trouble.empty()) return;
  int open = 0, free = 0;
  for (const auto& [id, t] : k.tickets) open += t.newest && t.newest->open() ? 1 : 0;
  for (const auto& [id, slot] : k.slots) free += slot.state == SlotState::free ? 1 : 0;
  int room = std::min(brain.policy.capacity - open, free) - a.claims_in_flight;
  if (room <= 0) return;  // asked again when one closes
  while (!a.recent_claims.empty() &&
         (now - a.recent_claims.front() >= seconds(1) || a.recent_claims.front() > now))
    a.recent_claims.pop_front();

  for (const TicketId& id : ranking(k, brain.policy)) {
    if (room <= 0 || a.in_flight >= brain.policy.effects_at_once) return;
    if (static_cast<int>(a.recent_claims.size()) >= brain.policy.spawns_per_second) {
      a.claims_held_until = a.recent_claims.front() + seconds(1);
      return;
    }
    if (a.busy.contains(id)) continue;
    Plan plan = decide(k, id, brain.policy);
    if (!plan.effect || !is_claim(*plan.effect)) {
      set_alarm(a, id, plan.wake_at);
      continue;
    }
    start_for(brain, id, std::move(*plan.effect), out);
    a.recent_claims.push_back(now);
    a.claims_in_flight += 1;
    room -= 1;
  }
  a.look_for_claims = false;  // everybody who can go goes
}

}  // namespace

std::vector<TicketId> ranking(const Knowledge& k, const Policy&) {
  std::vector<std::tuple<int, Instant, TicketId>> order;
  for (const auto& [id, t] : k.tickets)
    if (t.board && t.board->state == BoardState::todo && t.current() == nullptr)
      order.emplace_back(t.board->priority, t.board->created_at, id);
  std::ranges::sort(order);
  std::vector<TicketId> ids;
  ids.reserve(order.size());
  for (auto& [priority, created, id] : order) ids.push_back(std::move(id));
  return ids;
}

void absorb(Brain& brain, const Answer& answer) {
  Agenda& a = brain.agenda;
  brain.knowledge.now = std::max(brain.knowledge.now, answer.at);
  const bool done = is_done(classify(call_of(answer.effect), answer.raw));
  a.in_flight -= 1;
  if (is_by_the_way(answer.effect)) a.by_the_way -= 1;
  if (std::holds_alternative<LandBranch>(answer.effect)) {
    a.landing = false;
    for (const TicketId& id : std::exchange(a.waiting_to_land, {})) enqueue(a, id);
  }
  if (std::holds_alternative<InspectBranch>(answer.effect)) review_over(a, ticket_of(answer.effect));
  if (asks_board(answer.effect)) {
    a.board_calls -= 1;
    for (const TicketId& id : std::exchange(a.waiting_for_board, {})) enqueue(a, id);
  }
  if (is_claim(answer.effect)) {
    a.claims_in_flight -= 1;
    a.look_for_claims = true;
  }
  for (const TicketId& id : absorb(brain.knowledge, answer, brain.policy)) enqueue(a, id);
  // What a 404 means depends on whether its list can be read.
  if (std::holds_alternative<ReadTicket>(answer.effect))
    if (const auto t = brain.knowledge.tickets.find(ticket_of(answer.effect));
        t != brain.knowledge.tickets.end() && t->second.work.board_gone == BoardGone::said)
      ask(a.board);
  if (brain.knowledge.full_look_done(brain.policy.shards)) brain.knowledge.first_look_done = true;
  std::visit(Returned{brain, answer, done}, answer.effect);
  if (const TicketId id = ticket_of(answer.effect); !id.empty()) {
    a.busy.erase(id);
    enqueue(a, id);
  } else {
    a.look_for_claims =
        true;  // the installation's own reads: there may be room, or everything has been looked at now
  }
  if (const auto* write = std::get_if<WriteLedger>(&answer.effect)) {
    // A slot came free, or a ticket went back to the queue.
    if (std::holds_alternative<Close>(write->write) || std::holds_alternative<StoreSlot>(write->write))
      a.look_for_claims = true;
  }
  if (std::holds_alternative<ReturnToTodo>(answer.effect) ||
      std::holds_alternative<EnsurePool>(answer.effect))
    a.look_for_claims = true;
}

void absorb(Brain& brain, const News& news) {
  for (const TicketId& id : absorb(brain.knowledge, news)) enqueue(brain.agenda, id);
  if (std::holds_alternative<LedgerNews>(news)) ask(brain.agenda.changes);
  if (std::holds_alternative<BoardNews>(news)) ask(brain.agenda.board);
  if (const auto* server = std::get_if<ServerNews>(&news)) ask(brain.agenda.list_server[server->shard]);
}

std::vector<Effect> next_effects(Brain& brain, Instant now) {
  std::vector<Effect> out;
  Agenda& a = brain.agenda;
  if (a.stopping) return out;
  if (now + seconds(1) < brain.knowledge.now) after_the_clock_went_back(brain, now);
  brain.knowledge.now = now;
  while (!a.alarms.empty() && a.alarms.begin()->first <= now) {
    const TicketId id = a.alarms.begin()->second;
    set_alarm(a, id, {});
    enqueue(a, id);
  }
  routines(brain, now, out);

  std::deque<TicketId> waiting;  // no room for their effect now: first in line next time
  std::vector<std::pair<TicketId, Effect>> by_the_way;
  while (!a.queue.empty()) {
    const TicketId id = a.queue.front();
    a.queue.pop_front();
    a.queued.erase(id);
    if (a.busy.contains(id)) continue;  // decided again when its answer is in
    Plan plan = decide(brain.knowledge, id, brain.policy);
    if (plan.effect && is_claim(*plan.effect)) {
      a.look_for_claims = true;
      continue;
    }
    if (plan.effect && asks_board(*plan.effect) &&
        a.board_calls >= std::max(1, brain.policy.effects_at_once / 2)) {
      a.waiting_for_board.insert(id);
      plan = decide(brain.knowledge, id, brain.policy, false);
    }
    // To everything else such a ticket rests.
    if (plan.effect && is_by_the_way(*plan.effect)) {
      by_the_way.emplace_back(id, *std::move(plan.effect));
      plan.effect.reset();
    }
    const bool lands = plan.effect && std::holds_alternative<LandBranch>(*plan.effect);
    const bool reviews = is_review(plan);
    if (lands && a.landing) {
      a.waiting_to_land.insert(id);
      set_alarm(a, id, {});
    } else if (reviews && std::ssize(a.reviewing) >= std::max(1, brain.policy.effects_at_once / 4)) {
      if (std::ranges::find(a.waiting_to_review, id) == a.waiting_to_review.end())
        a.waiting_to_review.push_back(id);
      set_alarm(a, id, {});
    } else if (plan.effect && a.in_flight < brain.policy.effects_at_once) {
      a.landing = a.landing || lands;
      if (reviews) a.reviewing.insert(id);
      set_alarm(a, id, {});
      start_for(brain, id, std::move(*plan.effect), out);
    } else if (plan.effect) {
      waiting.push_back(id);
    } else {
      Instant wake = plan.wake_at;
      const TicketKnowledge& t = brain.knowledge.tickets[id];
      // One that is dead already is looked at no more; and what keeps it from being looked at now lasts a
      // while.
      if (const Attempt* current = t.current();
          current && current->step == Step::spawn_begun && current->open() && current->cause == Cause::none) {
        const Instant routine = std::max(t.work.looked_at, Instant{1}) + brain.policy.look_every;
        // One that has come already and was not followed waits for something else, which wakes by itself.
        if (routine > now && (!wake.set() || routine < wake)) wake = routine;
      }
      set_alarm(a, id, wake);
    }
  }
  for (const TicketId& id : waiting) enqueue(a, id);
  claims(brain, now, out);
  // What finds no place is decided again after the next look.
  for (auto& [id, effect] : by_the_way) {
    if (!has_place_by_the_way(brain)) break;
    a.by_the_way += 1;
    start_for(brain, id, std::move(effect), out);
  }
  return out;
}

Instant next_wake(const Brain& brain) {
  const Agenda& a = brain.agenda;
  Instant wake;
  const auto consider = [&](Instant at) {
    if (at.set() && (!wake.set() || at < wake)) wake = at;
  };
  const auto routine = [&](const Routine& r) {
    if (!r.flying) consider(r.next.set() ? r.next : Instant{1});
  };
  if (a.stopping) return {};
  if (!a.alarms.empty()) consider(a.alarms.begin()->first);
  if (!brain.knowledge.ledger_loaded) {
    routine(a.load);
    return wake;
  }
  routine(a.changes);
  routine(a.board);
  if (!brain.knowledge.records_listed) routine(a.records);
  if (!brain.knowledge.traces_listed) routine(a.traces);
  if (!brain.knowledge.pool_ready) routine(a.pool);
  const int shards = shards_in_use(brain);
  for (const auto& [shard, state] : brain.knowledge.shards) {
    if (shard >= shards) continue;  // nobody is on it any more
    const auto& table = state.server.known() ? a.list_server : a.start_server;
    if (const auto found = table.find(shard); found != table.end()) routine(found->second);
  }
  if (!a.writes.empty() && !a.write_flying) consider(a.write_next.set() ? a.write_next : Instant{1});
  // Claims that wait for room are woken by the answer that makes it; only the rate of spawns passes by
  // itself.
  consider(a.claims_held_until);
  return wake;
}

}  // namespace holdfast
