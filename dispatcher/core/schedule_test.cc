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

// Found by the soak: with fifty tickets in review, looking whether they had been landed took every place, and
// nothing was claimed any more.
class InReview : public testing::Test {
 protected:
  InReview() {
    brain.policy.shards = 1;
    brain.policy.effects_at_once = 8;
    brain.policy.profiles["shell"].name = "shell";
    brain.policy.default_profile = "shell";
    Knowledge& k = brain.knowledge;
    k.ledger_loaded = k.records_listed = k.traces_listed = k.pool_ready = k.board_read = true;
    k.first_look_done = true;
    for (int i = 0; i < 50; ++i) {
      const TicketId id{"R-" + std::to_string(i)};
      Attempt a;
      a.id = {id, {1}};
      a.phase = Phase::closed;
      a.step = Step::spawn_begun;
      a.cause = Cause::clean_exit;
      a.disposition = BoardState::in_review;
      a.settled = true;
      a.branch = {"hf/" + id.value + "-g1"};
      on_board(id, BoardState::in_review).newest = a;
    }
    on_board({"T-1"}, BoardState::todo);
    k.slots[{"slot-001"}] = {{"slot-001"}, SlotState::free, {}, "/pool/1", ""};
    brain.agenda.look_for_claims = true;
    for (const auto& [id, t] : k.tickets) brain.agenda.queue.push_back(id), brain.agenda.queued.insert(id);
  }
  TicketKnowledge& on_board(const TicketId& id, BoardState state) {
    TicketKnowledge& t = brain.knowledge.tickets[id];
    t.board = BoardTicket{};
    t.board->id = id;
    t.board->state = state;
    return t;
  }
  std::vector<TicketId> begin(std::int64_t at, bool* claimed = nullptr) {
    std::vector<TicketId> looked_at;
    for (const Effect& e : next_effects(brain, {at})) {
      if (std::holds_alternative<InspectBranch>(e)) looked_at.push_back(ticket_of(e));
      const auto* write = std::get_if<WriteLedger>(&e);
      if (claimed && write && std::holds_alternative<Claim>(write->write)) *claimed = true;
    }
    return looked_at;
  }
  void seen(const TicketId& id, std::int64_t at) {
    Answer a;
    BranchOrder order;
    order.attempt = {id, {1}};
    a.effect = InspectBranch{order};
    a.raw = {Transport::answered, 0, "", ""};
    a.value = BranchFacts{};
    a.asked_at = a.at = {at};
    absorb(brain, a);
  }
  Brain brain;
};

TEST_F(InReview, AnyNumberOfThemLeavesPlaceForAPickup) {
  bool claimed = false;
  EXPECT_EQ(begin(1000, &claimed).size(), 2U);
  EXPECT_TRUE(claimed);
}

TEST_F(InReview, EachHasItsTurn) {
  std::set<TicketId> had;
  std::int64_t at = 1000;
  std::vector<TicketId> now = begin(at);
  while (!now.empty()) {
    for (const TicketId& id : now) {
      EXPECT_TRUE(had.insert(id).second) << id.value << " twice, before everybody had been once";
      seen(id, ++at);
    }
    now = begin(++at);
    ASSERT_LT(at, 1500);
  }
  EXPECT_EQ(had.size(), 50U);
}

