// The runner's life: decision, go-ahead, worker, end. With real processes and terminals, without tmux.
#include <sys/mount.h>
#include <sys/wait.h>

#include "dispatcher/runner/runner_fixture.h"
#include "dispatcher/system/cgroup_members.h"
#include "dispatcher/system/left_cgroups.h"
#include "dispatcher/system/run_process.h"

namespace holdfast {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;
using RunnerTest = RunnerFixture;

TEST_F(RunnerTest, RecordsStartReadyAndExitCode) {
  run("echo \"$HOLDFAST_TICKET $HOLDFAST_GENERATION $HOLDFAST_TOKEN\"; pwd; exit 3");
  const auto end = wait_end();
  ASSERT_TRUE(end);
  EXPECT_EQ(end->exit_code, 3);
  EXPECT_FALSE(end->signal);
  EXPECT_EQ(end->reason, "");
  EXPECT_TRUE(end->tree_empty);
  const auto seen = read();
  EXPECT_EQ(seen.decision, Decision::started);
  EXPECT_EQ(seen.runner.pid, runner);
  EXPECT_EQ(seen.runner.boot_id, this_host().boot_id);
  EXPECT_TRUE(seen.worker.known());
  EXPECT_TRUE(seen.gone_ahead);
  EXPECT_TRUE(seen.worker_running);
  EXPECT_TRUE(seen.ready);
  EXPECT_TRUE(seen.started_at.set());
  EXPECT_EQ(stream(), "T-1 1 " + spec.token + "\r\n" + folder + "/worktree\r\n");
  EXPECT_EQ(seen.stream_bytes, static_cast<std::int64_t>(stream().size()));
  EXPECT_EQ(wait_runner(), 3);
  const auto sight = processes.look(containment(), true).value;
  EXPECT_EQ(sight.host, Presence::present);
  EXPECT_EQ(sight.runner, Presence::gone);
  EXPECT_EQ(sight.worker, Presence::gone);
  EXPECT_EQ(sight.descendants, Presence::gone) << sight.note;
}

TEST_F(RunnerTest, RecordsTheSignal) {
  run("kill -SEGV $$");
  const auto end = wait_end();
  ASSERT_TRUE(end);
  EXPECT_EQ(end->signal, SIGSEGV);
  EXPECT_FALSE(end->exit_code);
  EXPECT_EQ(wait_runner(), 128 + SIGSEGV);
}

TEST_F(RunnerTest, AKilledWorkerIsASignalAndNoOom) {
  run("exec sleep 1000");
  ASSERT_TRUE(wait_ready());
  ASSERT_EQ(signal_exactly(read().worker, SIGKILL), 0);
  const auto end = wait_end();
  ASSERT_TRUE(end);
  EXPECT_EQ(end->signal, SIGKILL);
  EXPECT_NE(end->oom, OomEvidence::killed);
}

TEST_F(RunnerTest, WaitsForTheGoAheadAndDoesNothingBefore) {
  shell("touch ran");
  start();
  ASSERT_TRUE(eventually([&] { return read().decision == Decision::started; }));
  EXPECT_FALSE(read().worker.known());
  EXPECT_FALSE(there("ran"));
  go();
  ASSERT_TRUE(wait_end());
  EXPECT_TRUE(there("ran"));
}

TEST_F(RunnerTest, WithoutAGoAheadItEndsItself) {
  spec.go_ahead_within = millis(100);
  shell("touch ran");
  start();
  const auto end = wait_end();
  ASSERT_TRUE(end);
  EXPECT_EQ(end->reason, "no-go-ahead");
  EXPECT_TRUE(end->tree_empty);
  EXPECT_EQ(wait_runner(), 75);
  go();
  EXPECT_FALSE(there("ran"));
}

TEST_F(RunnerTest, WhoComesSecondLoses) {
  shell("touch ran");
  ASSERT_EQ(records->seal(attempt, "never came").value, SealAnswer::sealed);
  go();
  start();
  EXPECT_EQ(wait_runner(), 75);
  EXPECT_FALSE(there("ran"));
  EXPECT_EQ(read().decision, Decision::sealed);
  EXPECT_FALSE(read().runner.known());
}

TEST_F(RunnerTest, ASealAfterTheStartSaysStarted) {
  run("exec sleep 1000");
  ASSERT_TRUE(wait_ready());
  EXPECT_EQ(records->seal(attempt, "too late").value, SealAnswer::already_started);
  EXPECT_EQ(read().decision, Decision::started);
}

TEST_F(RunnerTest, OfTwoRunnersOneRuns) {
  shell("echo x >> ran; sleep 0.2");
  start();
  const auto first = runner;
  start();
  go();
  ASSERT_TRUE(wait_end());
  wait_runner();
  runner = first;
  wait_runner();
  EXPECT_EQ(text_of("ran"), "x\n");
}

TEST_F(RunnerTest, ReapsDoubleForkedDescendants) {
  run("(setsid sh -c 'trap \"\" TERM HUP; touch child; while :; do sleep 1000; done' &) ; while ! [ -e child "
      "]; do :; done; exit 0");
  const auto end = wait_end();
  ASSERT_TRUE(end);
  EXPECT_EQ(end->exit_code, 0);
  EXPECT_TRUE(end->tree_empty);
  EXPECT_TRUE(
      eventually([&] { return processes.look(containment(), true).value.descendants == Presence::gone; }));
}

TEST_F(RunnerTest, TheLastWordsAreAllThere) {
  for (int round = 0; round < 5; ++round) {
    TearDown();
    SetUp();
    run("head -c 65536 /dev/zero | tr '\\0' x; echo; echo LAST");
    ASSERT_TRUE(wait_end());
    EXPECT_EQ(stream().size(), 65536U + 2 + 6);
    EXPECT_THAT(stream(), EndsWith("LAST\r\n"));
    wait_runner();
  }
}

TEST_F(RunnerTest, ALargeOutputKeepsItsHeadAndItsTail) {
  spec.stream_limit_bytes = 256 << 10;
  run("seq 1 200000");
  ASSERT_TRUE(wait_end());
  const auto bytes = read().stream_bytes;
  std::string expected;
  for (int i = 1; i <= 200000; ++i) expected += std::to_string(i) + "\r\n";
  ASSERT_EQ(bytes, static_cast<std::int64_t>(expected.size()));
  std::int64_t offset = 0, dropped = 0, kept = 0;
  while (offset < bytes) {
    const auto piece = records->read_stream(attempt, offset, 10'000);
    if (piece.raw.code == ENODATA) {
      const auto next = std::stoll(piece.raw.text);
      ASSERT_GT(next, offset);
      dropped += next - offset;
      offset = next;
      continue;
    }
    ASSERT_EQ(piece.raw.code, 0);
    ASSERT_FALSE(piece.value.empty());
    ASSERT_EQ(piece.value, expected.substr(static_cast<std::size_t>(offset), piece.value.size()));
    offset += static_cast<std::int64_t>(piece.value.size());
    kept += static_cast<std::int64_t>(piece.value.size());
  }
  EXPECT_GT(dropped, 0);
  EXPECT_LE(kept, spec.stream_limit_bytes);
  EXPECT_EQ(records->read_stream(attempt, bytes, 100).value, "");
}

TEST_F(RunnerTest, AMissingCommandIsAnExecFailure) {
  write_spec({"no-such-command-anywhere", "x"});
  start();
  go();
  const auto end = wait_end();
  ASSERT_TRUE(end);
  EXPECT_EQ(end->reason, "exec-failed: exec: No such file or directory");
  EXPECT_FALSE(end->exit_code);
  EXPECT_TRUE(end->tree_empty);
  EXPECT_FALSE(read().worker_running);
}

TEST_F(RunnerTest, AMissingFolderIsAnExecFailure) {
  spec.working_directory = folder + "/nowhere";
  shell("true");
  start();
  go();
  EXPECT_EQ(wait_end()->reason, "exec-failed: working directory: No such file or directory");
}

TEST_F(RunnerTest, ATooLongArgumentIsAnExecFailure) {
  write_spec({"true", std::string(200 << 10, 'x')});
  start();
  go();
  EXPECT_THAT(wait_end()->reason,
              StartsWith("exec-failed: exec: the command and its environment are too long"));
}

TEST_F(RunnerTest, AScriptWithoutAnInterpreterIsNotGivenToAShell) {
  std::ofstream{folder + "/worktree/script"} << "touch ran\n";
  std::filesystem::permissions(folder + "/worktree/script", std::filesystem::perms::all);
  write_spec({folder + "/worktree/script"});
  start();
  go();
  EXPECT_EQ(wait_end()->reason, "exec-failed: exec: Exec format error");
  EXPECT_FALSE(there("ran"));
}

TEST_F(RunnerTest, TermEndsTheWholeTreeAndSaysSo) {
  run("trap '' TERM; sh -c 'trap \"\" TERM; touch up; while :; do sleep 1000; done'");
  ASSERT_TRUE(eventually([&] { return there("up"); }));
  ASSERT_EQ(processes.end_tree(containment(), EndSignal::term).raw.code, 0);
  const auto end = wait_end();
  ASSERT_TRUE(end);
  EXPECT_EQ(end->reason, "term");
  EXPECT_EQ(end->signal, SIGKILL);
  EXPECT_TRUE(end->tree_empty);
}

TEST_F(RunnerTest, AHangupEndsTheTreeAndSaysSo) {
  shell("trap '' HUP; touch up; while :; do sleep 1000; done");
  start_in_terminal();
  go();
  ASSERT_TRUE(eventually([&] { return there("up"); }));
  ::close(terminal);
  terminal = -1;
  const auto end = wait_end();
  ASSERT_TRUE(end);
  EXPECT_EQ(end->reason, "hangup");
  EXPECT_TRUE(end->tree_empty);
}

// Giving a worktree back waits for whoever stands in it, and the runner outlives its own last record for a
// moment.
TEST_F(RunnerTest, WhenTheEndCanBeReadTheRunnerStandsInTheWorktreeNoMore) {
  shell("exit 0");
  start(spec.working_directory);
  go();
  ASSERT_TRUE(wait_end());
  std::error_code gone;
  const auto stands = std::filesystem::read_symlink("/proc/" + std::to_string(runner) + "/cwd", gone);
  EXPECT_TRUE(gone || stands == "/") << stands;
  EXPECT_EQ(wait_runner(), 0);
}

// A session that is killed in the moment in which its runner starts.
TEST_F(RunnerTest, AHangUpRightAfterTheDecisionIsRecorded) {
  for (int i = 0; i < 25; ++i) {
    std::filesystem::remove_all(records->folder_of(attempt));
    shell("sleep 1000");
    start();
    const std::string decision = records->folder_of(attempt) + "/decision";
    const Deadline deadline{seconds(60)};
    while (::access(decision.c_str(), F_OK) != 0 && !deadline.passed()) {
    }
    ASSERT_EQ(::kill(runner, SIGHUP), 0);
    wait_runner();
    const auto end = read().end;
    ASSERT_TRUE(end) << "try " << i;
    EXPECT_EQ(end->reason, "hangup");
  }
}

TEST_F(RunnerTest, ARunnerThatIsKilledTakesItsWorkerAlong) {
  run("exec sleep 1000");
  ASSERT_TRUE(wait_ready());
  const auto worker = read().worker;
  ASSERT_EQ(::kill(runner, SIGKILL), 0);
  EXPECT_TRUE(eventually([&] { return presence_of(worker) == Presence::gone; }));
  EXPECT_FALSE(read().end);
  wait_runner();
  const auto sight = processes.look(containment(), true).value;
  EXPECT_EQ(sight.runner, Presence::gone);
  EXPECT_EQ(sight.worker, Presence::gone);
}

TEST_F(RunnerTest, ADescendantThatOutlivesAKilledRunnerIsFoundAndEnded) {
  run("setsid sh -c 'trap \"\" HUP; touch up; exec sleep 1000' & while ! [ -e up ]; do :; done; exec sleep "
      "1000");
  ASSERT_TRUE(eventually([&] { return there("up"); }));
  ASSERT_EQ(::kill(runner, SIGKILL), 0);
  wait_runner();
  const auto kept = containment();
  ASSERT_TRUE(eventually([&] { return processes.look(kept, false).value.worker == Presence::gone; }));
  EXPECT_EQ(processes.look(kept, true).value.descendants, Presence::present);
  auto blind = kept;  // also where there was no cgroup
  blind.cgroup.clear();
  ASSERT_EQ(processes.end_tree(blind, EndSignal::kill).raw.code, 0);
  EXPECT_TRUE(eventually([&] { return processes.look(kept, true).value.descendants == Presence::gone; }));
  // And what the killed runner could not tidy up is tidied up.
  EXPECT_TRUE(eventually([&] {
    processes.look(kept, false);  // a process that is gone may stand in its cgroup for a moment longer
    return kept.cgroup.empty() || !std::filesystem::exists(kept.cgroup);
  }));
}

TEST_F(RunnerTest, AnOomKillIsTheCgroupsWord) {
  spec.memory_limit_bytes = 32LL << 20;
  run("head -c 200000000 /dev/zero | tail -c 200000000 > /dev/null; sleep 0.1; exit 9");
  const auto end = wait_end();
  ASSERT_TRUE(end);
  const auto ceiling = read().memory_ceiling;
  if (!ceiling.starts_with("cgroup")) GTEST_SKIP() << "no memory cgroup here: " << ceiling;
  // The kernel may kill more than one of the tree: the counter says how many.
  EXPECT_EQ(end->oom, OomEvidence::killed) << end->oom_evidence;
  EXPECT_THAT(end->oom_evidence, HasSubstr("oom_kill 0 -> "));
  EXPECT_TRUE(end->tree_empty);
  wait_runner();
  EXPECT_FALSE(std::filesystem::exists(read().cgroup));
}

// It cannot write down what happened: it stands still while the kernel ends its worker, and is killed then.
// The cgroup still knows, and is removed by whoever looks.
TEST_F(RunnerTest, AnOomKillIsKnownThoughTheRunnerDiedWithoutAWord) {
  spec.memory_limit_bytes = 32LL << 20;
  shell("touch up; while ! [ -e go ]; do :; done; head -c 200000000 /dev/zero | tail -c 200000000");
  start();
  go();
  ASSERT_TRUE(eventually([&] { return there("up"); }) && wait_ready());
  if (read().cgroup.empty()) GTEST_SKIP() << "no memory cgroup here: " << read().memory_ceiling;
  const std::string cgroup = read().cgroup;
  ASSERT_EQ(::kill(runner, SIGSTOP), 0);
  std::ofstream{folder + "/worktree/go"} << "";
  ASSERT_TRUE(eventually([&] { return oom_kills_in(cgroup).value_or(0) > 0; }));
  const Containment whole = containment();
  ASSERT_EQ(::kill(runner, SIGKILL), 0);
  wait_runner();
  EXPECT_FALSE(read().end);
  std::optional<std::int64_t> counted;
  ASSERT_TRUE(eventually([&] {
    const auto seen = processes.look(whole, false).value;
    if (seen.oom_kills) counted = seen.oom_kills;
    return seen.cgroup == Presence::gone;
  }));
  EXPECT_GT(counted.value_or(0), 0);
  EXPECT_TRUE(eventually([&] { return processes.look(whole, false), !std::filesystem::exists(cgroup); }));
}

// A runner that is killed between making its cgroup and writing that down: nobody knows of it by the record.
TEST_F(RunnerTest, ACgroupThatAKilledRunnerDidNotRecordIsRemovedByWhoeverLooks) {
  run("touch up; exec sleep 1000");
  ASSERT_TRUE(eventually([&] { return there("up"); }));
  if (read().cgroup.empty()) GTEST_SKIP() << "no memory cgroup here: " << read().memory_ceiling;
  const std::string cgroup = read().cgroup;
  EXPECT_EQ(remove_left_cgroups(*records), 0);
  auto blind = containment();
  blind.cgroup.clear();
  ASSERT_EQ(::kill(runner, SIGKILL), 0);
  wait_runner();
  ASSERT_EQ(processes.end_tree(blind, EndSignal::kill).raw.code, 0);
  EXPECT_TRUE(eventually([&] { return processes.look(blind, false), !std::filesystem::exists(cgroup); }));
}

// Nobody looked while it was dying, and the attempt may have been recorded as dead by another way.
TEST_F(RunnerTest, ACgroupThatWasLeftBehindIsRemovedByTheNextDispatcher) {
  run("touch up; exec sleep 1000");
  ASSERT_TRUE(eventually([&] { return there("up"); }));
  if (read().cgroup.empty()) GTEST_SKIP() << "no memory cgroup here: " << read().memory_ceiling;
  const std::string cgroup = read().cgroup;
  ASSERT_EQ(::kill(runner, SIGKILL), 0);
  wait_runner();
  ASSERT_EQ(processes.end_tree(containment(), EndSignal::kill).raw.code, 0);
  EXPECT_TRUE(std::filesystem::exists(cgroup));
  EXPECT_TRUE(eventually([&] { return remove_left_cgroups(*records) == 1; }));
  EXPECT_FALSE(std::filesystem::exists(cgroup));
  // And where the record does not say that there was one.
  std::filesystem::create_directory(cgroup);
  std::ofstream{records->folder_of(attempt) + "/record"} << "";
  EXPECT_EQ(read().cgroup, "");
  EXPECT_EQ(remove_left_cgroups(*records), 1);
  EXPECT_FALSE(std::filesystem::exists(cgroup));
}

// Whoever looks at one attempt tries again for the others, which nobody will look at any more.
TEST_F(RunnerTest, ACgroupThatCouldNotBeRemovedYetIsRemovedByALaterLook) {
  run("touch up; exec sleep 1000");
  ASSERT_TRUE(eventually([&] { return there("up"); }));
  if (read().cgroup.empty()) GTEST_SKIP() << "no memory cgroup here: " << read().memory_ceiling;
  const std::string cgroup = read().cgroup;
  ASSERT_EQ(::kill(runner, SIGKILL), 0);
  wait_runner();
  ASSERT_EQ(processes.end_tree(containment(), EndSignal::kill).raw.code, 0);
  ASSERT_TRUE(eventually([&] { return read_cgroup(cgroup).inhabited == Presence::gone; }));
  // What keeps it for now: a mount point below it.
  std::filesystem::create_directory(cgroup + "/x");
  if (::mount(cgroup.c_str(), (cgroup + "/x").c_str(), nullptr, MS_BIND, nullptr) != 0)
    GTEST_SKIP() << "nothing may be mounted here";
  processes.look(containment(), false);
  ASSERT_TRUE(std::filesystem::exists(cgroup));
  ASSERT_EQ(::umount((cgroup + "/x").c_str()), 0);
  Containment other;
  other.attempt = {{"OTHER"}, {1}};
  other.cgroup = cgroup.substr(0, cgroup.rfind('/')) + "/OTHER-g1.1";
  other.runner = containment().runner;
  EXPECT_TRUE(eventually([&] { return processes.look(other, false), !std::filesystem::exists(cgroup); }));
}

TEST_F(RunnerTest, WithoutACgroupTheLimitIsOnTheAddressSpace) {
  spec.cgroup_parent = folder;  // not a cgroup at all
  spec.memory_limit_bytes = 512LL << 20;
  run("ulimit -v");
  ASSERT_TRUE(wait_end());
  EXPECT_EQ(read().memory_ceiling, "rlimit");
  EXPECT_EQ(read().cgroup, "");
  EXPECT_THAT(stream(), StartsWith(std::to_string(512 << 10)));
  EXPECT_EQ(wait_end()->oom, OomEvidence::unknown);
}

TEST_F(RunnerTest, AnUnreadableSpecIsAnEnd) {
  shell("true");
  std::ofstream{records->folder_of(attempt) + "/spec"} << "holdfast-spec 1\nargv 99999\nx";
  start();
  const auto end = wait_end();
  ASSERT_TRUE(end);
  EXPECT_THAT(end->reason, StartsWith("exec-failed: spec: "));
  EXPECT_EQ(wait_runner(), 75);
}

TEST_F(RunnerTest, TheHooksWriteTheirFiles) {
  spec.ready_by = ReadyBy::hook_file;
  spec.environment.emplace_back(std::string{"RUNNER="} + HOLDFAST_RUNNER);
  run("$RUNNER ready; $RUNNER accepted; $RUNNER say QUESTION 'what\nnow?'; $RUNNER say DONE all of it; "
      "$RUNNER say NONSENSE x; exec sleep 1000");
  ASSERT_TRUE(wait_ready());
  ASSERT_TRUE(eventually([&] { return read().accepted; }));
  const std::string question = "QUESTION: what now?\n", done = "DONE: all of it\n";
  ASSERT_TRUE(eventually([&] { return records->read_said(attempt, 0).value == question + done; }));
  EXPECT_EQ(records->read_said(attempt, static_cast<std::int64_t>(question.size())).value, done);
}

TEST(RunnerBinary, SaysItsVersionAndItsUsage) {
  EXPECT_THAT(run_process({{HOLDFAST_RUNNER, "--version"}, {}, {}, {}}).text, StartsWith("holdfast-runner "));
  EXPECT_THAT(run_process({{HOLDFAST_RUNNER, "--help"}, {}, {}, {}}).text, HasSubstr("usage:"));
  EXPECT_EQ(run_process({{HOLDFAST_RUNNER}, {}, {}, {}}).code, 64);
  EXPECT_EQ(run_process({{HOLDFAST_RUNNER, "/nonexistent"}, {}, {}, {}}).code, 66);
  EXPECT_EQ(run_process({{HOLDFAST_RUNNER, "ready"}, {}, std::vector<std::string>{}, {}}).code, 64);
}

}  // namespace
}  // namespace holdfast
