// A real runner in a folder of its own, for tests.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include "dispatcher/system/clocks.h"
#include "dispatcher/system/file_records.h"
#include "dispatcher/system/linux_processes.h"
#include "dispatcher/system/process_identity.h"
#include "dispatcher/system/spawned_process.h"

namespace holdfast {

template <class Condition>
bool eventually(Condition condition, Duration within = seconds(60)) {
  const Deadline deadline{within};
  while (!condition()) {
    if (deadline.passed()) return condition();
    ::poll(nullptr, 0, 5);
  }
  return true;
}

class RunnerFixture : public testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/hf-runner-XXXXXX";
    folder = ::mkdtemp(pattern);
    std::filesystem::create_directory(folder + "/worktree");
    records.emplace(folder + "/attempts");
    spec.attempt = attempt;
    spec.token = "token-" + std::filesystem::path{folder}.filename().string();
    spec.working_directory = folder + "/worktree";
    spec.environment = {"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C.UTF-8"};
    spec.go_ahead_within = seconds(120);
    spec.term_grace = millis(300);
    spec.enter_delay = millis(20);
  }
  void TearDown() override {
    if (runner > 0) {
      const auto seen = read();
      processes.end_tree(containment(), EndSignal::kill);
      int status = 0;
      if (!reap_within(runner, 60'000, status, Unreaped::ours)) {
        ::kill(runner, SIGKILL);
        reap_within(runner, 60'000, status);
      }
    }
    if (terminal >= 0) ::close(terminal);
    std::filesystem::remove_all(folder);
  }

  void write_spec(std::vector<std::string> argv) {
    spec.argv = std::move(argv);
    const auto reply = records->write_spec(spec);
    ASSERT_EQ(reply.raw.code, 0) << reply.raw.error;
  }
  void shell(const std::string& script) { write_spec({"sh", "-c", script}); }
  // Without a terminal of its own.
  void start(const std::string& at = "/") {
    auto process = spawn_process({{HOLDFAST_RUNNER, records->folder_of(attempt)}, at, {}, -1, -1, -1});
    ASSERT_EQ(process.error, 0);
    runner = process.pid;
  }
  // In a terminal that this test is the other side of.
  void start_in_terminal() {
    winsize size{};
    size.ws_col = 91;
    size.ws_row = 31;
    const auto path = records->folder_of(attempt);
    runner = ::forkpty(&terminal, nullptr, nullptr, &size);
    ASSERT_GE(runner, 0);
    if (runner == 0) {
      ::execl(HOLDFAST_RUNNER, HOLDFAST_RUNNER, path.c_str(), nullptr);
      ::_exit(127);
    }
  }
  void go() { ASSERT_EQ(records->give_go(attempt).raw.code, 0); }
  void run(const std::string& script) {
    shell(script);
    start();
    go();
  }

  RecordSighting read() { return records->read(attempt).value; }
  [[nodiscard]] Containment containment() {
    const auto seen = read();
    return {attempt, spec.token, seen.cgroup, seen.runner, seen.worker, spec.working_directory};
  }
  std::string stream() { return records->read_stream(attempt, 0, 16 << 20).value; }
  std::string text_of(const std::string& name) {
    std::ifstream file{folder + "/worktree/" + name, std::ios::binary};
    return {std::istreambuf_iterator<char>{file}, {}};
  }
  bool there(const std::string& name) { return std::filesystem::exists(folder + "/worktree/" + name); }

  bool wait_ready() {
    return eventually([&] { return read().ready; });
  }
  std::optional<WorkerEnd> wait_end() {
    eventually([&] { return read().end.has_value(); });
    return read().end;
  }
  // The runner's own exit status.
  int wait_runner() {
    int status = -1;
    EXPECT_TRUE(reap_within(runner, 60'000, status, Unreaped::ours));
    runner = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
  }
  MessageProgress progress(const std::string& id) {
    for (const auto& message : read().messages) {
      if (message.id.value == id) return message.progress;
    }
    return MessageProgress::absent;
  }
  RawReply post(const std::string& id, const std::string& text) {
    return records->post_message(attempt, {id}, text).raw;
  }
  // What the test's terminal shows until `wanted` has come.
  bool terminal_shows(const std::string& wanted) {
    return eventually([&] {
      pollfd news{terminal, POLLIN, 0};
      while (::poll(&news, 1, 0) > 0) {
        char block[4096];
        const ssize_t got = ::read(terminal, block, sizeof block);
        if (got <= 0) break;
        shown.append(block, static_cast<std::size_t>(got));
      }
      return shown.find(wanted) != std::string::npos;
    });
  }
  void type(const std::string& keys) {
    ASSERT_EQ(::write(terminal, keys.data(), keys.size()), static_cast<ssize_t>(keys.size()));
  }

  const AttemptId attempt{{"T-1"}, {1}};
  std::string folder;
  std::optional<FileRecords> records;
  LinuxProcesses processes;
  RunnerSpec spec;
  pid_t runner = 0;
  int terminal = -1;
  std::string shown;
};

}  // namespace holdfast