// Pins of those that live come after everything else and have a quarter of the places.
class AtWork : public testing::Test {
 protected:
  AtWork() {
    brain.policy.shards = 1;
    brain.policy.effects_at_once = 8;
    brain.policy.profiles["shell"].name = "shell";
    brain.policy.default_profile = "shell";
    Knowledge& k = brain.knowledge;
    k.ledger_loaded = k.records_listed = k.traces_listed = k.pool_ready = k.board_read = true;
    k.first_look_done = true;
    for (int i = 0; i < 20; ++i) {
      const TicketId id{"W-" + std::to_string(i)};
      Attempt a;
      a.id = {id, {1}};
      a.phase = Phase::running;
      a.step = Step::spawn_begun;
      a.slot = {"slot-" + std::to_string(i)};
      a.branch = {"hf/" + id.value + "-g1"};
      TicketKnowledge& t = k.tickets[id];
      t.board = BoardTicket{};
      t.board->id = id;
      t.board->state = BoardState::in_progress;
      t.newest = a;
      t.work.looked_at = {1000};
      t.work.look_now = false;
      t.work.pin_due = true;
    }
    all_again();
  }
  void all_again() {
    for (const auto& [id, t] : brain.knowledge.tickets)
      if (brain.agenda.queued.insert(id).second) brain.agenda.queue.push_back(id);
  }
  // Routine reads are answered at once, so that the places are those of tickets.
  std::vector<Effect> begin(std::int64_t at) {
    std::vector<Effect> of_tickets;
    for (Effect& e : next_effects(brain, {at}))
      if (!ticket_of(e).empty()) {
        of_tickets.push_back(std::move(e));
      } else {
        brain.agenda.in_flight -= 1;
      }
    return of_tickets;
  }
  void pinned(const Effect& e, std::int64_t at, int code = 0) {
    Answer a;
    a.effect = e;
    a.raw = {Transport::answered, code, "", code == 0 ? "" : "busy: the lock is held"};
    a.asked_at = a.at = {at};
    absorb(brain, a);
  }
  static int pins_in(const std::vector<Effect>& effects) {
    return static_cast<int>(std::ranges::count_if(effects, [](const Effect& e) { return is_by_the_way(e); }));
  }
  Brain brain;
};

TEST_F(AtWork, PinsHaveAQuarterOfThePlaces) {
  begin(1000);  // routine has its first turn
  all_again();
  for (auto& [id, t] : brain.knowledge.tickets) t.work.pin_due = true;
  const int flying = brain.agenda.by_the_way;
  EXPECT_LE(flying, 2);
  EXPECT_EQ(flying + pins_in(begin(1001)), 2);
}

TEST_F(AtWork, EverythingElseComesFirst) {
  brain.policy.effects_at_once = 1;
  brain.agenda.look_for_claims = true;
  BoardTicket todo;
  todo.id = {"Z-1"};
  todo.state = BoardState::todo;
  brain.knowledge.tickets[todo.id].board = todo;
  brain.policy.capacity = 100;
  brain.knowledge.slots[{"slot-free"}] = {{"slot-free"}, SlotState::free, {}, "/pool/free", ""};
  // Routine reads are done with, and in a while due again.
  for (Routine* r : {&brain.agenda.changes, &brain.agenda.board, &brain.agenda.list_server[0],
                     &brain.agenda.start_server[0]})
    r->next = {1'000'000};
  const auto effects = begin(1001);
  ASSERT_EQ(effects.size(), 1U);
  EXPECT_TRUE(std::holds_alternative<WriteLedger>(effects.front())) << describe(effects.front());
}

TEST_F(AtWork, APinWithoutAPlaceWaitsForTheNextLookAndKeepsNobodyAwake) {
  auto effects = begin(1000);
  ASSERT_EQ(pins_in(effects), 2);
  for (int round = 0; round < 3; ++round) {
    for (const Effect& e : effects) pinned(e, 1001, round == 0 ? 1 : 0);
    effects = begin(1002);
  }
  EXPECT_EQ(pins_in(effects), 0)
      << "those that were answered, also in vain, are not due before they are seen";
  EXPECT_EQ(brain.agenda.by_the_way, 0);
  EXPECT_TRUE(brain.agenda.queue.empty());
  EXPECT_TRUE(brain.agenda.busy.empty());
  EXPECT_EQ(brain.agenda.alarms.size(), 20U) << "each waits for its next look";
  EXPECT_GT(brain.agenda.alarms.begin()->first, Instant{1002});
}

}  // namespace
}  // namespace holdfast
