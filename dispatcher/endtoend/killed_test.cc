// The dispatcher is SIGKILLed at every step of a ticket's life, one after the other, and the next one takes
// over each time: it finishes what its predecessors left, begins a ticket of its own, and dies one step later
// in it. Whatever had been done, every ticket ends the same, with one worker at a time and one prompt per
// attempt.
//
// The steps are dealt out to a few tests, so that they can run beside one another.
#include <gtest/gtest.h>
#include <signal.h>

#include "dispatcher/endtoend/stage.h"

namespace holdfast::stage {
namespace {

constexpr int hands = 4;

class TheDispatcherIsSigkilled : public testing::TestWithParam<int> {};

TEST_P(TheDispatcherIsSigkilled, AtEveryStepAndRestarted) {
  Stage stage({.capacity = 3, .shards = 1, .attempts_max = 3});
  int step = GetParam();
  std::vector<std::string> ids;
  for (bool lived = false; !lived && step < 200; step += hands) {
    const std::string id = "K-" + std::to_string(step + 1);
    ids.push_back(id);
    stage.add(id, {"write f-%a by %a", "commit Add " + id, "done " + id});
    stage.start_program({program("holdfast-dying-dispatcher"), stage.config(), id, std::to_string(step + 1)});
    const auto settled = [&] {
      const auto all = stage.attempts(id);
      return !all.empty() && all.back().settled;
    };
    ASSERT_TRUE(stage.wait([&] { return !stage.running() || settled(); })) << id << "\n" << stage.story();
    lived = stage.running();  // the ticket's life has no such step
    if (lived) stage.stop(SIGKILL);
    const auto wrong = audit(stage);
    ASSERT_TRUE(wrong.empty()) << "killed at step " << step + 1 << ": " << wrong.front() << "\n"
                               << stage.story();
  }
  EXPECT_GT(step, 20) << "the steps were not reached";
  RecordProperty("steps", step);
  stage.start();
  for (const std::string& id : ids) {
    ASSERT_TRUE(stage.wait_for_state(id, BoardState::done, 240)) << id << "\n" << stage.story();
    ASSERT_TRUE(stage.wait([&] { return stage.attempts(id).back().settled; })) << stage.story();
    // One that died between announcing a spawn and making it leaves an attempt that is sealed and never came
    // to be: that costs a generation, never a worker.
    auto all = stage.attempts(id);
    all.pop_back();
    EXPECT_LE(all.size(), 1U) << id << "\n" << stage.story();
    for (const Attempt& before : all)
      EXPECT_EQ(before.cause, Cause::never_came_to_be) << "a dead dispatcher cost an attempt: " << id << "\n"
                                                       << stage.story();
  }
  // It may have nothing left to do and be told to end before it has begun to listen; that harms nobody.
  const int code = stage.stop(SIGTERM);
  EXPECT_TRUE(code == 0 || code == -SIGTERM) << code;
  const auto left = audit_settled(stage);
  EXPECT_TRUE(left.empty()) << left.front() << "\n" << stage.story();
}

INSTANTIATE_TEST_SUITE_P(Hand, TheDispatcherIsSigkilled, testing::Range(0, hands));

}  // namespace
}  // namespace holdfast::stage
