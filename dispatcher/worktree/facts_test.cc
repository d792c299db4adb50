// The facts about a branch, as a table of stories: what a worker and a person did, and what must be seen.
#include <gmock/gmock.h>

#include "dispatcher/core/names.h"
#include "dispatcher/worktree/repository.h"
#include "dispatcher/worktree/scratch_repository.h"

namespace holdfast {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr Tri no = Tri::no, yes = Tri::yes, unknown = Tri::unknown;

class Facts : public ScratchRepository {
 protected:
  std::string branch(const AttemptId& of) { return branch_order(of).branch.value; }
  void land_by_squash(const std::string& what) {
    git(main_, {"merge", "-q", "--squash", what});
    git(main_, {"commit", "-q", "-m", "squashed"});
  }
};

TEST_F(Facts, Table) {
  struct Case {
    const char* name;
    std::function<void(const fs::path& slot, const std::string& branch)> story;
    Tri has_commits, ancestor, equal_patch;
    Tri uncommitted = no, untracked = no, detached = no, operation = no;
  };
  const auto two = [this](const fs::path& slot) {
    commit(slot, "file1", "line 1\nline 2 changed\nline 3\nline 4\n", "one");
    commit(slot, "new", "new file\n", "two");
  };
  // Somebody else's work on the target, so that nothing is equal by accident.
  int others = 0;
  const auto other = [&] { commit(main_, "file12", "other " + std::to_string(++others) + "\n", "other"); };
  const Case cases[] = {
      {"NoCommits", [](const fs::path&, const std::string&) {}, no, no, no},
      {"NoCommitsAndTargetMoved", [&](const fs::path&, const std::string&) { other(); }, no, no, no},
      {"Pulled",
       [&](const fs::path& slot, const std::string&) {
         other();
         git(slot, {"merge", "-q", "main"});
       },
       unknown, unknown, unknown},
      {"Ahead", [&](const fs::path& slot, const std::string&) { two(slot); }, yes, no, no},
      {"AheadAndBehind",
       [&](const fs::path& slot, const std::string&) {
         two(slot);
         other();
       },
       yes, no, no},
      {"MergedForward",
       [&](const fs::path& slot, const std::string& branch) {
         two(slot);
         git(main_, {"merge", "-q", "--ff-only", branch});
       },
       yes, yes, no},
      {"MergedByCommit",
       [&](const fs::path& slot, const std::string& branch) {
         two(slot);
         other();
         git(main_, {"merge", "-q", "--no-ff", branch});
         other();
       },
       yes, yes, no},
      {"MergedByCommitThenReverted",
       [&](const fs::path& slot, const std::string& branch) {
         two(slot);
         other();
         git(main_, {"merge", "-q", "--no-ff", branch});
         git(main_, {"revert", "--no-edit", "-m", "1", "HEAD"});
       },
       yes, no, no},
      {"MergedRevertedAndLandedAgain",
       [&](const fs::path& slot, const std::string& branch) {
         two(slot);
         git(main_, {"merge", "-q", "--no-ff", branch});
         git(main_, {"revert", "--no-edit", "-m", "1", "HEAD"});
         git(main_, {"revert", "--no-edit", "HEAD"});
       },
       yes, yes, no},
      {"MergedThenBuiltUpon",
       [&](const fs::path& slot, const std::string& branch) {
         two(slot);
         git(main_, {"merge", "-q", "--no-ff", branch});
         commit(main_, "file1", "line 1\nline 2 changed again\nline 3\nline 4\n");
       },
       yes, yes, no},
      {"Squashed",
       [&](const fs::path& slot, const std::string& branch) {
         two(slot);
         other();
         land_by_squash(branch);
       },
       yes, no, yes},
      {"SquashedThenBuiltUpon",
       [&](const fs::path& slot, const std::string& branch) {
         two(slot);
         land_by_squash(branch);
         commit(main_, "file1", "line 1\nline 2 changed again\nline 3\nline 4\n");
       },
       yes, no, yes},
      {"SquashedThenReverted",
       [&](const fs::path& slot, const std::string& branch) {
         two(slot);
         land_by_squash(branch);
         git(main_, {"revert", "--no-edit", "HEAD"});
       },
       yes, no, no},
      {"SquashedRevertedThenBuiltUpon",
       [&](const fs::path& slot, const std::string& branch) {
         two(slot);
         land_by_squash(branch);
         git(main_, {"revert", "--no-edit", "HEAD"});
         commit(main_, "file1", "line 1\nquite another\nline 3\nline 4\n");
       },
       yes, no, no},
      {"SquashedThenPartlyRemoved",
       [&](const fs::path& slot, const std::string& branch) {
         two(slot);
         land_by_squash(branch);
         git(main_, {"rm", "-q", "new"});
         write(main_ / "file2", "and something else\n");
         git(main_, {"commit", "-q", "-a", "-m", "tidy"});
       },
       yes, no, unknown},
      {"Rebased",
       [&](const fs::path& slot, const std::string& branch) {
         two(slot);
         other();
         git(main_, {"cherry-pick", branch + "~1", branch});
       },
       yes, no, yes},
      {"OnlyTheFirstPicked",
       [&](const fs::path& slot, const std::string& branch) {
         two(slot);
         other();
         git(main_, {"cherry-pick", branch + "~1"});
       },
       yes, no, no},
      {"RebasedThenOneReverted",
       [&](const fs::path& slot, const std::string& branch) {
         two(slot);
         other();
         git(main_, {"cherry-pick", branch + "~1", branch});
         git(main_, {"revert", "--no-edit", "HEAD"});
       },
       yes, no, no},
      {"BinarySquashed",
       [&](const fs::path& slot, const std::string& branch) {
         commit(slot, "image", std::string("\0\1\2", 3));
         land_by_squash(branch);
         commit(main_, "image", std::string("\0\1\3", 3));
       },
       yes, no, yes},
      {"OtherBinaryOnTarget",
       [&](const fs::path& slot, const std::string&) {
         commit(slot, "image", std::string("\0\1\2", 3));
         commit(main_, "image", std::string("\0\5\5", 3));
       },
       yes, no, no},
      {"EmptyCommit",
       [&](const fs::path& slot, const std::string&) {
         git(slot, {"commit", "-q", "--allow-empty", "-m", "nothing"});
       },
       yes, no, no},
      {"CancelsOut",
       [&](const fs::path& slot, const std::string&) {
         commit(slot, "file1", "x");
         git(slot, {"revert", "--no-edit", "HEAD"});
       },
       yes, no, no},
      {"MergedTargetIntoItself",
       [&](const fs::path& slot, const std::string& branch) {
         two(slot);
         other();
         git(slot, {"merge", "-q", "--no-edit", "main"});
         land_by_squash(branch);
       },
       yes, no, yes},
      {"Dirty", [&](const fs::path& slot, const std::string&) { write(slot / "file1", "x"); }, no, no, no,
       yes},
      {"Staged",
       [&](const fs::path& slot, const std::string&) {
         write(slot / "added", "x");
         git(slot, {"add", "added"});
       },
       no, no, no, yes},
      {"Untracked", [&](const fs::path& slot, const std::string&) { write(slot / "odd\nname", "x"); }, no, no,
       no, no, yes},
      {"IgnoredOnly", [&](const fs::path& slot, const std::string&) { write(slot / "build/x", "x"); }, no, no,
       no},
      {"CommittedOnDetachedHead",
       [&](const fs::path& slot, const std::string&) {
         git(slot, {"checkout", "-q", "--detach"});
         two(slot);
       },
       yes, no, no, no, no, yes},
      {"RebaseInProgress",
       [&](const fs::path& slot, const std::string&) {
         commit(slot, "file1", "ours\n");
         commit(main_, "file1", "theirs\n");
         EXPECT_NE(try_git(slot, {"rebase", "main"}), 0);
       },
       yes, no, no, yes, no, yes, yes},
      {"ConflictInProgress",
       [&](const fs::path& slot, const std::string&) {
         commit(slot, "file1", "ours\n");
         commit(main_, "file1", "theirs\n");
         EXPECT_NE(try_git(slot, {"merge", "main"}), 0);
       },
       yes, no, no, yes, no, no, yes},
      {"BisectInProgress",
       [&](const fs::path& slot, const std::string&) {
         two(slot);
         git(slot, {"bisect", "start", "HEAD", base_});
       },
       yes, no, no, no, no, yes, yes},
      {"BranchRenamed",
       [&](const fs::path& slot, const std::string& branch) {
         two(slot);
         git(slot, {"branch", "-m", branch, "better-name"});
       },
       yes, no, no},
      {"BranchDeleted",
       [&](const fs::path& slot, const std::string& branch) {
         two(slot);
         git(slot, {"checkout", "-q", "--detach"});
         git(slot, {"branch", "-q", "-D", branch});
       },
       yes, no, no, no, no, yes},
  };
  int n = 0;
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    const AttemptId of = attempt("T-" + std::to_string(++n));
    git(main_, {"checkout", "-q", "-f", "-B", "main", base_});
    const fs::path slot = prepared(of, 1);
    c.story(slot, branch(of));
    const std::string after = picture_of_main();
    const BranchFacts seen = facts(of);
    EXPECT_EQ(seen.has_commits, c.has_commits) << seen.note;
    EXPECT_EQ(seen.ancestor_of_target, c.ancestor) << seen.note;
    EXPECT_EQ(seen.equal_patch_on_target, c.equal_patch) << seen.note;
    EXPECT_EQ(seen.uncommitted, c.uncommitted);
    EXPECT_EQ(seen.untracked, c.untracked);
    EXPECT_EQ(seen.detached, c.detached);
    EXPECT_EQ(seen.operation_in_progress, c.operation);
    EXPECT_EQ(seen.unpushed, no);
    EXPECT_EQ(seen.stranded_known, yes);
    EXPECT_THAT(seen.stranded, IsEmpty());
    EXPECT_TRUE(picture_of_main() == after) << "the main checkout was touched";  // looking changes nothing
    ASSERT_TRUE(done(worktrees().salvage(branch_order(of), soon).raw));
    ASSERT_TRUE(
        done(worktrees()
                 .release({{"slot-001"}, of}, {git(slot, {"rev-parse", "HEAD"})}, "refs/heads/main", soon)
                 .raw));
  }
}

