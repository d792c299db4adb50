// The incident and its relatives, end to end: shipped programs, real tmux, git, processes and SQLite.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "dispatcher/core/names.h"
#include "dispatcher/core/words.h"
#include "dispatcher/endtoend/stage.h"
#include "dispatcher/system/process_identity.h"

namespace holdfast::stage {
namespace {

std::string list(const std::vector<std::string>& findings) {
  std::string all;
  for (const std::string& one : findings) all += one + "\n";
  return all;
}
#define EXPECT_CLEAN(findings, stage)                                     \
  do {                                                                    \
    const auto found = (findings);                                        \
    EXPECT_TRUE(found.empty()) << list(found) << "\n" << (stage).story(); \
  } while (false)

std::string text_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

int sessions_of(Stage& stage, const std::string& name) {
  int n = 0;
  for (int shard = 0; shard < 3; ++shard) {
    const std::string out = stage.tmux(shard, {"list-sessions", "-F", "#{session_name}"}).out;
    for (std::size_t at = out.find(name + "\n"); at != std::string::npos; at = out.find(name + "\n", at + 1))
      ++n;
  }
  return n;
}

TEST(EndToEnd, ATicketFromTodoToDone) {
  Stage stage;
  stage.add("T-1", {"write a.txt hello", "commit Add a", "done added a"});
  stage.start();
  ASSERT_TRUE(stage.wait_for_state("T-1", BoardState::done)) << stage.story();
  EXPECT_EQ(stage.stop(SIGTERM), 0);
  EXPECT_EQ(stage.attempts("T-1").size(), 1U);
  EXPECT_EQ(stage.attempts("T-1").back().cause, Cause::clean_exit);
  EXPECT_CLEAN(audit_settled(stage), stage);
}

// The founding incident, by name.
TEST(EndToEnd,
     Conflict409AfterSpawn_RuntimeRowExists_InProgress_NoFailureReason_OneSession_PromptDeliveredOnce) {
  Stage stage({.puppet_environment = {{"PUPPET_READY", "flap"}}});
  stage.add("T-1", {"write a.txt hello", "commit Add a", "done added a"});
  stage.start();
  // The product's own send port answers with the conflict.
  const auto refused = [&] {
    const auto attempts = stage.attempts("T-1");
    if (attempts.empty()) return false;
    for (const Message& m : stage.messages(attempts.back().id))
      if (m.why.find("runtime is not ready for input, status=running") != std::string::npos) return true;
    return false;
  };
  ASSERT_TRUE(stage.wait(refused)) << stage.story();
  const Attempt during = stage.attempts("T-1").back();
  EXPECT_EQ(stage.ticket("T-1").state, BoardState::in_progress);
  EXPECT_EQ(stage.attempts("T-1").size(), 1U);
  EXPECT_TRUE(during.open());
  EXPECT_EQ(during.cause, Cause::none);
  EXPECT_TRUE(during.reason.empty());
  EXPECT_EQ(sessions_of(stage, "hf-T-1-g1"), 1);
  EXPECT_EQ(stage.journalled("T-1", "prompt"), 0);

  std::ofstream(stage.yard() + "/let-go") << "go";
  ASSERT_TRUE(stage.wait_for_state("T-1", BoardState::done)) << stage.story();
  stage.stop(SIGTERM);
  EXPECT_EQ(stage.attempts("T-1").size(), 1U);
  EXPECT_EQ(stage.journalled("T-1", "prompt"), 1);
  EXPECT_EQ(stage.journalled("T-1", "start"), 1);
  EXPECT_CLEAN(audit_settled(stage), stage);
}

// tmux has made the session, and its answer is lost: nobody knows, so nobody spawns again and nobody gives
// up.
TEST(EndToEnd, ReplyLostAfterSpawn_InProgress_NoFailureReason_OneSession_PromptDeliveredOnce) {
  Stage stage;
  stage.add("T-1", {"wait go", "write a.txt hello", "commit Add a", "done added a"});
  stage.start_program({program("holdfast-dying-dispatcher"), stage.config(), "T-1", "lose-spawn"});
  ASSERT_TRUE(stage.wait_for_phase("T-1", Phase::running)) << stage.story();
  ASSERT_NE(text_of(stage.folder() + "/up.log").find("lost the answer to the spawn of hf-T-1-g1: code 0"),
            std::string::npos)
      << stage.story();
  const Attempt during = stage.attempts("T-1").back();
  EXPECT_EQ(stage.ticket("T-1").state, BoardState::in_progress);
  EXPECT_EQ(during.cause, Cause::none);
  EXPECT_TRUE(during.reason.empty());
  EXPECT_EQ(sessions_of(stage, "hf-T-1-g1"), 1);

  std::ofstream(during.worktree + "/go") << "";
  ASSERT_TRUE(stage.wait_for_state("T-1", BoardState::done)) << stage.story();
  ASSERT_TRUE(stage.wait([&] { return stage.attempts("T-1").back().settled; }));
  stage.stop(SIGKILL);
  EXPECT_EQ(stage.attempts("T-1").size(), 1U);
  EXPECT_EQ(stage.journalled("T-1", "start"), 1);
  EXPECT_EQ(stage.journalled("T-1", "prompt"), 1);
  EXPECT_CLEAN(audit_settled(stage), stage);
}

// A record from another process namespace, as of a dispatcher that was moved into a container: its pids say
// nothing here. The runtime is kept until a person says, with evidence, that nothing of it runs; and a person
// is not believed while it plainly lives.
TEST(EndToEnd, ARuntimeThatNobodyCanTellOfIsKeptUntilAPersonDeclaresItDead) {
  Stage stage;
  stage.add("T-1", {"@1 hang", "write a.txt x", "commit Add a", "done it"});
  stage.start();
  ASSERT_TRUE(stage.wait_for_phase("T-1", Phase::running)) << stage.story();
  const std::vector<std::string> declare{"runtime", "declare-dead", "T-1-g1", "--evidence",
                                         "the host was wiped"};
  const auto believed = stage.holdfast(declare);
  EXPECT_NE(believed.code, 0);
  EXPECT_NE(believed.err.find("is not in doubt: alive"), std::string::npos) << believed.err;
  EXPECT_TRUE(stage.attempts("T-1").back().open());

  EXPECT_EQ(stage.stop(SIGTERM), 0);
  const RecordSighting record = stage.record(stage.attempts("T-1").back().id);
  ASSERT_EQ(signal_exactly(record.runner, SIGKILL), 0);
  ASSERT_TRUE(stage.wait([&] { return presence_of(record.worker) == Presence::gone; }));
  for (const char* name : {"decision", "record"}) {
    const std::string path = stage.state() + "/records/T-1-g1/" + name;
    std::string text = text_of(path);
    for (std::size_t at = text.find(record.runner.pid_namespace); at != std::string::npos;
         at = text.find(record.runner.pid_namespace))
      text.replace(at, record.runner.pid_namespace.size(), "pid:[1]");
    std::ofstream(path, std::ios::binary) << text;
  }
  stage.start();
  ASSERT_TRUE(stage.wait([&] {
    return stage.holdfast({"explain", "T-1"}).out.find("unknown (") != std::string::npos;
  })) << stage.holdfast({"explain", "T-1"}).out;
  EXPECT_EQ(stage.ticket("T-1").state, BoardState::in_progress);
  EXPECT_TRUE(stage.attempts("T-1").back().open());

  const auto declared = stage.holdfast(declare);
  EXPECT_EQ(declared.code, 0) << declared.err;
  ASSERT_TRUE(stage.wait_for_state("T-1", BoardState::done)) << stage.story();
  stage.stop(SIGTERM);
  ASSERT_EQ(stage.attempts("T-1").size(), 2U);
  EXPECT_EQ(stage.attempts("T-1").front().cause, Cause::declared_dead);
  EXPECT_NE(stage.attempts("T-1").front().evidence.find("the host was wiped"), std::string::npos);
}

TEST(EndToEnd, AQuestionIsAnsweredInTheSameLiveRuntime) {
  Stage stage;
  stage.add("T-1", {"ask Which colour?", "commit Answer", "done asked"});
  stage.start();
  ASSERT_TRUE(stage.wait_for_phase("T-1", Phase::waiting)) << stage.story();
  EXPECT_EQ(stage.attempts("T-1").back().said_text, "Which colour?");
  ASSERT_TRUE(stage.wait([&] {
    return stage.holdfast({"explain", "T-1"}).out.find("it waits for an answer: Which colour?") !=
           std::string::npos;
  })) << stage.holdfast({"explain", "T-1"}).out;
  const auto ran = stage.holdfast({"ticket", "answer", "T-1", "the red one"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  ASSERT_TRUE(stage.wait_for_state("T-1", BoardState::done)) << stage.story();
  stage.stop(SIGTERM);
  EXPECT_EQ(stage.journalled("T-1", "answer the red one"), 1);
  EXPECT_EQ(stage.attempts("T-1").size(), 1U);
  EXPECT_CLEAN(audit_settled(stage), stage);
}

// A dispatcher that is started again knows which attempt a ticket in review is about.
TEST(EndToEnd, InReviewThenARestartThenLandedByAPersonIsDone) {
  Stage stage({.gate = "review"});
  stage.add("T-1", {"write a.txt x", "commit Add a", "done it"});
  stage.start();
  ASSERT_TRUE(stage.wait_for_state("T-1", BoardState::in_review)) << stage.story();
  ASSERT_TRUE(stage.wait([&] { return stage.attempts("T-1").back().settled; })) << stage.story();
  EXPECT_EQ(stage.stop(SIGTERM), 0);
  const std::string branch = stage.attempts("T-1").back().branch.value;
  ASSERT_EQ(stage.git(stage.repository(), {"push", "-q", "origin", branch + ":main"}).code, 0);
  stage.start();
  ASSERT_TRUE(stage.wait_for_state("T-1", BoardState::done)) << stage.story();
  EXPECT_EQ(stage.stop(SIGTERM), 0);
}

TEST(EndToEnd, ASigtermLeavesWorkersRunningAndARestartAdoptsThem) {
  Stage stage;
  stage.add("T-1", {"wait go", "write a.txt x", "commit Add", "done x"});
  stage.start();
  ASSERT_TRUE(stage.wait_for_phase("T-1", Phase::running)) << stage.story();
  const RecordSighting before = stage.record(stage.attempts("T-1").back().id);
  EXPECT_EQ(stage.stop(SIGTERM), 0);
  EXPECT_EQ(::kill(static_cast<pid_t>(before.worker.pid), 0), 0);
  stage.start();
  std::ofstream(stage.attempts("T-1").back().worktree + "/go") << "";
  ASSERT_TRUE(stage.wait_for_state("T-1", BoardState::done)) << stage.story();
  stage.stop(SIGTERM);
  EXPECT_EQ(stage.journalled("T-1", "start"), 1);
  EXPECT_EQ(stage.journalled("T-1", "prompt"), 1);
  EXPECT_CLEAN(audit_settled(stage), stage);
}

TEST(EndToEnd, ASecondDispatcherIsRefused) {
  Stage stage;
  stage.add("T-1", {"hang"});
  stage.start();
  ASSERT_TRUE(stage.wait_for_phase("T-1", Phase::running)) << stage.story();
  const auto second = stage.holdfast({"up"});
  EXPECT_NE(second.code, 0);
  EXPECT_NE(second.err.find(std::to_string(stage.dispatcher_pid())), std::string::npos) << second.err;
}

struct DeathCase {
  const char* name;
  std::vector<std::string> script;
  Cause cause;
  const char* evidence;
};
class Death : public testing::TestWithParam<DeathCase> {};

TEST_P(Death, IsSeenForWhatItWas) {
  const DeathCase& c = GetParam();
  Stage stage({.extra = ", \"effects_at_once\": 4"});
  stage.add("T-1", c.script);
  stage.start();
  ASSERT_TRUE(stage.wait([&] {
    const auto all = stage.attempts("T-1");
    return !all.empty() && all.front().phase == Phase::closed;
  })) << stage.story();
  const Attempt first = stage.attempts("T-1").front();
  EXPECT_EQ(first.cause, c.cause) << first.evidence << stage.story();
  EXPECT_NE(first.evidence.find(c.evidence), std::string::npos) << first.evidence;
  stage.stop(SIGTERM);
  EXPECT_CLEAN(audit(stage), stage);
}

INSTANTIATE_TEST_SUITE_P(
    Table, Death,
    testing::Values(DeathCase{"ExitCode", {"exit 3"}, Cause::exit_code, "exit code 3"},
                    DeathCase{"CleanExitWithoutDone", {"exit 0"}, Cause::clean_exit, "exit code 0"},
                    DeathCase{"SigkilledItself", {"die 9"}, Cause::signal, "signal 9"},
                    DeathCase{"Abort", {"abort"}, Cause::signal, "signal 6"},
                    DeathCase{"OomKilledInItsCgroup", {"oom"}, Cause::oom_kill, "oom_kill"},
                    DeathCase{"Exit137IsNoOom", {"exit 137"}, Cause::exit_code, "exit code 137"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(EndToEnd, TheTmuxSessionIsKilled) {
  Stage stage;
  stage.add("T-1", {"@1 hang", "write a.txt x", "commit Add", "done second try"});
  stage.start();
  ASSERT_TRUE(stage.wait_for_phase("T-1", Phase::running)) << stage.story();
  const Attempt first = stage.attempts("T-1").back();
  EXPECT_EQ(stage.tmux(first.shard, {"kill-session", "-t", "=" + first.session.value}).code, 0);
  ASSERT_TRUE(stage.wait_for_state("T-1", BoardState::done)) << stage.story();
  stage.stop(SIGTERM);
  EXPECT_EQ(stage.attempts("T-1").front().cause, Cause::session_killed) << stage.story();
  EXPECT_CLEAN(audit_settled(stage), stage);
}

TEST(EndToEnd, TheWorkerIsSigkilledFromOutside) {
  Stage stage;
  stage.add("T-1", {"@1 hang", "write a.txt x", "commit Add", "done second try"});
  stage.start();
  ASSERT_TRUE(stage.wait_for_phase("T-1", Phase::running)) << stage.story();
  ::kill(static_cast<pid_t>(stage.record(stage.attempts("T-1").back().id).worker.pid), SIGKILL);
  ASSERT_TRUE(stage.wait_for_state("T-1", BoardState::done)) << stage.story();
  stage.stop(SIGTERM);
  const Attempt first = stage.attempts("T-1").front();
  EXPECT_EQ(first.cause, Cause::signal);
  EXPECT_EQ(first.exit_code, 9);
  EXPECT_CLEAN(audit_settled(stage), stage);
}

TEST(EndToEnd, TheRunnerIsSigkilledAndNothingOfItIsLeft) {
  Stage stage;
  stage.add("T-1", {"@1 child 60000", "@1 hang", "write a.txt x", "commit Add", "done second try"});
  stage.start();
  ASSERT_TRUE(stage.wait_for_phase("T-1", Phase::running)) << stage.story();
  ::kill(static_cast<pid_t>(stage.record(stage.attempts("T-1").back().id).runner.pid), SIGKILL);
  ASSERT_TRUE(stage.wait_for_state("T-1", BoardState::done)) << stage.story();
  stage.stop(SIGTERM);
  // Only tmux can tell how the runner ended, and tmux 3.3a does not always.
  const Attempt first = stage.attempts("T-1").front();
  EXPECT_TRUE(first.cause == Cause::signal || first.cause == Cause::unknown) << first.evidence;
  EXPECT_CLEAN(audit_settled(stage), stage);
}

// A descendant that left the cgroup (as systemd-run or a login does), and a runner that died without a word:
// the cgroup is empty, and the attempt lives.
TEST(EndToEnd, TheRunnerIsSigkilledAndWhatLeftItsCgroupIsFoundAndEnded) {
  Stage stage;
  stage.add("T-1", {"@1 escape 600000", "@1 hang", "write a.txt x", "commit Add", "done second try"});
  stage.start();
  ASSERT_TRUE(stage.wait([&] {
    return stage.journalled("T-1", "escaped") + stage.journalled("T-1", "cannot") > 0;
  })) << stage.story();
  if (stage.journalled("T-1", "escaped") == 0) GTEST_SKIP() << "no cgroup can be left here";
  ASSERT_TRUE(stage.wait_for_phase("T-1", Phase::running)) << stage.story();
  ::kill(static_cast<pid_t>(stage.record(stage.attempts("T-1").back().id).runner.pid), SIGKILL);
  ASSERT_TRUE(stage.wait_for_state("T-1", BoardState::done)) << stage.story();
  stage.stop(SIGTERM);
  EXPECT_EQ(stage.journalled("T-1", "TWO-WORKERS"), 0) << "a second worker beside what was left of the first";
  EXPECT_CLEAN(audit_settled(stage), stage);
}

// What the repository's own settings hide from `git status` is saved before the worktree is given back, and
// costs no slot: the pool has only one.
TEST(EndToEnd, FilesThatOnlyTheRepositorysSettingsIgnoreCostNoSlot) {
  Stage stage({.capacity = 1, .gate = "review"});
  std::ofstream(stage.folder() + "/ignore") << "*.out\n";
  stage.git(stage.repository(), {"config", "core.excludesFile", stage.folder() + "/ignore"});
  stage.add("T-1", {"write big.out x", "done one"});
  stage.start();
  ASSERT_TRUE(stage.wait_for_state("T-1", BoardState::in_review)) << stage.story();
  stage.add("T-2", {"write a.txt x", "commit Add", "done two"});
  ASSERT_TRUE(stage.wait_for_state("T-2", BoardState::in_review)) << stage.story();
  ASSERT_TRUE(stage.wait([&] { return stage.attempts("T-2").back().settled; })) << stage.story();
  stage.stop(SIGTERM);
  EXPECT_FALSE(stage.attempts("T-1").back().salvage_refs.empty()) << stage.story();
  EXPECT_CLEAN(audit_settled(stage), stage);
}

// A git that hangs does not outlive the dispatcher, or it would hold its worktree's lock for ever.
class AGitThatHangs : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(BySignal, AGitThatHangs, testing::Values(SIGTERM, SIGKILL));

// After a SIGTERM it is ended by the dispatcher itself, after a SIGKILL by the next one.
TEST_P(AGitThatHangs, EndsWithItsDispatcherAndTheSlotIsFree) {
  Stage stage({.capacity = 1, .gate = "review"});
  stage.add("T-1", {"wait go", "done it"});
  stage.start();
  ASSERT_TRUE(stage.wait_for_phase("T-1", Phase::running)) << stage.story();
  const std::string worktree = stage.attempts("T-1").back().worktree;
  ASSERT_EQ(::mkfifo((worktree + "/.gitignore").c_str(), 0600), 0);  // git waits for somebody to write
  std::ofstream(worktree + "/go") << "";
  ASSERT_TRUE(stage.wait([&] { return stage.attempts("T-1").back().cause != Cause::none; })) << stage.story();
  const auto git_hangs = [&] {
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
      std::error_code none;
      const auto exe = std::filesystem::read_symlink(entry.path() / "exe", none);
      const auto cwd = std::filesystem::read_symlink(entry.path() / "cwd", none);
      if (!none && exe.filename() == "git" && cwd == worktree) return true;
    }
    return false;
  };
  ASSERT_TRUE(stage.wait(git_hangs)) << stage.story();
  stage.stop(GetParam());
  ::unlink((worktree + "/.gitignore").c_str());
  if (GetParam() == SIGKILL) {
    ASSERT_TRUE(git_hangs()) << "it holds the lock of its slot";
    stage.start();
  }
  EXPECT_TRUE(stage.wait([&] { return !git_hangs(); })) << "a git of the dispatcher lives on";
  if (GetParam() == SIGTERM) stage.start();
  ASSERT_TRUE(stage.wait_for_state("T-1", BoardState::in_review)) << stage.story();
  EXPECT_EQ(stage.stop(SIGTERM), 0);
}

TEST(EndToEnd, ATmuxServerIsKilledWithTenWorkersLive) {
  Stage stage({.capacity = 10, .shards = 1});
  for (int i = 0; i < 10; ++i)
    stage.add("T-" + std::to_string(i),
              {"@1 hang", "write f" + std::to_string(i) + " x", "commit Add", "done again"});
  stage.start();
  for (int i = 0; i < 10; ++i)
    ASSERT_TRUE(stage.wait_for_phase("T-" + std::to_string(i), Phase::running)) << stage.story();
  ::kill(static_cast<pid_t>(stage.tmux_server_pid(0)), SIGKILL);
  for (int i = 0; i < 10; ++i)
    ASSERT_TRUE(stage.wait_for_state("T-" + std::to_string(i), BoardState::done)) << stage.story();
  stage.stop(SIGTERM);
  for (int i = 0; i < 10; ++i) {
    const auto all = stage.attempts("T-" + std::to_string(i));
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(all.front().cause, Cause::server_lost) << all.front().evidence;
  }
  EXPECT_CLEAN(audit_settled(stage), stage);
}

TEST(EndToEnd, FinishedWhileNobodyLookedAndItsSessionIsGone) {
  Stage stage;
  stage.add("T-1", {"wait go", "write a.txt x", "commit Add", "done while you slept"});
  stage.start();
  ASSERT_TRUE(stage.wait_for_phase("T-1", Phase::running)) << stage.story();
  const Attempt a = stage.attempts("T-1").back();
  stage.stop(SIGKILL);
  std::ofstream(a.worktree + "/go") << "";
  ASSERT_TRUE(stage.wait([&] { return stage.record(a.id).end.has_value(); }));
  stage.tmux(a.shard, {"kill-session", "-t", "=" + a.session.value});
  stage.start();
  ASSERT_TRUE(stage.wait_for_state("T-1", BoardState::done)) << stage.story();
  stage.stop(SIGTERM);
  EXPECT_EQ(stage.attempts("T-1").size(), 1U);
  EXPECT_EQ(stage.attempts("T-1").back().said_text, "while you slept");
  EXPECT_CLEAN(audit_settled(stage), stage);
}

TEST(EndToEnd, CommitsWithoutADoneAreRecoveredAndUnconfirmed) {
  Stage stage;
  stage.add("T-1", {"write a.txt x", "commit Add", "die 9"});
  stage.start();
  ASSERT_TRUE(stage.wait_for_state("T-1", BoardState::in_review)) << stage.story();
  stage.stop(SIGTERM);
  EXPECT_NE(stage.ticket("T-1").reason.find("recovered, unconfirmed"), std::string::npos)
      << stage.ticket("T-1").reason;
  EXPECT_CLEAN(audit_settled(stage), stage);
}

TEST(EndToEnd, UncommittedWorkIsSalvaged) {
  Stage stage;
  stage.add("T-1", {"write a.txt precious", "exit 1"});
  stage.start();
  ASSERT_TRUE(stage.wait([&] {
    const auto all = stage.attempts("T-1");
    return !all.empty() && all.front().phase == Phase::closed;
  })) << stage.story();
  const Attempt first = stage.attempts("T-1").front();
  ASSERT_FALSE(first.salvage_refs.empty()) << stage.story();
  EXPECT_EQ(stage.git(stage.repository(), {"show", first.salvage_refs.front() + ":a.txt"}).out, "precious\n");
  stage.stop(SIGTERM);
  EXPECT_CLEAN(audit(stage), stage);
}

TEST(EndToEnd, AnEmptyPoolWaitsAndNeverUsesTheMainCheckout) {
  Stage stage({.capacity = 1});
  stage.add("T-1", {"wait go", "write a.txt x", "commit Add", "done one"});
  stage.add("T-2", {"write b.txt x", "commit Add", "done two"});
  stage.start();
  ASSERT_TRUE(stage.wait([&] { return !stage.attempts("T-1").empty() || !stage.attempts("T-2").empty(); }));
  ASSERT_TRUE(stage.wait_for_phase("T-1", Phase::running)) << stage.story();
  EXPECT_TRUE(stage.attempts("T-2").empty());
  EXPECT_EQ(stage.ticket("T-2").state, BoardState::todo);
  std::ofstream(stage.attempts("T-1").back().worktree + "/go") << "";
  ASSERT_TRUE(stage.wait_for_state("T-2", BoardState::done)) << stage.story();
  stage.stop(SIGTERM);
  EXPECT_CLEAN(audit_settled(stage), stage);
}

TEST(EndToEnd, AStrandedBranchAtDoneHoldsTheTicket) {
  Stage stage;
  stage.add("T-1", {"@1 write lost.txt x", "@1 commit Stranded", "@1 exit 1", "write a.txt x", "commit Add",
                    "done but look"});
  stage.start();
  ASSERT_TRUE(stage.wait_for_state("T-1", BoardState::in_review)) << stage.story();
  // A person sends it back: the second attempt finishes, the first one's commits are still stranded.
  EXPECT_EQ(stage.holdfast({"ticket", "move", "T-1", "todo"}).code, 0);
  ASSERT_TRUE(stage.wait([&] {
    const auto all = stage.attempts("T-1");
    return all.size() == 2 && all.back().settled;
  })) << stage.story();
  EXPECT_EQ(stage.ticket("T-1").state, BoardState::in_review) << stage.story();
  EXPECT_NE(stage.ticket("T-1").reason.find("stranded"), std::string::npos) << stage.ticket("T-1").reason;
  stage.stop(SIGTERM);
  EXPECT_CLEAN(audit_settled(stage), stage);
}

TEST(EndToEnd, ACancelIsObeyedByAWorkerThatIgnoresTerm) {
  Stage stage;
  stage.add("T-1", {"ignore-term", "write a.txt precious", "child 60000", "hang"});
  stage.start();
  ASSERT_TRUE(stage.wait_for_phase("T-1", Phase::running)) << stage.story();
  ASSERT_TRUE(stage.wait([&] {
    return !stage.git(stage.attempts("T-1").back().worktree, {"status", "--porcelain"}).out.empty();
  }));
  EXPECT_EQ(stage.holdfast({"ticket", "cancel", "T-1"}).code, 0);
  ASSERT_TRUE(stage.wait_for_state("T-1", BoardState::cancelled)) << stage.story();
  ASSERT_TRUE(stage.wait([&] { return stage.attempts("T-1").back().settled; })) << stage.story();
  stage.stop(SIGTERM);
  const Attempt a = stage.attempts("T-1").back();
  EXPECT_EQ(a.cause, Cause::stopped_by_operator) << a.evidence;
  EXPECT_FALSE(a.salvage_refs.empty());
  EXPECT_CLEAN(audit_settled(stage), stage);
}

TEST(EndToEnd, IdsThatArePrefixesOfOneAnotherNeverTouch) {
  Stage stage;
  stage.add("T-1", {"hang"});
  stage.add("T-10", {"hang"});
  stage.start();
  ASSERT_TRUE(stage.wait_for_phase("T-1", Phase::running)) << stage.story();
  ASSERT_TRUE(stage.wait_for_phase("T-10", Phase::running)) << stage.story();
  EXPECT_EQ(stage.holdfast({"ticket", "cancel", "T-1"}).code, 0);
  ASSERT_TRUE(stage.wait([&] { return stage.attempts("T-1").back().settled; })) << stage.story();
  EXPECT_EQ(stage.attempts("T-10").back().phase, Phase::running);
  EXPECT_EQ(::kill(static_cast<pid_t>(stage.record(stage.attempts("T-10").back().id).worker.pid), 0), 0);
  stage.stop(SIGTERM);
  EXPECT_CLEAN(audit(stage), stage);
}

TEST(EndToEnd, ATwoMegabytePromptInAFileArrivesWhole) {
  Stage stage({.prompt_by_file = true});
  std::vector<std::string> script;
  for (int i = 0; i < 20'000; ++i) script.push_back("# " + std::string(98, 'x'));
  script.insert(script.end(), {"write a.txt x", "commit Add", "done big"});
  stage.add("T-1", script);
  stage.start();
  ASSERT_TRUE(stage.wait_for_state("T-1", BoardState::done)) << stage.story();
  stage.stop(SIGTERM);
  EXPECT_EQ(stage.journalled("T-1", "prompt 20003"), 1);
  EXPECT_CLEAN(audit_settled(stage), stage);
}

}  // namespace
}  // namespace holdfast::stage
