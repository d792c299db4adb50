// What every ledger must do, written against the port: it agrees with a model of maps, write by write, and
// keeps the promise between concurrent writers. SQLite's instantiation is in sqlite_ledger_contract_test.cc;
// another ledger includes this header in one test file and adds INSTANTIATE_TEST_SUITE_P.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <thread>

#include "dispatcher/core/ledger_rules_kit.h"
#include "dispatcher/ledger/model_ledger.h"

namespace holdfast {

// An empty ledger, and a second door to the same one, as another process would open it.
struct LedgerHouse {
  std::shared_ptr<void> ground;  // what it stands on: a folder, a server
  std::unique_ptr<Ledger> ledger;
  std::unique_ptr<Ledger> second;
};

struct LedgerMaker {
  std::string name;
  std::function<LedgerHouse()> make;
};
inline void PrintTo(const LedgerMaker& maker, std::ostream* out) {
  *out << maker.name;
}

// Writes to a real ledger and to the model, and compares every answer and everything that can be read.
class Twins {
 public:
  explicit Twins(Ledger& real) : real_(real) {}

  Reply<LedgerDelta> write(const LedgerWrite& write) {
    now_.ms += 10;
    auto got = real_.write(write, now_);
    const auto want = model_.write(write, now_);
    EXPECT_EQ(got.raw, want.raw);
    EXPECT_EQ(got.value, want.value);
    const std::int64_t before = seen_;
    expect_same_changes(before);
    return got;
  }

  void expect_same_changes(std::int64_t after) {
    const auto got = real_.changes_after(after);
    const auto want = model_.changes_after(after);
    ASSERT_EQ(got.raw, want.raw);
    EXPECT_EQ(got.value, want.value);
    seen_ = want.value.seq;
  }

  void expect_same_everything(const std::vector<TicketId>& tickets) {
    EXPECT_EQ(real_.load().value, model_.load().value);
    EXPECT_EQ(real_.open_attempts().value, model_.open_attempts().value);
    EXPECT_EQ(real_.events_after(0, std::nullopt, 1 << 30).value,
              model_.events_after(0, std::nullopt, 1 << 30).value);
    for (const TicketId& ticket : tickets) {
      const auto attempts = model_.attempts_of(ticket).value;
      EXPECT_EQ(real_.attempts_of(ticket).value, attempts);
      EXPECT_EQ(real_.events_after(0, ticket, 1 << 30).value, model_.events_after(0, ticket, 1 << 30).value);
      for (const Attempt& attempt : attempts)
        EXPECT_EQ(real_.messages_of(attempt.id).value, model_.messages_of(attempt.id).value);
    }
  }

  // The attempt that a write about this ticket is most likely about.
  AttemptId newest_of(const TicketId& ticket) {
    const auto attempts = model_.attempts_of(ticket).value;
    return attempts.empty() ? AttemptId{ticket, {1}} : attempts.back().id;
  }

 private:
  Ledger& real_;
  ModelLedger model_;
  Instant now_{1'000'000};
  std::int64_t seen_ = 0;
};

class LedgerContract : public testing::TestWithParam<LedgerMaker> {
 protected:
  LedgerHouse house = GetParam().make();
  Ledger& ledger = *house.ledger;

