// Salvage and release: every byte that was uncommitted comes back from the salvage, and a slot is given back
// only when nothing in it would be lost.
#include <gmock/gmock.h>
#include <unistd.h>

#include <fstream>

#include "dispatcher/core/names.h"
#include "dispatcher/worktree/scratch_repository.h"

namespace holdfast {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::IsEmpty;

class Salvage : public ScratchRepository {
 protected:
  Reply<Salvaged> salvage(const AttemptId& of, int slot = 1) {
    return worktrees().salvage(branch_order(of, slot), soon);
  }
  Reply<SlotSighting> release(const AttemptId& of, const std::string& head, int slot = 1) {
    return worktrees().release({branch_order(of, slot).slot, of}, {head}, "refs/heads/main", soon);
  }
  // The salvage's tree, written out; its folder.
  fs::path restored(const std::string& ref) {
    const fs::path to = root_ / "restored";
    fs::remove_all(to);
    git(main_, {"worktree", "add", "-q", "--detach", to.string(), ref});
    return to;
  }
  static std::string salvage_ref(const Reply<Salvaged>& reply) {
    for (const std::string& ref : reply.value.refs)
      if (ref.starts_with("refs/holdfast/salvage/")) return ref;
    return "";
  }
};

TEST_F(Salvage, NothingUncommittedLeavesNoRef) {
  const fs::path slot = prepared(attempt());
  commit(slot, "file1", "committed");
  const auto saved = salvage(attempt());
  ASSERT_TRUE(done(saved.raw)) << saved.raw.error;
  EXPECT_EQ(salvage_ref(saved), "");
  EXPECT_EQ(git(main_, {"for-each-ref", "refs/holdfast/salvage"}), "");
}

TEST_F(Salvage, EveryByteComesBack) {
  const fs::path slot = prepared(attempt());
  // Attributes and settings that would change bytes on their way in.
  write(slot / ".gitattributes", "*.txt text eol=lf\n*.up filter=shout\n*.id ident\n");
  git(main_, {"config", "filter.shout.clean", "tr a-z A-Z"});
  git(main_, {"config", "filter.shout.required", "true"});
  const std::string before = picture_of_main();
  const std::string bytes("\0\r\n\xff binary", 11);
  const std::vector<std::pair<std::string, std::string>> files = {{"file1", "changed\n"},
                                                                  {"windows.txt", "a\r\nb\r\n"},
                                                                  {"loud.up", "quiet words\n"},
                                                                  {"x.id", "$Id$\n"},
                                                                  {"with\nnewline", "n"},
                                                                  {"\xff\xfe not utf-8", "u"},
                                                                  {"-rf", "dash"},
                                                                  {":(exclude)colon", "magic"},
                                                                  {"'quote\" $(touch /tmp/x);`", "shell"},
                                                                  {"deep/er/and deeper", bytes},
                                                                  {"git~1", "ntfs"},
                                                                  {"empty", ""}};
  for (const auto& [name, contents] : files) write(slot / name, contents);
  write(slot / "file2", "staged\n");
  git(slot, {"add", "file2"});
  write(slot / "file2", "and changed again\n");
  fs::remove(slot / "file3");
  fs::create_symlink("/nowhere/at all", slot / "dangling");
  write(slot / "program", "#!");
  fs::permissions(slot / "program", fs::perms::owner_all);
  write(slot / "build/output.o", "ignored");
  const std::string status = git(slot, {"status", "--porcelain", "-z"});
  const std::string index = read(main_ / ".git/worktrees/slot-001/index");

  const auto saved = salvage(attempt());
  ASSERT_TRUE(done(saved.raw)) << saved.raw.error;
  const std::string ref = salvage_ref(saved);
  EXPECT_EQ(ref, "refs/holdfast/salvage/T-1/g1/001");
  EXPECT_EQ(git(slot, {"status", "--porcelain", "-z"}), status);
  EXPECT_EQ(read(main_ / ".git/worktrees/slot-001/index"), index);

  EXPECT_TRUE(picture_of_main() == before) << "the main checkout was touched";
  git(main_, {"config", "core.protectNTFS", "false"});
  git(main_, {"config", "--remove-section", "filter.shout"});
  for (const auto& [name, contents] : files)
    EXPECT_EQ(git(main_, {"cat-file", "blob", ref + ":" + name}) + (contents.ends_with('\n') ? "\n" : ""),
              contents)
        << name;
  const fs::path out = restored(ref);
  EXPECT_FALSE(fs::exists(out / "file3"));
  EXPECT_EQ(fs::read_symlink(out / "dangling"), "/nowhere/at all");
  EXPECT_NE(fs::status(out / "program").permissions() & fs::perms::owner_exec, fs::perms::none);
  EXPECT_FALSE(fs::exists(out / "build"));
  EXPECT_EQ(git(main_, {"show", ref + ":file2"}), "and changed again");
  EXPECT_EQ(git(main_, {"show", ref + "^2:file2"}), "staged");
  EXPECT_EQ(git(main_, {"rev-parse", ref + "^1"}), base_);
}

TEST_F(Salvage, ARepeatedSalvageFindsTheEarlierOne) {
  const fs::path slot = prepared(attempt());
  write(slot / "new", "1");
  const auto first = salvage(attempt());
  const auto again = salvage(attempt());
  ASSERT_TRUE(done(again.raw)) << again.raw.error;
  EXPECT_EQ(salvage_ref(again), salvage_ref(first));
  write(slot / "new", "2");
  EXPECT_EQ(salvage_ref(salvage(attempt())), "refs/holdfast/salvage/T-1/g1/002");
  EXPECT_EQ(git(main_, {"show", "refs/holdfast/salvage/T-1/g1/001:new"}), "1");
}

TEST_F(Salvage, NothingHidesBehindIndexFlags) {
  const fs::path slot = prepared(attempt());
  git(slot, {"update-index", "--assume-unchanged", "file1"});
  git(slot, {"update-index", "--skip-worktree", "file2"});
  write(slot / "file1", "hidden 1");
  write(slot / "file2", "hidden 2");
  EXPECT_EQ(git(slot, {"status", "--porcelain"}), "");
  const auto saved = salvage(attempt());
  ASSERT_TRUE(done(saved.raw)) << saved.raw.error;
  EXPECT_EQ(git(main_, {"show", salvage_ref(saved) + ":file1"}), "hidden 1");
  EXPECT_EQ(git(main_, {"show", salvage_ref(saved) + ":file2"}), "hidden 2");
  const auto back = release(attempt(), base_);
  ASSERT_TRUE(done(back.raw)) << back.raw.error;
  EXPECT_EQ(read(slot / "file1"), "line 1\nline 2\nline 3\nline 4\n");
  EXPECT_EQ(read(slot / "file2"), "line 1\nline 2\nline 3\nline 4\n");
}

// Flagged, and with nothing behind the flag: the next worker's changes must not hide there.
TEST_F(Salvage, IndexFlagsDoNotReachTheNextWorker) {
  const fs::path slot = prepared(attempt());
  git(slot, {"update-index", "--assume-unchanged", "file1"});
  git(slot, {"update-index", "--skip-worktree", "file2"});
  const auto back = release(attempt(), base_);
  ASSERT_TRUE(done(back.raw)) << back.raw.error;
  EXPECT_THAT(git(slot, {"ls-files", "-v"}), AllOf(HasSubstr("H file1"), HasSubstr("H file2")));
}

TEST_F(Salvage, ARepositoryInsideIsSavedWithItsHistory) {
  const fs::path slot = prepared(attempt());
  const fs::path inner = slot / "vendor/inner";
  fs::create_directories(inner);
  git(inner, {"init", "-q", "-b", "main"});
  const std::string inside = commit(inner, "a", "committed inside");
  write(inner / "b", "not committed inside");
  git(slot, {"init", "-q", "fresh"});  // without any commit: `git add` refuses those outright
  write(slot / "fresh/c", "c");
  write(slot / "build/dep/.git/HEAD", "an ignored one is nobody's business");
  const auto saved = salvage(attempt());
  ASSERT_TRUE(done(saved.raw)) << saved.raw.error;
  const std::string ref = salvage_ref(saved);
  EXPECT_EQ(git(main_, {"show", ref + ":vendor/inner/a"}), "committed inside");
  EXPECT_EQ(git(main_, {"show", ref + ":vendor/inner/b"}), "not committed inside");
  EXPECT_EQ(git(main_, {"show", ref + ":fresh/c"}), "c");
  // Its history: the git folder as a tree of its own.
  const fs::path back = root_ / "inner-again";
  fs::create_directories(back / ".git/refs");
  git(main_, {"archive", "-o", (root_ / "inner.tar").string(), ref + "^3"});
  ChildCommand tar{.argv = {"tar", "-xf", (root_ / "inner.tar").string(), "-C", (back / ".git").string()},
                   .env = {std::string("PATH=") + ::getenv("PATH")}};
  ASSERT_TRUE(run_child(tar, Deadline(soon)).answered());
  EXPECT_EQ(git(back, {"rev-parse", "main"}), inside);

  const auto given = release(attempt(), base_);
  ASSERT_TRUE(done(given.raw)) << given.raw.error;
  EXPECT_FALSE(fs::exists(inner));
  EXPECT_TRUE(fs::exists(slot / "build/dep"));
  EXPECT_TRUE(fs::exists(state_ / "quarantine/slot-001.repositories.1/vendor/inner/.git"));
}

TEST_F(Salvage, AReplacedDotGitIsSavedAndPutRight) {
  const fs::path slot = prepared(attempt());
  fs::remove(slot / ".git");
  git(slot, {"init", "-q", "-b", "mine"});
  commit(slot, "own", "in the wrong repository");
  const auto saved = salvage(attempt());
  ASSERT_TRUE(done(saved.raw)) << saved.raw.error;
  EXPECT_EQ(git(main_, {"show", salvage_ref(saved) + ":own"}), "in the wrong repository");
  const auto given = release(attempt(), base_);
  ASSERT_TRUE(done(given.raw)) << given.raw.error;
  EXPECT_EQ(git(slot, {"rev-parse", "HEAD"}), base_);
}

TEST_F(Salvage, WhatCannotBeSavedIsNotDone) {
  const fs::path slot = prepared(attempt());
  worktrees_.reset();
  WorktreeOptions options;
  options.embedded_bytes_max = 10;
  worktrees(options);
  git(slot, {"init", "-q", "inner"});
  write(slot / "other", "saved all the same");
  const auto saved = salvage(attempt());
  EXPECT_EQ(saved.raw.transport, Transport::answered);
  EXPECT_EQ(saved.raw.code, 1);
  EXPECT_THAT(saved.raw.error, HasSubstr("\"inner\""));
  EXPECT_EQ(git(main_, {"show", salvage_ref(saved) + ":other"}), "saved all the same");
  const auto given = release(attempt(), base_);
  EXPECT_EQ(given.raw.code, 1);
  EXPECT_THAT(given.raw.error, HasSubstr("dirty: "));
  EXPECT_TRUE(fs::exists(slot / "inner/.git"));
}

TEST_F(Salvage, AFileThatCannotBeReadIsNotDone) {
  if (::geteuid() == 0) GTEST_SKIP() << "root reads everything";
  const fs::path slot = prepared(attempt());
  write(slot / "secret", "x");
  fs::permissions(slot / "secret", fs::perms::none);
  EXPECT_EQ(salvage(attempt()).raw.code, 1);
}

TEST_F(Salvage, WorksInTheMiddleOfAnything) {
  struct Case {
    const char* name;
    std::function<void(const fs::path&)> story;
    const char* file;
  };
  const Case cases[] = {
      {"rebase",
       [this](const fs::path& slot) {
         commit(slot, "file1", "ours");
         git(slot, {"checkout", "-q", "--detach", base_});
         const std::string other = commit(slot, "file1", "theirs");
         git(slot, {"checkout", "-q", "-"});
         EXPECT_NE(try_git(slot, {"rebase", other}), 0);
       },
       "file1"},
      {"merge",
       [this](const fs::path& slot) {
         git(slot, {"checkout", "-q", "--detach"});
         const std::string other = commit(slot, "file2", "theirs");
         git(slot, {"checkout", "-q", "-"});
         commit(slot, "file2", "ours");
         EXPECT_NE(try_git(slot, {"merge", other}), 0);
       },
       "file2"},
      {"unborn", [this](const fs::path& slot) { git(slot, {"checkout", "-q", "--orphan", "nothing-yet"}); },
       ""},
      {"index broken",
       [this](const fs::path& slot) {
         write(slot / "file4", "changed");
         write(main_ / ".git/worktrees" / slot.filename() / "index", "garbage");
       },
       "file4"},
      {"index gone",
       [this](const fs::path& slot) {
         write(slot / "file5", "changed");
         fs::remove(main_ / ".git/worktrees" / slot.filename() / "index");
       },
       "file5"},
      {"index locked",
       [this](const fs::path& slot) {
         write(slot / "file6", "changed");
         write(main_ / ".git/worktrees" / slot.filename() / "index.lock", "");
       },
       "file6"},
      {"sparse",
       [this](const fs::path& slot) {
         write(slot / "dir/a", "a");
         git(slot, {"add", "-A"});
         git(slot, {"commit", "-q", "-m", "dir"});
         git(slot, {"sparse-checkout", "set", "--no-cone", "/dir/"});
         write(slot / "file7", "outside of the patterns");
       },
       "file7"},
      {"split index",
       [this](const fs::path& slot) {
         git(slot, {"update-index", "--split-index"});
         write(slot / "file8", "changed");
       },
       "file8"},
      {"autostash",
       [this](const fs::path& slot) {
         git(slot, {"checkout", "-q", "--detach", base_});
         const std::string other = commit(slot, "file9", "theirs");
         git(slot, {"checkout", "-q", "-"});
         commit(slot, "file9", "ours");
         write(slot / "file10", "stashed away");
         EXPECT_NE(try_git(slot, {"rebase", "--autostash", other}), 0);
       },
       ""},
  };
  int n = 0;
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    const AttemptId of = attempt("T-" + std::to_string(++n));
    const fs::path slot = prepared(of, n);
    c.story(slot);
    write(slot / "untracked", c.name);
    const auto saved = salvage(of, n);
    ASSERT_TRUE(done(saved.raw)) << saved.raw.error;
    const std::string ref = salvage_ref(saved);
    EXPECT_EQ(git(main_, {"show", ref + ":untracked"}), c.name);
    if (*c.file != '\0') {
      const std::string lay_there = read(slot / c.file);
      EXPECT_EQ(
          git(main_, {"cat-file", "blob", ref + ":" + c.file}) + (lay_there.ends_with('\n') ? "\n" : ""),
          lay_there);
    }
    const std::string head =
        try_git(slot, {"rev-parse", "-q", "--verify", "HEAD"}) == 0 ? git(slot, {"rev-parse", "HEAD"}) : "";
    const auto given = release(of, head, n);
    ASSERT_TRUE(done(given.raw)) << given.raw.error;
    EXPECT_EQ(given.value.clean, Tri::yes);
    EXPECT_EQ(git(slot, {"status", "--porcelain"}), "");
    EXPECT_EQ(git(slot, {"rev-parse", "HEAD"}), base_);
    for (int file = 1; file <= 12; ++file) EXPECT_TRUE(fs::exists(slot / ("file" + std::to_string(file))));
    // And the slot is as good as new.
    EXPECT_TRUE(done(worktrees().prepare(prepare_order(attempt("N-" + std::to_string(n)), n), soon).raw));
  }
  const std::string stashed =
      git(main_, {"for-each-ref", "--format=%(refname)", "refs/holdfast/keep/T-9/g1/stash-1"});
  EXPECT_EQ(stashed, "refs/holdfast/keep/T-9/g1/stash-1");
  EXPECT_EQ(git(main_, {"show", stashed + ":file10"}), "stashed away");
}

