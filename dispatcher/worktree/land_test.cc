// Landing: a compare-and-swap, never under a checkout, and never anything but what was checked.
#include <gmock/gmock.h>
#include <signal.h>

#include "dispatcher/core/names.h"
#include "dispatcher/worktree/scratch_repository.h"

namespace holdfast {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class Land : public ScratchRepository {
 protected:
  void SetUp() override {
    ScratchRepository::SetUp();
    git(main_, {"branch", "release"});  // checked out nowhere
  }
  LandOrder order(const AttemptId& of, const std::string& tip,
                  const std::string& target = "refs/heads/release") const {
    LandOrder made;
    made.attempt = of;
    made.branch = branch_order(of).branch;
    made.tip = {tip};
    made.target = target;
    made.remote = remote_;
    made.message = "Land it\n\nWith a body; $(touch x) `touch y`";
    return made;
  }
  Reply<Landed> land(const LandOrder& order) { return worktrees().land(order, soon); }
  LandAnswer answer(const LandOrder& order) {
    auto reply = land(order);
    EXPECT_TRUE(done(reply.raw)) << reply.raw.error;
    return reply.value.answer;
  }
};

TEST_F(Land, MergesExactlyTheTipOntoTheTarget) {
  const std::string before = picture_of_main();
  const fs::path slot = prepared(attempt());
  const std::string head = commit(slot, "new", "x");
  commit(slot, "later", "not part of the order");
  const auto landed = land(order(attempt(), head));
  ASSERT_TRUE(done(landed.raw)) << landed.raw.error;
  EXPECT_EQ(landed.value.answer, LandAnswer::landed);
  EXPECT_EQ(tip("release"), landed.value.commit.value);
  EXPECT_EQ(tip("release^1"), base_);
  EXPECT_EQ(tip("release^2"), head);
  EXPECT_EQ(git(main_, {"log", "-1", "--format=%s", "release"}), "Land it");
  EXPECT_EQ(answer(order(attempt(), head)), LandAnswer::already_landed);
  git(main_, {"update-ref", "refs/heads/release", base_});
  EXPECT_TRUE(picture_of_main() == before) << "the main checkout was touched";
}

TEST_F(Land, ASquashedTipIsLandedAlreadyAndARevertedOneIsNot) {
  const fs::path slot = prepared(attempt());
  const std::string head = commit(slot, "new", "x");
  git(main_, {"checkout", "-q", "release"});
  git(main_, {"cherry-pick", head});
  git(main_, {"checkout", "-q", "main"});
  EXPECT_EQ(answer(order(attempt(), head)), LandAnswer::already_landed);
  git(main_, {"branch", "-f", "release", base_});
  EXPECT_EQ(answer(order(attempt(), head)), LandAnswer::landed);
  git(main_, {"checkout", "-q", "release"});
  git(main_, {"revert", "--no-edit", "-m", "1", "HEAD"});
  git(main_, {"checkout", "-q", "main"});
  const auto again = land(order(attempt(), head));
  EXPECT_EQ(again.value.answer, LandAnswer::conflict);
  EXPECT_THAT(again.value.note, HasSubstr("reverted"));
}

TEST_F(Land, AConflictNamesThePaths) {
  const fs::path slot = prepared(attempt());
  const std::string head = commit(slot, "file1", "ours\n");
  git(main_, {"checkout", "-q", "release"});
  commit(main_, "file1", "theirs\n");
  git(main_, {"checkout", "-q", "main"});
  const std::string before = tip("release");
  const auto reply = land(order(attempt(), head));
  EXPECT_EQ(reply.value.answer, LandAnswer::conflict);
  EXPECT_THAT(reply.value.output, HasSubstr("file1"));
  EXPECT_EQ(tip("release"), before);
}

TEST_F(Land, TheCheckDecidesAndRunsOnWhatLands) {
  const fs::path slot = prepared(attempt());
  const std::string head = commit(slot, "new", "x");
  LandOrder with = order(attempt(), head);
  with.check = {"sh", "-c", "cat new; echo to stderr >&2; exit 3"};
  const auto red = land(with);
  ASSERT_TRUE(done(red.raw)) << red.raw.error;
  EXPECT_EQ(red.value.answer, LandAnswer::check_failed);
  EXPECT_THAT(red.value.output, HasSubstr("xto stderr"));
  EXPECT_EQ(tip("release"), base_);
  with.check = {"sh", "-c", "touch junk file1; git rev-parse HEAD >/dev/null"};
  EXPECT_EQ(answer(with), LandAnswer::landed);
  // The scratch worktree is used again and forgets the earlier check's junk.
  const std::string second = commit(slot, "more", "y");
  with.tip = {second};
  with.check = {"sh", "-c", "test ! -e junk && test -e more"};
  EXPECT_EQ(answer(with), LandAnswer::landed);
}

TEST_F(Land, ACheckThatIsLateOrLoudOrMissingIsRed) {
  const fs::path slot = prepared(attempt());
  LandOrder with = order(attempt(), commit(slot, "new", "x"));
  with.check = {"sh", "-c", "sleep 600 & sleep 600"};
  with.check_timeout = millis(200);
  auto reply = land(with);
  EXPECT_EQ(reply.value.answer, LandAnswer::check_failed);
  EXPECT_THAT(reply.value.note, HasSubstr("in time"));
  with.check_timeout = minutes(1);
  with.check = {"sh", "-c", "yes | head -c 1000000; echo the end; exit 1"};
  // The late check's children are killed; the lock that they inherited is free when the last of them is gone.
  const Deadline deadline(soon);
  do {
    reply = land(with);
  } while (reply.raw.transport == Transport::never_sent && !deadline.passed());
  ASSERT_TRUE(done(reply.raw)) << reply.raw.error;
  EXPECT_LE(reply.value.output.size(), 16U << 10);
  EXPECT_TRUE(reply.value.output.ends_with("the end\n"));
  with.check = {"no-such-program"};
  EXPECT_EQ(answer(with), LandAnswer::check_failed);
  EXPECT_EQ(tip("release"), base_);
}

TEST_F(Land, LosingTheRaceIsMoved) {
  const fs::path slot = prepared(attempt());
  LandOrder with = order(attempt(), commit(slot, "new", "x"));
  with.check = {"git", "--git-dir=" + (main_ / ".git").string(), "update-ref", "refs/heads/release",
                commit(prepared(attempt("T-2"), 2), "rival", "y")};
  EXPECT_EQ(answer(with), LandAnswer::moved);
  with.check.clear();
  EXPECT_EQ(answer(with), LandAnswer::landed);
  with.check = {
      "git",    "--git-dir=" + (main_ / ".git").string(), "worktree", "add", (root_ / "person").string(),
      "release"};
  with.tip = {commit(slot, "again", "z")};
  EXPECT_EQ(answer(with), LandAnswer::moved);
}

TEST_F(Land, ATargetUnderACheckoutIsParked) {
  const std::string before = picture_of_main();
  const fs::path one = prepared(attempt("T-1"), 1);
  const fs::path two = prepared(attempt("T-2"), 2);
  const LandOrder first = order(attempt("T-1"), commit(one, "a", "a"), "refs/heads/main");
  const LandOrder second = order(attempt("T-2"), commit(two, "b", "b"), "refs/heads/main");
  const auto parked = land(first);
  ASSERT_TRUE(done(parked.raw)) << parked.raw.error;
  EXPECT_EQ(parked.value.answer, LandAnswer::parked);
  EXPECT_EQ(parked.value.note, "git -C " + main_.string() + " merge --ff-only holdfast/landed");
  EXPECT_EQ(answer(first), LandAnswer::parked);  // again: nothing new
  EXPECT_EQ(tip("holdfast/landed"), parked.value.commit.value);
  EXPECT_EQ(answer(second), LandAnswer::parked);
  git(main_, {"update-ref", "-d", "refs/heads/holdfast/landed"});
  EXPECT_TRUE(picture_of_main() == before) << "the main checkout was touched";
  EXPECT_EQ(answer(first), LandAnswer::parked);
  // The target moves on by a person's hand: what waits is carried over, and the command still works.
  commit(main_, "file1", "by a person\n");
  EXPECT_EQ(answer(second), LandAnswer::parked);
  git(main_, {"merge", "-q", "--ff-only", "holdfast/landed"});
  EXPECT_EQ(read(main_ / "a") + read(main_ / "b") + read(main_ / "file1"), "abby a person\n");
  EXPECT_EQ(answer(first), LandAnswer::already_landed);
  EXPECT_EQ(answer(second), LandAnswer::already_landed);
  // And afterwards it starts again from the target.
  EXPECT_EQ(answer(order(attempt("T-1"), commit(one, "c", "c"), "refs/heads/main")), LandAnswer::parked);
  git(main_, {"merge", "-q", "--ff-only", "holdfast/landed"});
}

TEST_F(Land, ARemoteIsPushedToIfItHasNotMoved) {
  git(root_, {"clone", "-q", "--bare", main_.string(), "remote.git"});
  git(main_, {"remote", "add", "origin", (root_ / "remote.git").string()});
  git(main_, {"fetch", "-q", "origin"});
  git(root_, {"clone", "-q", "remote.git", "person"});
  remote_ = "origin";
  const fs::path slot = prepared(attempt());
  LandOrder with = order(attempt(), commit(slot, "new", "x"), "refs/heads/main");
  commit(root_ / "person", "file2", "meanwhile\n");
  git(root_ / "person", {"push", "-q"});
  const std::string local_main = tip("main");
  auto reply = land(with);
  ASSERT_TRUE(done(reply.raw)) << reply.raw.error;
  EXPECT_EQ(reply.value.answer, LandAnswer::landed);
  EXPECT_EQ(git(root_ / "remote.git", {"rev-parse", "main"}), reply.value.commit.value);
  EXPECT_EQ(tip("main"), local_main);  // the person's branch is the person's
  EXPECT_EQ(facts(attempt()).ancestor_of_target, Tri::yes);
  EXPECT_EQ(answer(with), LandAnswer::already_landed);
  // Somebody pushes while the check runs.
  with.tip = {commit(slot, "more", "y")};
  commit(root_ / "person", "file3", "rival\n");
  git(root_ / "person", {"pull", "-q", "--rebase"});
  with.check = {"git", "--git-dir=" + (root_ / "person/.git").string(), "push", "-q", "origin", "main"};
  EXPECT_EQ(answer(with), LandAnswer::moved);
  with.check.clear();
  EXPECT_EQ(answer(with), LandAnswer::landed);
  // A hook over there says no: its words come back, and nothing is claimed.
  write(root_ / "remote.git/hooks/pre-receive", "#!/bin/sh\necho frozen for the holidays >&2\nexit 1\n");
  fs::permissions(root_ / "remote.git/hooks/pre-receive", fs::perms::all);
  with.tip = {commit(slot, "last", "z")};
  reply = land(with);
  EXPECT_EQ(reply.raw.transport, Transport::answered);
  EXPECT_EQ(reply.raw.code, 1);
  EXPECT_THAT(reply.raw.error, HasSubstr("frozen for the holidays"));
  EXPECT_EQ(worktrees().push(branch_order(attempt()), soon).raw.code, 1);
}

TEST_F(Land, APushIsNeverForced) {
  git(root_, {"clone", "-q", "--bare", main_.string(), "remote.git"});
  git(main_, {"remote", "add", "origin", (root_ / "remote.git").string()});
  remote_ = "origin";
  const fs::path slot = prepared(attempt());
  commit(slot, "new", "x");
  ASSERT_TRUE(done(worktrees().push(branch_order(attempt()), soon).raw));
  git(slot, {"commit", "-q", "--amend", "-m", "rewritten"});
  const auto refused = worktrees().push(branch_order(attempt()), soon);
  EXPECT_EQ(refused.raw.code, 1);
  EXPECT_THAT(refused.raw.error, HasSubstr("rejected"));
}

TEST_F(Land, AMissingTipOrTargetIsRefusedInWords) {
  prepared(attempt());
  EXPECT_EQ(land(order(attempt(), "HEAD")).raw.code, 1);
  EXPECT_EQ(land(order(attempt(), base_, "refs/heads/none")).raw.code, 128);
  EXPECT_NE(land(order(attempt(), std::string(40, '1'))).raw.code, 0);
}

// A build server, a cache of credentials: it had held the lock of all landings for as long as it lived.
TEST_F(Land, ADaemonThatACheckOrAHelperLeavesHoldsNoLock) {
  const fs::path slot = prepared(attempt());
  const std::string daemon =
      "setsid sleep 1000 </dev/null >/dev/null 2>&1 & echo $! >> " + (root_ / "pids").string();
  LandOrder with = order(attempt(), commit(slot, "new", "x"));
  with.check = {"sh", "-c", daemon};
  EXPECT_EQ(answer(with), LandAnswer::landed);
  with.tip = {commit(slot, "more", "y")};
  EXPECT_EQ(answer(with), LandAnswer::landed);
  // git's own helpers inherit the lock, and what they start does.
  git(root_, {"clone", "-q", "--bare", main_.string(), "remote.git"});
  git(main_, {"remote", "add", "origin", (root_ / "remote.git").string()});
  write(root_ / "remote.git/hooks/post-receive", "#!/bin/sh\n" + daemon + "\n");
  fs::permissions(root_ / "remote.git/hooks/post-receive", fs::perms::all);
  remote_ = "origin";
  for (const char* file : {"a", "b"})
    EXPECT_EQ(answer(order(attempt(), commit(slot, file, file), "refs/heads/main")), LandAnswer::landed);
  for (const std::string& pid : split(read(root_ / "pids"), '\n')) ::kill(std::stoi(pid), SIGKILL);
}

TEST_F(Land, OneAtATime) {
  prepared(attempt());
  const auto held = try_lock((state_ / "locks/landing.lock").string());
  ASSERT_TRUE(held.lock.has_value());
  EXPECT_EQ(land(order(attempt(), base_)).raw.transport, Transport::never_sent);
}

}  // namespace
}  // namespace holdfast
