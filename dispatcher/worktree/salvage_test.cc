// Salvage: every byte that was uncommitted comes back from it.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "dispatcher/core/names.h"
#include "dispatcher/worktree/salvage_kit.h"

namespace holdfast {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::IsEmpty;

class Salvage : public SalvageKit {};

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

// Written in the same second as the index, to the same size: git looks into such a file only because the
// index is not younger than it. A copy of the index that is younger hides it.
TEST_F(Salvage, AChangeInTheSecondOfTheLastCommitIsSeen) {
  for (int round = 0; round < 3; ++round) {  // a second may end in between
    const AttemptId of = attempt("R-" + std::to_string(round));
    const fs::path slot = prepared(of);
    const std::string head = commit(slot, "file1", "AAAA");
    write(slot / "file1", "BBBB");
    const auto changed = fs::last_write_time(slot / "file1");
    const auto indexed = fs::last_write_time(main_ / ".git/worktrees" / slot.filename() / "index");
    const bool same_second = std::chrono::floor<std::chrono::seconds>(changed) ==
                             std::chrono::floor<std::chrono::seconds>(indexed);
    const auto later = indexed + std::chrono::seconds(2);
    while (fs::file_time_type::clock::now() < later) std::this_thread::yield();
    const auto saved = salvage(of);
    ASSERT_TRUE(done(saved.raw)) << saved.raw.error;
    ASSERT_FALSE(saved.value.refs.empty()) << "the change was taken for clean";
    EXPECT_EQ(git(main_, {"show", salvage_ref(saved) + ":file1"}), "BBBB");
    ASSERT_TRUE(done(release(of, head).raw));
    if (same_second) return;
  }
}

// A commit of a submodule that no remote has is nowhere else: it is saved with the submodule's git folder.
TEST_F(Salvage, ASubmodulesOwnCommitIsSaved) {
  const fs::path other = root_ / "other";
  git(root_, {"init", "-q", "-b", "main", other.string()});
  commit(other, "inside", "one");
  git(main_, {"-c", "protocol.file.allow=always", "submodule", "add", "-q", other.string(), "lib"});
  git(main_, {"commit", "-q", "-m", "with a submodule"});
  const fs::path slot = prepared(attempt());
  git(slot, {"-c", "protocol.file.allow=always", "submodule", "update", "-q", "--init"});
  EXPECT_TRUE(salvage(attempt()).value.refs.empty()) << "as recorded, and the remote has it";
  commit(slot / "lib", "inside", "made here");
  git(slot, {"commit", "-q", "-a", "-m", "bump"});
  const auto saved = salvage(attempt());
  ASSERT_TRUE(done(saved.raw)) << saved.raw.error;
  EXPECT_EQ(saved.value.refs.size(), 1U);
}

// A worktree that the worker made inside of its own: what its HEAD stood at is held by the salvage.
TEST_F(Salvage, ANestedWorktreesCommitsAreHeld) {
  const fs::path slot = prepared(attempt());
  git(slot, {"worktree", "add", "-q", "--detach", "inner"});
  const std::string inner = commit(slot / "inner", "file1", "inner work");
  const auto saved = salvage(attempt());
  ASSERT_TRUE(done(saved.raw)) << saved.raw.error;
  EXPECT_NE(git(main_, {"rev-list", salvage_ref(saved)}).find(inner), std::string::npos);
}

// In a folder that is ignored too: where tools for several workers like to put them.
TEST_F(Salvage, AWorktreeInAnIgnoredFolderIsLookedAt) {
  const fs::path slot = prepared(attempt());
  write(slot / ".gitignore", "/.tools\n");
  git(slot, {"add", ".gitignore"});
  git(slot, {"commit", "-q", "-m", "ignore"});
  git(slot, {"worktree", "add", "-q", "--detach", ".tools/inner"});
  EXPECT_EQ(facts(attempt()).uncommitted, Tri::no) << "nothing is only in it";
  EXPECT_TRUE(salvage(attempt()).value.refs.empty());
  const std::string inner = commit(slot / ".tools/inner", "file1", "inner work");
  EXPECT_EQ(facts(attempt()).uncommitted, Tri::yes);
  write(slot / ".tools/inner/unsaved", "precious");
  const auto saved = salvage(attempt());
  ASSERT_TRUE(done(saved.raw)) << saved.raw.error;
  ASSERT_FALSE(salvage_ref(saved).empty());
  EXPECT_NE(git(main_, {"rev-list", salvage_ref(saved)}).find(inner), std::string::npos);
  EXPECT_EQ(git(main_, {"cat-file", "blob", salvage_ref(saved) + ":.tools/inner/unsaved"}), "precious");
  ASSERT_TRUE(done(release(attempt(), git(slot, {"rev-parse", "HEAD"})).raw));
  EXPECT_FALSE(fs::exists(slot / ".tools/inner")) << "it is not the next worker's";
}

// What an amend, a reset or a rebase left behind stays reachable.
TEST_F(Salvage, CommitsThatItsWorkerReplacedArePinned) {
  const fs::path slot = prepared(attempt());
  const std::string first = commit(slot, "file1", "first");
  git(slot, {"reset", "-q", "--hard", "HEAD~1"});
  const std::string second = commit(slot, "file1", "second");
  git(slot, {"commit", "-q", "--amend", "-m", "third"});
  ASSERT_TRUE(done(worktrees().pin(branch_order(attempt()), soon).raw));
  const std::string held = git(main_, {"rev-list", "--glob=refs/holdfast/keep/*"});
  EXPECT_NE(held.find(first), std::string::npos);
  EXPECT_NE(held.find(second), std::string::npos);
  EXPECT_TRUE(facts(attempt()).stranded.empty())
      << "its worker replaced them itself: nobody is asked about them";
  EXPECT_THAT(worktrees().pin(branch_order(attempt()), soon).value.refs, IsEmpty()) << "once";
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

// Only the rest of a split index is in its own file; what it shares is beside it.
TEST_F(Salvage, WhatIsStagedInASplitIndexIsSaved) {
  const fs::path slot = prepared(attempt());
  git(slot, {"config", "core.splitIndex", "true"});
  write(slot / "file1", "staged first");
  git(slot, {"add", "file1"});
  git(slot, {"update-index", "--split-index"});
  write(slot / "file2", "staged later");
  git(slot, {"add", "file2"});
  write(slot / "file1", "and changed again");
  write(slot / "file2", "and changed again");
  const auto saved = salvage(attempt());
  ASSERT_TRUE(done(saved.raw)) << saved.raw.error;
  EXPECT_EQ(git(main_, {"show", salvage_ref(saved) + "^2:file1"}), "staged first");
  EXPECT_EQ(git(main_, {"show", salvage_ref(saved) + "^2:file2"}), "staged later");
  ASSERT_TRUE(done(release(attempt(), base_).raw));
  EXPECT_EQ(git(slot, {"status", "--porcelain"}), "");
}

TEST_F(Salvage, WhatIsStagedBesideConflictsIsSavedWithAllTheirStages) {
  const fs::path slot = prepared(attempt());
  git(slot, {"checkout", "-q", "--detach"});
  const std::string other = commit(slot, "file1", "theirs");
  git(slot, {"checkout", "-q", "-"});
  const std::string head = commit(slot, "file1", "ours");
  EXPECT_NE(try_git(slot, {"merge", other}), 0);
  write(slot / "file2", "staged");
  git(slot, {"add", "file2"});
  write(slot / "file2", "and changed again");
  const auto saved = salvage(attempt());
  ASSERT_TRUE(done(saved.raw)) << saved.raw.error;
  const std::string staged = salvage_ref(saved) + "^2:";
  EXPECT_EQ(git(main_, {"show", staged + "file2"}), "staged");
  EXPECT_EQ(git(main_, {"show", staged + "file1~base"}), "line 1\nline 2\nline 3\nline 4");
  EXPECT_EQ(git(main_, {"show", staged + "file1~ours"}), "ours");
  EXPECT_EQ(git(main_, {"show", staged + "file1~theirs"}), "theirs");
  EXPECT_EQ(salvage_ref(salvage(attempt())), salvage_ref(saved)) << "once";
  ASSERT_TRUE(done(release(attempt(), head).raw));
}

// Broken where git notices it at once, or in the id of an object, which it then misses.
TEST_F(Salvage, AnIndexThatCannotBeReadIsSavedAsAFile) {
  int n = 0;
  for (const bool at_its_beginning : {true, false}) {
    const AttemptId of = attempt("T-" + std::to_string(++n));
    const fs::path slot = prepared(of);
    const fs::path index = main_ / ".git/worktrees/slot-001/index";
    write(slot / "file1", "staged");
    git(slot, {"add", "file1"});
    write(slot / "file1", "and changed again");
    std::string bytes = read(index);
    const std::size_t id_before_flags_and_name = bytes.find("file3") - 22;
    char& broken = bytes[at_its_beginning ? 7 : id_before_flags_and_name];
    broken = static_cast<char>(broken ^ 0x40);
    write(index, bytes);
    fs::last_write_time(index,
                        fs::last_write_time(index) + std::chrono::hours(1));  // no entry is looked into
    const auto saved = salvage(of);
    ASSERT_TRUE(done(saved.raw)) << saved.raw.error;
    EXPECT_EQ(git(main_, {"show", salvage_ref(saved) + ":file1"}), "and changed again");
    EXPECT_EQ(git(main_, {"show", salvage_ref(saved) + ":file3"}), "line 1\nline 2\nline 3\nline 4");
    write(root_ / "again", bytes);
    EXPECT_EQ(git(main_, {"rev-parse", salvage_ref(saved) + "^2:index"}),
              git(main_, {"hash-object", "--no-filters", (root_ / "again").string()}));
    ASSERT_TRUE(done(release(of, base_).raw));
    EXPECT_EQ(git(slot, {"status", "--porcelain"}), "");
  }
}

TEST_F(Salvage, PatchesThatWereStillToBeAppliedAreSaved) {
  const fs::path slot = prepared(attempt());
  write(
      root_ / "series",
      "From 1111111111111111111111111111111111111111 Mon Sep 17 00:00:00 2001\nFrom: A <a@b>\n"
      "Date: Mon, 1 Jan 2024 00:00:00 +0000\nSubject: [PATCH 1/2] first\n\n---\ndiff --git a/file1 b/file1\n"
      "--- a/file1\n+++ b/file1\n@@ -1,1 +1,1 @@\n-not what is there\n+x\n--\n2.39\n\n"
      "From 2222222222222222222222222222222222222222 Mon Sep 17 00:00:00 2001\nFrom: A <a@b>\n"
      "Date: Mon, 1 Jan 2024 00:00:00 +0000\nSubject: [PATCH 2/2] precious\n\n---\ndiff --git a/z b/z\n"
      "new file mode 100644\n--- /dev/null\n+++ b/z\n@@ -0,0 +1 @@\n+only here\n--\n2.39\n");
  EXPECT_NE(try_git(slot, {"am", (root_ / "series").string()}), 0);
  EXPECT_EQ(git(slot, {"status", "--porcelain"}), "");
  EXPECT_EQ(facts(attempt()).operation_in_progress, Tri::yes);
  const auto refused = release(attempt(), base_);
  EXPECT_THAT(refused.raw.error, HasSubstr("dirty: ")) << "the patches are nowhere else";
  const auto saved = salvage(attempt());
  ASSERT_TRUE(done(saved.raw)) << saved.raw.error;
  EXPECT_THAT(git(main_, {"show", salvage_ref(saved) + "^2:0002"}), HasSubstr("only here"));
  ASSERT_TRUE(done(release(attempt(), base_).raw));
  EXPECT_EQ(facts(attempt(), 0).operation_in_progress, Tri::unknown);
}

// Settings by which git would believe a time stamp.
TEST_F(Salvage, NothingHidesBehindSettings) {
  for (const char* setting : {"core.trustctime=false", "core.checkStat=minimal", "core.ignoreStat=true",
                              "core.fsmonitor=true", "core.untrackedCache=true", "core.fileMode=false"}) {
    SCOPED_TRACE(setting);
    const std::string name = setting;
    const auto equals = name.find('=');
    const AttemptId of = attempt("T-" + std::to_string(name.size()) + name.substr(5, 2));
    const fs::path slot = prepared(of);
    git(main_, {"config", name.substr(0, equals), name.substr(equals + 1)});
    git(slot, {"update-index", "--refresh"});
    const auto indexed = main_ / ".git/worktrees/slot-001/index";
    // Older than the index, so that nobody looks again because of the time.
    const auto before = fs::last_write_time(slot / "file1") - std::chrono::hours(1);
    fs::last_write_time(slot / "file1", before);
    git(slot, {"update-index", "--refresh"});
    // In another second: git as it is packaged knows no finer times.
    const auto later = fs::last_write_time(indexed) + std::chrono::milliseconds(1100);
    while (fs::file_time_type::clock::now() < later) std::this_thread::yield();
    write(slot / "file1", "LINE 1\nline 2\nline 3\nline 4\n");
    fs::last_write_time(slot / "file1", before);
    const auto saved = salvage(of);
    ASSERT_TRUE(done(saved.raw)) << saved.raw.error;
    ASSERT_FALSE(saved.value.refs.empty());
    EXPECT_EQ(git(main_, {"show", salvage_ref(saved) + ":file1"}), "LINE 1\nline 2\nline 3\nline 4");
    EXPECT_EQ(facts(of).uncommitted, Tri::yes);
    ASSERT_TRUE(done(release(of, base_).raw));
    git(main_, {"config", "--unset", name.substr(0, equals)});
  }
}

// Deeper than a path can be long.
TEST_F(Salvage, ANameThatIsTooLongIsToldNotLost) {
  const fs::path slot = prepared(attempt());
  int at = ::open(slot.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const std::string folder(200, 'd');
  for (int n = 0; n < 25; ++n) {
    ASSERT_EQ(::mkdirat(at, folder.c_str(), 0700), 0);
    const int deeper = ::openat(at, folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ASSERT_GE(deeper, 0);
    ::close(at);
    at = deeper;
  }
  const int file = ::openat(at, "file", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  EXPECT_EQ(::write(file, "lost", 4), 4);
  ::close(file);
  ::close(at);
  write(slot / "other", "saved all the same");
  const auto saved = salvage(attempt());
  EXPECT_EQ(saved.raw.transport, Transport::answered);
  EXPECT_EQ(saved.raw.code, 1) << saved.raw.error;
  EXPECT_THAT(saved.raw.error, HasSubstr("could not be saved"));
  EXPECT_EQ(git(main_, {"show", salvage_ref(saved) + ":other"}), "saved all the same");
  EXPECT_THAT(release(attempt(), base_).raw.error, HasSubstr("dirty: "));
}

}  // namespace
}  // namespace holdfast