TEST_F(Salvage, ReleaseRefusesWhatNoSalvageHas) {
  const fs::path slot = prepared(attempt());
  write(slot / "new", "1");
  EXPECT_THAT(release(attempt(), base_).raw.error, HasSubstr("dirty: "));
  salvage(attempt());
  write(slot / "new", "appeared after the salvage");
  const auto refused = release(attempt(), base_);
  EXPECT_EQ(refused.raw.code, 1);
  EXPECT_THAT(refused.raw.error, HasSubstr("dirty: "));
  EXPECT_EQ(read(slot / "new"), "appeared after the salvage");
  salvage(attempt());
  ASSERT_TRUE(done(release(attempt(), base_).raw));
  EXPECT_FALSE(fs::exists(slot / "new"));
}

TEST_F(Salvage, ReleaseChecksHeadAndLeaseAndCanBeRepeated) {
  const fs::path slot = prepared(attempt());
  const std::string head = commit(slot, "file1", "work");
  EXPECT_THAT(release(attempt(), base_).raw.error, HasSubstr("dirty: "));
  EXPECT_THAT(release(attempt("T-1", 2), head).raw.error, HasSubstr("stale lease"));
  EXPECT_THAT(worktrees().salvage(branch_order(attempt("T-2")), soon).raw.error, HasSubstr("stale lease"));
  write(slot / "build/cache.o", "warm");
  ASSERT_TRUE(done(release(attempt(), head).raw));
  ASSERT_TRUE(done(release(attempt(), head).raw));
  EXPECT_EQ(tip("refs/heads/" + prepare_order(attempt()).branch.value), head);
  EXPECT_EQ(tip("refs/holdfast/keep/T-1/g1/head"), head);
  EXPECT_TRUE(fs::exists(slot / "build/cache.o"));
}