  void make_pool(int slots) {
    for (int n = 1; n <= slots; ++n) {
      Slot slot = kit::free_slot(n % 10);
      slot.id.value = "slot-" + std::to_string(1000 + n);
      ASSERT_EQ(ledger.write(StoreSlot{slot}, {1}).raw.code, 0);
    }
  }
};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(LedgerContract);

TEST_P(LedgerContract, EveryWriteFromEveryStageDoesWhatTheRulesSay) {
  Twins twins(ledger);
  std::vector<TicketId> tickets;
  for (const kit::Stage stage : kit::all_stages)
    for (std::size_t kind = 0; kind < std::variant_size_v<LedgerWrite>; ++kind) {
      const TicketId ticket{std::string("T_") + kit::name_of(stage) + "_" + std::to_string(kind)};
      const AttemptId id{ticket, {1}};
      const kit::NamedWrite tried = kit::one_of_each(id)[kind];
      SCOPED_TRACE(std::string(tried.name) + " at " + kit::name_of(stage));
      tickets.push_back(ticket);
      Slot slot = kit::free_slot(1);
      slot.id.value = "slot-" + ticket.value;
      twins.write(StoreSlot{slot});
      ASSERT_EQ(twins.write(kit::claim_of(ticket.value)).raw.code, 0);
      for (const LedgerWrite& step : kit::way_to(stage, id)) ASSERT_EQ(twins.write(step).raw.code, 0);
      twins.write(tried.write);
      twins.write(tried.write);  // again: its answer was lost
      for (const Generation other : {Generation{2}, Generation{9}})
        twins.write(kit::one_of_each({ticket, other})[kind].write);
      if (testing::Test::HasFailure()) return;  // the first one says it all
    }
  twins.expect_same_everything(tickets);
}

TEST_P(LedgerContract, ARefusedWriteChangesNothing) {
  make_pool(1);
  const AttemptId id{{"T-1"}, {1}};
  ASSERT_EQ(ledger.write(kit::claim_of("T-1"), {10}).raw.code, 0);
  const auto before = ledger.load().value;
  EXPECT_EQ(ledger.write(kit::claim_of("T-1"), {20}).raw.code, ledger_conflict);
  EXPECT_EQ(ledger.write(kit::claim_of("T-2"), {20}).raw.code, ledger_exhausted);
  EXPECT_EQ(ledger.write(RecordRunning{{{"T-1"}, {7}}}, {20}).raw.code, ledger_stale);
  EXPECT_EQ(ledger.write(RecordNewborn{id, {}}, {20}).raw.code, ledger_invalid);
  EXPECT_EQ(ledger.load().value, before);
}

TEST_P(LedgerContract, NothingNewCostsNothingAndSaysSo) {
  make_pool(2);
  const std::int64_t seq = ledger.load().value.seq;
  const auto again = ledger.changes_after(seq);
  EXPECT_EQ(again.raw.code, 0);
  EXPECT_EQ(again.value.seq, seq);
  EXPECT_TRUE(again.value.tickets.empty());
  EXPECT_EQ(again.value.slots.size(), 2U) << "what is not about tickets is always complete";
}

TEST_P(LedgerContract, ALedgerOlderThanTheReaderSaysSo) {
  make_pool(1);
  EXPECT_LT(ledger.changes_after(1'000'000).value.seq, 1'000'000);
}

TEST_P(LedgerContract, WhatAnotherProcessWroteIsSeen) {
  if (!house.second) GTEST_SKIP() << "it has no second door";
  make_pool(1);
  ASSERT_EQ(ledger.write(kit::claim_of("T-1"), {10}).raw.code, 0);
  const std::int64_t seq = ledger.load().value.seq;
  ASSERT_EQ(house.second->write(RecordWish{{{"T-1"}, {1}}, StopWish::stop, "alice"}, {20}).raw.code, 0);
  const auto changes = ledger.changes_after(seq).value;
  ASSERT_EQ(changes.tickets.size(), 1U);
  EXPECT_EQ(changes.tickets[0].newest->wish, StopWish::stop);
  EXPECT_EQ(house.second->load().value, ledger.load().value);
}

TEST_P(LedgerContract, EventsComeInPagesAndByTicket) {
  make_pool(2);
  ASSERT_EQ(ledger.write(kit::claim_of("T-1"), {10}).raw.code, 0);
  ASSERT_EQ(ledger.write(kit::claim_of("T-2"), {11}).raw.code, 0);
  const auto all = ledger.events_after(0, std::nullopt, 100).value;
  ASSERT_EQ(all.size(), 4U);
  for (std::size_t n = 1; n < all.size(); ++n) EXPECT_GT(all[n].seq, all[n - 1].seq);
  const auto page = ledger.events_after(all[0].seq, std::nullopt, 2).value;
  EXPECT_EQ(page, std::vector<LedgerEvent>({all[1], all[2]}));
  const auto of_one = ledger.events_after(0, TicketId{"T-2"}, 100).value;
  ASSERT_EQ(of_one.size(), 1U);
  EXPECT_EQ(of_one[0].kind, "claimed");
}

// S2, S3, S14: whoever races, one open attempt for a ticket and one holder for a worktree.
TEST_P(LedgerContract, RacingClaimsHaveOneWinnerEach) {
  constexpr int threads = 4, tickets = 12, slots = 8;
  make_pool(slots);
  std::atomic<int> won{0};
  std::vector<std::jthread> racers;
  racers.reserve(threads);
  for (int t = 0; t < threads; ++t)
    racers.emplace_back([&, t] {
      Ledger& door = (t % 2 == 1 && house.second) ? *house.second : ledger;
      for (int n = 0; n < tickets; ++n)
        if (door.write(kit::claim_of("T-" + std::to_string(n)), {10}).raw.code == 0) ++won;
    });
  racers.clear();
  EXPECT_EQ(won, slots);
  const auto open = ledger.open_attempts().value;
  EXPECT_EQ(open.size(), static_cast<std::size_t>(slots));
  std::set<SlotId> held;
  for (const Attempt& attempt : open) held.insert(attempt.slot);
  EXPECT_EQ(held.size(), open.size());
}

TEST_P(LedgerContract, NoUpdateIsLostBetweenTwoProcesses) {
  constexpr int threads = 4, writes = 25;
  make_pool(1);
  ASSERT_EQ(ledger.write(kit::claim_of("T-1"), {10}).raw.code, 0);
  const AttemptId id{{"T-1"}, {1}};
  std::vector<std::jthread> writers;
  writers.reserve(threads);
  for (int t = 0; t < threads; ++t)
    writers.emplace_back([&, t] {
      Ledger& door = (t % 2 == 1 && house.second) ? *house.second : ledger;
      for (int n = 0; n < writes; ++n) {
        const std::string text = std::to_string(t) + "/" + std::to_string(n);
        EXPECT_EQ(door.write(RecordAttention{id, text}, {20}).raw.code, 0);
      }
    });
  writers.clear();
  const auto attempts = ledger.attempts_of({"T-1"}).value;
  ASSERT_EQ(attempts.size(), 1U);
  EXPECT_EQ(attempts[0].revision, 1 + threads * writes);
  EXPECT_EQ(ledger.events_after(0, TicketId{"T-1"}, 10'000).value.size(), 1U + threads * writes);
}

}  // namespace holdfast
