// The pool and the hot path: slots are made, repaired and prepared; nothing of a person's is touched or
// deleted.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/file.h>

#include <thread>

#include "dispatcher/core/names.h"
#include "dispatcher/system/file_lock.h"
#include "dispatcher/worktree/scratch_repository.h"

namespace holdfast {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class Prepare : public ScratchRepository {};

TEST_F(Prepare, MakesThePoolAndSwitchesASlotToTheBranch) {
  const std::string before = picture_of_main();
  const auto pool = worktrees().ensure_pool(2, "refs/heads/main", soon);
  ASSERT_TRUE(done(pool.raw)) << pool.raw.error;
  ASSERT_EQ(pool.value.size(), 2U);
  for (const SlotSighting& slot : pool.value) {
    EXPECT_EQ(slot.registered, Tri::yes);
    EXPECT_EQ(slot.clean, Tri::yes);
    EXPECT_EQ(slot.locked, Tri::no);
    EXPECT_EQ(slot.head.value, base_);
    EXPECT_TRUE(slot.branch.empty());
  }
  const auto ready = worktrees().prepare(prepare_order(attempt()), soon);
  ASSERT_TRUE(done(ready.raw)) << ready.raw.error;
  EXPECT_EQ(ready.value.base.value, base_);
  EXPECT_EQ(git(ready.value.path, {"symbolic-ref", "HEAD"}),
            "refs/heads/" + branch_name(attempt(), "Do the work").value);
  EXPECT_EQ(git(ready.value.path, {"status", "--porcelain"}), "");
  EXPECT_EQ(git(ready.value.path, {"fsck", "--connectivity-only"}), "");
  commit(ready.value.path, "new", "x");  // a worker's git agrees with what was written
  EXPECT_TRUE(picture_of_main() == before) << "the main checkout was touched";
}

TEST_F(Prepare, AnswersTheSameWhenItIsRepeated) {
  prepared(attempt());
  const auto again = worktrees().prepare(prepare_order(attempt()), soon);
  ASSERT_TRUE(done(again.raw)) << again.raw.error;
  EXPECT_EQ(again.value.base.value, base_);
  // Also when the target has moved on meanwhile.
  commit(main_, "file1", "moved\n");
  const auto later = worktrees().prepare(prepare_order(attempt()), soon);
  ASSERT_TRUE(done(later.raw)) << later.raw.error;
  EXPECT_EQ(later.value.base.value, base_);
}

TEST_F(Prepare, FinishesWhatACrashLeftBetweenBranchAndHead) {
  const fs::path slot = prepared(attempt());
  git(slot, {"checkout", "-q", "--detach"});  // as if HEAD had not been written yet
  const auto again = worktrees().prepare(prepare_order(attempt()), soon);
  ASSERT_TRUE(done(again.raw)) << again.raw.error;
  EXPECT_EQ(again.value.base.value, base_);
}

TEST_F(Prepare, MovesAFreeSlotToANewStart) {
  worktrees().ensure_pool(1, "refs/heads/main", soon);
  write(main_ / ".gitignore", "*.o\n");  // build/ is no longer ignored
  write(state_ / "pool/slot-001/build/left.over", "from an earlier build");
  git(main_, {"commit", "-q", "-a", "-m", "moved on"});
  const auto ready = worktrees().prepare(prepare_order(attempt()), soon);
  ASSERT_TRUE(done(ready.raw)) << ready.raw.error;
  EXPECT_EQ(ready.value.base.value, tip("main"));
  EXPECT_EQ(git(ready.value.path, {"status", "--porcelain"}), "");
}

TEST_F(Prepare, RefusesWhatIsNotClean) {
  struct Case {
    const char* name;
    std::function<void(const fs::path&)> spoil;
  };
  const Case cases[] = {
      {"changed", [](const fs::path& slot) { write(slot / "file1", "changed"); }},
      {"untracked", [](const fs::path& slot) { write(slot / "new file", "x"); }},
      {"staged",
       [this](const fs::path& slot) {
         write(slot / "file2", "s");
         git(slot, {"add", "file2"});
       }},
      {"other branch", [this](const fs::path& slot) { git(slot, {"checkout", "-q", "-b", "elsewhere"}); }},
      {"dot git gone", [](const fs::path& slot) { fs::remove(slot / ".git"); }},
      {"dot git replaced",
       [this](const fs::path& slot) {
         fs::remove(slot / ".git");
         git(slot, {"init", "-q"});
       }},
  };
  int n = 0;
  for (const Case& c : cases) {
    ++n;
    ASSERT_TRUE(done(worktrees().ensure_pool(n, "refs/heads/main", soon).raw));
    c.spoil(state_ / "pool" / ("slot-00" + std::to_string(n)));
    const auto reply = worktrees().prepare(prepare_order(attempt(), n), soon);
    EXPECT_EQ(reply.raw.transport, Transport::answered) << c.name;
    EXPECT_EQ(reply.raw.code, 1) << c.name;
    EXPECT_THAT(reply.raw.error, HasSubstr("dirty: ")) << c.name;
    EXPECT_NE(try_git(main_,
                      {"rev-parse", "-q", "--verify", "refs/heads/" + prepare_order(attempt()).branch.value}),
              0)
        << c.name;
  }
}

TEST_F(Prepare, NeverTakesABranchThatIsNotItsOwn) {
  worktrees().ensure_pool(1, "refs/heads/main", soon);
  git(main_, {"branch", prepare_order(attempt()).branch.value});
  for (const bool packed : {false, true}) {
    if (packed) git(main_, {"pack-refs", "--all"});
    const auto reply = worktrees().prepare(prepare_order(attempt()), soon);
    EXPECT_EQ(reply.raw.code, 128) << reply.raw.error;
    EXPECT_THAT(reply.raw.error, HasSubstr("already exists"));
  }
  // Repeating does not make it its own.
  EXPECT_EQ(worktrees().prepare(prepare_order(attempt()), soon).raw.code, 128);
}

TEST_F(Prepare, ABranchNamedLikeOurFolderIsToldInGitsWords) {
  worktrees().ensure_pool(1, "refs/heads/main", soon);
  git(main_, {"branch", "hf"});
  for (const bool packed : {false, true}) {
    if (packed) git(main_, {"pack-refs", "--all"});
    const auto reply = worktrees().prepare(prepare_order(attempt()), soon);
    EXPECT_EQ(reply.raw.transport, Transport::answered);
    EXPECT_NE(reply.raw.code, 0);
  }
}

TEST_F(Prepare, AnIndexLockIsReportedAndAnOldOneIsMovedAwayByThePool) {
  worktrees({.git = {}, .ignored = IgnoredFiles::keep, .stale_lock_age = millis(0), .fetch_every = {}})
      .ensure_pool(1, "refs/heads/main", soon);
  const fs::path lock = main_ / ".git/worktrees/slot-001/index.lock";
  write(lock, "");
  EXPECT_EQ(worktrees().look_at_pool(soon).value.at(0).locked, Tri::yes);
  const auto reply = worktrees().prepare(prepare_order(attempt()), soon);
  EXPECT_EQ(reply.raw.code, 1);
  EXPECT_THAT(reply.raw.error, HasSubstr("index.lock"));
  ASSERT_TRUE(done(worktrees().ensure_pool(1, "refs/heads/main", soon).raw));
  EXPECT_FALSE(fs::exists(lock));
  EXPECT_TRUE(done(worktrees().prepare(prepare_order(attempt()), soon).raw));
}

TEST_F(Prepare, AHeldSlotIsBusyAndNothingIsSent) {
  worktrees().ensure_pool(1, "refs/heads/main", soon);
  const auto held = try_lock((state_ / "locks/slot-001.lock").string());
  ASSERT_TRUE(held.lock.has_value());
  const auto reply = worktrees().prepare(prepare_order(attempt()), soon);
  EXPECT_EQ(reply.raw.transport, Transport::never_sent);
  EXPECT_THAT(reply.raw.error, HasSubstr("busy: "));
  EXPECT_EQ(worktrees().look_at_pool(soon).value.at(0).locked, Tri::yes);
}

TEST_F(Prepare, EightAtOnceAllSucceed) {
  ASSERT_TRUE(done(worktrees().ensure_pool(8, "refs/heads/main", soon).raw));
  std::vector<Reply<Prepared>> replies(8);
  {
    std::vector<std::jthread> threads;
    for (int n = 1; n <= 8; ++n)
      threads.emplace_back([this, n, &replies] {
        replies[static_cast<std::size_t>(n) - 1] =
            worktrees_->prepare(prepare_order(attempt("T-" + std::to_string(n)), n), soon);
      });
  }
  for (const auto& reply : replies) EXPECT_TRUE(done(reply.raw)) << reply.raw.error;
  EXPECT_EQ(worktrees().traces(soon).value.size(), 8U);
}

TEST_F(Prepare, RepairsHalfASlotWithoutDeletingAnything) {
  ASSERT_TRUE(done(worktrees().ensure_pool(3, "refs/heads/main", soon).raw));
  const fs::path pool = state_ / "pool";
  fs::remove_all(pool / "slot-001");  // registered, folder gone
  fs::rename(pool / "slot-002/.git", root_ / "kept");
  git(main_, {"worktree", "unlock", (pool / "slot-003").string()});
  fs::remove_all(pool / "slot-003");
  git(main_, {"worktree", "prune"});              // neither
  write(pool / "slot-003/precious", "not ours");  // folder, not registered
  EXPECT_EQ(worktrees().look_at_pool(soon).value.at(0).registered, Tri::no);
  const auto repaired = worktrees().ensure_pool(3, "refs/heads/main", soon);
  ASSERT_TRUE(done(repaired.raw)) << repaired.raw.error;
  EXPECT_EQ(repaired.value.at(0).clean, Tri::yes);
  EXPECT_EQ(repaired.value.at(1).clean, Tri::no);  // somebody took its .git: shown, left alone
  EXPECT_EQ(repaired.value.at(2).clean, Tri::yes);
  EXPECT_EQ(read(state_ / "quarantine/slot-003.folder.1/slot-003/precious"), "not ours");
  // Pruning by others does not take our slots.
  git(main_, {"worktree", "prune"});
  EXPECT_EQ(worktrees().look_at_pool(soon).value.size(), 3U);
}

TEST_F(Prepare, APoolSlotThatWasMadeHalfIsFinished) {
  ASSERT_TRUE(done(worktrees().ensure_pool(1, "refs/heads/main", soon).raw));
  const fs::path slot = state_ / "pool/slot-001";
  fs::remove(slot / "file3");  // as after a kill in the middle of the checkout
  write(main_ / ".git/worktrees/slot-001/index.lock", "");
  write(state_ / "making/slot-001", "being made\n");
  const auto again = worktrees().ensure_pool(1, "refs/heads/main", soon);
  ASSERT_TRUE(done(again.raw)) << again.raw.error;
  EXPECT_EQ(again.value.at(0).clean, Tri::yes);
  EXPECT_EQ(again.value.at(0).locked, Tri::no);
}

// Each holds a whole index, and nobody else would ever remove it.
TEST_F(Prepare, TemporariesOfADispatcherThatWasKilledAreRemoved) {
  worktrees();
  write(state_ / "tmp/killed/index", "i");
  write(state_ / "tmp/living/index", "i");
  const Fd living(::open((state_ / "tmp/living").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  ASSERT_EQ(::flock(living.get(), LOCK_EX | LOCK_NB), 0);
  ASSERT_TRUE(done(worktrees().ensure_pool(1, "refs/heads/main", soon).raw));
  EXPECT_FALSE(fs::exists(state_ / "tmp/killed"));
  EXPECT_TRUE(fs::exists(state_ / "tmp/living/index"));
}

TEST_F(Prepare, ABareRepositoryIsFine) {
  git(root_, {"clone", "-q", "--bare", main_.string(), (root_ / "bare.git").string()});
  GitWorktrees bare((root_ / "bare.git").string(), (root_ / "state2").string());
  ASSERT_TRUE(done(bare.ensure_pool(1, "refs/heads/main", soon).raw));
  const auto ready = bare.prepare(prepare_order(attempt()), soon);
  ASSERT_TRUE(done(ready.raw)) << ready.raw.error;
  EXPECT_EQ(ready.value.base.value, base_);
}

TEST_F(Prepare, NoHookAndNoHostileSettingRuns) {
  worktrees().ensure_pool(1, "refs/heads/main", soon);
  const fs::path trap = root_ / "trap";
  write(trap, "#!/bin/sh\ntouch " + (root_ / "sprung").string() + "\n");
  fs::permissions(trap, fs::perms::all);
  for (const char* hook :
       {"post-checkout", "reference-transaction", "post-index-change", "pre-commit", "post-merge"})
    fs::copy_file(trap, main_ / ".git/hooks" / hook, fs::copy_options::overwrite_existing);
  for (const char* setting :
       {"core.fsmonitor", "core.pager", "core.editor", "core.askPass", "diff.external", "core.sshCommand"})
    git(main_, {"config", setting, trap.string()});
  fs::remove(root_ / "sprung");  // `git config` itself runs none, but be sure
  ASSERT_TRUE(done(worktrees().prepare(prepare_order(attempt()), soon).raw));
  const auto facts = worktrees().inspect(branch_order(attempt()), soon);
  ASSERT_TRUE(done(facts.raw));
  write(state_ / "pool/slot-001/new", "x");
  const auto saved = worktrees().salvage(branch_order(attempt()), soon);
  ASSERT_TRUE(done(saved.raw)) << saved.raw.code << saved.raw.error;
  ASSERT_TRUE(done(worktrees().release({{"slot-001"}, attempt()}, {base_}, "refs/heads/main", soon).raw));
  EXPECT_FALSE(fs::exists(root_ / "sprung"));
}

}  // namespace
}  // namespace holdfast
