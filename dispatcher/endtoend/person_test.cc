// A person's hand, end to end: somebody who looks over a worker's shoulder in tmux, and somebody who ends a
// worker that will not die.
#include <gtest/gtest.h>
#include <pty.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "dispatcher/endtoend/stage.h"
#include "dispatcher/system/process_identity.h"

namespace holdfast::stage {
namespace {

const std::vector<std::string> nothing_wrong;

// `holdfast runtime attach` in a terminal of its own, as a person has one.
class Person {
 public:
  Person(const Stage& stage, const std::string& runtime) {
    winsize size{24, 80, 0, 0};
    const std::string program_path = program("holdfast");
    std::vector<std::string> words{program_path, "--config", stage.config(), "runtime", "attach", runtime};
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    pid_ = ::forkpty(&terminal_, nullptr, nullptr, &size);
    if (pid_ == 0) {
      ::setenv("TERM", "xterm", 1);
      ::unsetenv("TMUX");
      ::execv(argv[0], argv.data());
      ::_exit(127);
    }
  }
  ~Person() { leave(); }
  Person(const Person&) = delete;
  Person& operator=(const Person&) = delete;

  void leave() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGHUP);  // the terminal's window is closed
    ::close(terminal_);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }

 private:
  int terminal_ = -1;
  pid_t pid_ = 0;
};

// Sleeps where no signal reaches it, as in a hung disk's or network's system call: a frozen process of the
// version 1 freezer is in state D, and a SIGKILL waits until it is thawed.
class Uninterruptible {
 public:
  explicit Uninterruptible(const ProcessIdentity& process)
      : folder_("/sys/fs/cgroup/freezer/hf-test-" + std::to_string(::getpid())) {
    if (::mkdir(folder_.c_str(), 0755) != 0) return;
    std::ofstream(folder_ + "/cgroup.procs") << process.pid << "\n";
    std::ofstream(folder_ + "/freezer.state") << "FROZEN\n";
    std::string state;
    std::ifstream(folder_ + "/freezer.state") >> state;
    frozen_ = state == "FROZEN" || state == "FREEZING";
  }
  ~Uninterruptible() {
    thaw();
    ::rmdir(folder_.c_str());
  }
  Uninterruptible(const Uninterruptible&) = delete;
  Uninterruptible& operator=(const Uninterruptible&) = delete;

  [[nodiscard]] bool works() const { return frozen_; }
  void thaw() {
    if (frozen_) std::ofstream(folder_ + "/freezer.state") << "THAWED\n";
    frozen_ = false;
  }

 private:
  std::string folder_;
  bool frozen_ = false;
};

bool person_is_seen(Stage& stage, const Attempt& a) {
  return stage.tmux(a.shard, {"list-clients", "-t", "=" + a.session.value, "-F", "#{client_control_mode}"})
             .out.find('0') != std::string::npos;
}

bool is_told(Stage& stage, const std::string& id, const std::string& words) {
  return stage.attempts(id).back().attention.find(words) != std::string::npos;
}

TEST(APerson, WhoIsAttachedIsNotTypedUponAndTheMessageComesAfterwards) {
  Stage stage;
  stage.add("T-1", {"ask Which colour?", "write a.txt x", "commit Answer", "done asked"});
  stage.start();
  ASSERT_TRUE(stage.wait_for_phase("T-1", Phase::waiting)) << stage.story();
  const Attempt a = stage.attempts("T-1").back();
  Person person(stage, "T-1");
  ASSERT_TRUE(stage.wait([&] { return person_is_seen(stage, a); })) << stage.story();

  ASSERT_EQ(stage.holdfast({"ticket", "answer", "T-1", "the red one"}).code, 0);
  ASSERT_TRUE(stage.wait([&] {
    return stage.holdfast({"explain", "T-1"}).out.find("a person is attached: messages wait") !=
           std::string::npos;
  })) << stage.holdfast({"explain", "T-1"}).out;
  EXPECT_EQ(stage.journalled("T-1", "answer"), 0);
  EXPECT_EQ(stage.messages(a.id).back().state, MessageState::queued);

  person.leave();
  ASSERT_TRUE(stage.wait_for_state("T-1", BoardState::done)) << stage.story();
  EXPECT_EQ(stage.stop(SIGTERM), 0);
  EXPECT_EQ(stage.journalled("T-1", "answer the red one"), 1);
  EXPECT_EQ(stage.attempts("T-1").size(), 1U);
  EXPECT_EQ(audit_settled(stage), nothing_wrong) << stage.story();
}