TEST_F(Facts, TellsOtherAttemptsOfTheTicketAndOnlyOfThatTicket) {
  const auto work = [this](const AttemptId& of, const std::string& file) {
    const fs::path slot = prepared(of);
    const std::string head = commit(slot, file, "of " + attempt_key(of));
    EXPECT_TRUE(done(worktrees().salvage(branch_order(of), soon).raw));
    EXPECT_TRUE(done(worktrees().release({{"slot-001"}, of}, {head}, "refs/heads/main", soon).raw));
    return head;
  };
  const std::string first = work(attempt("T-1", 1), "a");
  work(attempt("T-10", 1), "b");
  work(attempt("T-1-x", 1), "c");
  const fs::path slot = prepared(attempt("T-1", 2));
  commit(slot, "d", "second");
  write(slot / "left", "uncommitted");
  ASSERT_TRUE(done(worktrees().salvage(branch_order(attempt("T-1", 2)), soon).raw));

  BranchFacts seen = facts(attempt("T-1", 2));
  ASSERT_THAT(seen.stranded, SizeIs(2));
  EXPECT_EQ(seen.stranded[0].ref, "refs/heads/" + branch(attempt("T-1", 1)));
  EXPECT_EQ(seen.stranded[0].tip.value, first);
  EXPECT_EQ(seen.stranded[0].commits, 1);
  EXPECT_EQ(seen.stranded[1].ref, "refs/holdfast/salvage/T-1/g2/001");

  // Deleting the branch does not make its commits vanish: they are pinned.
  git(main_, {"branch", "-q", "-D", branch(attempt("T-1", 1))});
  seen = facts(attempt("T-1", 2));
  ASSERT_THAT(seen.stranded, SizeIs(2));
  EXPECT_THAT(seen.stranded[1].ref, HasSubstr("refs/holdfast/keep/T-1/g1/"));

  // Picked up by the second attempt, in whatever form, they are stranded no more.
  git(slot, {"cherry-pick", first});
  git(slot, {"add", "-A"});
  git(slot, {"commit", "-q", "-m", "the rest"});
  EXPECT_THAT(facts(attempt("T-1", 2)).stranded, IsEmpty());
  const auto traces = worktrees().traces(soon).value;
  EXPECT_EQ(traces, (std::vector<AttemptId>{attempt("T-1", 1), attempt("T-1", 2), attempt("T-1-x", 1),
                                            attempt("T-10", 1)}));
}