TEST_F(Salvage, IgnoredFilesAreSetAsideWhereThatIsChosen) {
  WorktreeOptions options;
  options.ignored = IgnoredFiles::set_aside;
  worktrees(options);
  const fs::path slot = prepared(attempt());
  write(slot / "build/secret", "s");
  ASSERT_TRUE(done(release(attempt(), base_).raw));
  EXPECT_FALSE(fs::exists(slot / "build"));
  EXPECT_EQ(read(state_ / "quarantine/slot-001.ignored.1/build/secret"), "s");
}

TEST_F(Salvage, PinsKeepWhatWasSeenAndForgetNothing) {
  const fs::path slot = prepared(attempt());
  const std::string first = commit(slot, "file1", "first");
  ASSERT_TRUE(done(worktrees().pin(branch_order(attempt()), soon).raw));
  EXPECT_THAT(worktrees().pin(branch_order(attempt()), soon).value.refs, IsEmpty());
  git(slot, {"commit", "-q", "--amend", "-m", "amended"});
  const std::string second = git(slot, {"rev-parse", "HEAD"});
  write(slot / "file2", "to the stash");
  git(slot, {"stash", "-q"});
  const auto pinned = worktrees().pin(branch_order(attempt()), soon);
  ASSERT_TRUE(done(pinned.raw)) << pinned.raw.error;
  EXPECT_EQ(tip("refs/holdfast/keep/T-1/g1/head"), second);
  EXPECT_EQ(tip("refs/holdfast/keep/T-1/g1/head-1"), first);
  EXPECT_EQ(git(main_, {"show", "refs/holdfast/keep/T-1/g1/stash-1:file2"}), "to the stash");
  // A person's stash, and another ticket's, are not ours.
  write(main_ / "file1", "person");
  git(main_, {"stash", "-q"});
  EXPECT_THAT(worktrees().pin(branch_order(attempt()), soon).value.refs, IsEmpty());
  EXPECT_THAT(worktrees().pin(branch_order(attempt("T-10"), 0), soon).value.refs, IsEmpty());
  // gc with everything else gone keeps it.
  git(slot, {"reset", "-q", "--hard", base_});
  git(main_, {"reflog", "expire", "--expire=now", "--all"});
  git(main_, {"gc", "-q", "--prune=now"});
  EXPECT_EQ(git(main_, {"cat-file", "-t", first}), "commit");
}

