// The dispatcher's lock: one holder, named to the second one, free with its owner's death.
#include "dispatcher/ledger/dispatcher_lock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "dispatcher/ledger/temp_folder.h"

namespace holdfast {
namespace {

TEST(DispatcherLock, TheSecondHolderIsToldWhoTheFirstIs) {
  const TempFolder folder;
  const auto first = lock_dispatcher(folder.path());
  ASSERT_TRUE(first) << first.error().words;
  const auto second = lock_dispatcher(folder.path());
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().words, testing::HasSubstr("pid " + std::to_string(::getpid()) + " on "));
  EXPECT_THAT(second.error().words, testing::HasSubstr(folder.path().string()));
}

TEST(DispatcherLock, IsFreeWhenItsHolderIsGone) {
  const TempFolder folder;
  {
    ASSERT_TRUE(lock_dispatcher(folder.path()));
  }
  EXPECT_TRUE(lock_dispatcher(folder.path()));
}

TEST(DispatcherLock, WhoeverAsksTakesNothingAndWritesNothing) {
  const TempFolder folder;
  EXPECT_EQ(dispatcher_runs(folder.path()), DispatcherRuns::no);
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "dispatcher.lock"));
  {
    const auto held = lock_dispatcher(folder.path());
    ASSERT_TRUE(held);
    EXPECT_EQ(dispatcher_runs(folder.path()), DispatcherRuns::yes);
  }
  EXPECT_EQ(dispatcher_runs(folder.path()), DispatcherRuns::no);
  std::filesystem::remove(folder.path() / "dispatcher.lock");
  std::filesystem::create_symlink("loop", folder.path() / "dispatcher.lock");
  EXPECT_EQ(dispatcher_runs(folder.path()), DispatcherRuns::unknown);
}

TEST(DispatcherLock, DiesWithAKilledOwnerAndItsFileMeansNothing) {
  const TempFolder folder;
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t owner = ::fork();
  if (owner == 0) {
    const auto lock = lock_dispatcher(folder.path());
    const char word = lock ? 'y' : 'n';
    if (::write(ends[1], &word, 1) == 1) ::pause();
    ::_exit(0);
  }
  char word = 0;
  ASSERT_EQ(::read(ends[0], &word, 1), 1);
  EXPECT_EQ(word, 'y');
  const auto refused = lock_dispatcher(folder.path());
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().words, testing::HasSubstr("pid " + std::to_string(owner)));
  ::kill(owner, SIGKILL);
  ::waitpid(owner, nullptr, 0);
  EXPECT_TRUE(lock_dispatcher(folder.path()));
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST(DispatcherLock, AHostileFileIsNotQuoted) {
  const TempFolder folder;
  const auto first = lock_dispatcher(folder.path());
  std::ofstream(folder / "dispatcher.lock") << "\033[2Jrm -rf /\n";
  const auto second = lock_dispatcher(folder.path());
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().words, testing::HasSubstr("has not said who it is"));
}

TEST(DispatcherLock, AMissingFolderIsNamed) {
  const TempFolder folder;
  const auto lock = lock_dispatcher(folder / "none");
  ASSERT_FALSE(lock);
  EXPECT_THAT(lock.error().words, testing::HasSubstr("none/dispatcher.lock"));
}

}  // namespace
}  // namespace holdfast