TEST_F(Facts, APinnedStashIsStranded) {
  const fs::path slot = prepared(attempt());
  write(slot / "file1", "stashed");
  git(slot, {"stash", "-q"});
  ASSERT_TRUE(done(worktrees().pin(branch_order(attempt()), soon).raw));
  const BranchFacts seen = facts(attempt());
  EXPECT_EQ(seen.has_commits, no);
  ASSERT_THAT(seen.stranded, SizeIs(1));
  EXPECT_EQ(seen.stranded[0].ref, "refs/holdfast/keep/T-1/g1/stash-1");
}

TEST_F(Facts, UnpushedIsNoOnlyWhereTheRemoteHasIt) {
  git(root_, {"clone", "-q", "--bare", main_.string(), "remote.git"});
  git(main_, {"remote", "add", "origin", (root_ / "remote.git").string()});
  remote_ = "origin";
  WorktreeOptions options;
  options.fetch_every = millis(1);
  worktrees(options);
  const fs::path slot = prepared(attempt());
  EXPECT_EQ(facts(attempt()).unpushed, no);  // nothing of its own
  commit(slot, "file1", "work");
  EXPECT_EQ(facts(attempt()).unpushed, yes);
  ASSERT_TRUE(done(worktrees().push(branch_order(attempt()), soon).raw));
  EXPECT_EQ(facts(attempt()).unpushed, no);
  commit(slot, "file1", "more work");
  EXPECT_EQ(facts(attempt()).unpushed, yes);
  ASSERT_TRUE(done(worktrees().push(branch_order(attempt()), soon).raw));
  // Deleted over there: our own remote-tracking ref still says otherwise.
  git(root_ / "remote.git", {"branch", "-q", "-D", branch(attempt())});
  EXPECT_EQ(facts(attempt()).unpushed, yes);
  // Merged over there: seen, although nothing here has moved.
  ASSERT_TRUE(done(worktrees().push(branch_order(attempt()), soon).raw));
  git(root_, {"clone", "-q", (root_ / "remote.git").string(), "person"});
  git(root_ / "person", {"merge", "-q", "--no-ff", "origin/" + branch(attempt())});
  git(root_ / "person", {"push", "-q"});
  EXPECT_EQ(facts(attempt()).ancestor_of_target, yes);
  // Gone altogether: what cannot be asked is not known.
  fs::rename(root_ / "remote.git", root_ / "elsewhere.git");
  EXPECT_EQ(facts(attempt()).unpushed, unknown);
  commit(slot, "file2", "still more");
  EXPECT_EQ(facts(attempt()).unpushed, yes);
}

