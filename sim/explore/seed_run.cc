#include "sim/explore/seed_run.h"

#include <algorithm>

#include "dispatcher/core/names.h"
#include "sim/base/random.h"
#include "sim/explore/fair.h"
#include "sim/world/names.h"

namespace holdfast::sim {
namespace {

constexpr const char* ticket_names[] = {"T-1", "T-10", "T-2", "T-100"};

Policy policy_for(Random& random, int capacity) {
  Policy p;
  p.capacity = capacity;
  p.shards = static_cast<int>(random.between(1, 2));
  p.target = p.start = "refs/heads/main";
  p.gate = random.in_a_thousand(500) ? GatePolicy::land : GatePolicy::review;
  p.recovered = random.in_a_thousand(700) ? RecoveredPolicy::review : RecoveredPolicy::continue_branch;
  p.attempts_max = static_cast<int>(random.between(1, 3));
  p.effects_at_once = static_cast<int>(random.between(2, 8));
  p.backoff_first = seconds(random.between(1, 5));
  p.backoff_max = minutes(2);
  p.board_every = p.servers_every = p.look_every = seconds(random.between(10, 60));
  p.review_every = seconds(random.between(20, 120));
  p.newborn_grace = seconds(random.between(1, 20));
  Profile profile;
  profile.name = "generic";
  profile.command = {"worker"};
  profile.preamble = "Say\nDONE: <what>\nat the end.";
  profile.finish_grace = seconds(random.between(0, 10));
  profile.term_grace = seconds(random.between(1, 10));
  p.profiles["generic"] = profile;
  return p;
}

// How likely an event is beside the others.
int weight_of(const World& w, const Event& e) {
  const FaultSet& natures = w.setup->faults;
  switch (e.what_kind) {
    case Do::hold: return w.flights[e.subject].detached ? 3 : 20;
    case Do::vanish: return w.flights[e.subject].held ? 10 : 1;
    case Do::reply: return 20;
    case Do::news: return 15;
    case Do::think: return 15;
    case Do::runner: return 12;
    case Do::worker: {
      switch (static_cast<Act>(e.what)) {
        case Act::get_ready:
        case Act::read_input: return 12;
        case Act::commit: return 8;
        case Act::say_done: return 6;
        case Act::die_of_kill:
        case Act::die_of_term: return 8;
        case Act::say_review:
        case Act::ask:
        case Act::chat:
        case Act::child_ends:
        case Act::wake: return 2;
        case Act::change: return 1;
        // By nature, in the runs that have workers of that kind: else few would live to read their prompt.
        case Act::fork_child: return natures.has(FaultId::G6) ? 2 : 0;
        case Act::exit_well: {
          if (w.runtimes[e.subject].said != Said::nothing) return 8;
          return natures.has(FaultId::G1) || natures.has(FaultId::G5) ? 1 : 0;
        }
        case Act::exit_badly:
        case Act::crash: return natures.has(FaultId::G2) ? 1 : 0;
      }
      __builtin_unreachable();
    }
    case Do::time: return 4;
    case Do::start: return 15;
    case Do::resume: return 2;
    case Do::crash:
    case Do::strike:
    case Do::person: return 1;
  }
  __builtin_unreachable();
}

class Picker {
 public:
  Picker(Random& random, Schedule schedule) : random_(random), schedule_(schedule) {
    for (int& priority : priorities_) priority = static_cast<int>(random_.below(1000));
    for (int& at : changes_) at = static_cast<int>(random_.below(400));
  }

  Event pick(const World& w, const std::vector<Event>& can, int n) {
    if (schedule_ == Schedule::pct) return by_priority(w, can, n);
    int total = 0;
    weights_.clear();
    for (const Event& e : can) {
      weights_.push_back(e.what_kind == Do::person ? 0 : weight_of(w, e));
      total += weights_.back();
    }
    // Persons act now and then, however many deeds there are to choose from.
    std::size_t persons = 0;
    for (const Event& e : can) persons += e.what_kind == Do::person ? 1U : 0U;
    if (persons > 0 && (total == 0 || random_.in_a_thousand(15))) {
      std::size_t k = random_.below(persons);
      for (const Event& e : can)
        if (e.what_kind == Do::person && k-- == 0) return e;
    }
    if (total == 0) return can[random_.below(can.size())];
    auto left = static_cast<int>(random_.below(static_cast<std::size_t>(total)));
    for (std::size_t i = 0; i < can.size(); ++i) {
      left -= weights_[i];
      if (left < 0) return can[i];
    }
    return can.back();
  }

