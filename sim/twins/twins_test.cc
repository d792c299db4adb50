// Every broken twin is caught, by an invariant that its defect breaks; every invariant that has a checker is
// broken by a twin. An oracle that has never failed has shown nothing.
#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>
#include <set>

#include "sim/twins/hunt.h"

namespace holdfast::sim {

static void PrintTo(const Twin& twin, std::ostream* out) {
  *out << twin.id;
}

namespace {

class Twins : public testing::TestWithParam<Twin> {};

TEST_P(Twins, IsCaught) {
  HuntOptions how;
  how.schedule = Schedule::swarm;
  how.starts = 1;
  how.most = 4000;
  const Hunt found = hunt(GetParam(), how);
  EXPECT_TRUE(found.was_caught()) << GetParam().title << "; others: " << found.others;
  RecordProperty("seeds", static_cast<int>(found.median()));
}

INSTANTIATE_TEST_SUITE_P(All, Twins, testing::ValuesIn(twins()), [](const auto& twin) {
  std::string name{twin.param.id};
  std::ranges::replace(name, '-', '_');
  return name;
});

TEST(TwinRegistry, TheIncidentIsCaughtWithinTwentySeeds) {
  HuntOptions how;
  how.schedule = Schedule::swarm;
  how.most = 20;
  const Hunt found = hunt(*twin_named("revert-on-409"), how);
  EXPECT_LE(found.median(), 20U);
  EXPECT_LE(found.escaped, how.starts / 2) << "from most starts it is";
  ASSERT_TRUE(found.caught);
  EXPECT_EQ(found.caught->invariant, Invariant::S1) << found.caught->words;
}

TEST(TwinRegistry, EveryInvariantThatHasACheckerIsBrokenByATwin) {
  std::set<Invariant> broken;
  std::set<std::string_view> ids;
  for (const Twin& twin : twins()) {
    EXPECT_TRUE(ids.insert(twin.id).second) << twin.id;
    EXPECT_FALSE(twin.breaks.empty()) << twin.id;
    broken.insert(twin.breaks.begin(), twin.breaks.end());
  }
  EXPECT_GE(ids.size(), 40U);
  using enum Invariant;
  // Without a checker of their own: see sim/oracle/oracle.h.
  const std::set<Invariant> unchecked{M1, M2, M3, M4, M5};
  for (std::size_t i = 0; i < invariants; ++i) {
    const auto one = static_cast<Invariant>(i);
    EXPECT_TRUE(unchecked.contains(one) || broken.contains(one)) << name_of(one) << " has no twin";
  }
}

// Some are seldom alone in being broken: that they are told too is asked for by name.
TEST(TwinRegistry, WhatIsBrokenTogetherWithAnotherIsToldToo) {
  for (const auto& [id, invariant] :
       {std::pair{"quiet-is-dead", Invariant::S23}, {"backoff-in-microseconds", Invariant::L4}}) {
    Twin alone = *twin_named(id);
    alone.breaks = {invariant};
    HuntOptions how;
    how.schedule = Schedule::swarm;
    how.starts = 1;
    EXPECT_TRUE(hunt(alone, how).was_caught()) << id << " and " << name_of(invariant);
  }
}

}  // namespace
}  // namespace holdfast::sim
