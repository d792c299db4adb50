// A failing run can be written down, replayed without its seed, and made small.
#include "sim/explore/trace.h"

#include <gtest/gtest.h>

#include "sim/twins/hunt.h"

namespace holdfast::sim {
namespace {

TEST(Trace, AFailureIsReplayedAndShrunk) {
  const Twin* twin = twin_named("drift-is-permission");
  ASSERT_NE(twin, nullptr);
  const SeedOptions options = options_for(*twin, Schedule::swarm);
  Tally tally;
  std::uint64_t seed = 1;
  while (seed < 300 && run_seed(seed, options, tally).ending != RunEnd::unsafe) ++seed;
  ASSERT_LT(seed, 300U);

  const Trace whole = trace_of(seed, options, "twin:drift-is-permission");
  ReplayOptions how;
  how.world = options;
  const Replayed again = replay(whole, how);
  EXPECT_EQ(again.passed_over, 0);
  EXPECT_EQ(again.ending, RunEnd::unsafe);
  EXPECT_EQ(again.digest, run_seed(seed, options, tally).digest);

  const Trace small = shrink(whole, options, {});
  EXPECT_LT(small.events.size(), whole.events.size());
  EXPECT_EQ(replay(small, how).ending, RunEnd::unsafe);
  RecordProperty("events", static_cast<int>(small.events.size()));
}

TEST(Trace, APlannedFaultIsReplayedWhereItsKindIsOff) {
  SeedOptions options;
  options.faults = {};
  std::string error;
  options.triggers = {*trigger_from("B1,call=post", error)};
  Tally tally;
  std::uint64_t seed = 1;
  while (seed < 100 && !run_seed(seed, options, tally).unfired.empty()) ++seed;
  ASSERT_LT(seed, 100U);
  ReplayOptions how;
  how.world = options;
  const Replayed again = replay(trace_of(seed, options, "shipped"), how);
  EXPECT_EQ(again.passed_over, 0);
  EXPECT_EQ(again.digest, run_seed(seed, options, tally).digest);
}

TEST(Trace, TriggersAreReadAndWritten) {
  std::string error;
  const auto trigger = trigger_from("C3,phase=running,nth=2,from=10s,within=1min,chance=250,after=B1", error);
  ASSERT_TRUE(trigger) << error;
  EXPECT_EQ(trigger_from(words_for(*trigger), error), trigger);
  EXPECT_EQ(trigger_from("B1,call=post,times=2", error)->call, Call::post);
  EXPECT_FALSE(trigger_from("C3,call=post", error)) << "it strikes no call";
  EXPECT_FALSE(trigger_from("B1,call=spawn", error));
  EXPECT_FALSE(trigger_from("Z9", error));
  EXPECT_FALSE(trigger_from("B1,phase=asleep", error));
  EXPECT_FALSE(trigger_from("B1,soon", error));
}

}  // namespace
}  // namespace holdfast::sim
