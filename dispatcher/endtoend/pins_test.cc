// Pins, end to end: what a worker takes back after it was seen is still in the repository.
#include <gtest/gtest.h>
#include <signal.h>

#include <fstream>

#include "dispatcher/core/names.h"
#include "dispatcher/endtoend/stage.h"

namespace holdfast::stage {
namespace {

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

TEST(EndToEndPins, WhatAWorkerTakesBackAfterItWasSeenIsStillThere) {
  Stage stage;
  stage.add("T-1",
            {"write a.txt hello", "commit Add a", "wait go", "write b.txt other", "commit Add b", "done b"});
  stage.start();
  ASSERT_TRUE(stage.wait_for_phase("T-1", Phase::running)) << stage.story();
  ASSERT_TRUE(stage.wait([&] { return stage.journalled("T-1", "commit") == 1; })) << stage.story();
  const Attempt attempt = stage.attempts("T-1").back();
  const std::string seen = "refs/holdfast/keep/" + attempt.id.ticket.value + "/g1/seen";
  const std::string work = first_line(stage.git(attempt.worktree, {"rev-parse", "HEAD"}).out);
  ASSERT_FALSE(work.empty());
  ASSERT_TRUE(stage.wait([&] {
    return first_line(stage.git(stage.repository(), {"rev-parse", "-q", "--verify", seen}).out) == work;
  })) << "the commit is pinned while its worker lives\n"
      << stage.story();

  for (const std::vector<std::string>& taken_back :
       {std::vector<std::string>{"reset", "-q", "--hard", "HEAD~1"},
        std::vector<std::string>{"reflog", "expire", "--expire=now", "--expire-unreachable=now", "--all"},
        std::vector<std::string>{"gc", "-q", "--prune=now"}}) {
    const auto ran = stage.git(attempt.worktree, taken_back);
    ASSERT_EQ(ran.code, 0) << ran.err;
  }
  EXPECT_EQ(stage.git(stage.repository(), {"cat-file", "-e", work}).code, 0);
  std::ofstream(attempt.worktree + "/go") << "go";
  ASSERT_TRUE(stage.wait([&] { return stage.journalled("T-1", "commit") == 2; })) << stage.story();
  ASSERT_TRUE(stage.wait([&] { return stage.open_attempts().empty(); })) << stage.story();
  EXPECT_EQ(stage.stop(SIGTERM), 0);
  // By some name: what the worker made next does not contain it.
  const std::string held = stage.git(stage.repository(), {"rev-list", "--glob=refs/holdfast/keep/T-1/*"}).out;
  EXPECT_NE(held.find(work), std::string::npos) << held << stage.story();
}

// Its branch was all that anybody looked at, and the ticket was done.
TEST(EndToEndPins, ATicketWhoseWorkIsOnAnotherBranchTooIsNotDone) {
  Stage stage;
  stage.add("T-1", {"write a.txt hello", "commit Add a", "checkout mine", "write b.txt other", "commit Add b",
                    "back -", "done both"});
  stage.start();
  ASSERT_TRUE(stage.wait_for_state("T-1", BoardState::in_review)) << stage.story();
  EXPECT_EQ(stage.stop(SIGTERM), 0);
  EXPECT_NE(stage.ticket("T-1").reason.find("mine"), std::string::npos) << stage.ticket("T-1").reason;
  EXPECT_EQ(
      stage.git(stage.repository(), {"rev-parse", "-q", "--verify", "refs/holdfast/keep/T-1/g1/side-1"}).code,
      0)
      << stage.story();
}

// It is pinned when its attempt is closed, after its branch was looked at: it was landed without a word about
// it.
TEST(EndToEndPins, AStashThatIsLeftIsToldBeforeAnythingIsLanded) {
  Stage stage;
  const std::string go = stage.yard() + "/go";
  stage.add("T-1", {"write a.txt hello", "commit Add a", "wait " + go, "done it"});
  stage.start();
  ASSERT_TRUE(stage.wait([&] { return stage.journalled("T-1", "commit") == 1; })) << stage.story();
  const Attempt attempt = stage.attempts("T-1").back();
  std::ofstream(attempt.worktree + "/a.txt") << "for later";
  const auto stashed = stage.git(attempt.worktree, {"stash", "-q"});
  ASSERT_EQ(stashed.code, 0) << stashed.err;
  const std::string target = stage.git(stage.repository(), {"rev-parse", "main"}).out;
  std::ofstream(go) << "go";
  ASSERT_TRUE(stage.wait_for_state("T-1", BoardState::in_review)) << stage.story();
  EXPECT_EQ(stage.stop(SIGTERM), 0);
  EXPECT_NE(stage.ticket("T-1").reason.find("stash-1"), std::string::npos) << stage.ticket("T-1").reason;
  EXPECT_EQ(stage.git(stage.repository(), {"rev-parse", "main"}).out, target);
}

}  // namespace
}  // namespace holdfast::stage
