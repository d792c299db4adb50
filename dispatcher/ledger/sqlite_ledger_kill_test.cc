// A process that is killed at any moment of a stream of writes leaves a whole file behind, with everything in
// it that was acknowledged; and two processes that write at once lose nothing.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <random>

#include "dispatcher/core/ledger_rules_kit.h"
#include "dispatcher/ledger/sqlite_ledger.h"
#include "dispatcher/ledger/temp_folder.h"

namespace holdfast {
namespace {

AttemptId attempt_number(int n) {
  return {{"T-" + std::to_string(n)}, {1}};
}

// Claims and closes one ticket after another, and says so after each answer: 2n claimed, 2n+1 closed.
[[noreturn]] void write_until_killed(const std::string& path, int say, int first) {
  auto ledger = open_ledger(path, LedgerMode::dispatcher);
  if (!ledger) ::_exit(1);
  for (int n = first;; ++n) {
    const AttemptId id = attempt_number(n);
    const auto done = [&](const LedgerWrite& w) {
      if ((*ledger)->write(w, {1000 + n}).raw.code != 0) ::_exit(2);
    };
    const auto tell = [&](int word) {
      if (::write(say, &word, sizeof word) != sizeof word) ::_exit(3);
    };
    done(kit::claim_of(id.ticket.value));
    tell(2 * n);
    for (const LedgerWrite& w : kit::way_to(kit::Stage::lost, id)) done(w);
    done(kit::close_of(id));
    tell(2 * n + 1);
  }
}

TEST(SqliteLedgerKill, WhatWasAcknowledgedSurvivesSigkillAtAnyMoment) {
  const TempFolder folder;
  const std::string path = folder / "ledger.db";
  {
    auto ledger = open_ledger(path, LedgerMode::dispatcher);
    ASSERT_TRUE(ledger);
    for (int n = 1; n <= 9; ++n)
      for (int m = 0; m < 5; ++m) {
        Slot slot = kit::free_slot(n);
        slot.id.value += std::to_string(m);
        ASSERT_EQ((*ledger)->write(StoreSlot{slot}, {1}).raw.code, 0);
      }
  }
  std::mt19937 random(20260'117);  // NOLINT: the same kills every time
  int next = 1;
  std::set<int> acknowledged;
  for (int round = 0; round < 20; ++round) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      ::close(ends[0]);
      write_until_killed(path, ends[1], next);
    }
    ::close(ends[1]);
    const auto enough = 1 + random() % 25;
    int word = 0;
    for (unsigned n = 0; n < enough && ::read(ends[0], &word, sizeof word) == sizeof word; ++n)
      acknowledged.insert(word);
    // A little further into the next write, by a number of steps instead of a time.
    for (volatile auto spin = random() % 300'000; spin > 0;) spin = spin - 1;
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child ended by itself: " << WEXITSTATUS(status);
    while (::read(ends[0], &word, sizeof word) == sizeof word) acknowledged.insert(word);
    ::close(ends[0]);

    auto ledger = open_ledger(path, LedgerMode::dispatcher);
    ASSERT_TRUE(ledger) << ledger.error();
    EXPECT_EQ((*ledger)->what_is_broken(), "");
    for (const int said : acknowledged) {
      const auto attempts = (*ledger)->attempts_of(attempt_number(said / 2).ticket).value;
      ASSERT_EQ(attempts.size(), 1U) << "acknowledged, and not there: " << said;
      EXPECT_TRUE(said % 2 == 0 || attempts[0].phase == Phase::closed) << said;
    }
    // Leases match the open attempts, and nothing else is leased.
    const auto open = (*ledger)->open_attempts().value;
    std::size_t leased = 0;
    for (const Slot& slot : (*ledger)->load().value.slots)
      leased += slot.state == SlotState::leased ? 1U : 0U;
    EXPECT_EQ(leased, open.size());
    next = *acknowledged.rbegin() / 2 + 2;
  }
}

TEST(SqliteLedgerKill, TwoProcessesLoseNothing) {
  const TempFolder folder;
  const std::string path = folder / "ledger.db";
  constexpr int writes = 150;
  const AttemptId id = attempt_number(1);
  {
    auto ledger = open_ledger(path, LedgerMode::dispatcher);
    ASSERT_EQ((*ledger)->write(StoreSlot{kit::free_slot(1)}, {1}).raw.code, 0);
    ASSERT_EQ((*ledger)->write(kit::claim_of("T-1"), {2}).raw.code, 0);
  }
  const auto hammer = [&](const std::string& who) {
    auto ledger = open_ledger(path, LedgerMode::command_line);
    if (!ledger) return 1;
    for (int n = 0; n < writes; ++n)
      if ((*ledger)->write(RecordAttention{id, who + std::to_string(n)}, {3}).raw.code != 0) return 2;
    return 0;
  };
  const pid_t child = ::fork();
  if (child == 0) ::_exit(hammer("child "));
  EXPECT_EQ(hammer("parent "), 0);
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  auto ledger = open_ledger(path, LedgerMode::dispatcher);
  EXPECT_EQ((*ledger)->attempts_of(id.ticket).value.at(0).revision, 1 + 2 * writes);
}

}  // namespace
}  // namespace holdfast
