// Records, Processes and news without a runner; with one, see dispatcher/runner.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <thread>

#include "dispatcher/system/clocks.h"
#include "dispatcher/system/file_records.h"
#include "dispatcher/system/linux_processes.h"
#include "dispatcher/system/process_identity.h"
#include "dispatcher/system/record_news.h"
#include "dispatcher/system/spawned_process.h"

namespace holdfast {
namespace {

namespace fs = std::filesystem;

class AttemptsTest : public testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/hf-attempts-XXXXXX";
    folder = ::mkdtemp(pattern);
    records.emplace(folder + "/a");
  }
  void TearDown() override {
    for (const auto pid : children) {
      ::kill(pid, SIGKILL);
      int status = 0;
      reap_within(pid, 5000, status);
    }
    fs::remove_all(folder);
  }
  RunnerSpec spec() {
    RunnerSpec made;
    made.attempt = attempt;
    made.token = "t";
    made.argv = {"true"};
    return made;
  }
  pid_t child(std::vector<std::string> environment, const std::string& where) {
    const auto made = spawn_process({{"sleep", "1000"}, where, std::move(environment), -1, -1, -1});
    EXPECT_EQ(made.error, 0);
    children.push_back(made.pid);
    return made.pid;
  }

  // A scan is not complete while a process of anybody's is in the middle of its exec: then it is made again.
  ProcessSighting found(const Containment& containment) {
    const Deadline deadline{seconds(60)};
    while (true) {
      auto sight = processes.look(containment, true).value;
      if (sight.descendants != Presence::unknown || deadline.passed()) return sight;
    }
  }

  const AttemptId attempt{{"T-1"}, {2}};
  std::string folder;
  std::optional<FileRecords> records;
  std::vector<pid_t> children;
  LinuxProcesses processes;
};

TEST_F(AttemptsTest, WithoutAFolderThereIsNothingToRead) {
  EXPECT_EQ(records->read(attempt).raw.code, ENOENT);
  EXPECT_EQ(records->give_go(attempt).raw.code, ENOENT);
  EXPECT_EQ(records->post_message(attempt, {"m"}, "x").raw.code, ENOENT);
  EXPECT_EQ(records->read_stream(attempt, 0, 10).raw.code, ENOENT);
  EXPECT_EQ(records->read_said(attempt, 0).raw.code, ENOENT);
  EXPECT_TRUE(records->list().value.empty());
}

TEST_F(AttemptsTest, ASpecCanBeWrittenAgainUntilItIsDecided) {
  EXPECT_EQ(records->write_spec(spec()).raw.code, 0);
  EXPECT_EQ(records->write_spec(spec()).raw.code, 0);
  EXPECT_EQ(records->read(attempt).value.decision, Decision::none);
  EXPECT_EQ(records->list().value, std::vector<AttemptId>{attempt});
  EXPECT_EQ(records->seal(attempt, "why").value, SealAnswer::sealed);
  EXPECT_EQ(records->seal(attempt, "again").value, SealAnswer::sealed);
  EXPECT_EQ(records->write_spec(spec()).raw.code, EEXIST);
  EXPECT_EQ(records->read(attempt).value.decision, Decision::sealed);
  EXPECT_EQ(records->post_message(attempt, {"m"}, "x").raw.code, ESRCH);
  auto bad = spec();
  bad.argv = {};
  EXPECT_EQ(records->write_spec(bad).raw.code, EINVAL);
}

TEST_F(AttemptsTest, ASealNeedsNoSpec) {
  EXPECT_EQ(records->seal(attempt, "why").value, SealAnswer::sealed);
  EXPECT_EQ(records->read(attempt).value.decision, Decision::sealed);
}

TEST_F(AttemptsTest, GarbageIsUnreadableAndNotNothing) {
  records->write_spec(spec());
  std::ofstream{records->folder_of(attempt) + "/decision"} << "garbage";
  EXPECT_EQ(records->read(attempt).value.decision, Decision::unreadable);
  EXPECT_EQ(records->seal(attempt, "why").raw.code, EBADMSG);
}

TEST_F(AttemptsTest, GoIsIdempotent) {
  records->write_spec(spec());
  EXPECT_EQ(records->give_go(attempt).raw.code, 0);
  EXPECT_EQ(records->give_go(attempt).raw.code, 0);
}

TEST_F(AttemptsTest, SaidGivesCompleteLines) {
  records->write_spec(spec());
  EXPECT_EQ(records->read_said(attempt, 0).value, "");
  std::ofstream{records->folder_of(attempt) + "/said"} << "DONE: a\nREVIEW: b\nhalf";
  EXPECT_EQ(records->read_said(attempt, 0).value, "DONE: a\nREVIEW: b\n");
  EXPECT_EQ(records->read_said(attempt, 8).value, "REVIEW: b\n");
  EXPECT_EQ(records->read_said(attempt, 18).value, "");
}

TEST_F(AttemptsTest, AFullDiskIsSaid) {
  const auto disk = folder + "/disk";
  fs::create_directory(disk);
  if (::mount("none", disk.c_str(), "tmpfs", 0, "size=16k,nr_inodes=100") != 0) {
    GTEST_SKIP() << "a small disk needs the right to mount";
  }
  FileRecords small{disk};
  auto large = spec();
  large.argv.push_back(std::string(60 << 10, 'x'));
  EXPECT_EQ(small.write_spec(large).raw.code, ENOSPC);
  EXPECT_EQ(small.read(attempt).value.decision, Decision::none);
  ::umount2(disk.c_str(), MNT_DETACH);
}

