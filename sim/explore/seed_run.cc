#include "sim/explore/seed_run.h"

#include <algorithm>
#include <map>
#include <utility>

#include "dispatcher/core/names.h"
#include "sim/base/random.h"
#include "sim/explore/convergence.h"
#include "sim/explore/coverage.h"
#include "sim/explore/fair.h"
#include "sim/explore/planned_faults.h"
#include "sim/explore/themes.h"
#include "sim/oracle/chronicle.h"
#include "sim/world/names.h"
#include "sim/world/strikes.h"

namespace holdfast::sim {
namespace {

// Calls that may have a bad day; those that the project began with more often than others.
constexpr Call of_a_ticket[] = {
    Call::post,        Call::post,         Call::post,  Call::post,    Call::post,     Call::post,
    Call::spawn,       Call::spawn,        Call::spawn, Call::land,    Call::land,     Call::ledger_write,
    Call::board_move,  Call::board_return, Call::seal,  Call::go,      Call::look,     Call::spec_write,
    Call::server_list, Call::session_end,  Call::pin,   Call::salvage, Call::tree_end, Call::prepare,
    Call::inspect,     Call::release,
};

// How likely an event is beside the others. What workers do by their nature (exit without a word, crash) is
// rare beside what everybody does: else few would live to read their prompt.
int weight_of(const World& w, const Event& e, const Pace& pace) {
  const FaultSet& natures = w.setup->faults;
  switch (e.what_kind) {
    case Do::hold:
      if (!w.flights[e.subject].detached) return 80;
      return natures.has(FaultId::D15) ? 4 : 12;  // what is late is later still on a slow disk
    case Do::vanish: return w.flights[e.subject].held ? 40 : 4;
    case Do::reply: return 80;
    case Do::news:
    case Do::think:
    case Do::start: return 60;
    case Do::runner: return 48;
    case Do::worker: {
      switch (static_cast<Act>(e.what)) {
        case Act::get_ready:
        case Act::read_input: return 48;
        case Act::commit: return pace.commit;
        case Act::say_done: return 4 * pace.haste;
        case Act::die_of_kill: return pace.stubborn ? 2 : natures.has(FaultId::C14) ? 8 : 32;
        case Act::die_of_term: return pace.stubborn ? 0 : natures.has(FaultId::C14) ? 4 : 32;
        case Act::ask: return pace.ask;
        case Act::say_review:
        case Act::chat:
        case Act::wake: return 8;
        case Act::child_ends: return pace.children_stay ? 0 : 8;
        case Act::change: return 4;
        case Act::fork_child: return natures.has(FaultId::G6) ? 8 : 0;
        case Act::exit_well: {
          if (w.runtimes[e.subject].said != Said::nothing) return pace.stubborn ? 0 : 4 * pace.haste;
          return natures.has(FaultId::G1) || natures.has(FaultId::G5) ? pace.leave : 0;
        }
        case Act::exit_badly:
        case Act::crash: return natures.has(FaultId::G2) ? pace.frail : 0;
      }
      __builtin_unreachable();
    }
    case Do::time: return 4 * pace.time;
    case Do::resume: return pace.resume;
    case Do::crash:
    case Do::strike:
    case Do::person: return 4;
  }
  __builtin_unreachable();
}

class Picker {
 public:
  Picker(Random& random, Schedule schedule, const Pace& pace, const std::vector<Trigger>& planned)
      : random_(random), schedule_(schedule), pace_(pace), planned_(planned) {
    for (int& priority : priorities_) priority = static_cast<int>(random_.below(1000));
    for (int& at : changes_) at = static_cast<int>(random_.below(400));
  }

  Event pick(const World& w, const std::vector<Event>& can, int n) {
    if (schedule_ == Schedule::pct) return by_priority(w, can, n);
    int total = 0;
    weights_.clear();
    for (const Event& e : can) {
      const bool never = e.what_kind == Do::person || put_off(w, e, n);
      weights_.push_back(never ? 0 : weight_of(w, e, pace_));
      total += weights_.back();
    }
    // Somebody's push comes in the middle of a landing.
    if (random_.in_a_thousand(pace_.push))
      for (const Event& e : can)
        if (e.what_kind == Do::person && static_cast<Deed>(e.what) == Deed::push) return e;
    // Persons act now and then, however many deeds there are to choose from.
    std::size_t persons = 0;
    for (const Event& e : can) persons += e.what_kind == Do::person ? 1U : 0U;
    if (persons > 0 && random_.in_a_thousand(pace_.persons)) {
      std::size_t k = random_.below(persons);
      for (const Event& e : can)
        if (e.what_kind == Do::person && k-- == 0) return e;
    }
    if (total == 0) return anything(can);
    auto left = static_cast<int>(random_.below(static_cast<std::size_t>(total)));
    for (std::size_t i = 0; i < can.size(); ++i) {
      left -= weights_[i];
      if (left < 0) return can[i];
    }
    return can.back();
  }

