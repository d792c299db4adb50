// The auditor itself: each invariant that it watches is broken by hand, and it must say so. An auditor that
// has never found anything has shown nothing.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include <fstream>

#include "dispatcher/endtoend/stage.h"
#include "dispatcher/system/spawned_process.h"

namespace holdfast::stage {
namespace {

bool finds(const std::vector<std::string>& findings, const std::string& begins) {
  for (const std::string& one : findings)
    if (one.starts_with(begins)) return true;
  return false;
}

std::string all(const std::vector<std::string>& findings) {
  std::string text;
  for (const std::string& one : findings) text += one + "\n";
  return text;
}

// Workers that live and hang; the dispatcher has ended and left them running.
void play(Stage& stage, int tickets) {
  for (int i = 0; i < tickets; ++i) stage.add("T-" + std::to_string(i), {"write f x", "hang"});
  stage.start();
  for (int i = 0; i < tickets; ++i)
    ASSERT_TRUE(stage.wait_for_phase("T-" + std::to_string(i), Phase::running)) << stage.story();
  for (int i = 0; i < tickets; ++i)
    ASSERT_TRUE(stage.wait([&] { return stage.journalled("T-" + std::to_string(i), "wrote f") == 1; }));
  ASSERT_EQ(stage.stop(SIGTERM), 0);
  const auto before = audit(stage);
  ASSERT_TRUE(before.empty()) << all(before);
}

constexpr const char* without_triggers =
    "drop trigger ticket_is_not_todo_beside_an_open_runtime;"
    "drop trigger ticket_identity_is_fixed;"
    "drop trigger runtime_revision_grows;"
    "drop trigger runtime_identity_is_fixed;"
    "drop trigger lease_lasts_as_long_as_its_runtime;"
    "drop trigger events_are_not_replaced;"
    "drop index one_open_runtime_per_ticket;"
    "drop trigger runtime_not_beside_an_open_one;"
    "drop trigger runtime_generations_grow;"
    "pragma ignore_check_constraints = on;";

TEST(Audit, TodoWhileItsWorkerLivesIsRefusedByTheTriggerAndFoundWithoutIt) {
  Stage stage;
  play(stage, 1);
  const std::string revert = "update tickets set state = 1, version = version + 1 where id = 'T-0'";
  EXPECT_NE(stage.sql(revert).find("it cannot be todo"), std::string::npos) << stage.sql(revert);
  EXPECT_TRUE(audit_life(stage).empty());
  ASSERT_EQ(stage.sql(std::string(without_triggers) + revert), "");
  const auto found = audit_life(stage);
  EXPECT_TRUE(finds(found, "S1 todo beside an open runtime: T-0")) << all(found);
  EXPECT_TRUE(finds(found, "S1 T-0 is todo, and pid")) << all(found);
  // Also where the row has been closed to make room for it.
  ASSERT_EQ(stage.sql("pragma ignore_check_constraints = on;"
                      "update runtimes set phase = 7, cause = 13, evidence = 'no pane', settled = 1"),
            "");
  const auto closed = audit_life(stage);
  EXPECT_TRUE(finds(closed, "S1 T-0 is todo, and pid")) << all(closed);
  EXPECT_TRUE(finds(closed, "S1 T-0 is todo, and something of it holds its lock")) << all(closed);
  EXPECT_TRUE(finds(closed, "S6 recorded dead")) << all(closed);
}

TEST(Audit, EachBrokenInvariantIsFound) {
  Stage stage({.capacity = 8, .shards = 2});
  play(stage, 8);
  const Attempt first = stage.attempts("T-0").back();

  ASSERT_EQ(stage.sql(std::string(without_triggers) + R"(
    update runtimes set slot = (select slot from runtimes where ticket = 'T-1') where ticket = 'T-0';
    update runtimes set runner_pid = 0 where ticket = 'T-2';
    update runtimes set cause = 3, exit_code = 1 where ticket = 'T-3';
    update tickets set reason = 'tmux_spawn_failed' where id = 'T-4';
    update tickets set state = 5, changed_at = 1, reason = '' where id = 'T-5';
    update runtimes set step = 0 where ticket = 'T-6';
    update memories set charged = 99 where ticket = 'T-6';
    insert into events(seq, at, ticket, generation, kind, cause, evidence)
      select 100000, at, ticket, generation, 'claimed', '', '' from events
      where kind = 'claimed' and ticket = 'T-7';
    insert into events(seq, at, ticket, generation, kind, cause, evidence)
      values (100001, 1, 'T-7', 4, 'claimed', '', ''), (100002, 2, 'T-7', 3, 'newborn', '', '');
    update slots set state = 0 where id = (select slot from runtimes where ticket = 'T-7');
    insert into runtimes select ticket, 9, slot, token || 'x', profile, branch, start_point, shard, session,
      claimed_at, phase, step, revision, base, worktree, server_shard, server_pid, server_start_ticks, session_id,
      pane_id, runner_boot_id, runner_pid_namespace, runner_pid, runner_start_ticks, worker_boot_id,
      worker_pid_namespace, worker_pid, worker_start_ticks, cgroup, spawned_at, ready_at, running_at, changed_at,
      said, said_text, said_offset, wish, wish_by, ending, ending_at, cause, exit_code, evidence, died_at,
      disposition, reason, last_words, branch_facts, settled, attention from runtimes where ticket = 'T-1';
  )"),
            "");
  std::ofstream(stage.yard() + "/journal", std::ios::app)
      << "9999999999999 T-3 1 1 prompt 2\n"
      << "9999999999999 T-3 1 1 TWO-WORKERS\n"
      << "9999999999999 T-3 1 1 end exit 0\n"
      << "1 T-3 1 1 wrote nowhere-to-be-found\n"
      << "1 T-3 1 1 commit 0123456789012345678901234567890123456789\n";
  std::ofstream(stage.repository() + "/README") << "somebody wrote here\n";
  stage.git(stage.repository(), {"branch", "foreign"});
  ASSERT_EQ(stage.tmux(1 - first.shard, {"new-session", "-d", "-s", first.session.value, "sleep 600"}).code,
            0);
  ASSERT_EQ(stage.tmux(0, {"new-session", "-d", "-s", "hf-X-1-g1", "sleep 600"}).code, 0);
  SpawnRequest second;
  second.argv = {"sleep", "600"};
  second.working_directory = first.worktree;
  second.environment = {"PATH=/usr/bin:/bin", "HOLDFAST_RECORD=" + stage.state() + "/records/T-0-g2",
                        "HOLDFAST_TICKET=T-0", "HOLDFAST_GENERATION=2"};
  const SpawnedProcess unannounced = spawn_process(second);
  second.environment->back() = "HOLDFAST_GENERATION=9";
  second.environment->at(2) = "HOLDFAST_TICKET=T-1";
  const SpawnedProcess twin = spawn_process(second);
  ASSERT_EQ(unannounced.error + twin.error, 0);

  std::vector<std::string> found;
  ASSERT_TRUE(stage.wait([&] {  // both have exec'ed
    found = audit_settled(stage);
    return finds(found, "S2 two generations live") && finds(found, "S12 it lives, and no row");
  })) << all(found);
  for (const char* expected : {"S2 two open rows: T-1",
                               "S2 a second worker of T-3-g1",
                               "S2 two generations live: T-1",
                               "S3 two owners of a worktree",
                               "S3 two attempts in",
                               "S4 two open runtimes of one session name",
                               "S4 two sessions of one name: hf-T-0-g1",
                               "S5 a generation came twice: T-7-g1",
                               "S5 'newborn' of a generation that was over: T-7-g3",
                               "S6 a death without evidence: T-3",
                               "S6 recorded dead",
                               "S6 it wrote after its recorded death: T-3-g1",
                               "S8 lost: T-3",
                               "S9 lost: T-3-g1",
                               "S10 a second prompt: T-3-g1",
                               "S11 an open runtime that was claimed after its ticket had ended: T-5",
                               "S12 it runs, and nothing announced it: T-6",
                               "S12 a session that no row announced: hf-X-1-g1",
                               "S12 it lives, and no row announced it: T-0-g2",
                               "S13 running, and no runner is known: T-2",
                               "S14 an open runtime without its lease: T-7",
                               "S15 the main checkout is dirty",
                               "S15 a ref outside ours",
                               "S16 not bounded: T-6",
                               "S20 a state that nobody gave a reason for: T-5",
                               "S20 the log does not lead to",
                               "S21 done without a commit: T-5",
                               "S22 T-3-g1 exited 0, recorded as",
                               "S23 a live row with a cause: T-3",
                               "S23 in progress with a failure's reason: T-4",
                               "L3 a session is left: hf-X-1-g1",
                               "L3 a process is left: T-0-g1",
                               "left open: T-0"})
    EXPECT_TRUE(finds(found, expected)) << expected << "\n" << all(found);

  for (const SpawnedProcess* one : {&unannounced, &twin}) {
    ::kill(one->pid, SIGKILL);
    ::waitpid(one->pid, nullptr, 0);
  }
}

TEST(Audit, ADeathThatNobodyCausedIsFoundWhereEverythingIsNoted) {
  Stage stage;
  play(stage, 1);
  stage.note("T-9-g1", "worker");
  ASSERT_EQ(stage.sql("update runtimes set phase = 6, revision = revision + 1, cause = 4, exit_code = 9, "
                      "evidence = 'signal 9', died_at = 9999999999999"),
            "");
  const auto found = audit_life(stage);
  EXPECT_TRUE(finds(found, "S22 T-0-g1 is recorded as killed by signal 9, and nobody did that"))
      << all(found);
}

TEST(Audit, MoreClaimsThanTheBoundAreFound) {
  Stage stage({.spawns_per_second = 2});
  ASSERT_EQ(stage.sql("insert into events(seq, at, ticket, generation, kind, cause, evidence) values "
                      "(1, 5000, 'T-1', 1, 'claimed', '', ''), (2, 5100, 'T-2', 1, 'claimed', '', ''), "
                      "(3, 5200, 'T-3', 1, 'claimed', '', '')"),
            "");
  const auto found = audit_settled(stage);
  EXPECT_TRUE(finds(found, "S17 more than 2 claims within a second")) << all(found);
}

}  // namespace
}  // namespace holdfast::stage