TEST_F(Salvage, AWorkerThatRemovedItsWorktreeCostsNoSlot) {
  const fs::path slot = prepared(attempt());
  const std::string head = commit(slot, "file1", "committed");
  write(slot / "file2", "staged");
  git(slot, {"add", "file2"});
  write(slot / "file3", "only in the folder");
  fs::remove_all(slot);
  EXPECT_THAT(facts(attempt()).note, HasSubstr("what was uncommitted in it is lost"));
  const auto saved = salvage(attempt());
  ASSERT_TRUE(done(saved.raw)) << saved.raw.error;
  EXPECT_EQ(git(main_, {"show", salvage_ref(saved) + ":file2"}), "staged");  // the repository had that
  EXPECT_EQ(tip("refs/holdfast/keep/T-1/g1/head"), head);
  // Made again, it is clean; that is still not taken for what the worker left.
  EXPECT_THAT(facts(attempt()).note, HasSubstr("what was uncommitted in it is lost"));
  EXPECT_EQ(facts(attempt()).uncommitted, Tri::unknown);
  const auto given = release(attempt(), head);
  ASSERT_TRUE(done(given.raw)) << given.raw.error;
  EXPECT_EQ(given.value.clean, Tri::yes);
  EXPECT_EQ(tip("refs/heads/" + prepare_order(attempt()).branch.value), head);
  EXPECT_TRUE(done(worktrees().prepare(prepare_order(attempt("N-1")), soon).raw));
  EXPECT_THAT(facts(attempt("N-1")).note, testing::Not(HasSubstr("lost")));
}

