// What the simulated repository must not do, because no git does it.
#include <gtest/gtest.h>

#include <utility>
#include <variant>

#include "sim/world/ports.h"

namespace holdfast::sim::simulated_git {
namespace {

World with_a_pool() {
  auto setup = std::make_shared<Setup>();
  setup->policy.target = setup->policy.start = "refs/heads/main";
  setup->dispatchers = 1;
  World w = begin(std::move(setup));
  Flight pool;
  pool.effect = EnsurePool{1, "refs/heads/main"};
  EXPECT_TRUE(perform_part(w, pool));
  return w;
}

Flight prepare() {
  Flight f;
  f.effect = PrepareWorktree{{{"slot-1"}, {{"T-1"}, {1}}, {"hf/T-1-do.it-g1"}, "refs/heads/main"}};
  return f;
}

TEST(SimulatedGit, APrepareOfWhatIsPreparedOnlyLooks) {
  World w = with_a_pool();
  Flight first = prepare();
  ASSERT_FALSE(perform_part(w, first));
  first.part = 1;
  ASSERT_TRUE(perform_part(w, first));
  ASSERT_TRUE(std::holds_alternative<Prepared>(first.value));
  // Another call of the same attempt, that came late. There is no moment in it at which the worker could
  // move its branch away and then have its worktree moved back to one that is not there.
  Flight late = prepare();
  ASSERT_TRUE(perform_part(w, late)) << "it has nothing left to do";
  EXPECT_EQ(std::get<Prepared>(late.value), std::get<Prepared>(first.value));
  EXPECT_EQ(w.git.slots.at({"slot-1"}).branch, "hf/T-1-do.it-g1");
  EXPECT_EQ(w.git.slots.at({"slot-1"}).head, 0);
}

}  // namespace
}  // namespace holdfast::sim::simulated_git
