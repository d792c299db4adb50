// The catalogue is complete: every fault is described, and none twice.
#include <gtest/gtest.h>

#include <set>

#include "faults/fault.h"

namespace holdfast {
namespace {

TEST(Catalogue, EveryFaultIsThereOnceAndSaysWhatItIs) {
  std::set<std::string_view> titles;
  int counted = 0;
  for (const Fault& one : catalogue()) {
    if (one.id == FaultId::none) continue;
    EXPECT_TRUE(titles.insert(one.title).second) << one.title;
    EXPECT_FALSE(one.real.empty()) << name_of(one.id);
    EXPECT_TRUE(!one.simulated.empty() || !one.one_sided.empty()) << name_of(one.id);
    EXPECT_EQ(one.actor == Actor::port, !one.calls.empty() && one.actor == Actor::port) << name_of(one.id);
    EXPECT_EQ(fault_named(name_of(one.id)), one.id);
    if (family_of(one.id) != 'G') ++counted;
  }
  EXPECT_EQ(counted, 71);
}

TEST(Catalogue, AFaultSetIsExact) {
  FaultSet set;
  EXPECT_TRUE(set.empty());
  set.add(FaultId::A1);
  set.add(FaultId::G6);
  EXPECT_TRUE(set.has(FaultId::A1));
  EXPECT_TRUE(set.has(FaultId::G6));
  EXPECT_FALSE(set.has(FaultId::A2));
  set.remove(FaultId::A1);
  EXPECT_FALSE(set.has(FaultId::A1));
  EXPECT_FALSE(fault_named("Z9"));
}

}  // namespace
}  // namespace holdfast