TEST_F(Salvage, AFolderLostBetweenSalvageAndReleaseIsMadeAgain) {
  const fs::path slot = prepared(attempt());
  ASSERT_TRUE(done(salvage(attempt()).raw));
  fs::remove_all(slot);
  ASSERT_TRUE(done(release(attempt(), base_).raw));
  EXPECT_EQ(git(slot, {"status", "--porcelain"}), "");
}

TEST_F(Salvage, ASlotWhoseFolderCannotBeSeenIsToldNotGuessed) {
  const fs::path slot = prepared(attempt());
  fs::rename(state_ / "pool", state_ / "elsewhere");  // a disk that is not mounted
  const auto saved = salvage(attempt());
  EXPECT_EQ(saved.raw.code, 1);
  EXPECT_THAT(saved.raw.error, HasSubstr("missing: "));
  EXPECT_FALSE(fs::exists(slot));
}

// Its slot had been lost to the pool, with an advice that could not be followed.
TEST_F(Salvage, AWorkerThatRemovedItsGitFileCostsNoSlot) {
  const AttemptId of = attempt();
  const fs::path slot = prepared(of);
  const std::string head = commit(slot, "new", "committed");
  write(slot / "file2", "changed");
  fs::remove(slot / ".git");
  ASSERT_TRUE(done(worktrees().salvage(branch_order(of), soon).raw));
  const auto given = worktrees().release({{"slot-001"}, of}, {head}, "refs/heads/main", soon);
  ASSERT_TRUE(done(given.raw)) << given.raw.error;
  EXPECT_EQ(git(slot, {"status", "--porcelain"}), "");
  EXPECT_EQ(git(main_, {"show", "refs/holdfast/salvage/T-1/g1/001:file2"}), "changed");
}

}  // namespace
}  // namespace holdfast
