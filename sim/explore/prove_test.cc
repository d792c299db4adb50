// `prove` finds what is wrong, with a short trace; finds nothing in the shipped dispatcher within small
// bounds; and its key and its reductions are what docs/state-model.md says of them.
#include "sim/explore/prove.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "dispatcher/core/classify.h"
#include "sim/base/fold.h"
#include "sim/base/random.h"
#include "sim/explore/certificate.h"
#include "sim/explore/incident_dispatcher.h"
#include "sim/shipped_dispatcher.h"
#include "sim/world/key.h"
#include "sim/world/names.h"

namespace holdfast::sim {
namespace {

const std::atomic<bool> never = false;

ProveBounds small() {
  ProveBounds bounds;
  bounds.faults = bounds.crashes = 0;
  return bounds;
}

FaultSet only(std::initializer_list<FaultId> kinds) {
  FaultSet set;
  for (const FaultId id : kinds) set.add(id);
  return set;
}

std::string told(const ProveResult& r) {
  std::string words;
  for (const Violation& v : r.violations)
    words += std::string(name_of(v.invariant)) + " " + v.ticket.value + ": " + v.words + "\n";
  for (std::size_t i = 0; i < r.trace.size(); ++i)
    words += (r.follows[i] ? "      " : "  ") + r.trace[i] + "\n";
  if (!r.fair.empty()) words += "then, with everything fair:\n";
  for (const std::string& line : r.fair) words += "  " + line + "\n";
  return words;
}

DispatcherMaker reverts_on_refusal() {
  return [](const Policy& policy) -> std::unique_ptr<DispatcherUnderTest> {
    auto made = std::make_unique<RevertsOnRefusal>();
    made->brain.policy = policy;
    return made;
  };
}

ProveResult prove_twin(const Reductions& reductions) {
  ProveBounds bounds = small();
  bounds.faults = 1;
  bounds.kinds = only({FaultId::B1});
  bounds.liveness = false;
  bounds.reductions = reductions;
  return prove(bounds, prove_setup(bounds, reverts_on_refusal(), {}), nullptr, never);
}

TEST(Prove, TheDispatcherOfTheIncidentIsCaughtByOneFault) {
  const ProveResult r = prove_twin({});
  ASSERT_EQ(r.end, ProveEnd::violated) << r.why_incomplete;
  EXPECT_EQ(r.violations.front().invariant, Invariant::S1) << told(r);
  EXPECT_TRUE(std::ranges::any_of(r.trace, [](const std::string& line) { return line.ends_with("!B1"); }))
      << told(r);
  EXPECT_LE(std::ranges::count(r.follows, false), 12) << told(r);
  // The trace is one that happens.
  ProveBounds bounds = small();
  bounds.faults = 1;
  World w = begin(prove_setup(bounds, reverts_on_refusal(), {}));
  Findings findings;
  for (const std::string& line : r.trace) {
    const auto e = event_named(w, line);
    ASSERT_TRUE(e) << line;
    step(w, *e);
    check_safety(w, findings);
  }
  EXPECT_FALSE(findings.violations.empty());
}

TEST(Prove, ReductionsDoNotChangeTheVerdict) {
  Reductions off;
  for (bool Reductions::* one :
       {&Reductions::run_on, &Reductions::crash_where_it_matters, &Reductions::prompt_answers,
        &Reductions::workers_when_it_matters, &Reductions::news_at_once, &Reductions::late_git_when_met}) {
    off = {};
    off.*one = false;
    const ProveResult r = prove_twin(off);
    ASSERT_EQ(r.end, ProveEnd::violated) << r.why_incomplete;
    EXPECT_EQ(r.violations.front().invariant, Invariant::S1) << told(r);
  }
}

TEST(Prove, NothingIsWrongWithTheShippedOneNearTheBeginning) {
  ProveBounds bounds = small();
  bounds.faults = 1;
  bounds.crashes = 1;
  bounds.most_states = 20'000;
  const ProveResult r = prove(bounds, prove_setup(bounds, shipped_dispatcher(), {}), nullptr, never);
  EXPECT_EQ(r.end, ProveEnd::incomplete) << told(r);
  EXPECT_EQ(r.why_incomplete, "the bound on states");
}

TEST(Prove, WithoutCommitsAndFaultsItIsComplete) {
  ProveBounds bounds = small();
  bounds.commits = 0;
  const ProveResult r = prove(bounds, prove_setup(bounds, shipped_dispatcher(), {}), nullptr, never);
  EXPECT_EQ(r.end, ProveEnd::complete) << told(r);
  bounds.jobs = 2;
  const ProveResult again = prove(bounds, prove_setup(bounds, shipped_dispatcher(), {}), nullptr, never);
  EXPECT_EQ(r.states, again.states);
  EXPECT_EQ(r.digest, again.digest) << "it depends on the number of threads";
}

std::vector<std::size_t> deaths_in(const ProveResult& r) {
  std::vector<std::size_t> causes_seen;
  for (std::size_t i = 0; i < causes; ++i)
    if (r.tally.deaths[i] > 0) causes_seen.push_back(i);
  return causes_seen;
}

// What workers, runners and news may come before or after: a search of all orders finds no other deaths, puts
// no other invariant at risk, and ends with the same verdict.
TEST(Prove, TheOrdersThatAreLeftOutLeadToNothingElse) {
  ProveBounds bounds = small();
  bounds.commits = 0;
  const auto setup = prove_setup(bounds, shipped_dispatcher(), {});
  const ProveResult few = prove(bounds, setup, nullptr, never);
  ASSERT_EQ(few.end, ProveEnd::complete) << told(few);
  for (bool Reductions::* one : {&Reductions::workers_when_it_matters, &Reductions::news_at_once}) {
    bounds.reductions = {};
    bounds.reductions.*one = false;
    const ProveResult all = prove(bounds, setup, nullptr, never);
    ASSERT_EQ(all.end, ProveEnd::complete) << told(all);
    EXPECT_EQ(deaths_in(all), deaths_in(few));
    for (std::size_t i = 0; i < invariants; ++i)
      EXPECT_EQ(all.tally.at_risk[i] > 0, few.tally.at_risk[i] > 0) << name_of(static_cast<Invariant>(i));
  }
}

// The same of what a dead dispatcher has asked of git.
TEST(Prove, LateHelpersThatMeetNobodyLeadToNothingElse) {
  ProveBounds bounds = small();
  bounds.commits = 0;
  bounds.crashes = 1;
  const auto setup = prove_setup(bounds, shipped_dispatcher(), {});
  const ProveResult few = prove(bounds, setup, nullptr, never);
  ASSERT_EQ(few.end, ProveEnd::complete) << told(few);
  bounds.reductions.late_git_when_met = false;
  const ProveResult all = prove(bounds, setup, nullptr, never);
  ASSERT_EQ(all.end, ProveEnd::complete) << told(all);
  EXPECT_LT(few.states, all.states);
  EXPECT_EQ(deaths_in(all), deaths_in(few));
  for (std::size_t i = 0; i < invariants; ++i)
    EXPECT_EQ(all.tally.at_risk[i] > 0, few.tally.at_risk[i] > 0) << name_of(static_cast<Invariant>(i));
}

TEST(Prove, OneCrashIsComplete) {
  ProveBounds bounds = small();
  bounds.crashes = 1;
  const ProveResult r = prove(bounds, prove_setup(bounds, shipped_dispatcher(), {}), nullptr, never);
  EXPECT_EQ(r.end, ProveEnd::complete) << told(r);
  EXPECT_GT(r.tally.fired[static_cast<std::size_t>(FaultId::E1)], 0U);
}

TEST(Prove, OneFaultOfTheKindsOfTheIncidentIsComplete) {
  ProveBounds bounds = small();
  bounds.faults = 1;
  bounds.kinds =
      only({FaultId::B1, FaultId::B2, FaultId::C1, FaultId::C3, FaultId::C6, FaultId::D1, FaultId::D10});
  const ProveResult r = prove(bounds, prove_setup(bounds, shipped_dispatcher(), {}), nullptr, never);
  EXPECT_EQ(r.end, ProveEnd::complete) << told(r);
  EXPECT_TRUE(vacuous_in(bounds, r).empty()) << vacuous_in(bounds, r).front();
}

// By the events' names, which hold for both of two worlds that are equal in key.
std::map<std::string, Digest> keys_after(const World& from) {
  std::vector<Event> can;
  moves(from, {}, can);
  std::map<std::string, Digest> keys;
  for (const Event& e : can) {
    World w = from;
    const std::string name = name_of(w, e);
    step(w, e);
    forget_what_tells_nothing(w);
    keys[name] = key_of(w);
  }
  return keys;
}

// Random walks that meet in a key: from there on both must have the same future, one step on.
void walk_and_compare(int tickets, int dispatchers, std::uint64_t walks, std::size_t enough) {
  ProveBounds bounds = small();
  bounds.tickets = tickets;
  bounds.dispatchers = dispatchers;
  bounds.faults = 2;
  bounds.crashes = 2;
  bounds.attempts = 2;
  const auto setup = prove_setup(bounds, shipped_dispatcher(), {});
  std::map<Digest, World> first;
  std::size_t pairs = 0, wrong = 0;
  for (std::uint64_t walk = 1; walk <= walks && wrong < 10; ++walk) {
    Random random(walk);
    World w = begin(setup);
    std::vector<Event> can;
    for (int i = 0; i < 250; ++i) {
      const auto [at, fresh] = first.try_emplace(key_of(w), w);
      if (!fresh && at->second.now != w.now) {
        ++pairs;
        const auto here = keys_after(w), there = keys_after(at->second);
        if (here != there) {
          ++wrong;
          std::string words;
          for (const auto& [name, key] : here)
            if (!there.contains(name) || there.at(name) != key) words += "  " + name + "\n";
          for (const auto& [name, key] : there)
            if (!here.contains(name)) words += "  not here: " + name + "\n";
          ADD_FAILURE() << "walk " << walk << " step " << i << "\n" << words;
        }
      }
      can.clear();
      moves(w, {}, can);
      if (can.empty()) break;
      // Faults are many and the budget is small: most of the time something ordinary happens.
      std::vector<Event> plain;
      for (const Event& e : can)
        if (e.fault == FaultId::none) plain.push_back(e);
      const bool wild = plain.empty() || random.in_a_thousand(20);
      const auto& from = wild ? can : plain;
      step(w, from[random.below(from.size())]);
      forget_what_tells_nothing(w);
    }
  }
  EXPECT_GT(pairs, enough) << "they never met";
}

TEST(Prove, WorldsThatAreEqualInKeyHaveEqualSuccessors) {
  walk_and_compare(1, 1, 2000, 4000);
}
TEST(Prove, WorldsOfTwoDispatchersThatAreEqualInKeyHaveEqualSuccessors) {
  walk_and_compare(1, 2, 600, 1000);
}
TEST(Prove, WorldsOfTwoTicketsThatAreEqualInKeyHaveEqualSuccessors) {
  walk_and_compare(2, 1, 600, 1000);
}

}  // namespace
}  // namespace holdfast::sim