 private:
  // Nothing is likelier than anything else: whatever does not need a person.
  Event anything(const std::vector<Event>& can) {
    std::vector<Event> among;
    for (const Event& e : can)
      if (e.what_kind != Do::person) among.push_back(e);
    return among.empty() ? can[random_.below(can.size())] : among[random_.below(among.size())];
  }

  // What is late waits for its time, drawn once for each of its parts: half of them do not wait at all.
  bool put_off(const World& w, const Event& e, int n) {
    if (e.what_kind != Do::hold && e.what_kind != Do::vanish) return false;
    if (pace_.late == 0 && pace_.slow == 0 && !pace_.waits_for_phase) return false;
    const Flight& f = w.flights[e.subject];
    if (f.held) return false;
    if (pace_.waits_for_phase) return waits_for_phase(w, f, n);
    if (!f.detached) return is_slow(w, f) && n < due_at(f, n);
    if (pace_.late == 0) return false;
    const auto [at, fresh] = due_.try_emplace({f.number, f.part}, n);
    const bool waits = pace_.late_from > 0 ? f.part >= pace_.late_from : fresh && random_.in_a_thousand(500);
    if (fresh && waits) at->second += static_cast<int>(random_.between(0, pace_.late));
    return n < at->second;
  }

  // Until its attempt is where a planned fault is to strike it; for so many events at most.
  bool waits_for_phase(const World& w, const Flight& f, int n) {
    constexpr int most = 500;
    if (f.part > 0 || f.detached || w.dispatchers.size() < 2) return false;
    if (f.dispatcher + 1 != static_cast<int>(w.dispatchers.size())) return false;
    const AttemptId about = whom(f.effect);
    if (about.ticket.empty()) return false;
    const Call call = call_of(f.effect);
    const auto phase = phase_of(w, about);
    bool meant = false;
    for (const Trigger& t : planned_) {
      if (t.call != call || !t.phase || !strikes_at(t.fault, w, f)) continue;
      if (t.phase == phase) return false;
      meant = true;
    }
    if (!meant) return false;
    const auto [at, fresh] = due_.try_emplace({f.number, -1}, n + most);
    return n < at->second;
  }

  // A slow dispatcher is the last one of several; half of its calls are as fast as any.
  [[nodiscard]] bool is_slow(const World& w, const Flight& f) const {
    return pace_.slow > 0 && f.part == 0 && w.dispatchers.size() > 1 &&
           f.dispatcher + 1 == static_cast<int>(w.dispatchers.size());
  }
  int due_at(const Flight& f, int n) {
    const auto [at, fresh] = due_.try_emplace({f.number, 0}, n);
    if (fresh && random_.in_a_thousand(500)) at->second += static_cast<int>(random_.between(0, pace_.slow));
    return at->second;
  }

  // PCT: every actor has a priority; the highest that can act does; at a few random points the one that would
  // act loses its priority. Finds bugs of small depth with a known probability.
  Event by_priority(const World& w, const std::vector<Event>& can, int n) {
    const bool change = std::ranges::find(changes_, n) != std::end(changes_);
    int best = -1 << 20;
    std::vector<Event> among;
    for (const Event& e : can) {
      // What no worker of this run does by nature, none does by priority.
      if (e.what_kind == Do::worker && weight_of(w, e, pace_) == 0) continue;
      const int priority = priorities_[actor_of(w, e)];
      if (priority < best) continue;
      if (priority > best) among.clear();
      best = priority;
      among.push_back(e);
    }
    if (among.empty()) return can[random_.below(can.size())];
    const Event chosen = among[random_.below(among.size())];
    if (change || random_.in_a_thousand(20)) priorities_[actor_of(w, chosen)] = -n;
    return chosen;
  }