TEST(APerson, WhoIsAttachedKeepsAFinishedSessionUntilTheyLeave) {
  Stage stage;
  stage.add("T-1", {"write a.txt x", "commit Add", "wait go", "done it", "hang"});
  stage.start();
  ASSERT_TRUE(stage.wait_for_phase("T-1", Phase::running)) << stage.story();
  const Attempt a = stage.attempts("T-1").back();
  Person person(stage, "T-1");
  ASSERT_TRUE(stage.wait([&] { return person_is_seen(stage, a); })) << stage.story();
  std::ofstream(a.worktree + "/go") << "";
  ASSERT_TRUE(stage.wait([&] { return is_told(stage, "T-1", "it is ended after they detach"); }))
      << stage.story();
  EXPECT_EQ(presence_of(stage.record(a.id).worker), Presence::present);
  EXPECT_EQ(stage.tmux(a.shard, {"has-session", "-t", "=" + a.session.value}).code, 0);
  EXPECT_TRUE(stage.attempts("T-1").back().open());

  person.leave();
  ASSERT_TRUE(stage.wait_for_state("T-1", BoardState::in_review)) << stage.story();
  ASSERT_TRUE(stage.wait([&] { return stage.attempts("T-1").back().settled; })) << stage.story();
  EXPECT_EQ(stage.stop(SIGTERM), 0);
  EXPECT_EQ(audit_settled(stage), nothing_wrong) << stage.story();
}

// What somebody asks for by name is done, person or not, after a notice.
TEST(APerson, WhoIsAttachedDoesNotKeepACancelledOne) {
  Stage stage;
  stage.add("T-1", {"hang"});
  stage.start();
  ASSERT_TRUE(stage.wait_for_phase("T-1", Phase::running)) << stage.story();
  const Attempt a = stage.attempts("T-1").back();
  Person person(stage, "T-1");
  ASSERT_TRUE(stage.wait([&] { return person_is_seen(stage, a); })) << stage.story();
  ASSERT_EQ(stage.holdfast({"ticket", "cancel", "T-1"}).code, 0);
  ASSERT_TRUE(stage.wait_for_state("T-1", BoardState::cancelled)) << stage.story();
  EXPECT_EQ(presence_of(stage.record(a.id).worker), Presence::gone);
  EXPECT_EQ(stage.stop(SIGTERM), 0);
}

// Killed and not gone: it keeps its lease and its runtime, a person is told, and the reopened ticket waits.
TEST(APerson, WhoCancelsAWorkerInUninterruptibleSleepIsToldAndNothingIsGivenAway) {
  Stage stage;
  stage.add("T-1", {"@1 hang", "write a.txt x", "commit Add", "done second"});
  stage.start();
  ASSERT_TRUE(stage.wait_for_phase("T-1", Phase::running)) << stage.story();
  const Attempt a = stage.attempts("T-1").back();
  const ProcessIdentity worker = stage.record(a.id).worker;
  Uninterruptible sleep(worker);
  if (!sleep.works()) GTEST_SKIP() << "no freezer of cgroup version 1 here";

  ASSERT_EQ(stage.holdfast({"ticket", "cancel", "T-1"}).code, 0);
  ASSERT_TRUE(stage.wait([&] { return is_told(stage, "T-1", "it does not die"); })) << stage.story();
  EXPECT_EQ(presence_of(worker), Presence::present);
  EXPECT_TRUE(stage.attempts("T-1").back().open());
  EXPECT_FALSE(stage.attempts("T-1").back().slot.empty());
  EXPECT_NE(stage.holdfast({"pool", "status"}).out.find("T-1"), std::string::npos);
  EXPECT_NE(stage.holdfast({"explain", "T-1"}).out.find("it does not die"), std::string::npos);

  sleep.thaw();
  ASSERT_TRUE(stage.wait_for_state("T-1", BoardState::cancelled)) << stage.story();
  ASSERT_TRUE(stage.wait([&] { return stage.attempts("T-1").back().settled; })) << stage.story();
  EXPECT_EQ(stage.attempts("T-1").size(), 1U);
  EXPECT_EQ(stage.holdfast({"ticket", "move", "T-1", "todo"}).code, 0);
  ASSERT_TRUE(stage.wait_for_state("T-1", BoardState::done)) << stage.story();
  EXPECT_EQ(stage.stop(SIGTERM), 0);
  EXPECT_EQ(stage.attempts("T-1").size(), 2U);
  EXPECT_EQ(audit_settled(stage), nothing_wrong) << stage.story();
}

