// The whole way: a pane of a real tmux server, the runner in it, the worker under it.
#include "dispatcher/runner/runner_fixture.h"
#include "dispatcher/terminal/tmux_terminal.h"

namespace holdfast {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

class InTmuxTest : public RunnerFixture {
 protected:
  void SetUp() override {
    if (const auto wrong = what_is_wrong_with_tmux("tmux")) GTEST_SKIP() << *wrong;
    RunnerFixture::SetUp();
    TmuxOptions options;
    options.folder = folder + "/t";
    options.label = "t";
    tmux.emplace(options);
    server = tmux->start_server(0, seconds(60)).value;
    ASSERT_TRUE(server.known());
  }
  void TearDown() override {
    if (folder.empty()) return;
    processes.end_tree(containment(), EndSignal::kill);
    tmux.reset();
    const auto host = this_host();
    signal_exactly({host.boot_id, host.pid_namespace, server.pid, server.start_ticks}, SIGKILL);
    RunnerFixture::TearDown();
  }
  void spawn(const std::string& script) {
    shell(script);
    const auto reply = tmux->spawn(
        {0, {"hf-T-1-g1"}, spec.working_directory, {HOLDFAST_RUNNER, records->folder_of(attempt)}},
        seconds(60));
    ASSERT_EQ(reply.raw.code, 0) << reply.raw.error;
    pane = reply.value;
    go();
  }

  std::optional<TmuxTerminal> tmux;
  ServerIncarnation server;
  SpawnedPane pane;
};

TEST_F(InTmuxTest, ThePaneIsTheRunnerAndShowsTheLastWords) {
  spawn("seq 1 5000; echo LAST; exit 4");
  const auto end = wait_end();
  ASSERT_TRUE(end);
  EXPECT_EQ(end->exit_code, 4);
  EXPECT_EQ(read().runner.pid, pane.pane_pid);
  EXPECT_THAT(stream(), EndsWith("5000\r\nLAST\r\n"));
  std::vector<PaneSighting> panes;
  ASSERT_TRUE(eventually([&] {
    panes = tmux->list(0, seconds(60)).value.panes;
    return panes.size() == 1 && panes.front().dead;
  }));
  // tmux 3.3a does not always tell how the pane's process ended. The runner's record does.
  EXPECT_EQ(panes.front().exit_status.value_or(4), 4);
  EXPECT_TRUE(eventually([&] {
    return tmux->capture(server, pane.pane_id, 10, seconds(60)).value.find("5000\nLAST") != std::string::npos;
  }));
}

TEST_F(InTmuxTest, AKilledSessionEndsTheWorkerAndIsRecorded) {
  spawn("trap '' HUP; touch up; while :; do sleep 1000; done");
  ASSERT_TRUE(eventually([&] { return there("up"); }));
  ASSERT_EQ(tmux->end_session(server, {"hf-T-1-g1"}, pane.session_id, seconds(60)).raw.code, 0);
  const auto end = wait_end();
  ASSERT_TRUE(end);
  EXPECT_EQ(end->reason, "hangup");
  EXPECT_TRUE(end->tree_empty);
}

TEST_F(InTmuxTest, ALostServerEndsTheWorkerAndIsRecorded) {
  spawn("touch up; exec sleep 1000");
  ASSERT_TRUE(eventually([&] { return there("up"); }));
  ASSERT_EQ(::kill(static_cast<pid_t>(server.pid), SIGKILL), 0);
  const auto end = wait_end();
  ASSERT_TRUE(end);
  EXPECT_EQ(end->reason, "hangup");
}

TEST_F(InTmuxTest, AMessageIsConsumedWhileTheServerStandsStill) {
  spawn("touch up; read -r line; echo \"$line\" > got; exec sleep 1000");
  ASSERT_TRUE(eventually([&] { return there("up"); }) && wait_ready());
  ASSERT_EQ(::kill(static_cast<pid_t>(server.pid), SIGSTOP), 0);
  EXPECT_EQ(post("m1", "hello").code, 0);
  EXPECT_TRUE(eventually([&] { return progress("m1") == MessageProgress::consumed; }));
  EXPECT_TRUE(eventually([&] { return text_of("got") == "hello\n"; }));
  ASSERT_EQ(::kill(static_cast<pid_t>(server.pid), SIGCONT), 0);
}

}  // namespace
}  // namespace holdfast
