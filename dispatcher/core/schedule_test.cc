// The scheduler's own rules: what an answer means that was long on its way.
#include "dispatcher/core/schedule.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace holdfast {
namespace {

class APool : public testing::Test {
 protected:
  APool() {
    brain.policy.shards = 1;
    brain.knowledge.ledger_loaded = true;
  }
  void ask() {
    const auto effects = next_effects(brain, {1000});
    ASSERT_TRUE(
        std::ranges::any_of(effects, [](const Effect& e) { return std::holds_alternative<EnsurePool>(e); }));
  }
  void answer(Tri clean) {
    Answer a;
    a.effect = EnsurePool{};
    a.raw = {Transport::answered, 0, "", ""};
    a.value = std::vector<SlotSighting>{{{"slot-001"}, "/pool/1", Tri::yes, clean, Tri::no, {}, {}}};
    a.asked_at = {1000};
    a.at = {9000};
    absorb(brain, a);
  }
  [[nodiscard]] bool quarantines() const {
    return std::ranges::any_of(brain.agenda.writes, [](const LedgerWrite& w) {
      const auto* store = std::get_if<StoreSlot>(&w);
      return store && store->slot.state == SlotState::quarantined;
    });
  }
  void slot_is(SlotState state) {
    brain.knowledge.slots[{"slot-001"}] = {{"slot-001"}, state, {{"T-1"}, {1}}, "/pool/1", ""};
  }
  Brain brain;
};

TEST_F(APool, AFreeSlotThatIsNotCleanIsKeptApart) {
  slot_is(SlotState::free);
  ask();
  answer(Tri::no);
  EXPECT_TRUE(quarantines());
}

// Found by the soak: a dispatcher that was restarted looked at a pool of 32 for seconds, a ticket was closed
// meanwhile, and its slot was lost to the pool for what had been seen in it before.
TEST_F(APool, ASlotThatCameFreeWhileThePoolWasLookedAtIsNotJudgedByWhatWasSeenBefore) {
  slot_is(SlotState::leased);
  ask();
  slot_is(SlotState::free);
  answer(Tri::no);
  EXPECT_FALSE(quarantines());
}

}  // namespace
}  // namespace holdfast