TEST_F(Facts, ARelativeAddressOfARemoteMeansFromTheCheckout) {
  git(root_, {"init", "-q", "--bare", "remote.git"});
  git(main_, {"remote", "add", "origin", "../remote.git"});
  git(main_, {"push", "-q", "origin", "main"});
  remote_ = "origin";
  WorktreeOptions options;
  options.fetch_every = millis(1);
  worktrees(options);
  const fs::path slot = prepared(attempt());
  commit(slot, "file1", "work");
  const auto pushed = worktrees().push(branch_order(attempt()), soon);
  ASSERT_TRUE(done(pushed.raw)) << pushed.raw.error;
  EXPECT_EQ(facts(attempt()).unpushed, no);
}

TEST_F(Facts, ATargetThatIsASymbolicRefIsWhatItMeans) {
  git(main_, {"branch", "real"});
  git(main_, {"checkout", "-q", "--detach"});
  git(main_, {"symbolic-ref", "refs/heads/main", "refs/heads/real"});
  prepared(attempt());
  const BranchFacts seen = facts(attempt());
  EXPECT_EQ(seen.target_tip, tip("real")) << seen.note;
  EXPECT_EQ(seen.has_commits, Tri::no);
}

TEST_F(Facts, ARemoteThatDoesNotExistIsUnknownAtBest) {
  remote_ = "nowhere";
  WorktreeOptions options;
  options.fetch_every = millis(0);
  worktrees(options);
  const fs::path slot = prepared(attempt());
  commit(slot, "file1", "work");
  EXPECT_EQ(facts(attempt()).unpushed, yes);
}

