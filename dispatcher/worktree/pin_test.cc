// What was seen of an attempt stays in the repository, whatever its worker does to it; and pinning it costs
// nothing where nothing has changed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "dispatcher/worktree/head_log.h"
#include "dispatcher/worktree/scratch_repository.h"

namespace holdfast {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class Pins : public ScratchRepository {
 protected:
  Reply<Salvaged> sighted(const AttemptId& of, int slot = 1) {
    auto reply = worktrees().pin(branch_order(of, slot), PinWhen::seen, soon);
    EXPECT_TRUE(done(reply.raw)) << reply.raw.error;
    return reply;
  }
  Reply<Salvaged> closed(const AttemptId& of, int slot = 1) {
    auto reply = worktrees().pin(branch_order(of, slot), PinWhen::closing, soon);
    EXPECT_TRUE(done(reply.raw)) << reply.raw.error;
    return reply;
  }
  // What a worker does who wants to be rid of something.
  void forget_everything(const fs::path& slot) {
    git(slot, {"reflog", "expire", "--expire=now", "--expire-unreachable=now", "--all"});
    git(slot, {"gc", "-q", "--prune=now"});
  }
  // "seen", "made-1", ... with what they hold.
  std::map<std::string, std::string> pins(const std::string& folder = "T-1/g1") {
    std::map<std::string, std::string> found;
    const std::string prefix = "refs/holdfast/keep/" + folder + "/";
    for (const std::string& line :
         split(git(main_, {"for-each-ref", "--format=%(refname) %(objectname)", prefix}), '\n')) {
      const auto words = split(line, ' ');
      found[words[0].substr(prefix.size())] = words[1];
    }
    return found;
  }
  bool is_there(const std::string& commit) { return try_git(main_, {"cat-file", "-e", commit}) == 0; }
  bool is_held(const std::string& commit) {
    return git(main_, {"rev-list", "--glob=refs/holdfast/keep/*"}).find(commit) != std::string::npos;
  }
  std::vector<std::string> names(const std::string& folder = "T-1/g1") {
    std::vector<std::string> found;
    for (const auto& [name, commit] : pins(folder)) found.push_back(name);
    return found;
  }
  std::string own_branch() { return prepare_order(attempt()).branch.value; }
};

TEST_F(Pins, ACommitThatWasSeenOutlivesResetReflogAndGc) {
  const fs::path slot = prepared(attempt());
  const std::string work = commit(slot, "new", "work");
  EXPECT_THAT(sighted(attempt()).value.refs, ElementsAre("refs/holdfast/keep/T-1/g1/seen"));
  git(slot, {"reset", "-q", "--hard", base_});
  forget_everything(slot);
  EXPECT_TRUE(is_there(work));
  EXPECT_EQ(tip("refs/holdfast/keep/T-1/g1/seen"), work);
  EXPECT_THAT(facts(attempt()).stranded, IsEmpty()) << "its worker took it back itself";
}

TEST_F(Pins, WhereItBeganIsNotPinned) {
  prepared(attempt());
  EXPECT_THAT(sighted(attempt()).value.refs, IsEmpty());
  EXPECT_THAT(pins(), IsEmpty());
}

TEST_F(Pins, TheNewestIsSeenAndWhatItDoesNotContainKeepsANameOfItsOwn) {
  const fs::path slot = prepared(attempt());
  const std::string first = commit(slot, "new", "first");
  sighted(attempt());
  const std::string second = commit(slot, "new", "second");
  sighted(attempt());
  EXPECT_THAT(names(), ElementsAre("seen")) << "the second contains the first";
  git(slot, {"commit", "-q", "--amend", "-m", "other words"});
  const std::string third = git(slot, {"rev-parse", "HEAD"});
  sighted(attempt());
  EXPECT_EQ(pins(), (std::map<std::string, std::string>{{"seen", third}, {"seen-1", second}}));
  git(slot, {"reset", "-q", "--hard", first});
  sighted(attempt());
  git(slot, {"reset", "-q", "--hard", third});
  sighted(attempt());
  git(slot, {"reset", "-q", "--hard", base_});
  forget_everything(slot);
  for (const std::string& commit : {first, second, third}) EXPECT_TRUE(is_held(commit)) << commit;
}

TEST_F(Pins, HeadAndBranchAreBothSeen) {
  const fs::path slot = prepared(attempt());
  const std::string on_branch = commit(slot, "new", "on the branch");
  git(slot, {"checkout", "-q", "--detach", base_});
  const std::string detached = commit(slot, "other", "detached");
  sighted(attempt());
  EXPECT_THAT(sighted(attempt()).value.refs, IsEmpty());
  EXPECT_TRUE(is_held(on_branch));
  EXPECT_TRUE(is_held(detached));
}

TEST_F(Pins, AnUnchangedWorktreeStartsNoProcess) {
  fs::create_directories(root_ / "bin");
  const fs::path git_program = root_ / "bin/git";
  fs::create_symlink(trimmed(git(main_, {"--exec-path"})) + "/git", git_program);
  WorktreeOptions options;
  options.git.program = git_program.string();
  worktrees(std::move(options));
  const fs::path slot = prepared(attempt());
  commit(slot, "new", "work");
  git(slot, {"commit", "-q", "--amend", "-m", "other words"});
  write(slot / "file1", "to the stash");
  git(slot, {"stash", "-q"});
  sighted(attempt());
  fs::remove(git_program);
  EXPECT_THAT(sighted(attempt()).value.refs, IsEmpty());
  const BranchOrder order = branch_order(attempt());
  commit(slot, "new", "more work");
  EXPECT_FALSE(done(worktrees().pin(order, PinWhen::seen, soon).raw)) << "this one has changed";
  EXPECT_FALSE(done(worktrees().pin(order, PinWhen::seen, soon).raw)) << "and was not pinned";
  fs::create_symlink(trimmed(git(main_, {"--exec-path"})) + "/git", git_program);
  sighted(attempt());
  EXPECT_TRUE(is_held(git(slot, {"rev-parse", "HEAD"})));
}

TEST_F(Pins, EachOfTheFilesThatTellIsLookedAt) {
  const fs::path slot = prepared(attempt());
  commit(slot, "new", "work");
  const Context context(main_.string(), state_.string(), {});
  const BranchOrder order = branch_order(attempt());
  PinLook before = look_before_pin(context, order);
  const auto changed = [&] {
    PinLook now = look_before_pin(context, order);
    const bool different = now != before;
    before = std::move(now);
    return different;
  };
  EXPECT_FALSE(changed());
  git(slot, {"checkout", "-q", "--detach"});
  EXPECT_TRUE(changed()) << "HEAD";
  git(main_, {"branch", "-f", own_branch(), base_});
  EXPECT_TRUE(changed()) << "the branch, from elsewhere";
  write(slot / "file1", "to the stash");
  git(slot, {"stash", "-q"});
  EXPECT_TRUE(changed()) << "the stash";
  git(main_, {"pack-refs", "--all"});
  EXPECT_TRUE(changed()) << "packed refs";
  git(slot, {"checkout", "-q", "-b", "mine"});
  EXPECT_TRUE(changed()) << "another branch";
  git(slot, {"commit", "-q", "--allow-empty", "-m", "on it"});
  EXPECT_TRUE(changed()) << "its tip";
  EXPECT_FALSE(changed());
}

TEST_F(Pins, ASlotOfAnotherAttemptIsRefused) {
  const fs::path slot = prepared(attempt("T-2"));
  commit(slot, "new", "work of T-2");
  EXPECT_THAT(worktrees().pin(branch_order(attempt("T-1")), PinWhen::seen, soon).raw.error,
              HasSubstr("stale lease"));
  EXPECT_THAT(pins(), IsEmpty());
}

TEST_F(Pins, WhatWasMadeAndReplacedBetweenTwoLooksIsHeldAndStrandsNobody) {
  const fs::path slot = prepared(attempt());
  const std::string first = commit(slot, "new", "first");
  git(slot, {"reset", "-q", "--hard", "HEAD~1"});
  commit(slot, "new", "second");
  const std::string third = commit(slot, "new", "third");
  git(slot, {"commit", "-q", "--amend", "-m", "fourth"});
  sighted(attempt());
  EXPECT_THAT(names(), ElementsAre("made-1", "made-2", "seen"));
  EXPECT_THAT(sighted(attempt()).value.refs, IsEmpty());
  closed(attempt());
  EXPECT_THAT(names(), ElementsAre("branch", "head", "made-1", "made-2", "seen"));
  git(slot, {"reset", "-q", "--hard", base_});
  forget_everything(slot);
  EXPECT_TRUE(is_held(first));
  EXPECT_TRUE(is_held(third));
  EXPECT_THAT(worktrees().inspect(branch_order(attempt(), 0), soon).value.stranded,
              testing::SizeIs(testing::Le(1U)));
}

// The ticket became `done`, and its work lay on a branch that nobody looked at.
TEST_F(Pins, WorkLeftOnAnotherBranchStrandsItsTicket) {
  const fs::path slot = prepared(attempt());
  commit(slot, "new", "on its branch");
  git(slot, {"checkout", "-q", "-b", "mine"});
  commit(slot, "other", "on another");
  sighted(attempt());
  const std::string second = commit(slot, "other", "on another, again");
  git(slot, {"checkout", "-q", own_branch()});
  const BranchFacts before = facts(attempt());
  ASSERT_EQ(before.stranded.size(), 1U) << "seen before anything is pinned";
  EXPECT_EQ(before.stranded[0].ref, "refs/heads/mine");
  EXPECT_EQ(before.stranded[0].tip.value, second);
  EXPECT_EQ(before.stranded[0].commits, 2);
  closed(attempt());
  EXPECT_EQ(pins()["side-1"], second);
  EXPECT_THAT(closed(attempt()).value.refs, IsEmpty());
  const auto later = worktrees().inspect(branch_order(attempt(), 0), soon).value.stranded;
  ASSERT_EQ(later.size(), 1U) << "by its pin alone";
  EXPECT_EQ(later[0].ref, "refs/heads/mine") << "under the name that a person may have waived";
  git(slot, {"branch", "-q", "-D", "mine"});
  const auto gone = worktrees().inspect(branch_order(attempt(), 0), soon).value.stranded;
  ASSERT_EQ(gone.size(), 1U);
  EXPECT_EQ(gone[0].ref, "refs/holdfast/keep/T-1/g1/side-1");
  git(main_, {"merge", "-q", second});
  EXPECT_THAT(worktrees().inspect(branch_order(attempt(), 0), soon).value.stranded, IsEmpty());
}

TEST_F(Pins, WorkThatCameToItsBranchByAnotherWayStrandsNobody) {
  const fs::path slot = prepared(attempt());
  commit(slot, "new", "on its branch");
  git(slot, {"checkout", "-q", "-b", "mine"});
  commit(slot, "other", "on another");
  git(slot, {"checkout", "-q", own_branch()});
  git(slot, {"cherry-pick", "mine"});
  EXPECT_THAT(facts(attempt()).stranded, IsEmpty());
  closed(attempt());
  EXPECT_THAT(worktrees().inspect(branch_order(attempt(), 0), soon).value.stranded, IsEmpty());
}

TEST_F(Pins, WorkOnABranchThatIsGoneIsHeldAsMade) {
  const fs::path slot = prepared(attempt());
  git(slot, {"checkout", "-q", "-b", "mine"});
  const std::string work = commit(slot, "other", "on another");
  git(slot, {"checkout", "-q", own_branch()});
  git(slot, {"branch", "-q", "-D", "mine"});
  closed(attempt());
  EXPECT_EQ(pins()["made-1"], work);
  EXPECT_FALSE(pins().contains("side-1"));
  EXPECT_THAT(facts(attempt()).stranded, IsEmpty());
}

// A colleague's branch that was looked at is the colleague's: neither pinned as work of this ticket nor told.
TEST_F(Pins, ABranchThatWasOnlyLookedAtStrandsNobody) {
  git(main_, {"checkout", "-q", "-b", "colleague"});
  commit(main_, "theirs", "theirs");
  git(main_, {"checkout", "-q", "main"});
  const fs::path slot = prepared(attempt());
  commit(slot, "new", "work");
  for (const std::vector<std::string>& how :
       {std::vector<std::string>{"checkout", "-q", "--detach", "colleague"},
        std::vector<std::string>{"checkout", "-q", "colleague"}}) {
    git(slot, how);
    sighted(attempt());
    git(slot, {"checkout", "-q", "-"});
  }
  EXPECT_THAT(facts(attempt()).stranded, IsEmpty());
  closed(attempt());
  for (const std::string& name : names()) EXPECT_THAT(name, Not(HasSubstr("side")));
  EXPECT_THAT(facts(attempt()).stranded, IsEmpty());
  EXPECT_THAT(worktrees().inspect(branch_order(attempt(), 0), soon).value.stranded, IsEmpty());
}

TEST_F(Pins, AColleaguesWorkThatWasResetToAndPulledIsNotMade) {
  git(main_, {"checkout", "-q", "-b", "colleague"});
  const std::string theirs = commit(main_, "theirs", "theirs");
  git(main_, {"checkout", "-q", "main"});
  const fs::path slot = prepared(attempt());
  git(slot, {"merge", "-q", "colleague"});
  git(slot, {"reset", "-q", "--hard", base_});
  closed(attempt());
  EXPECT_FALSE(is_held(theirs));
}

TEST_F(Pins, AStashThatWasMadeOnABranchOfItsOwnIsHeld) {
  write(main_ / "file2", "a person's, from before");
  git(main_, {"stash", "-q"});
  const fs::path slot = prepared(attempt());
  git(slot, {"checkout", "-q", "-b", "mine"});
  commit(slot, "other", "on another");
  write(slot / "file1", "to the stash");
  git(slot, {"stash", "-q"});
  const std::string stash = git(slot, {"rev-parse", "refs/stash"});
  git(slot, {"checkout", "-q", own_branch()});
  sighted(attempt());
  EXPECT_EQ(pins()["stash-1"], stash);
  EXPECT_FALSE(pins().contains("stash-2"));
  git(slot, {"stash", "drop", "-q"});
  forget_everything(slot);
  EXPECT_EQ(git(main_, {"show", stash + ":file1"}), "to the stash");
}

TEST_F(Pins, ACommitThatIsGoneFromTheRepositoryHoldsNothingUp) {
  const fs::path slot = prepared(attempt());
  commit(slot, "new", "never seen");
  git(slot, {"reset", "-q", "--hard", base_});
  git(main_, {"reflog", "expire", "--expire=now", "--expire-unreachable=now", own_branch()});
  git(main_, {"-c", "gc.reflogExpire=never", "gc", "-q", "--prune=now"});
  sighted(attempt());
  closed(attempt());
}

TEST(HeadSteps, TheirWordsSayWhoMadeTheCommit) {
  for (const char* made :
       {"commit: Do it", "commit (initial): Begin", "commit (amend): fast-forward", "commit (merge): Merge",
        "commit: fast-forward", "cherry-pick: Do it", "revert: Revert \"x\"", "am: Do it",
        "rebase (pick): Do it", "rebase -i (fixup): x", "rebase (continue): x",
        "pull --rebase origin main (pick): x", "merge mine: Merge made by the 'ort' strategy.",
        "pull: Merge made by the 'ort' strategy.", "rebase: Do it"})
    EXPECT_EQ(step_of(made), HeadStep::made) << made;
  for (const char* moved :
       {"checkout: moving from a to b", "reset: moving to HEAD~1", "merge colleague: Fast-forward",
        "pull: Fast-forward", "rebase (start): checkout main", "rebase (finish): returning to refs/heads/x",
        "rebase (abort): updating HEAD", "pull --rebase (start): checkout abc", "cherry-pick: fast-forward",
        "rebase: checkout main", "rebase finished: returning to refs/heads/x", "clone: from x",
        "Branch: renamed refs/heads/a to refs/heads/b"})
    EXPECT_EQ(step_of(moved), HeadStep::moved) << moved;
  for (const char* unclear : {"", "my-tool moved it", "commitment: x"})
    EXPECT_EQ(step_of(unclear), HeadStep::unclear) << unclear;
}

}  // namespace
}  // namespace holdfast
