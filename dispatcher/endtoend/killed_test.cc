// The dispatcher is SIGKILLed at every step of a ticket's life, one after the other, and restarted each time.
// Whatever it had done, the ticket ends the same, with one worker at a time and one prompt per attempt.
#include <gtest/gtest.h>
#include <signal.h>

#include "dispatcher/endtoend/stage.h"

namespace holdfast::stage {
namespace {

TEST(EndToEnd, TheDispatcherIsSigkilledAtEveryStepAndRestarted) {
  Stage stage({.capacity = 2, .shards = 1});
  int steps = 0;
  for (bool lived = false; !lived && steps < 120;) {
    ++steps;
    const std::string id = "K-" + std::to_string(steps);
    stage.add(id, {"write " + id + " x", "commit Add " + id, "done " + id});
    stage.start_program({program("holdfast-dying-dispatcher"), stage.config(), std::to_string(steps)});
    lived = !stage.wait([&] { return !stage.running() || stage.ticket(id).state == BoardState::done; }) ||
            stage.ticket(id).state == BoardState::done;
    if (stage.running()) {
      // It finished before the step came: let the rest of the life pass, then this was the last step.
      ASSERT_TRUE(stage.wait([&] { return !stage.running() || stage.attempts(id).back().settled; }))
          << stage.story();
      if (stage.running()) stage.stop(SIGTERM);
    }
    stage.start();
    ASSERT_TRUE(stage.wait_for_state(id, BoardState::done)) << "killed at step " << steps << "\n"
                                                            << stage.story();
    ASSERT_TRUE(stage.wait([&] { return stage.attempts(id).back().settled; })) << stage.story();
    // It may have nothing left to do and be told to end before it has begun to listen; that harms nobody.
    const int code = stage.stop(SIGTERM);
    ASSERT_TRUE(code == 0 || code == -SIGTERM) << code;
    const auto wrong = audit(stage);
    ASSERT_TRUE(wrong.empty()) << "killed at step " << steps << ": " << wrong.front() << "\n"
                               << stage.story();
  }
  EXPECT_GT(steps, 20) << "the steps were not reached";
  RecordProperty("steps", steps);
  const auto left = audit_settled(stage);
  EXPECT_TRUE(left.empty()) << left.front() << "\n" << stage.story();
}

}  // namespace
}  // namespace holdfast::stage
