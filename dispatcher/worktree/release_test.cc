// Release: a slot is given back only when nothing in it would be lost, and then nothing of it reaches the
// next worker.

#include <signal.h>
#include <unistd.h>

#include "dispatcher/core/names.h"
#include "dispatcher/system/spawned_process.h"
#include "dispatcher/worktree/salvage_kit.h"

namespace holdfast {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class ReleaseOfASlot : public SalvageKit {};

// Ignored files are kept for the next worker; where the next commit has a file of that name they are set
// aside.
TEST_F(ReleaseOfASlot, AnIgnoredFileInTheWayOfACommitIsSetAside) {
  commit(main_, ".gitignore", "build/\n");
  const fs::path slot = prepared(attempt());
  const std::string head = commit(slot, "file1", "work");
  fs::create_directories(slot / "build");
  write(slot / "build/out", "PRECIOUS");
  write(slot / "build/other", "kept or set aside");
  write(main_ / ".gitignore", "build/\n");
  fs::create_directories(main_ / "build");
  write(main_ / "build/out", "now tracked");
  git(main_, {"add", "-f", "build/out"});
  git(main_, {"commit", "-q", "-m", "track it"});
  ASSERT_TRUE(done(worktrees().pin(branch_order(attempt()), soon).raw));
  const auto back = release(attempt(), head);
  ASSERT_TRUE(done(back.raw)) << back.raw.error;
  EXPECT_EQ(read(slot / "build/out"), "now tracked");
  bool found = false;
  for (const auto& entry : fs::recursive_directory_iterator(state_ / "quarantine"))
    found = found || (entry.is_regular_file() && read(entry.path()) == "PRECIOUS");
  EXPECT_TRUE(found) << "overwritten without a word";
}

// Flagged, and with nothing behind the flag: the next worker's changes must not hide there.
TEST_F(ReleaseOfASlot, IndexFlagsDoNotReachTheNextWorker) {
  const fs::path slot = prepared(attempt());
  git(slot, {"update-index", "--assume-unchanged", "file1"});
  git(slot, {"update-index", "--skip-worktree", "file2"});
  const auto back = release(attempt(), base_);
  ASSERT_TRUE(done(back.raw)) << back.raw.error;
  EXPECT_THAT(git(slot, {"ls-files", "-v"}), AllOf(HasSubstr("H file1"), HasSubstr("H file2")));
}

TEST_F(ReleaseOfASlot, AReplacedDotGitIsSavedAndPutRight) {
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

TEST_F(ReleaseOfASlot, RefusesWhatNoSalvageHas) {
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

TEST_F(ReleaseOfASlot, ChecksHeadAndLeaseAndCanBeRepeated) {
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

TEST_F(ReleaseOfASlot, IgnoredFilesAreSetAsideWhereThatIsChosen) {
  WorktreeOptions options;
  options.ignored = IgnoredFiles::set_aside;
  worktrees(options);
  const fs::path slot = prepared(attempt());
  write(slot / "build/secret", "s");
  ASSERT_TRUE(done(release(attempt(), base_).raw));
  EXPECT_FALSE(fs::exists(slot / "build"));
  EXPECT_EQ(read(state_ / "quarantine/slot-001.ignored.1/build/secret"), "s");
}

TEST_F(ReleaseOfASlot, AWorkerThatRemovedItsWorktreeCostsNoSlot) {
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

TEST_F(ReleaseOfASlot, AFolderLostBetweenSalvageAndReleaseIsMadeAgain) {
  const fs::path slot = prepared(attempt());
  ASSERT_TRUE(done(salvage(attempt()).raw));
  fs::remove_all(slot);
  ASSERT_TRUE(done(release(attempt(), base_).raw));
  EXPECT_EQ(git(slot, {"status", "--porcelain"}), "");
}

TEST_F(ReleaseOfASlot, ASlotWhoseFolderCannotBeSeenIsToldNotGuessed) {
  const fs::path slot = prepared(attempt());
  fs::rename(state_ / "pool", state_ / "elsewhere");  // a disk that is not mounted
  const auto saved = salvage(attempt());
  EXPECT_EQ(saved.raw.code, 1);
  EXPECT_THAT(saved.raw.error, HasSubstr("missing: "));
  EXPECT_FALSE(fs::exists(slot));
}

// Its slot had been lost to the pool, with an advice that could not be followed.
TEST_F(ReleaseOfASlot, AWorkerThatRemovedItsGitFileCostsNoSlot) {
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

// A folder of ignored files, or one with ignored files in it, where the next commit has a file: git would
// delete them without a word.
TEST_F(ReleaseOfASlot, IgnoredFilesInAFolderInTheWayOfAFileAreSetAside) {
  commit(main_, "tool/source", "s");
  base_ = tip("HEAD");
  const fs::path slot = prepared(attempt());
  const std::string head = commit(slot, "file1", "work");
  write(slot / "tool/cache.o", "PRECIOUS");
  git(main_, {"rm", "-q", "-r", "tool"});
  commit(main_, "tool", "a file now");
  ASSERT_TRUE(done(worktrees().pin(branch_order(attempt()), soon).raw));
  const auto back = release(attempt(), head);
  ASSERT_TRUE(done(back.raw)) << back.raw.error;
  EXPECT_EQ(read(slot / "tool"), "a file now");
  EXPECT_EQ(read(state_ / "quarantine/slot-001.ignored.1/tool/cache.o"), "PRECIOUS");
}

TEST_F(ReleaseOfASlot, AnIgnoredFileInTheWayOfASubmoduleIsSetAside) {
  const fs::path slot = prepared(attempt());
  const std::string head = commit(slot, "file1", "work");
  write(slot / "lib.o", "PRECIOUS");
  git(root_, {"init", "-q", "-b", "main", "other"});
  commit(root_ / "other", "inside", "one");
  git(main_, {"-c", "protocol.file.allow=always", "submodule", "add", "-q", "-f", (root_ / "other").string(),
              "lib.o"});
  git(main_, {"commit", "-q", "-m", "with a submodule"});
  const auto back = release(attempt(), head);
  ASSERT_TRUE(done(back.raw)) << back.raw.error;
  EXPECT_EQ(read(state_ / "quarantine/slot-001.ignored.1/lib.o"), "PRECIOUS");
}

// A slot is handed on only when it is idle.
TEST_F(ReleaseOfASlot, WaitsForWhoeverStandsInIt) {
  const fs::path slot = prepared(attempt());
  fs::create_directories(slot / "build/deep");
  const auto person = spawn_process({{"sleep", "1000"}, (slot / "build/deep").string(), {}, -1, -1, -1, -1});
  ASSERT_EQ(person.error, 0);
  const auto busy = release(attempt(), base_);
  EXPECT_EQ(busy.raw.transport, Transport::never_sent);
  EXPECT_THAT(busy.raw.error,
              HasSubstr("busy: process " + std::to_string(person.pid) + " (sleep) stands in slot-001"));
  // The worker's own second call for its slot is not refused because the worker is there.
  EXPECT_TRUE(done(worktrees().prepare(prepare_order(attempt()), soon).raw));
  ::kill(person.pid, SIGKILL);
  int status = 0;
  ASSERT_TRUE(reap_within(person.pid, 60'000, status));
  ASSERT_TRUE(done(release(attempt(), base_).raw));
  const auto another = spawn_process({{"sleep", "1000"}, slot.string(), {}, -1, -1, -1, -1});
  const auto refused = worktrees().prepare(prepare_order(attempt("T-2")), soon);
  EXPECT_EQ(refused.raw.transport, Transport::never_sent);
  EXPECT_THAT(refused.raw.error, HasSubstr("busy: process "));
  ::kill(another.pid, SIGKILL);
  ASSERT_TRUE(reap_within(another.pid, 60'000, status));
  EXPECT_TRUE(done(worktrees().prepare(prepare_order(attempt("T-2")), soon).raw));
}

// The branch that its worker made and never committed to had cost the slot.
TEST_F(ReleaseOfASlot, ABranchWithoutACommitCostsNoSlot) {
  const fs::path slot = prepared(attempt());
  git(slot, {"checkout", "-q", "--orphan", "nothing-yet"});
  ASSERT_TRUE(done(salvage(attempt()).raw));
  const BranchFacts seen = facts(attempt());
  ASSERT_TRUE(seen.head.empty());
  const auto given = release(attempt(), seen.tip.value);  // as the dispatcher asks for it
  ASSERT_TRUE(done(given.raw)) << given.raw.error;
  EXPECT_EQ(git(slot, {"rev-parse", "HEAD"}), base_);
}

class ASlotReplacedByALink : public SalvageKit {};

// It leads into a neighbour's worktree: what lies there is the neighbour's.
TEST_F(ASlotReplacedByALink, IsNeverFollowed) {
  const fs::path one = prepared(attempt("T-1"), 1);
  const fs::path two = prepared(attempt("T-2"), 2);
  const std::string head = commit(one, "mine", "committed");
  write(two / "file1", "the neighbour's work");
  write(two / "new", "the neighbour's too");
  fs::rename(one, root_ / "moved");
  fs::create_directory_symlink(two, one);
  EXPECT_THAT(facts(attempt("T-1"), 1).note, HasSubstr("was uncommitted in it is lost"));
  EXPECT_EQ(worktrees().look_at_pool(soon).value.at(0).registered, Tri::no);
  EXPECT_FALSE(done(worktrees().prepare(prepare_order(attempt("T-1"), 1), soon).raw));
  const auto saved = salvage(attempt("T-1"), 1);
  ASSERT_TRUE(done(saved.raw)) << saved.raw.error;
  EXPECT_EQ(salvage_ref(saved), "");
  const auto given = release(attempt("T-1"), head, 1);
  ASSERT_TRUE(done(given.raw)) << given.raw.error;
  EXPECT_FALSE(fs::is_symlink(one));
  EXPECT_EQ(git(one, {"rev-parse", "HEAD"}), base_);
  EXPECT_EQ(read(two / "file1"), "the neighbour's work");
  EXPECT_EQ(read(two / "new"), "the neighbour's too");
  EXPECT_TRUE(fs::is_symlink(state_ / "quarantine/slot-001.link.1/slot-001"));
  // A free one is put right by the pool.
  fs::remove_all(one);
  fs::create_directory_symlink(two, one);
  ASSERT_TRUE(done(worktrees().ensure_pool(2, "refs/heads/main", soon).raw));
  EXPECT_FALSE(fs::is_symlink(one));
  EXPECT_EQ(git(one, {"status", "--porcelain"}), "");
  EXPECT_EQ(read(two / "new"), "the neighbour's too");
}

}  // namespace
}  // namespace holdfast
