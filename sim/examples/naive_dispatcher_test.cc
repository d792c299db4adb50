// The naive dispatcher is fine while nothing goes wrong, and caught as soon as something does.
#include "sim/examples/naive_dispatcher.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "sim/explore/seed_run.h"

namespace holdfast::sim {
namespace {

SeedOptions naive() {
  SeedOptions options;
  options.maker = naive_dispatcher();
  return options;
}

WorldPlan plain_plan() {
  WorldPlan plan;
  plan.tickets = 2;
  plan.capacity = 2;
  return plan;
}

TEST(Naive, IsFineWhileNothingGoesWrong) {
  Tally tally;
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    const SeedResult run = run_plan(plain_plan(), seed, naive(), tally);
    for (const Violation& v : run.violations)
      ADD_FAILURE() << "seed " << seed << " " << name_of(v.invariant) << " " << v.ticket.value << ": "
                    << v.words;
  }
  EXPECT_GT(tally.lives, 30U);
}

TEST(Naive, ALateRefusalOfTheSendMakesItPutALiveOneBack) {
  WorldPlan plan = plain_plan();
  std::string error;
  plan.triggers = {*trigger_from("B1,call=post", error)};
  Tally tally;
  bool caught = false;
  for (std::uint64_t seed = 1; seed <= 10 && !caught; ++seed)
    caught = std::ranges::any_of(run_plan(plan, seed, naive(), tally).violations,
                                 [](const Violation& v) { return v.invariant == Invariant::S1; });
  EXPECT_TRUE(caught);
}

TEST(Naive, IsCaughtWithinTheFirstSeeds) {
  Tally tally;
  int failed = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed)
    failed += run_seed(seed, naive(), tally).ending == RunEnd::passed ? 0 : 1;
  EXPECT_GE(failed, 5);
}

}  // namespace
}  // namespace holdfast::sim
