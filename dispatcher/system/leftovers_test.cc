// What helpers and workers leave behind: orphans of a dispatcher that was killed, daemons, and who still
// stands in a folder.
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "dispatcher/system/clocks.h"
#include "dispatcher/system/file_lock.h"
#include "dispatcher/system/orphans.h"
#include "dispatcher/system/run_process.h"
#include "dispatcher/system/spawned_process.h"
#include "dispatcher/system/standing.h"

namespace holdfast {
namespace {

namespace fs = std::filesystem;

class Leftovers : public testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/hf-leftovers-XXXXXX";
    folder_ = fs::canonical(::mkdtemp(pattern)).string();
  }
  void TearDown() override {
    for (const pid_t pid : started_) ::kill(pid, SIGKILL);
    for (const pid_t pid : started_) {
      int status = 0;
      reap_within(pid, 5000, status);
    }
    fs::remove_all(folder_);
  }
  pid_t start(const std::vector<std::string>& argv, const std::string& where = "/",
              std::vector<std::string> environment = {}) {
    environment.push_back(std::string("PATH=") + ::getenv("PATH"));
    const auto made = spawn_process({argv, where, std::move(environment), -1, -1, -1, -1});
    EXPECT_EQ(made.error, 0);
    started_.push_back(made.pid);
    return made.pid;
  }
  // The pid that a script wrote down.
  pid_t told(const std::string& file) {
    const Deadline soon{seconds(60)};
    pid_t pid = 0;
    while (pid == 0 && !soon.passed()) {
      std::ifstream(folder_ + "/" + file) >> pid;
      if (pid == 0) ::poll(nullptr, 0, 5);
    }
    return pid;
  }

  std::string folder_;
  std::vector<pid_t> started_;
};

TEST_F(Leftovers, AnOrphanThatHangsIsEndedAndADaemonIsNot) {
  const auto marks = helper_marks(folder_);
  const pid_t hangs = start({"sleep", "1000"}, "/", marks);
  start({"sh", "-c", "setsid sleep 1000 & echo $! > " + folder_ + "/pid"}, "/", marks);
  const pid_t daemon = told("pid");
  const pid_t others = start({"sleep", "1000"}, "/", helper_marks(folder_ + "-other"));
  const Deadline soon{seconds(60)};
  while (::getsid(daemon) == ::getsid(0) && !soon.passed()) ::poll(nullptr, 0, 5);
  EXPECT_EQ(end_orphaned_helpers(folder_), 1);
  int status = 0;
  EXPECT_TRUE(reap_within(hangs, 60'000, status));
  EXPECT_EQ(::kill(daemon, SIGKILL), 0) << "it was ended";
  EXPECT_EQ(::waitpid(others, nullptr, WNOHANG), 0) << "it was ended";
}

TEST_F(Leftovers, ALockThatIsFreedWhenDroppedIsNotHeldByADaemon) {
  for (const bool somebody_works : {false, true}) {
    auto answer = try_lock(folder_ + "/lock");
    ASSERT_TRUE(answer.lock) << "held by the daemon of the round before";
    answer.lock->free_when_dropped();
    ProcessOrder order{{"sh", "-c", "sleep 1000 </dev/null >/dev/null 2>&1 & echo $!"}};
    order.lock_fd = answer.lock->fd();
    const pid_t daemon = std::stoi(run_process(order).text);
    if (somebody_works) still_at_work(answer.lock->fd());
    answer.lock.reset();
    EXPECT_EQ(try_lock(folder_ + "/lock").lock.has_value(), !somebody_works);
    EXPECT_EQ(::kill(daemon, SIGKILL), 0);
  }
}

TEST_F(Leftovers, WhoeverStandsInAFolderIsSeen) {
  fs::create_directories(folder_ + "/slot/deep/er");
  fs::create_directories(folder_ + "/slot-2");
  start({"sleep", "1000"}, folder_ + "/slot-2");
  EXPECT_FALSE(somebody_stands_in(folder_ + "/slot", {}));
  const pid_t inside = start({"sleep", "1000"}, folder_ + "/slot/deep/er");
  const auto seen = somebody_stands_in(folder_ + "/slot", {});
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->pid, inside);
  // Patience: one that goes in time is no reason.
  ::kill(inside, SIGKILL);
  EXPECT_FALSE(somebody_stands_in(folder_ + "/slot", seconds(60)));
  // One that changes its place by itself.
  start({"sh", "-c", "cd " + folder_ + "/slot && echo $$ > ../pid && exec sleep 1000"});
  const pid_t walked = told("pid");
  const auto again = somebody_stands_in(folder_ + "/slot", {});
  ASSERT_TRUE(again);
  EXPECT_EQ(again->pid, walked);
}

}  // namespace
}  // namespace holdfast