TEST(APerson, WhoReopensATicketWhoseWorkerWillNotDieWaitsForIt) {
  Stage stage;
  stage.add("T-1", {"@1 hang", "write a.txt x", "commit Add", "done second"});
  stage.start();
  ASSERT_TRUE(stage.wait_for_phase("T-1", Phase::running)) << stage.story();
  const ProcessIdentity worker = stage.record(stage.attempts("T-1").back().id).worker;
  Uninterruptible sleep(worker);
  if (!sleep.works()) GTEST_SKIP() << "no freezer of cgroup version 1 here";
  ASSERT_EQ(stage.holdfast({"runtime", "stop", "T-1"}).code, 0);
  ASSERT_TRUE(stage.wait([&] { return is_told(stage, "T-1", "it does not die"); })) << stage.story();
  // The built-in board knows better than to offer it again; a person who insists changes nothing for it.
  stage.holdfast({"ticket", "retry", "T-1"});
  EXPECT_FALSE(stage.sql("UPDATE tickets SET state = 'todo' WHERE id = 'T-1'").empty())
      << "the ledger's trigger lets a live runtime's ticket go back to todo";
  EXPECT_EQ(stage.attempts("T-1").size(), 1U);
  EXPECT_TRUE(stage.attempts("T-1").back().open());
  EXPECT_NE(stage.ticket("T-1").state, BoardState::todo);

  sleep.thaw();
  ASSERT_TRUE(stage.wait([&] { return stage.attempts("T-1").front().settled; })) << stage.story();
  EXPECT_EQ(stage.stop(SIGTERM), 0);
  EXPECT_EQ(audit(stage), nothing_wrong) << stage.story();
}

// What its screen asks, a person is told, once.
TEST(APerson, IsToldWhenAWorkerAsksForAPermission) {
  Stage stage({.profile_extra = ", \"permission_patterns\": [\"Do you want to proceed?\"]"});
  stage.add("T-1",
            {"say Do you want to proceed? (y/n)", "wait go", "write a.txt x", "commit Add", "done it"});
  stage.start();
  ASSERT_TRUE(stage.wait([&] {
    return !stage.attempts("T-1").empty() && is_told(stage, "T-1", "it waits for a permission: Do you want");
  })) << stage.story();
  EXPECT_EQ(stage.attempts("T-1").back().phase, Phase::running);
  std::ofstream(stage.attempts("T-1").back().worktree + "/go") << "";
  ASSERT_TRUE(stage.wait_for_state("T-1", BoardState::done)) << stage.story();
  EXPECT_EQ(stage.stop(SIGTERM), 0);
}

TEST(APerson, IsToldWhenAWorkerIsSilentForLong) {
  Stage stage({.profile_extra = ", \"quiet_after\": \"1s\""});
  stage.add("T-1", {"wait go", "write a.txt x", "commit Add", "done it"});
  stage.start();
  ASSERT_TRUE(stage.wait([&] {
    return !stage.attempts("T-1").empty() && is_told(stage, "T-1", "no output for");
  })) << stage.story();
  std::ofstream(stage.attempts("T-1").back().worktree + "/go") << "";
  ASSERT_TRUE(stage.wait_for_state("T-1", BoardState::done)) << stage.story();
  EXPECT_EQ(stage.stop(SIGTERM), 0);
}

}  // namespace
}  // namespace holdfast::stage