TEST_F(Facts, RefsAloneAreEnoughWithoutASlot) {
  const fs::path slot = prepared(attempt());
  commit(slot, "file1", "work");
  const BranchFacts seen = facts(attempt(), 0);
  EXPECT_EQ(seen.has_commits, yes);
  EXPECT_EQ(seen.uncommitted, unknown);
  EXPECT_TRUE(seen.head.empty());
}

// Found by the soak: the dispatcher was killed after a slot was given back and before its attempt was closed.
// The next one inspected the slot, found it at the newest target, with another ticket's commits made in this
// same slot, and called that landed work.
TEST_F(Facts, AReleasedSlotAtANewerTargetIsNobodysWork) {
  const AttemptId first = attempt("T-9"), second = attempt("T-1");
  const auto slot = prepared(first);
  const std::string made = commit(slot, "nine", "9");
  ASSERT_TRUE(done(worktrees().salvage(branch_order(first), soon).raw));
  ASSERT_TRUE(done(worktrees().release({{"slot-001"}, first}, {made}, "refs/heads/main", soon).raw));
  const auto ready = worktrees().prepare(prepare_order(second), soon);
  ASSERT_TRUE(done(ready.raw)) << ready.raw.error;
  git(main_, {"merge", "-q", "--ff-only", made});  // the first one's work lands meanwhile
  ASSERT_TRUE(
      done(worktrees().release({{"slot-001"}, second}, ready.value.base, "refs/heads/main", soon).raw));

  BranchOrder order = branch_order(second);
  order.base = ready.value.base;
  const auto seen = worktrees().inspect(order, soon);
  ASSERT_TRUE(done(seen.raw)) << seen.raw.error;
  EXPECT_EQ(seen.value.has_commits, Tri::no) << seen.value.note;
  EXPECT_EQ(seen.value.commits, 0);
}

// As forges do it after a merge: for ever "its branch is gone", and never done.
TEST_F(Facts, ABranchThatWasMergedAndThenDeletedIsLanded) {
  struct Case {
    const char* name;
    std::function<void(const std::string& branch)> story;
    Tri has_commits, ancestor, equal_patch;
  };
  const Case cases[] = {
      {"merged by a commit", [this](const auto& branch) { git(main_, {"merge", "-q", "--no-ff", branch}); },
       yes, yes, no},
      {"moved forward", [this](const auto& branch) { git(main_, {"merge", "-q", "--ff-only", branch}); }, yes,
       yes, no},
      {"squashed", [this](const auto& branch) { land_by_squash(branch); }, yes, no, yes},
      {"not merged", [](const auto&) {}, unknown, unknown, unknown},
  };
  int n = 0;
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    const AttemptId of = attempt("T-" + std::to_string(++n));
    git(main_, {"checkout", "-q", "-f", "-B", "main", base_});
    const fs::path slot = prepared(of);
    const std::string head = commit(slot, "new", std::string("of ") + c.name);
    ASSERT_TRUE(done(worktrees().salvage(branch_order(of), soon).raw));
    ASSERT_TRUE(done(worktrees().release({{"slot-001"}, of}, {head}, "refs/heads/main", soon).raw));
    c.story(branch(of));
    git(main_, {"branch", "-q", "-D", branch(of)});
    const AttemptId next = attempt("N-" + std::to_string(n));  // its slot is another's now
    prepared(next);
    const BranchFacts seen = facts(of, 0);
    EXPECT_EQ(seen.has_commits, c.has_commits) << seen.note;
    EXPECT_EQ(seen.ancestor_of_target, c.ancestor) << seen.note;
    EXPECT_EQ(seen.equal_patch_on_target, c.equal_patch) << seen.note;
    EXPECT_THAT(seen.stranded, SizeIs(c.has_commits == yes ? 0 : 1));
    EXPECT_TRUE(seen.tip.empty());
    const std::string start = git(slot, {"rev-parse", "HEAD"});
    ASSERT_TRUE(done(worktrees().release({{"slot-001"}, next}, {start}, "refs/heads/main", soon).raw));
  }
}