  static std::size_t actor_of(const World& w, const Event& e) {
    switch (e.what_kind) {
      case Do::hold:
      case Do::vanish: return static_cast<std::size_t>(w.flights[e.subject].number) % 13;
      case Do::reply: return 13 + static_cast<std::size_t>(w.flights[e.subject].number) % 13;
      case Do::news:
      case Do::think: return 26 + e.subject % 4;
      case Do::runner: return 30 + e.subject % 8;
      case Do::worker: return 38 + e.subject % 8;
      case Do::time: return 46;
      case Do::start:
      case Do::resume: return 47;
      case Do::person: return 48;
      case Do::crash:
      case Do::strike: return 49;
    }
    __builtin_unreachable();
  }

  Random& random_;
  Schedule schedule_;
  const Pace& pace_;
  const std::vector<Trigger>& planned_;
  std::map<std::pair<int, int>, int> due_;  // by flight and part
  std::vector<int> weights_;
  int priorities_[50] = {};
  int changes_[6] = {};
};

bool somebody_has_run(const World& w) {
  return std::ranges::any_of(w.ledger.tickets, [](const auto& row) {
    const auto& newest = row.second.newest;
    return newest && (newest->running_at.set() || newest->id.generation.value > 1);
  });
}

// A theme that is possible with the faults that are allowed.
void take_theme(WorldPlan& p, Random& random, const FaultSet& allowed) {
  int shares = 0;
  for (const Theme& one : themes()) shares += one.share;
  auto left = static_cast<int>(random.below(static_cast<std::size_t>(shares)));
  const Theme* chosen = nullptr;
  for (const Theme& one : themes()) {
    left -= one.share;
    if (left < 0 && chosen == nullptr) chosen = &one;
  }
  if (chosen == nullptr || !std::ranges::all_of(chosen->kinds, [&](FaultId id) { return allowed.has(id); }))
    return;
  p.theme = chosen->name;
  for (const FaultId id : chosen->kinds) p.kinds.add(id);
  std::string error;
  for (const std::string_view words : chosen->triggers)
    if (const auto trigger = trigger_from(words, error)) p.triggers.push_back(*trigger);
  for (int i = 0; i < chosen->anything; ++i) {
    Trigger any;
    any.fault = static_cast<FaultId>(1 + random.below(fault_ids - 1));
    const std::size_t phase = random.below(phases);
    any.phase = static_cast<Phase>(phase);
    any.times = 2;
    const Actor actor = fault(any.fault).actor;
    const bool can = allowed.has(any.fault) && (actor == Actor::port || actor == Actor::world);
    if (can && why_out_of_reach(any.fault, phase).empty()) p.triggers.push_back(any);
  }
  for (int i = 0; i < chosen->at_calls; ++i) {
    Trigger at_call;
    at_call.fault = static_cast<FaultId>(1 + random.below(fault_ids - 1));
    const std::size_t any = random.below(phases);
    const std::size_t phase = chosen->calls_in ? static_cast<std::size_t>(*chosen->calls_in) : any;
    at_call.phase = static_cast<Phase>(phase);
    at_call.times = 2;
    const Fault& entry = fault(at_call.fault);
    if (entry.actor != Actor::port || entry.calls.empty() || !allowed.has(at_call.fault)) continue;
    at_call.call = entry.calls[random.below(entry.calls.size())];
    if (why_out_of_reach(at_call.fault, phase).empty()) p.triggers.push_back(at_call);
  }
  if (chosen->plan != nullptr) chosen->plan(p);
}

}  // namespace

void add_to(Digest& digest, const World& w, const Event& e) {
  digest.add((static_cast<std::uint64_t>(e.what_kind) << 24) | (static_cast<std::uint64_t>(e.subject) << 16) |
             (static_cast<std::uint64_t>(e.what) << 8) | static_cast<std::uint64_t>(e.fault));
  digest.add(static_cast<std::uint64_t>(w.now.ms));
  digest.add(w.flights.size());
  if (!w.happened.anything) return;
  for (const RowChanged& row : w.happened.rows) {
    digest.add(attempt_key(row.after.id));
    digest.add((static_cast<std::uint64_t>(row.after.phase) << 8) |
               static_cast<std::uint64_t>(row.after.cause));
    digest.add(row.after.evidence);
  }
  for (const BoardMoved& move : w.happened.board) {
    digest.add(move.ticket.value);
    digest.add(static_cast<std::uint64_t>(move.to));
    digest.add(move.reason);
  }
}

WorldPlan plan_for(std::uint64_t seed, const SeedOptions& options) {
  Random random(seed);
  const auto draw = [&](std::int64_t low, std::int64_t high) {
    return static_cast<int>(random.between(low, high));
  };
  WorldPlan p;
  p.tickets = draw(1, 3);
  p.capacity = draw(1, 2);
  p.shards = draw(1, 2);
  p.land = random.in_a_thousand(500);
  p.continue_branch = !random.in_a_thousand(700);
  p.attempts_max = draw(1, 3);
  p.effects_at_once = draw(2, 8);
  p.backoff_s = draw(1, 5);
  p.look_s = draw(10, 60);
  p.review_s = draw(20, 120);
  p.newborn_s = draw(1, 20);
  p.finish_s = draw(0, 10);
  p.term_s = draw(1, 10);
  p.cgroups = random.in_a_thousand(800);
  p.echoes = !random.in_a_thousand(300);
  p.faults = draw(0, 30);
  p.crashes = draw(0, 3);
  p.persons = random.in_a_thousand(500) ? draw(1, 3) : 0;
  // Swarm: a run with few kinds of faults gets deeper into each of them.
  const bool swarm = options.schedule ? *options.schedule == Schedule::swarm : random.in_a_thousand(700);
  const int keep = swarm ? draw(100, 600) : 1000;
  for (std::size_t i = 1; i < fault_ids; ++i) {
    const bool kept = random.in_a_thousand(keep);
    if (kept && options.faults.has(static_cast<FaultId>(i))) p.kinds.add(static_cast<FaultId>(i));
  }
  p.dispatchers = p.kinds.has(FaultId::E3) && random.in_a_thousand(400) ? 2 : 1;
  if (options.small) {
    p.tickets = p.capacity = p.shards = p.dispatchers = p.attempts_max = 1;
    return p;
  }
  if (swarm && random.in_a_thousand(700)) take_theme(p, random, options.faults);
  p.triggers.insert(p.triggers.end(), options.triggers.begin(), options.triggers.end());
  return p;
}

SeedOptions short_seeds() {
  SeedOptions options;
  options.small = true;
  options.most_events = 60;
  options.converges = 0;
  return options;
}

std::shared_ptr<const Setup> setup_for(std::uint64_t seed, const SeedOptions& options) {
  return setup_of(plan_for(seed, options), options.maker, options.defects);
}

SeedResult run_seed(std::uint64_t seed, const SeedOptions& options, Tally& tally) {
  SeedResult result = run_plan(plan_for(seed, options), seed, options, tally);
  if (options.converges == 0 || seed % options.converges != 0 || result.ending != RunEnd::passed)
    return result;
  Random random(seed ^ 0xC0A51C0DEULL);
  const Convergence crashed = crash_at(result.plan, static_cast<std::uint64_t>(random.between(0, 1 << 20)),
                                       options.maker, options.defects);
  tally.at_risk[static_cast<std::size_t>(Invariant::L6)] += 1;
  if (!crashed.violation) return result;
  result.ending = RunEnd::stuck;
  result.violations = {*crashed.violation};
  result.plan = crashed.plan;
  result.crashed = true;
  result.at_event = result.healed_at = static_cast<int>(crashed.events.size());
  result.trace = crashed.events;
  return result;
}

SeedResult run_plan(const WorldPlan& plan, std::uint64_t seed, const SeedOptions& options, Tally& tally) {
  SeedResult result;
  result.seed = seed;
  result.plan = plan;
  const auto setup = setup_of(plan, options.maker, options.defects);
  Random random(seed ^ 0x5DEECE66DULL);
  const Schedule schedule =
      options.schedule ? *options.schedule : (random.in_a_thousand(250) ? Schedule::pct : Schedule::swarm);
  const Theme* theme = theme_named(plan.theme);
  Pace pace = theme ? theme->pace : Pace{};
  // Hasty workers are gone before their dispatcher has noticed that they run.
  pace.haste = random.in_a_thousand(600) ? std::min(pace.haste, 1) : pace.haste;
  Picker picker(random, schedule, pace, plan.triggers);
  World w = begin(setup);
  Findings findings;
  PlannedFaults planned(plan.triggers);
  std::vector<Event> can, faults;
  int n = 0;

  Chronicle chronicle;

  const auto take = [&](const Event& e) {
    if (options.keep_trace) result.trace.push_back(exact_name_of(w, e));
    tally.count_choice(w, e);
    chronicle.before(w, e);
    step(w, e);
    chronicle.after(w);
    planned.note(w);
    ++n;
    tally.count(w);
    add_to(result.digest, w, e);
    check_safety(w, findings);
    if (findings.violations.empty()) return true;
    result.ending = RunEnd::unsafe;
    result.violations = findings.violations;
    result.at_event = n;
    return false;
  };
  const auto finish = [&] {
    for (const Trigger& one : planned.unfired())  // a theme's own may find no opportunity
      if (std::ranges::find(options.triggers, one) != options.triggers.end()) result.unfired.push_back(one);
    tally.runs += 1;
    tally.count(findings);
    return result;
  };

  const int most = static_cast<int>(random.between(options.most_events / 10, options.most_events));
  // How often, in a thousand, a call that is about to take hold is threatened, and how often the world is.
  // The kind is chosen first, among all that this run has, and it strikes only where it can: else whatever is
  // possible at the beginning, when there is nothing but looking, would use up every fault before a worker
  // lives.
  // Often seldom: a budget that is spent at once says nothing about what comes late. And in half of the runs
  // nothing goes wrong for a while.
  const auto seldom = [&](std::int64_t most) {
    const std::int64_t x = random.between(0, 30);
    return static_cast<int>(x * x * most / 900);
  };
  const int call_rate = seldom(900), strike_rate = seldom(300);
  const int calm_until = random.in_a_thousand(500) ? static_cast<int>(random.between(0, 300)) : 0;
  // In half of the runs some calls have a bad day: whatever can go wrong there does so often. Calls that are
  // rare (a send, a landing) would else seldom meet their faults.
  std::set<Call> focus;
  if (random.in_a_thousand(700))
    for (std::int64_t i = random.between(1, 3); i > 0; --i)
      focus.insert(of_a_ticket[random.below(std::size(of_a_ticket))]);
  const int focus_rate = static_cast<int>(random.between(100, 700));
  // In some, nothing goes wrong before a worker is at work: else most faults meet attempts that begin.
  bool calm = random.in_a_thousand(250);
  std::vector<FaultId> at_calls, by_itself;
  for (std::size_t i = 1; i < fault_ids; ++i) {
    const auto id = static_cast<FaultId>(i);
    if (!setup->faults.has(id)) continue;
    (fault(id).actor == Actor::port ? at_calls : by_itself).push_back(id);
  }
  while (n < most) {
    can.clear();
    enabled(w, can);
    if (can.empty()) break;
    Event next = picker.pick(w, can, n);
    calm = calm && !somebody_has_run(w);
    const bool quiet = calm || n < calm_until;
    const bool call = next.what_kind == Do::hold;
    const auto& threats = call ? at_calls : by_itself;
    if (call && !quiet && focus.contains(call_of(w.flights[next.subject].effect)) &&
        random.in_a_thousand(focus_rate)) {
      faults.clear();
      enabled_faults(w, faults);
      std::erase_if(faults,
                    [&](const Event& e) { return e.what_kind != Do::hold || e.subject != next.subject; });
      if (!faults.empty()) next = faults[random.below(faults.size())];
    } else if (!threats.empty() && !quiet && random.in_a_thousand(call ? call_rate : strike_rate)) {
      const FaultId threat = threats[random.below(threats.size())];
      faults.clear();
      enabled_faults(w, faults);
      std::erase_if(faults,
                    [&](const Event& e) { return e.fault != threat || (call && e.subject != next.subject); });
      if (!faults.empty()) next = faults[random.below(faults.size())];
    }
    if (const auto planned_now = planned.strikes(w, next, random)) next = *planned_now;
    if (!take(next)) return finish();
  }

  result.healed_at = n;
  const Rest rest = run_fair(w, take);
  if (rest == Rest::stopped) return finish();
  if (rest == Rest::never) findings.broken(Invariant::L8, {}, "it never comes to rest");
  check_liveness(w, findings);
  check_run(w, chronicle, findings);
  if (!findings.violations.empty()) {
    result.ending = RunEnd::stuck;
    result.violations = findings.violations;
    result.at_event = n;
  }
  return finish();
}

}  // namespace holdfast::sim
