// Many seeds give the same result however they are divided among threads and machines; what they gave once
// they give for ever (golden_digests.txt), with every compiler.
#include "sim/explore/runs.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "sim/examples/naive_dispatcher.h"
#include "sim/explore/coverage.h"
#include "sim/shipped_dispatcher.h"

namespace holdfast::sim {
namespace {

const std::atomic<bool> nobody_stops_it = false;

TEST(Runs, ThreadsAndShardsChangeNothing) {
  RunsOptions options;
  options.seeds = 120;
  const RunsResult alone = run_seeds(options, nullptr, nobody_stops_it);
  EXPECT_EQ(alone.tally.runs, 120U);
  EXPECT_EQ(alone.compared, 1U);
  options.jobs = 2;
  EXPECT_EQ(run_seeds(options, nullptr, nobody_stops_it).digest, alone.digest);
  options.shards = 3;
  Digest sum{0, 0};
  std::uint64_t runs = 0;
  for (options.shard = 0; options.shard < options.shards; ++options.shard) {
    const RunsResult part = run_seeds(options, nullptr, nobody_stops_it);
    sum.high += part.digest.high;
    sum.low += part.digest.low;
    runs += part.tally.runs;
  }
  EXPECT_EQ(runs, 120U);
  EXPECT_EQ(sum, alone.digest);
}

// A dispatcher that does not follow from what it is told alone: it remembers its earlier lives.
class Forgetless : public ShippedDispatcher {
 public:
  [[nodiscard]] std::unique_ptr<DispatcherUnderTest> copy() const override {
    return std::make_unique<Forgetless>(*this);
  }
  std::vector<Effect> next_effects(Instant now) override {
    static int lives = 0;
    if (++lives % 97 == 0) return {};
    return ShippedDispatcher::next_effects(now);
  }
};

TEST(Runs, ARunThatDivergesIsSeen) {
  RunsOptions options;
  options.seeds = 8;
  options.twice = 1;
  options.collect = true;
  options.each.maker = [](const Policy& policy) -> std::unique_ptr<DispatcherUnderTest> {
    auto made = std::make_unique<Forgetless>();
    made->brain.policy = policy;
    return made;
  };
  EXPECT_FALSE(run_seeds(options, nullptr, nobody_stops_it).diverged.empty());
}

TEST(Runs, TheyEndWithTheFirstFailureOrCollectThemAll) {
  RunsOptions options;
  options.seeds = 60;
  options.each.maker = naive_dispatcher();
  const RunsResult first = run_seeds(options, nullptr, nobody_stops_it);
  EXPECT_EQ(first.failures.size(), 1U);
  EXPECT_TRUE(first.stopped);
  options.collect = true;
  const RunsResult all = run_seeds(options, nullptr, nobody_stops_it);
  EXPECT_GT(all.failures.size(), 10U);
  EXPECT_FALSE(all.stopped);
}

TEST(Runs, APlannedFaultThatNeverStrikesIsVacuous) {
  RunsOptions options;
  options.seeds = 5;
  std::string error;
  options.each.triggers = {*trigger_from("C3,phase=running,nth=1000", error)};
  EXPECT_EQ(run_seeds(options, nullptr, nobody_stops_it).unfired.size(), 5U);
}

TEST(Runs, WhatIsOutOfReachIsNeverReached) {
  RunsOptions options;
  options.seeds = 500;
  const RunsResult r = run_seeds(options, nullptr, nobody_stops_it);
  EXPECT_TRUE(r.failures.empty());
  for (const CoverageCell& cell : coverage(r.tally)) {
    if (cell.out_of_reach.empty()) continue;
    EXPECT_EQ(cell.fired, 0U) << name_of(cell.fault) << " in " << cell.phase << ": " << cell.out_of_reach;
  }
}

TEST(Golden, AThousandSeedsGiveTheDigestsThatTheyAlwaysGave) {
  Tally tally;
  if (std::getenv("HOLDFAST_WRITE_GOLDEN") != nullptr) {
    std::ofstream out(HOLDFAST_GOLDEN_DIGESTS);
    for (std::uint64_t seed = 1; seed <= 1000; ++seed)
      out << seed << " " << run_seed(seed, {}, tally).digest.text() << "\n";
    GTEST_SKIP() << "written";
  }
  std::ifstream in(HOLDFAST_GOLDEN_DIGESTS);
  std::uint64_t seed = 0, n = 0, wrong = 0;
  for (std::string golden; in >> seed >> golden; ++n)
    if (run_seed(seed, {}, tally).digest.text() != golden && ++wrong <= 5)
      ADD_FAILURE() << "seed " << seed
                    << " runs another way than it did. If that is meant: HOLDFAST_WRITE_GOLDEN=1 sim_test "
                       "--gtest_filter='Golden*'";
  EXPECT_EQ(n, 1000U);
  EXPECT_EQ(wrong, 0U);
}

}  // namespace
}  // namespace holdfast::sim
