// Done means landed: what the facts about the branches say, and what a death costs.
#include "dispatcher/core/gate.h"

#include <gtest/gtest.h>

#include "dispatcher/core/budget.h"

namespace holdfast {
namespace {

BranchFacts in_order() {
  BranchFacts f;
  f.tip = f.head = {"aaaa"};
  f.commits = 2;
  f.has_commits = Tri::yes;
  f.ancestor_of_target = f.equal_patch_on_target = Tri::no;
  f.uncommitted = f.untracked = f.unpushed = f.detached = f.operation_in_progress = Tri::no;
  f.stranded_known = Tri::yes;
  return f;
}

Policy landing() {
  Policy p;
  p.gate = GatePolicy::land;
  return p;
}

TEST(Gate, AnOrderlyBranchIsLandedOrReviewedByPolicy) {
  EXPECT_EQ(gate(Said::done, in_order(), false, {}, landing()).step, GateStep::land);
  EXPECT_EQ(gate(Said::done, in_order(), false, {}, {}).step, GateStep::review);
  EXPECT_EQ(gate(Said::review, in_order(), false, {}, landing()).step, GateStep::review);
}

TEST(Gate, ABranchWithoutCommitsIsNotAMergedBranch) {
  BranchFacts f = in_order();
  f.has_commits = Tri::no;
  f.commits = 0;
  f.ancestor_of_target = Tri::yes;  // trivially
  EXPECT_EQ(gate(Said::done, f, false, {}, landing()).step, GateStep::review);
  EXPECT_FALSE(seen_landed(f, {}));
}

TEST(Gate, WhatCannotBeVerifiedIsNotSafe) {
  BranchFacts f;
  EXPECT_EQ(gate(Said::done, f, false, {}, landing()).step, GateStep::review);
  f = in_order();
  f.untracked = Tri::unknown;  // its folder is gone
  f.ancestor_of_target = Tri::yes;
  EXPECT_EQ(gate(Said::done, f, false, {}, landing()).step, GateStep::review);
  f = in_order();
  f.stranded_known = Tri::unknown;
  f.ancestor_of_target = Tri::yes;
  EXPECT_EQ(gate(Said::done, f, false, {}, landing()).step, GateStep::review);
  EXPECT_FALSE(seen_landed(f, {}));
}

TEST(Gate, StrandedCommitsOfAnEarlierAttemptHoldTheTicketUntilAPersonWaivesThem) {
  BranchFacts f = in_order();
  f.ancestor_of_target = Tri::yes;
  f.stranded = {{"refs/heads/hf/T-1-fix-g1", {"bbbb"}, 1}};
  const GateRuling ruling = gate(Said::done, f, false, {}, landing());
  EXPECT_EQ(ruling.step, GateStep::review);
  EXPECT_NE(ruling.reason.find("hf/T-1-fix-g1"), std::string::npos);
  Memory memory;
  memory.waived = {"hf/T-1-fix-g1"};
  EXPECT_EQ(gate(Said::done, f, false, memory, landing()).step, GateStep::done);
}

TEST(Gate, LandedHereButNotOnTheRemoteIsNotDone) {
  BranchFacts f = in_order();
  f.ancestor_of_target = Tri::yes;
  f.unpushed = Tri::yes;
  EXPECT_EQ(gate(Said::done, f, false, {}, landing()).step, GateStep::review);
  f.unpushed = Tri::unknown;
  EXPECT_EQ(gate(Said::done, f, false, {}, landing()).step, GateStep::review);
}

TEST(Gate, ASquashMergeCounts) {
  BranchFacts f = in_order();
  f.equal_patch_on_target = Tri::yes;
  EXPECT_EQ(gate(Said::done, f, false, {}, {}).step, GateStep::done);
  EXPECT_TRUE(seen_landed(f, {}));
}

TEST(Gate, SalvagedWorkIsAPersonsAffair) {
  EXPECT_EQ(gate(Said::done, in_order(), true, {}, landing()).step, GateStep::review);
}

Attempt died(Cause cause) {
  Attempt a;
  a.id = {{"T-1"}, {1}};
  a.cause = cause;
  return a;
}

TEST(Budget, CausesAreChargedToTheRightAccount) {
  const Policy policy;
  const Instant now{1000};
  for (const Cause cause : {Cause::oom_kill, Cause::signal, Cause::exit_code, Cause::clean_exit}) {
    const Aftermath after = aftermath({}, died(cause), policy, now);
    EXPECT_EQ(after.memory.charged, 1);
    EXPECT_EQ(after.next, BoardState::todo);
    EXPECT_GT(after.memory.not_before, now);
  }
  for (const Cause cause : {Cause::server_lost, Cause::session_killed, Cause::host_lost}) {
    EXPECT_EQ(aftermath({}, died(cause), policy, now).memory.charged, 0);
    EXPECT_EQ(aftermath({}, died(cause), policy, now).memory.free_deaths, 1);
  }
  EXPECT_EQ(aftermath({}, died(Cause::never_came_to_be), policy, now).memory.setup_failures, 1);
  const Memory limit = aftermath({}, died(Cause::provider_limit), policy, now).memory;
  EXPECT_EQ(limit.charged + limit.setup_failures, 0);
  EXPECT_EQ(limit.free_deaths, 1);  // nobody's fault, and bounded all the same
}

TEST(Budget, NothingIsTriedForEver) {
  const Policy policy;
  for (const Cause cause :
       {Cause::signal, Cause::server_lost, Cause::never_came_to_be, Cause::provider_limit}) {
    Memory memory;
    int tries = 0;
    for (; tries < 100; ++tries) {
      const Aftermath after = aftermath(memory, died(cause), policy, {1000});
      memory = after.memory;
      if (after.next == BoardState::blocked) break;
    }
    EXPECT_LT(tries, 10);
  }
}

TEST(Budget, TicketsThatWereThereAtSeveralServerLossesAreRetriedAlone) {
  Memory memory;
  const Policy policy;
  memory = aftermath(memory, died(Cause::server_lost), policy, {1}).memory;
  EXPECT_FALSE(memory.alone);
  memory = aftermath(memory, died(Cause::server_lost), policy, {1}).memory;
  EXPECT_TRUE(memory.alone);
}

TEST(Budget, BackoffGrowsIsBoundedAndSpread) {
  EXPECT_LT(backoff(1, seconds(5), minutes(10), "a"), backoff(4, seconds(5), minutes(10), "a"));
  EXPECT_LE(backoff(50, seconds(5), minutes(10), "a").ms, minutes(10).ms * 5 / 4 + 1);
  EXPECT_NE(backoff(5, seconds(5), minutes(10), "T-1-g1"), backoff(5, seconds(5), minutes(10), "T-2-g1"));
}

}  // namespace
}  // namespace holdfast