// git takes a list of folders apart at its colons.
TEST_F(Facts, AColonInThePathOfTheRepositoryCostsNoVerdict) {
  fs::rename(main_, root_ / "odd:\"name");
  main_ = root_ / "odd:\"name";
  const fs::path slot = prepared(attempt());
  commit(slot, "new", "work");
  commit(main_, "file12", "other");
  land_by_squash(branch(attempt()));
  commit(main_, "file12", "another");
  const BranchFacts seen = facts(attempt());
  EXPECT_EQ(seen.equal_patch_on_target, yes) << seen.note;
  write(slot / "left", "uncommitted");
  ASSERT_TRUE(done(worktrees().salvage(branch_order(attempt()), soon).raw));
  ASSERT_TRUE(done(
      worktrees()
          .release({{"slot-001"}, attempt()}, {git(slot, {"rev-parse", "HEAD"})}, "refs/heads/main", soon)
          .raw));
}

// It had been landed and called done, with changes that only its salvage had seen.
TEST_F(Facts, WhatHidesFromStatusIsUncommitted) {
  const fs::path slot = prepared(attempt());
  commit(slot, "new", "work");
  EXPECT_EQ(facts(attempt()).uncommitted, no);
  for (const char* flag : {"--assume-unchanged", "--skip-worktree"}) {
    git(slot, {"update-index", flag, "file1"});
    EXPECT_EQ(facts(attempt()).uncommitted, no) << "the flag alone hides nothing";
    write(slot / "file1", "hidden");
    EXPECT_EQ(git(slot, {"status", "--porcelain"}), "");
    EXPECT_EQ(facts(attempt()).uncommitted, yes) << flag;
    git(slot, {"update-index", "--no-assume-unchanged", "file1"});
    git(slot, {"update-index", "--no-skip-worktree", "file1"});
    git(slot, {"checkout", "-q", "--", "file1"});
  }
}

TEST_F(Facts, ARepositoryWithoutACommitIsToldSo) {
  git(root_, {"init", "-q", "-b", "main", "empty"});
  EXPECT_THAT(check_repository((root_ / "empty").string(), "refs/heads/main", {}, soon),
              testing::ElementsAre(HasSubstr("has no commits yet")));
}

TEST_F(Facts, ASlotThatIsAnothersNowSaysNothingAboutThisAttempt) {
  const fs::path slot = prepared(attempt("T-2"));
  write(slot / "file1", "of T-2");
  const BranchFacts seen = facts(attempt("T-1"));
  EXPECT_EQ(seen.uncommitted, unknown);
  EXPECT_EQ(seen.has_commits, unknown);
  EXPECT_THAT(seen.note, HasSubstr("held by T-2-g1"));
}

TEST_F(Facts, ARepositoryIsCheckedInClearSentences) {
  EXPECT_THAT(check_repository(main_.string(), "refs/heads/main", {}, soon), IsEmpty());
  EXPECT_THAT(check_repository((main_ / ".git").string(), "refs/heads/main", {}, soon), IsEmpty());
  EXPECT_THAT(check_repository(root_.string(), "refs/heads/main", {}, soon),
              testing::ElementsAre(HasSubstr("is not a git repository")));
  EXPECT_THAT(check_repository(main_.string(), "refs/heads/none", {}, soon),
              testing::ElementsAre(HasSubstr("does not exist")));
  EXPECT_THAT(check_repository(main_.string(), "main", {}, soon),
              testing::ElementsAre(HasSubstr("not a full ref name")));
  git(main_, {"branch", "hf"});
  EXPECT_THAT(check_repository(main_.string(), "refs/heads/main", {}, soon),
              testing::ElementsAre(HasSubstr("stands in the way")));
  git(main_, {"branch", "-D", "hf"});
  git(main_, {"config", "core.preferSymlinkRefs", "true"});
  EXPECT_THAT(check_repository(main_.string(), "refs/heads/main", {}, soon),
              testing::ElementsAre(HasSubstr("preferSymlinkRefs")));
  git(main_, {"config", "--unset", "core.preferSymlinkRefs"});
  GitSettings none;
  none.program = "no-such-git";
  EXPECT_THAT(check_repository(main_.string(), "refs/heads/main", none, soon),
              testing::ElementsAre(HasSubstr("cannot be run")));
  commit(main_, "file1", "second");
  git(root_, {"clone", "-q", "--depth", "1", "file://" + main_.string(), "shallow"});
  EXPECT_THAT(check_repository((root_ / "shallow").string(), "refs/heads/main", {}, soon),
              testing::ElementsAre(HasSubstr("shallow")));
}

}  // namespace
}  // namespace holdfast
