#include "sim/explore/prove.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "sim/explore/fair.h"
#include "sim/explore/state_set.h"
#include "sim/world/key.h"
#include "sim/world/names.h"

namespace holdfast::sim {
namespace {

// How long everything fair is given before "nothing but looking has happened" counts as rest.
constexpr Duration quiet = minutes(30);
constexpr int patience = 20'000;

// From here without faults: does it come to rest with everything accounted for? States on fair paths that
// were walked before are known to be good.
class FairEnds {
 public:
  // Empty: it does.
  std::vector<Violation> check(World w, std::vector<std::string>* names) {
    heal(w);
    if (names == nullptr && !known_.insert(key_of(w), 0, {}).second) return {};
    Instant quiet_since = w.now;
    Findings findings;
    for (int i = 0; i < patience; ++i) {
      const auto e = next_fair(w, quiet_since + quiet);
      if (!e) {
        check_liveness(w, findings);
        return findings.violations;
      }
      if (names != nullptr) names->push_back(name_of(w, *e));
      step(w, *e);
      check_safety(w, findings);
      if (!findings.violations.empty()) return findings.violations;
      if (w.happened.anything) {
        quiet_since = w.now;
        if (names == nullptr && !known_.insert(key_of(w), 0, {}).second) return {};
      }
    }
    findings.broken(Invariant::L8, {}, "it never comes to rest");
    return findings.violations;
  }
  [[nodiscard]] const StateSet& known() const { return known_; }

 private:
  StateSet known_;
};

double seconds_since(std::chrono::steady_clock::time_point began) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
}

std::vector<std::string> names_of(const std::shared_ptr<const Setup>& setup, const std::vector<Event>& path) {
  std::vector<std::string> names;
  World w = begin(setup);
  for (const Event& e : path) {
    names.push_back(name_of(w, e));
    step(w, e);
  }
  return names;
}

}  // namespace

std::shared_ptr<const Setup> prove_setup(const ProveBounds& bounds, DispatcherMaker maker,
                                         const Defects& defects) {
  auto setup = std::make_shared<Setup>();
  Policy& p = setup->policy;
  p.capacity = std::min(bounds.tickets, 2);
  p.shards = 1;
  p.target = p.start = "refs/heads/main";
  p.gate = GatePolicy::land;
  p.attempts_max = 1;
  p.free_deaths_max = 1;
  p.setup_failures_max = 1;
  // Polls come with news and with the waits of the tickets, not by themselves: a poll without news changes
  // nothing, and polls at every moment would only repeat every state.
  p.board_every = p.servers_every = p.look_every = p.review_every = minutes(20);
  p.newborn_grace = seconds(10);
  p.backoff_first = p.backoff_max = seconds(10);
  setup->longest_sleep = minutes(60);
  Profile profile;
  profile.name = "generic";
  profile.command = {"worker"};
  profile.finish_grace = profile.term_grace = profile.verify_within = seconds(10);
  p.profiles["generic"] = profile;
  for (int i = 0; i < bounds.tickets; ++i) {
    BoardTicket ticket;
    ticket.id = {i == 0 ? "T-1" : "T-1" + std::to_string(i - 1)};  // prefixes of one another
    ticket.title = "Do it";
    ticket.state = BoardState::todo;
    ticket.version = 1;
    setup->tickets.push_back(ticket);
  }
  setup->maker = std::move(maker);
  setup->defects = defects;
  setup->dispatchers = bounds.dispatchers;
  setup->worker = {.commits = 1, .lines = 0, .questions = 0, .changes = 0, .children = 0};
  setup->faults = bounds.kinds;
  setup->fault_budget = bounds.faults;
  setup->crash_budget = bounds.crashes;
  setup->person_budget = bounds.persons;
  return setup;
}

ProveResult prove(const ProveBounds& bounds, const std::shared_ptr<const Setup>& setup,
                  const std::function<void(const ProveResult&, std::size_t)>& progress,
                  const std::atomic<bool>& stop) {
  const auto began = std::chrono::steady_clock::now();
  ProveResult result;
  StateSet seen;
  FairEnds fair;
  struct Open {
    std::uint32_t number;
    World world;
  };
  std::vector<Open> level, next;
  std::vector<Event> can;
  Findings findings;

  World first = begin(setup);
  seen.insert(key_of(first), 0, {});
  level.push_back({0, std::move(first)});

  const auto close = [&](ProveEnd end) {
    result.end = end;
    result.states = seen.size();
    result.fair_states = fair.known().size();
    result.seconds = seconds_since(began);
    result.bytes = seen.bytes() + fair.known().bytes();
    result.tally.count(findings);
    return result;
  };
  const auto violated = [&](ProveEnd end, std::vector<Violation> violations, std::uint32_t parent,
                            const std::optional<Event>& last) {
    result.violations = std::move(violations);
    std::vector<Event> path = seen.path_to(parent);
    if (last) path.push_back(*last);
    result.trace = names_of(setup, path);
    if (end == ProveEnd::stuck) {
      World w = begin(setup);
      for (const Event& e : path) step(w, e);
      fair.check(w, &result.fair);
    }
    return close(end);
  };

  while (!level.empty()) {
    for (Open& open : level) {
      can.clear();
      enabled(open.world, can);
      enabled_faults(open.world, can);
      for (const Event& e : can) {
        World w = open.world;
        step(w, e);
        result.transitions += 1;
        result.tally.count(w);
        check_safety(w, findings);
        if (!findings.violations.empty())
          return violated(ProveEnd::violated, findings.violations, open.number, e);
        const Digest key = key_of(w);
        const auto [number, fresh] = seen.insert(key, open.number, e);
        if (!fresh) continue;
        result.digest.add(key.low);
        result.digest.add(key.high);
        if (bounds.liveness)
          if (auto bad = fair.check(w, nullptr); !bad.empty())
            return violated(ProveEnd::stuck, std::move(bad), number, std::nullopt);
        next.push_back({number, std::move(w)});
        if ((seen.size() & 0x3FFF) == 0) {
          result.states = seen.size();
          result.seconds = seconds_since(began);
          if (progress) progress(result, next.size());
          const bool enough = bounds.most_states != 0 && seen.size() >= bounds.most_states;
          const bool full =
              seen.bytes() + fair.known().bytes() + next.size() * std::uint64_t{16'000} > bounds.most_bytes;
          if (enough || full || stop) {
            result.why_incomplete = stop ? "interrupted" : full ? "out of memory" : "the bound on states";
            return close(ProveEnd::incomplete);
          }
        }
      }
      open.world = World{};  // its memory is wanted for the next level
    }
    level.swap(next);
    next.clear();
    result.depth += 1;
  }
  return close(ProveEnd::complete);
}

}  // namespace holdfast::sim
