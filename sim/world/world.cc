#include "sim/world/world.h"

#include <algorithm>
#include <cstdlib>

#include "dispatcher/core/classify.h"
#include "dispatcher/core/names.h"
#include "sim/world/ports.h"
#include "sim/world/processes.h"
#include "sim/world/strikes.h"

namespace holdfast::sim {
namespace {

// What a flight must have for itself while it works: two with the same one never overlap.
struct ResourceOf {
  std::string operator()(const PrepareWorktree& e) const { return e.order.slot.value; }
  std::string operator()(const PinBranch& e) const { return e.order.slot.value; }
  std::string operator()(const SalvageWorktree& e) const { return e.order.slot.value; }
  std::string operator()(const ReleaseSlot& e) const { return e.order.slot.value; }
  std::string operator()(const LandBranch& e) const { return e.order.target; }
  std::string operator()(const EnsurePool&) const { return "pool"; }
  template <class Other>
  std::string operator()(const Other&) const {
    return {};
  }
};

std::string resource_of(const Effect& effect) {
  return std::visit(ResourceOf{}, effect);
}

bool resource_is_held(const World& w, const Flight& mine) {
  if (w.setup->defects.slot_lock_ignored) return false;
  const std::string resource = resource_of(mine.effect);
  if (resource.empty()) return false;
  return std::ranges::any_of(w.flights, [&](const Flight& other) {
    return other.number != mine.number && !other.held && (other.part > 0 || other.detached) &&
           resource_of(other.effect) == resource;
  });
}

Duration deadline_of(const World& w, const Effect& effect) {
  const bool git = family_of(call_of(effect)) == Family::git && !is_by_the_way(effect);
  return git ? w.setup->policy.git_deadline : w.setup->policy.call_deadline;
}

void put_in_flight(World& w, int d, Effect effect) {
  DispatcherSeat& seat = w.dispatchers[static_cast<std::size_t>(d)];
  Flight f;
  f.number = w.next_flight++;
  f.dispatcher = d;
  f.life = seat.life;
  f.asked_at = clock_of(w, d);
  f.asked_true = w.now;
  f.raw = answered(family_of(call_of(effect)) == Family::board ? 200 : 0);
  f.effect = std::move(effect);
  w.flights.push_back(std::move(f));
}

// A dispatcher asks for what it wants, and sets its timer.
void let_think(World& w, int d) {
  DispatcherSeat& seat = w.dispatchers[static_cast<std::size_t>(d)];
  const Instant now = clock_of(w, d);
  for (Effect& effect : seat.mind->next_effects(now)) put_in_flight(w, d, std::move(effect));
  const Instant wake = seat.mind->next_wake();
  seat.wake = !wake.set()
                  ? Instant{}
                  : w.now + Duration{std::clamp<std::int64_t>((wake - now).ms, 0, w.setup->longest_sleep.ms)};
}

void start(World& w, int d) {
  DispatcherSeat& seat = w.dispatchers[static_cast<std::size_t>(d)];
  if (seat.start_refused) {
    seat.start_refused = false;
    return;
  }
  Policy policy = w.setup->policy;
  policy.capacity = seat.capacity;
  seat.mind = Mind(w.setup->maker(policy));
  seat.running = true;
  seat.paused = false;
  seat.life += 1;
  if (seat.life > 1) w.history.restarts.push_back(w.now);
  seat.attempt_news.clear();
  seat.server_news.clear();
  seat.ledger_news = seat.board_news = false;
  seat.watched.clear();
  let_think(w, d);
}

// It dies. What its helper processes and the servers have of it goes on; what was only in it is gone.
void crash(World& w, int d) {
  DispatcherSeat& seat = w.dispatchers[static_cast<std::size_t>(d)];
  seat.running = seat.paused = false;
  seat.mind = Mind();
  seat.wake = {};
  std::erase_if(w.flights, [&](Flight& f) {
    if (f.dispatcher != d || f.detached) return false;
    if (f.held) return true;
    switch (family_of(call_of(f.effect))) {
      case Family::ledger:
      case Family::files: return true;  // plain calls of its own: they happened, or they did not
      case Family::board:
      case Family::tmux:
      case Family::git: break;
    }
    f.detached = true;
    return false;
  });
}

void settle_if_truthful(Flight& f) {
  f.held = true;
}

// The effect's parts have all happened: what comes back?
void answer_with(World& w, Flight& f) {
  switch (f.cell.reply) {
    case Comes::truth: break;
    case Comes::refusal:
    case Comes::error:
      f.raw = false_reply(f.fault, f.effect);
      if (!(family_of(call_of(f.effect)) == Family::board && f.raw.code == 409)) f.value = {};
      break;
    case Comes::nothing:
      f.raw = {Transport::no_answer, 0, "", "no answer within the deadline"};
      f.value = {};
      f.silent_until = std::max(w.now, w.now + deadline_of(w, f.effect));
      break;
    case Comes::stale: {
      if (auto* ticket = std::get_if<BoardTicket>(&f.value)) {
        if (const auto old = w.board.before.find(ticket->id); old != w.board.before.end())
          *ticket = old->second;
      } else if (auto* changes = std::get_if<BoardChanges>(&f.value)) {
        for (BoardTicket& ticket_now : changes->tickets)
          if (const auto old = w.board.before.find(ticket_now.id); old != w.board.before.end())
            ticket_now = old->second;
        changes->cursor = 0;  // what was not seen yet is seen by the next read
      } else if (auto* looked = std::get_if<Looked>(&f.value)) {
        // Before the worker ended, as far as the record goes; the process table cannot be old.
        looked->record.end.reset();
        looked->stream.clear();
      } else if (auto* listing = std::get_if<ServerListing>(&f.value)) {
        for (PaneSighting& pane : listing->panes) pane.dead = false;
      }
      break;
    }
    case Comes::wrong:
      if (auto* pane = std::get_if<SpawnedPane>(&f.value)) {
        *pane = {};
      } else if (auto* looked = std::get_if<Looked>(&f.value)) {
        looked->record = {};
        looked->record.decision = Decision::unreadable;
        looked->process = {};
        looked->stream.clear();
        looked->said.clear();
      } else if (auto* listing = std::get_if<ServerListing>(&f.value)) {
        for (PaneSighting& one : listing->panes) {
          one.dead = true;
          one.exit_status = 0;
        }
      } else if (auto* slots = std::get_if<std::vector<SlotSighting>>(&f.value)) {
        for (SlotSighting& slot : *slots) {
          slot.clean = Tri::yes;
          slot.branch = {};
        }
      }
      break;
  }
  settle_if_truthful(f);
}

Flight* flight_at(World& w, std::size_t i) {
  return i < w.flights.size() ? &w.flights[i] : nullptr;
}

void hold(World& w, std::size_t i, FaultId struck) {
  Flight* f = flight_at(w, i);
  if (f == nullptr || f->held) return;
  if (struck != FaultId::none) {
    f->fault = struck;
    f->cell = fault(struck).cell;
    count_fault(w, struck, whom(f->effect));
    switch (f->cell.effect) {
      case Happens::no: return answer_with(w, *f);
      case Happens::later: {
        // Its caller hears nothing until the deadline; the effect is still on its way.
        Flight late = *f;
        late.number = w.next_flight++;
        late.detached = true;
        late.cell = {};
        answer_with(w, *f);
        w.flights.push_back(std::move(late));
        return;
      }
      case Happens::twice: {
        Flight again = *f;
        again.number = w.next_flight++;
        again.detached = true;
        again.cell = {};
        w.flights.push_back(std::move(again));
        f = flight_at(w, i);
        break;
      }
      case Happens::yes:
      case Happens::partly: break;
    }
  }
  if (f->part == 0 && resource_is_held(w, *f)) {
    f->raw = {Transport::never_sent, 0, "", "busy: the lock of " + resource_of(f->effect) + " is held"};
    f->value = {};
    f->held = true;
    return;
  }
  // The vector may not grow while a part is performed: ports never start flights.
  const bool over = perform_part(w, *f);
  f->part += 1;
  const bool broken_off = f->cell.effect == Happens::partly && call_of(f->effect) != Call::post;
  if (!over && !broken_off) return;
  if (over && broken_off) f->cell = {};  // it had one part only: nothing was broken off
  answer_with(w, *f);
}

void deliver(World& w, std::size_t i) {
  Flight f = std::move(w.flights[i]);
  w.flights.erase(w.flights.begin() + static_cast<std::ptrdiff_t>(i));
  DispatcherSeat& seat = w.dispatchers[static_cast<std::size_t>(f.dispatcher)];
  const Instant now = clock_of(w, f.dispatcher);
  const Answer answer{std::move(f.effect), std::move(f.raw), std::move(f.value), now, f.asked_at};
  seat.mind->absorb(answer);
  // The driver watches the record folder of what is claimed, and looks once when it begins to.
  if (const TicketId id = ticket_of(answer.effect); !id.empty())
    if (const Attempt* a = newest(w, id);
        a && a->open() && a->step == Step::spawn_begun && seat.watched.insert(a->id).second)
      seat.mind->absorb(News{AttemptNews{a->id}});
  let_think(w, f.dispatcher);
}

void tell_news(World& w, int d) {
  DispatcherSeat& seat = w.dispatchers[static_cast<std::size_t>(d)];
  for (const AttemptId& id : std::exchange(seat.attempt_news, {})) seat.mind->absorb(News{AttemptNews{id}});
  for (const int shard : std::exchange(seat.server_news, {})) seat.mind->absorb(News{ServerNews{shard}});
  if (std::exchange(seat.ledger_news, false)) seat.mind->absorb(News{LedgerNews{}});
  if (std::exchange(seat.board_news, false)) seat.mind->absorb(News{BoardNews{}});
  let_think(w, d);
}

bool timer_due(const World& w, std::size_t d) {
  const DispatcherSeat& seat = w.dispatchers[d];
  return seat.running && !seat.paused && seat.wake.set() && seat.wake <= w.now;
}

// The next moment at which something is due that is not due yet; not set: never.
Instant next_timer(const World& w) {
  Instant next;
  const auto consider = [&](Instant at) {
    if (at.set() && at > w.now && (!next.set() || at < next)) next = at;
  };
  for (const DispatcherSeat& seat : w.dispatchers)
    if (seat.running && !seat.paused && seat.wake.set()) consider(seat.wake);
  for (const Runtime& r : w.runtimes)
    if (!w.setup->far || !runner_can_step(w, r)) consider(runner_timer(w, r));
  for (const Flight& f : w.flights)
    if (f.held && f.silent_until.set()) consider(f.silent_until);
  if (next.set() && w.setup->far && next - w.now > *w.setup->far) return w.now + w.setup->past_far;
  return next;
}

void pass_time(World& w, Duration at_least) {
  w.now = std::max(next_timer(w), w.now + at_least);
  for (Flight& f : w.flights) f.late = f.late || f.fault == FaultId::F5;
  for (Runtime& r : w.runtimes) r.slow = false;
}

}  // namespace

bool perform_part(World& w, Flight& f) {
  // A port fills in the answer; the effect stays as it is, and no flight begins meanwhile.
  return std::visit([&](const auto& e) { return perform(w, f, e); }, f.effect);
}

RawReply answered(int code, std::string error) {
  return {Transport::answered, code, "", std::move(error)};
}

Instant clock_of(const World& w, int dispatcher) {
  if (dispatcher < 0) return w.now;
  return w.now + w.dispatchers[static_cast<std::size_t>(dispatcher)].clock_off;
}

void record_changed(World& w, const AttemptId& id) {
  for (DispatcherSeat& seat : w.dispatchers)
    if (seat.running) seat.attempt_news.insert(id);
}
void server_changed(World& w, int shard) {
  for (DispatcherSeat& seat : w.dispatchers)
    if (seat.running) seat.server_news.insert(shard);
}
void ledger_changed(World& w, int by) {
  for (std::size_t d = 0; d < w.dispatchers.size(); ++d)
    if (w.dispatchers[d].running && static_cast<int>(d) != by) w.dispatchers[d].ledger_news = true;
}
void board_changed(World& w) {
  for (DispatcherSeat& seat : w.dispatchers)
    if (seat.running) seat.board_news = true;
}

World begin(std::shared_ptr<const Setup> setup) {
  World w;
  w.setup = std::move(setup);
  const Setup& s = *w.setup;
  w.now = s.begins;
  w.git.commits.push_back(Commit{});
  w.git.refs[s.policy.target] = 0;
  w.git.main_checkout.branch = "main";
  w.git.main_checkout.head = 0;
  for (const BoardTicket& ticket : s.tickets) {
    w.board.tickets[ticket.id] = ticket;
    w.board.tickets[ticket.id].created_at = w.now;
    w.board.changed[ticket.id] = ++w.board.cursor;
  }
  w.dispatchers.resize(static_cast<std::size_t>(s.dispatchers));
  for (DispatcherSeat& seat : w.dispatchers) seat.capacity = s.policy.capacity;
  w.faults_left = s.fault_budget;
  w.crashes_left = s.crash_budget;
  w.persons_left = s.person_budget;
  return w;
}

void enabled(const World& w, std::vector<Event>& out) {
  const auto add = [&](Do kind, std::size_t subject, std::uint8_t what = 0) {
    out.push_back({kind, static_cast<std::uint8_t>(subject), what, FaultId::none});
  };
  for (std::size_t i = 0; i < w.flights.size(); ++i) {
    const Flight& f = w.flights[i];
    const DispatcherSeat& seat = w.dispatchers[static_cast<std::size_t>(f.dispatcher)];
    if (!f.held) {
      // A dispatcher that stands still performs nothing; what has left it goes on.
      if (f.detached || f.part > 0 || !seat.paused) add(Do::hold, i);
      if (f.detached && f.part == 0) add(Do::vanish, i);
    } else if (f.detached) {
      add(Do::vanish, i);
    } else if (seat.running && !seat.paused && (!f.silent_until.set() || f.silent_until <= w.now)) {
      add(Do::reply, i);
    }
  }
  std::vector<Act> acts;
  for (std::size_t i = 0; i < w.runtimes.size(); ++i) {
    const Runtime& r = w.runtimes[i];
    if (runner_can_step(w, r)) add(Do::runner, i);
    acts.clear();
    worker_acts(w, r, acts);
    for (const Act act : acts) add(Do::worker, i, static_cast<std::uint8_t>(act));
  }
  for (std::size_t d = 0; d < w.dispatchers.size(); ++d) {
    const DispatcherSeat& seat = w.dispatchers[d];
    if (!seat.running) {
      add(Do::start, d);
      continue;
    }
    if (seat.paused) {
      add(Do::resume, d);
      continue;
    }
    if (seat.has_news()) add(Do::news, d);
    if (timer_due(w, d)) add(Do::think, d);
  }
  if (w.persons_left > 0 && !w.healed) person_deeds(w, out);
  if (next_timer(w).set()) add(Do::time, 0);
}

void enabled_faults(const World& w, std::vector<Event>& out) {
  if (w.healed) return;
  if (w.crashes_left > 0)
    for (std::size_t d = 0; d < w.dispatchers.size(); ++d)
      if (w.dispatchers[d].running) out.push_back({Do::crash, static_cast<std::uint8_t>(d), 0, FaultId::E1});
  if (w.faults_left <= 0) return;
  for (std::size_t i = 0; i < w.flights.size(); ++i) {
    const Flight& f = w.flights[i];
    if (f.held || f.part > 0 || f.detached) continue;
    const Call call = call_of(f.effect);
    for (const Fault& one : catalogue()) {
      if (one.actor != Actor::port || !w.setup->faults.has(one.id)) continue;
      if (std::ranges::find(one.calls, call) == one.calls.end() || !strikes_at(one.id, w, f)) continue;
      out.push_back({Do::hold, static_cast<std::uint8_t>(i), 0, one.id});
    }
  }
  world_strikes(w, w.setup->faults, out);
}

void step(World& w, const Event& event) {
  w.happened.clear();
  if (event.fault != FaultId::none && event.what_kind != Do::crash) w.faults_left -= 1;
  const std::size_t i = event.subject;
  switch (event.what_kind) {
    case Do::hold: return hold(w, i, event.fault);
    case Do::vanish: w.flights.erase(w.flights.begin() + static_cast<std::ptrdiff_t>(i)); return;
    case Do::reply: return deliver(w, i);
    case Do::news: return tell_news(w, static_cast<int>(i));
    case Do::think: return let_think(w, static_cast<int>(i));
    case Do::runner: return runner_step(w, w.runtimes[i]);
    case Do::worker: return worker_act(w, w.runtimes[i], static_cast<Act>(event.what));
    case Do::time: return pass_time(w, minutes(event.what));
    case Do::crash:
      w.crashes_left -= 1;
      count_fault(w, FaultId::E1, {});
      return crash(w, static_cast<int>(i));
    case Do::start: return start(w, static_cast<int>(i));
    case Do::resume: w.dispatchers[i].paused = false; return;
    case Do::strike: return strike(w, event);
    case Do::person: w.persons_left -= 1; return person_does(w, event);
  }
  __builtin_unreachable();
}

void heal(World& w) {
  w.happened.clear();
  w.healed = true;
  for (Runtime& r : w.runtimes) r.stopped = false;
  for (auto& [shard, server] : w.servers)
    for (auto& [name, session] : server.sessions)
      if (session.persons > 0) {
        session.persons = 0;
        server_changed(w, shard);
      }
  for (DispatcherSeat& seat : w.dispatchers) {
    seat.paused = false;
    seat.start_refused = false;
    if (seat.clock_off.ms != 0) w.history.clock_moved_at = w.now;
    seat.clock_off = {};
  }
}

// --- the truth

bool lives(const World& w, const Runtime& r) {
  if (r.worker_lives() || r.child) return true;
  switch (r.runner) {
    case RunnerStage::gone: return false;
    case RunnerStage::minding: return false;  // its worker is gone: it only writes that down
    case RunnerStage::holding: return !r.hung_up && !r.told;
    case RunnerStage::launching: break;
  }
  if (r.hung_up) return false;
  const auto record = w.records.find(r.attempt);
  const bool decided = record != w.records.end() && record->second.shown.decision != Decision::none;
  return !decided || w.setup->defects.decision_not_exclusive;
}

bool lives(const World& w, const AttemptId& id) {
  return std::ranges::any_of(w.runtimes, [&](const Runtime& r) { return r.attempt == id && lives(w, r); });
}

int live_runtimes(const World& w, const TicketId& id) {
  return static_cast<int>(std::ranges::count_if(
      w.runtimes, [&](const Runtime& r) { return r.attempt.ticket == id && lives(w, r); }));
}

bool may_still_be_born(const World& w, const TicketId& id) {
  return std::ranges::any_of(w.flights, [&](const Flight& f) {
    const auto* spawn = std::get_if<SpawnSession>(&f.effect);
    if (spawn == nullptr || f.held || spawn->attempt.ticket != id) return false;
    const auto record = w.records.find(spawn->attempt);
    return record == w.records.end() || record->second.shown.decision == Decision::none;
  });
}

const Attempt* newest(const World& w, const TicketId& id) {
  const auto found = w.ledger.tickets.find(id);
  return found == w.ledger.tickets.end() || !found->second.newest ? nullptr : &*found->second.newest;
}

}  // namespace holdfast::sim
