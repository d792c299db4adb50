// The shipped dispatcher stands the seeds; a dispatcher that repeats the founding incident, and worlds that
// are built wrongly, do not. A property counts because something broken breaks it.
#include "sim/explore/seed_run.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "dispatcher/core/classify.h"
#include "sim/explore/incident_dispatcher.h"
#include "sim/shipped_dispatcher.h"

namespace holdfast::sim {
namespace {

// The first seed at which this invariant is broken; 0: none.
std::uint64_t first_caught(const SeedOptions& options, Invariant invariant, std::uint64_t most) {
  Tally tally;
  for (std::uint64_t seed = 1; seed <= most; ++seed) {
    const SeedResult result = run_seed(seed, options, tally);
    if (std::ranges::any_of(result.violations, [&](const Violation& v) { return v.invariant == invariant; }))
      return seed;
  }
  return 0;
}

TEST(Seeds, ALiveRuntimeIsNeverRevertedToTodo) {
  Tally tally;
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    const SeedResult result = run_seed(seed, {}, tally);
    for (const Violation& v : result.violations)
      ADD_FAILURE() << "seed " << seed << " event " << result.at_event << " " << name_of(v.invariant) << " "
                    << v.ticket.value << ": " << v.words;
  }
  EXPECT_GT(tally.at_risk[static_cast<std::size_t>(Invariant::S1)], 0U) << "it was never at risk";
  EXPECT_GT(tally.at_risk[static_cast<std::size_t>(Invariant::S6)], 0U);
}

TEST(Seeds, TheDispatcherOfTheIncidentIsCaught) {
  SeedOptions options;
  options.maker = [](const Policy& policy) -> std::unique_ptr<DispatcherUnderTest> {
    auto made = std::make_unique<RevertsOnRefusal>();
    made->brain.policy = policy;
    return made;
  };
  EXPECT_NE(first_caught(options, Invariant::S1, 2000), 0U);
}

TEST(Seeds, WorldsThatAreBuiltWronglyAreCaught) {
  SeedOptions options;
  options.defects.inbox_without_ids = true;
  EXPECT_NE(first_caught(options, Invariant::S10, 3000), 0U)
      << "a message that is posted twice is read twice";
  options.defects = {};
  options.defects.release_without_recheck = true;
  EXPECT_NE(first_caught(options, Invariant::S9, 3000), 0U) << "a slot is given back over new changes";
}

TEST(Seeds, TheSameSeedGivesTheSameDigest) {
  Tally tally;
  for (std::uint64_t seed = 1; seed <= 50; ++seed)
    EXPECT_EQ(run_seed(seed, {}, tally).digest, run_seed(seed, {}, tally).digest) << seed;
}

}  // namespace
}  // namespace holdfast::sim
