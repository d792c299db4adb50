// Interrupted: git is killed, hangs, or cannot be started at any of its calls. Whatever was cut off, the same
// call again brings the slot where it should be, nothing is lost, and the answers meanwhile are truthful.
//
// The faults come from a program named `git` that counts its calls and, at the chosen one, dies before or
// after the real git has worked, or hangs.
#include <gmock/gmock.h>
#include <sys/wait.h>

#include <thread>

#include "dispatcher/core/names.h"
#include "dispatcher/system/file_lock.h"
#include "dispatcher/worktree/scratch_repository.h"

namespace holdfast {
namespace {

namespace fs = std::filesystem;

class Interrupted : public ScratchRepository {
 protected:
  void SetUp() override {
    ScratchRepository::SetUp();
    // $COUNT holds the number of calls so far; $FAULT the kind and the call at which it strikes.
    write(root_ / "shim",
          "#!/bin/sh\nn=$(($(cat '" + (root_ / "count").string() + "') + 1))\necho $n > '" +
              (root_ / "count").string() + "'\nread kind at < '" + (root_ / "fault").string() +
              "'\nif [ \"$n\" = \"$at\" ]; then\n case $kind in\n before) kill -9 $$;;\n"
              " after) git \"$@\"; kill -9 $$;;\n hang) exec sleep 600;;\n esac\nfi\nexec git \"$@\"\n");
    fs::permissions(root_ / "shim", fs::perms::owner_all);
    plan("none", 0);
    WorktreeOptions options;
    options.git.program = (root_ / "shim").string();
    worktrees(options);
  }
  void plan(const std::string& kind, int at) {
    write(root_ / "fault", kind + " " + std::to_string(at) + "\n");
    write(root_ / "count", "0\n");
  }
  int calls() { return std::atoi(read(root_ / "count").c_str()); }  // 0 while it is being written
};

TEST_F(Interrupted, PrepareSurvivesAKillAtEveryCall) {
  int n = 0;
  for (const char* kind : {"before", "after"}) {
    for (int at = 1;; ++at) {
      const AttemptId of = attempt("T-" + std::to_string(++n));
      ASSERT_TRUE(done(worktrees().ensure_pool(1, "refs/heads/main", soon).raw));
      commit(main_, "file1", of.ticket.value);  // the slot has to be moved: the long way
      plan(kind, at);
      const auto hurt = worktrees().prepare(prepare_order(of), soon);
      const int used = calls();
      plan("none", 0);
      if (used >= at) {
        EXPECT_EQ(hurt.raw.transport, Transport::cut) << kind << at << hurt.raw.error;
      }
      const auto again = worktrees().prepare(prepare_order(of), soon);
      ASSERT_TRUE(done(again.raw)) << kind << at << ": " << again.raw.error;
      EXPECT_EQ(again.value.base.value, tip("main"));
      ASSERT_TRUE(
          done(worktrees().release({{"slot-001"}, of}, again.value.base, "refs/heads/main", soon).raw));
      if (used < at) break;
    }
  }
}

class InterruptedSalvage : public Interrupted, public testing::WithParamInterface<const char*> {};

TEST_P(InterruptedSalvage, SurvivesAKillAtEveryCall) {
  int n = 0;
  for (int at = 1;; ++at) {
    SCOPED_TRACE(at);
    const AttemptId of = attempt("T-" + std::to_string(++n));
    const fs::path slot = prepared(of);
    const std::string head = commit(slot, "file1", "committed by " + of.ticket.value);
    write(slot / "new", "uncommitted by " + of.ticket.value);
    write(slot / "file2", "changed by " + of.ticket.value);
    plan(GetParam(), at);
    int used = 0;
    bool released = false;
    // What a driver does: look, salvage, release, until it is done.
    for (int round = 0; round < 6 && !released; ++round) {
      const auto saved = worktrees().salvage(branch_order(of), soon);
      if (done(saved.raw))
        released = done(worktrees().release({{"slot-001"}, of}, {head}, "refs/heads/main", soon).raw);
      if (round == 0) used = calls();
      if (round == 0) plan("none", 0);
    }
    ASSERT_TRUE(released);
    EXPECT_EQ(git(main_, {"show", "refs/holdfast/salvage/" + of.ticket.value + "/g1/001:new"}),
              "uncommitted by " + of.ticket.value);
    EXPECT_EQ(tip("refs/heads/" + branch_order(of).branch.value), head);
    EXPECT_EQ(git(slot, {"status", "--porcelain"}), "");
    EXPECT_EQ(git(slot, {"rev-parse", "HEAD"}), base_);
    if (used < at) break;
  }
}
INSTANTIATE_TEST_SUITE_P(Kill, InterruptedSalvage, testing::Values("before", "after"),
                         [](const auto& which) { return std::string(which.param); });

class InterruptedRelease : public Interrupted, public testing::WithParamInterface<const char*> {};

// Found by killing the dispatcher at every step: its successor took a slot whose files had been moved, and
// whose HEAD had not, for one with uncommitted work, and sent finished work to review.
TEST_P(InterruptedRelease, LeavesNothingThatLooksUncommitted) {
  for (int at = 1;; ++at) {
    SCOPED_TRACE(at);
    const AttemptId of = attempt("T-" + std::to_string(at));
    const fs::path slot = prepared(of);
    const std::string head = commit(slot, "new", "committed by " + of.ticket.value);
    plan(GetParam(), at);
    const auto hurt = worktrees().release({{"slot-001"}, of}, {head}, "refs/heads/main", soon);
    const int used = calls();
    plan("none", 0);
    if (!done(hurt.raw)) {
      const BranchFacts seen = facts(of);
      EXPECT_EQ(seen.uncommitted, Tri::no);
      EXPECT_EQ(seen.untracked, Tri::no);
      EXPECT_EQ(seen.has_commits, Tri::yes);
      commit(main_, "file1", "the target has moved on since " + of.ticket.value);
      const auto again = worktrees().release({{"slot-001"}, of}, {head}, "refs/heads/main", soon);
      ASSERT_TRUE(done(again.raw)) << again.raw.error;
      EXPECT_EQ(git(slot, {"rev-parse", "HEAD"}), tip("main"));
    }
    EXPECT_EQ(git(slot, {"status", "--porcelain"}), "");
    if (used < at) break;
  }
}
INSTANTIATE_TEST_SUITE_P(Kill, InterruptedRelease, testing::Values("before", "after"),
                         [](const auto& which) { return std::string(which.param); });

TEST_F(Interrupted, AHalfDoneCheckoutIsFinishedAndAnythingElseIsNot) {
  for (const bool foreign : {false, true}) {
    const AttemptId of = attempt(foreign ? "T-2" : "T-1");
    ASSERT_TRUE(done(worktrees().ensure_pool(1, "refs/heads/main", soon).raw));
    const fs::path slot = state_ / "pool/slot-001";
    for (const char* file : {"file1", "file2", "new"}) write(main_ / file, of.ticket.value);
    git(main_, {"add", "-A"});
    git(main_, {"commit", "-q", "-m", "moved on"});
    plan("before", 2);  // dies where it would have moved the slot; this is what a death in the middle leaves:
    ASSERT_EQ(worktrees().prepare(prepare_order(of), soon).raw.transport, Transport::cut);
    plan("none", 0);
    write(slot / "file1", of.ticket.value);
    write(slot / "new", of.ticket.value);
    write(main_ / ".git/worktrees/slot-001/index.lock", "half an index");
    if (foreign) write(slot / "file3", "of neither commit");
    const auto again = worktrees().prepare(prepare_order(of), soon);
    EXPECT_EQ(done(again.raw), !foreign) << again.raw.error;
    if (foreign) {
      EXPECT_EQ(read(slot / "file3"), "of neither commit");
    } else {
      ASSERT_TRUE(
          done(worktrees().release({{"slot-001"}, of}, again.value.base, "refs/heads/main", soon).raw));
    }
  }
}

TEST_F(Interrupted, AHangingGitIsEndedAtTheDeadline) {
  ASSERT_TRUE(done(worktrees().ensure_pool(1, "refs/heads/main", soon).raw));
  // One that was only starting at the deadline does not hang yet: then it gets more time.
  for (std::int64_t within = 300; within < 100'000; within *= 4) {
    plan("hang", 1);
    const auto reply = worktrees().prepare(prepare_order(attempt()), millis(within));
    if (calls() == 0) continue;
    EXPECT_EQ(reply.raw.transport, Transport::no_answer) << reply.raw.error;
    break;
  }
  EXPECT_EQ(calls(), 1);
  // Its lock went with it.
  plan("none", 0);
  EXPECT_TRUE(done(worktrees().prepare(prepare_order(attempt()), soon).raw));
}

TEST_F(Interrupted, AWarmPrepareIsOneGitProcess) {
  ASSERT_TRUE(done(worktrees().ensure_pool(1, "refs/heads/main", soon).raw));
  plan("none", 0);
  ASSERT_TRUE(done(worktrees().prepare(prepare_order(attempt()), soon).raw));
  EXPECT_EQ(calls(), 1);
}

TEST_F(Interrupted, ACleanReleaseAtTheStartIsTwoGitProcesses) {
  prepared(attempt());
  plan("none", 0);
  ASSERT_TRUE(
      done(worktrees()
               .release({branch_order(attempt()).slot, attempt()}, {tip("main")}, "refs/heads/main", soon)
               .raw));
  EXPECT_EQ(calls(), 2);
}

// That its slot was moved to a newer start before it began is not its own history.
TEST_F(Interrupted, ACleanReleaseOfASlotThatWasMovedIsTwoGitProcesses) {
  ASSERT_TRUE(done(worktrees().ensure_pool(1, "refs/heads/main", soon).raw));
  commit(main_, "file1", "newer");
  ASSERT_TRUE(done(worktrees().prepare(prepare_order(attempt()), soon).raw));
  plan("none", 0);
  ASSERT_TRUE(
      done(worktrees()
               .release({branch_order(attempt()).slot, attempt()}, {tip("main")}, "refs/heads/main", soon)
               .raw));
  EXPECT_EQ(calls(), 2);
}

// One with commits of its own is switched: its ignored files are looked at before, and all of it afterwards.
TEST_F(Interrupted, ACleanReleaseOfPinnedCommitsIsFiveGitProcesses) {
  const fs::path slot = prepared(attempt());
  const std::string head = commit(slot, "file1", "work");
  ASSERT_TRUE(done(worktrees().pin(branch_order(attempt()), soon).raw));
  plan("none", 0);
  ASSERT_TRUE(done(
      worktrees().release({branch_order(attempt()).slot, attempt()}, {head}, "refs/heads/main", soon).raw));
  EXPECT_EQ(calls(), 5);
  EXPECT_NE(read(slot / "file1"), "work");
}

TEST_F(Interrupted, AGitThatIsNotThereIsNeverSent) {
  worktrees_.reset();
  WorktreeOptions options;
  options.git.program = "no-such-git";
  EXPECT_EQ(worktrees(options).ensure_pool(1, "refs/heads/main", soon).raw.transport, Transport::never_sent);
}

TEST_F(Interrupted, AHelperThatOutlivesItsCallerKeepsTheSlot) {
  ASSERT_TRUE(done(worktrees().ensure_pool(1, "refs/heads/main", soon).raw));
  plan("hang", 1);
  // Another life of the dispatcher, which dies in the middle of a call.
  const pid_t other = ::fork();
  if (other == 0) {
    GitWorktrees its((main_).string(), state_.string(), {.git = {.program = (root_ / "shim").string()}});
    static_cast<void>(its.prepare(prepare_order(attempt()), seconds(600)));
    ::_exit(0);
  }
  const Deadline deadline(soon);
  while (calls() == 0 && !deadline.passed()) std::this_thread::yield();
  ::kill(other, SIGKILL);
  ::waitpid(other, nullptr, 0);
  plan("none", 0);
  const auto busy = worktrees().prepare(prepare_order(attempt()), soon);
  EXPECT_EQ(busy.raw.transport, Transport::never_sent);
  EXPECT_THAT(busy.raw.error, testing::HasSubstr("busy: "));
  // The helper ends: the slot is free again.
  for (const auto& at : fs::directory_iterator("/proc")) {
    std::error_code gone;
    if (fs::read_symlink(at.path() / "fd/3", gone) == state_ / "locks/slot-001.lock")
      ::kill(std::stoi(at.path().filename()), SIGKILL);
  }
  const auto lock = (state_ / "locks/slot-001.lock").string();
  while (!try_lock(lock).lock && !deadline.passed()) std::this_thread::yield();
  EXPECT_TRUE(done(worktrees().prepare(prepare_order(attempt()), soon).raw));
}

}  // namespace
}  // namespace holdfast