 private:
  // PCT: every actor has a priority; the highest that can act does; at a few random points the one that would
  // act loses its priority. Finds bugs of small depth with a known probability.
  Event by_priority(const World& w, const std::vector<Event>& can, int n) {
    const bool change = std::ranges::find(changes_, n) != std::end(changes_);
    int best = -1 << 20;
    std::vector<Event> among;
    for (const Event& e : can) {
      const int priority = priorities_[actor_of(w, e)];
      if (priority < best) continue;
      if (priority > best) among.clear();
      best = priority;
      among.push_back(e);
    }
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
  std::vector<int> weights_;
  int priorities_[50] = {};
  int changes_[6] = {};
};

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

}  // namespace

std::shared_ptr<const Setup> setup_for(std::uint64_t seed, const SeedOptions& options) {
  Random random(seed);
  auto setup = std::make_shared<Setup>();
  const int tickets = static_cast<int>(random.between(1, 3));
  setup->policy = policy_for(random, static_cast<int>(random.between(1, 2)));
  for (int i = 0; i < tickets; ++i) {
    BoardTicket ticket;
    ticket.id = {ticket_names[i]};
    ticket.title = "Do it";
    ticket.body = "Please.\nDONE: said nobody";
    ticket.state = BoardState::todo;
    ticket.version = 1;
    setup->tickets.push_back(ticket);
  }
  setup->maker = options.maker;
  setup->defects = options.defects;
  setup->cgroups = random.in_a_thousand(800);
  setup->fault_budget = static_cast<int>(random.between(0, 30));
  setup->crash_budget = static_cast<int>(random.between(0, 3));
  setup->person_budget = random.in_a_thousand(500) ? static_cast<int>(random.between(1, 3)) : 0;
  // Swarm: a run with few kinds of faults gets deeper into each of them.
  const bool swarm = options.schedule ? *options.schedule == Schedule::swarm : random.in_a_thousand(700);
  const int keep = swarm ? static_cast<int>(random.between(100, 600)) : 1000;
  for (std::size_t i = 1; i < fault_ids; ++i) {
    const bool kept = random.in_a_thousand(keep);
    if (kept && options.faults.has(static_cast<FaultId>(i))) setup->faults.add(static_cast<FaultId>(i));
  }
  setup->dispatchers = setup->faults.has(FaultId::E3) && random.in_a_thousand(400) ? 2 : 1;
  return setup;
}

SeedResult run_seed(std::uint64_t seed, const SeedOptions& options, Tally& tally) {
  SeedResult result;
  result.seed = seed;
  const auto setup = setup_for(seed, options);
  Random random(seed ^ 0x5DEECE66DULL);
  const Schedule schedule =
      options.schedule ? *options.schedule : (random.in_a_thousand(250) ? Schedule::pct : Schedule::swarm);
  Picker picker(random, schedule);
  World w = begin(setup);
  Findings findings;
  std::vector<Event> can, faults;
  int n = 0;

  const auto take = [&](const Event& e) {
    if (options.keep_trace) result.trace.push_back(name_of(w, e));
    step(w, e);
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
    if (options.keep_trace)
      for (const auto& [id, ticket] : w.board.tickets)
        for (std::size_t d = 0; d < w.dispatchers.size(); ++d)
          if (w.dispatchers[d].running)
            result.trace.push_back("believes d" + std::to_string(d) + " " + id.value + ": " +
                                   w.dispatchers[d].mind->belief(id));
    tally.runs += 1;
    tally.count(findings);
    return result;
  };

  const int most = static_cast<int>(random.between(options.most_events / 4, options.most_events));
  // How often, in a thousand, a call that is about to take hold is threatened, and how often the world is.
  // The kind is chosen first, among all that this run has, and it strikes only where it can: else whatever is
  // possible at the beginning, when there is nothing but looking, would use up every fault before a worker
  // lives.
  const int call_rate = static_cast<int>(random.between(0, 900));
  const int strike_rate = static_cast<int>(random.between(0, 300));
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
    const bool call = next.what_kind == Do::hold;
    const auto& threats = call ? at_calls : by_itself;
    if (!threats.empty() && random.in_a_thousand(call ? call_rate : strike_rate)) {
      const FaultId threat = threats[random.below(threats.size())];
      faults.clear();
      enabled_faults(w, faults);
      std::erase_if(faults,
                    [&](const Event& e) { return e.fault != threat || (call && e.subject != next.subject); });
      if (!faults.empty()) next = faults[random.below(faults.size())];
    }
    if (!take(next)) return finish();
  }

  heal(w);
  // At rest: nothing but looking has happened for longer than any wait of the policy.
  constexpr int patience = 20'000;
  Instant quiet_since = w.now;
  bool rests = false;
  for (int i = 0; i < patience && !rests; ++i) {
    const auto e = next_fair(w, quiet_since + minutes(30));
    rests = !e;
    if (!e) break;
    if (!take(*e)) return finish();
    if (w.happened.anything) quiet_since = w.now;
  }
  if (!rests) findings.broken(Invariant::L8, {}, "it never comes to rest");
  check_liveness(w, findings);
  if (!findings.violations.empty()) {
    result.ending = RunEnd::stuck;
    result.violations = findings.violations;
    result.at_event = n;
  }
  return finish();
}

}  // namespace holdfast::sim