TEST_F(AttemptsTest, NewsNameTheAttemptOnce) {
  records->write_spec(spec());
  RecordNews news{folder + "/a"};
  ASSERT_EQ(news.watch(attempt), 0);
  ASSERT_EQ(news.watch(attempt), 0);
  EXPECT_TRUE(news.drain().attempts.empty());
  for (int i = 0; i < 10; ++i) std::ofstream{records->folder_of(attempt) + "/said", std::ios::app} << "x\n";
  pollfd readable{news.fd(), POLLIN, 0};
  ASSERT_EQ(::poll(&readable, 1, 60'000), 1);
  auto heard = news.drain();
  EXPECT_EQ(heard.attempts, std::vector<AttemptId>{attempt});
  EXPECT_FALSE(heard.woken);
  EXPECT_EQ(::poll(&readable, 1, 0), 0);
  std::ofstream{folder + "/a/wake"} << "x";
  ASSERT_EQ(::poll(&readable, 1, 60'000), 1);
  heard = news.drain();
  EXPECT_TRUE(heard.attempts.empty());
  EXPECT_TRUE(heard.woken);
  news.unwatch(attempt);
  std::ofstream{records->folder_of(attempt) + "/said", std::ios::app} << "x\n";
  heard = news.drain();
  EXPECT_TRUE(heard.attempts.empty());
  EXPECT_FALSE(heard.woken);
  EXPECT_EQ(news.watch({{"T-9"}, {1}}), ENOENT);
}

// Somebody's `ticket add` must not wait for the next routine because a worker printed at the same moment.
TEST_F(AttemptsTest, AWakeThatCoincidesWithRecordNewsIsToldToo) {
  records->write_spec(spec());
  RecordNews news{folder + "/a"};
  ASSERT_EQ(news.watch(attempt), 0);
  std::ofstream{records->folder_of(attempt) + "/said", std::ios::app} << "x\n";
  std::ofstream{folder + "/a/wake"} << "x";
  pollfd readable{news.fd(), POLLIN, 0};
  ASSERT_EQ(::poll(&readable, 1, 60'000), 1);
  const auto heard = news.drain();
  EXPECT_EQ(heard.attempts, std::vector<AttemptId>{attempt});
  EXPECT_TRUE(heard.woken);
}

TEST_F(AttemptsTest, AScanFindsTokenAndWorktree) {
  fs::create_directories(folder + "/w/deep");
  fs::create_directories(folder + "/w2");
  const auto runner = own_identity();  // somebody who is surely here
  Containment mine{attempt, "secret", "", runner, {}, folder + "/w"};
  EXPECT_EQ(found(mine).descendants, Presence::gone);
  child({"HOLDFAST_TOKEN=secretive"}, folder + "/w2");
  child({"XHOLDFAST_TOKEN=secret"}, "/");
  EXPECT_EQ(found(mine).descendants, Presence::gone);
  const auto inside = child({"A=1"}, folder + "/w/deep");
  auto sight = found(mine);
  EXPECT_EQ(sight.descendants, Presence::present);
  EXPECT_THAT(sight.pids, testing::Contains(inside));
  const auto marked = child({"A=1", "HOLDFAST_TOKEN=secret", "B=2"}, "/");
  // The kernel shows a new process's environment a moment after its exec.
  const Deadline shown{seconds(60)};
  do {
    sight = processes.look(mine, true).value;
  } while (std::ranges::count(sight.pids, marked) == 0 && !shown.passed());
  EXPECT_THAT(sight.pids, testing::Contains(marked));
  EXPECT_EQ(processes.look(mine, false).value.descendants, Presence::unknown);

  // Ending touches what is surely the attempt's, never who merely stands in the worktree.
  mine.runner = {};
  const auto who = identify(marked), bystander = identify(inside);
  EXPECT_EQ(processes.end_tree(mine, EndSignal::kill).raw.code, 0);
  const Deadline soon{seconds(60)};
  while (presence_of(who) != Presence::gone && !soon.passed()) ::poll(nullptr, 0, 5);
  EXPECT_EQ(presence_of(who), Presence::gone);
  EXPECT_EQ(presence_of(bystander), Presence::present);
}

TEST_F(AttemptsTest, AnotherBootIsDeathAndAnotherNamespaceIsUnknown) {
  auto runner = own_identity();
  runner.boot_id = "another";
  const Containment before{attempt, "secret", "/nonexistent/cgroup", runner, runner, "/"};
  auto sight = processes.look(before, true).value;
  EXPECT_EQ(sight.host, Presence::gone);
  EXPECT_EQ(sight.runner, Presence::gone);
  EXPECT_EQ(sight.cgroup, Presence::gone);
  EXPECT_EQ(sight.descendants, Presence::gone);
  runner = own_identity();
  runner.pid_namespace = "pid:[1]";
  const Containment elsewhere{attempt, "secret", "/nonexistent/cgroup", runner, runner, "/"};
  sight = processes.look(elsewhere, true).value;
  EXPECT_EQ(sight.host, Presence::present);
  EXPECT_EQ(sight.runner, Presence::unknown);
  EXPECT_EQ(sight.worker, Presence::unknown);
  EXPECT_EQ(sight.cgroup, Presence::unknown);
  EXPECT_EQ(sight.descendants, Presence::unknown);
  EXPECT_EQ(processes.end_tree(elsewhere, EndSignal::kill).raw.code, EXDEV);
}

TEST_F(AttemptsTest, ACgroupWhoseHierarchyIsNotHereIsUnknown) {
  const Containment mine{attempt, "secret", "/nonexistent/cgroup", own_identity(), {}, ""};
  EXPECT_EQ(processes.look(mine, false).value.cgroup, Presence::unknown);
}

}  // namespace
}  // namespace holdfast
