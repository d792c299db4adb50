// The verdict over every combination of its probes, and certificates from sightings: never dead where a live
// worker is possible, always where death is certain.
#include "dispatcher/core/verdict.h"

#include <gtest/gtest.h>

#include <array>

namespace holdfast {
namespace {

constexpr std::array lives{Life::alive, Life::dead, Life::unknown};

std::vector<Probe> probes() {
  std::vector<Probe> all;
  for (const Life life : lives)
    for (const bool fresh : {true, false}) all.push_back({life, fresh});
  return all;
}

enum class Label { must_be_dead, must_not_be_dead, either };

// An independent statement of what the probes allow, by what each can know. It shares no code with judge().
Label label(const Evidence& e) {
  const bool process_there = e.process.fresh && e.process.says == Life::alive;
  if (process_there) return Label::must_not_be_dead;  // something of it runs, whatever else is said
  const bool host_restarted = e.host.fresh && e.host.says == Life::dead;  // nothing survives a reboot
  const bool record_final =
      e.record.fresh && e.record.says == Life::dead;  // ended with an empty tree, or sealed
  const bool containment_empty = e.process.fresh && e.process.says == Life::dead;
  if (host_restarted || record_final || containment_empty) return Label::must_be_dead;
  return Label::must_not_be_dead;  // silence, absence, stale and failed probes: it may live
}

TEST(Verdict, EveryCombinationOfProbesIsLabelledAndObeyed) {
  int dead = 0, rows = 0;
  for (const Probe& tmux : probes())
    for (const Probe& process : probes())
      for (const Probe& record : probes())
        for (const Probe& heartbeat : probes())
          for (const Probe& host : probes()) {
            const Evidence e{tmux, process, record, heartbeat, host};
            const bool says_dead = judge(e) == Verdict::dead;
            rows += 1;
            dead += says_dead ? 1 : 0;
            switch (label(e)) {
              case Label::must_be_dead: ASSERT_TRUE(says_dead) << describe(e); break;
              case Label::must_not_be_dead: ASSERT_FALSE(says_dead) << describe(e); break;
              case Label::either: break;
            }
          }
  EXPECT_EQ(rows, 6 * 6 * 6 * 6 * 6);
  EXPECT_GT(dead, 0);
}

TEST(Verdict, PanesAndSessionsNeverCount) {
  for (const Probe& process : probes())
    for (const Probe& record : probes())
      for (const Probe& heartbeat : probes())
        for (const Probe& host : probes())
          for (const Probe& tmux : probes())
            ASSERT_EQ(judge({tmux, process, record, heartbeat, host}),
                      judge({{}, process, record, heartbeat, host}));
}

// --- from sightings
// ----------------------------------------------------------------------------------------------------

const Instant now{1'700'000'000'000};

Attempt spawned() {
  Attempt a;
  a.id = {{"T-1"}, {2}};
  a.phase = Phase::running;
  a.step = Step::spawn_begun;
  a.session = {"hf-T-1-g2"};
  a.server = {0, 4711, 99};
  a.spawned_at = now + seconds(-30);
  return a;
}

ProcessIdentity identity(std::int64_t pid) {
  return {"boot", "pid:[1]", pid, 1000};
}

RecordSighting started() {
  RecordSighting r;
  r.decision = Decision::started;
  r.runner = identity(10);
  r.worker = identity(11);
  r.cgroup = "/cg/T-1-g2";
  r.gone_ahead = r.worker_running = r.ready = true;
  return r;
}

ProcessSighting everything(Presence presence) {
  ProcessSighting p;
  p.host = Presence::present;
  p.runner = p.worker = p.cgroup = presence;
  p.scanned = true;
  return p;
}

Sightings seen(RecordSighting record, ProcessSighting process) {
  Sightings s;
  s.record = Seen<RecordSighting>{std::move(record), now};
  s.process = Seen<ProcessSighting>{std::move(process), now};
  return s;
}

PaneView listed(std::optional<PaneSighting> pane) {
  return {{0, 4711, 99}, std::move(pane)};
}

TEST(Certificate, ALiveWorkerHasNone) {
  EXPECT_FALSE(certify(spawned(), seen(started(), everything(Presence::present)), now));
}

TEST(Certificate, AWorkerWhoseRunnerDiedIsNotDeadWhileItsCgroupIsPopulated) {
  ProcessSighting p = everything(Presence::gone);
  p.cgroup = Presence::present;
  EXPECT_FALSE(certify(spawned(), seen(started(), p), now));
  EXPECT_TRUE(orphaned(spawned(), seen(started(), p)));
}

// What was started may have left the cgroup: while nobody has searched for it, an empty cgroup proves
// nothing.
TEST(Certificate, AnEmptyCgroupOfARunnerThatDiedWithoutAWordIsNotEnough) {
  ProcessSighting p = everything(Presence::gone);
  p.scanned = false;
  EXPECT_FALSE(certify(spawned(), seen(started(), p), now));
  p.scanned = true;
  p.descendants = Presence::present;
  EXPECT_FALSE(certify(spawned(), seen(started(), p), now));
  EXPECT_TRUE(orphaned(spawned(), seen(started(), p))) << "it is ended, wherever it went";
  p.descendants = Presence::unknown;  // some processes of others cannot be read
  EXPECT_TRUE(certify(spawned(), seen(started(), p), now));
}

TEST(Certificate, WithoutACgroupOnlyACompleteScanProvesIt) {
  RecordSighting r = started();
  r.cgroup.clear();
  ProcessSighting p = everything(Presence::gone);
  p.cgroup = Presence::unknown;
  p.descendants = Presence::unknown;
  EXPECT_FALSE(certify(spawned(), seen(r, p), now));
  p.descendants = Presence::present;
  EXPECT_FALSE(certify(spawned(), seen(r, p), now));
  p.descendants = Presence::gone;
  EXPECT_TRUE(certify(spawned(), seen(r, p), now));
}

TEST(Certificate, AbsenceFromAListingProvesNothing) {
  Sightings s;
  s.pane = Seen<PaneView>{listed(std::nullopt), now};
  EXPECT_FALSE(certify(spawned(), s, now));
}

TEST(Certificate, NothingIsProvedByStaleSightings) {
  Sightings s = seen(started(), everything(Presence::gone));
  EXPECT_TRUE(certify(spawned(), s, now));
  EXPECT_FALSE(certify(spawned(), s, now + minutes(10)));   // the clock jumped forward
  EXPECT_FALSE(certify(spawned(), s, now + minutes(-10)));  // and backward
}

TEST(Certificate, NoSpawnWasEverAnnounced) {
  Attempt a = spawned();
  a.phase = Phase::planned;
  a.step = Step::claimed;
  const auto certificate = certify(a, {}, now);
  ASSERT_TRUE(certificate);
  EXPECT_EQ(certificate->cause(), Cause::never_came_to_be);
}

TEST(Certificate, AfterTheSpawnWasAnnouncedOnlyTheSealProvesThatItNeverCame) {
  Attempt a = spawned();
  a.phase = Phase::planned;
  Sightings s;
  s.record = Seen<RecordSighting>{{}, now};
  EXPECT_FALSE(certify(a, s, now));
  s.sealed_at = now;
  const auto certificate = certify(a, s, now);
  ASSERT_TRUE(certificate);
  EXPECT_EQ(certificate->cause(), Cause::never_came_to_be);
}

TEST(Certificate, WhatTheLedgerHoldsStaysCertain) {
  Attempt a = spawned();
  a.cause = Cause::oom_kill;
  a.evidence = "oom_kill 0 -> 1";
  const auto certificate = certify(a, {}, now);
  ASSERT_TRUE(certificate);
  EXPECT_EQ(certificate->cause(), Cause::oom_kill);
  EXPECT_EQ(certificate->attempt(), a.id);
}

struct CauseCase {
  const char* name;
  std::optional<int> code = {}, signal = {};
  OomEvidence oom = OomEvidence::none_seen;
  const char* reason = "";
  Ending ending = Ending::none;
  StopWish wish = StopWish::none;
  std::int64_t server_now = 4711;  // 0: no server
  const char* limit = "";
  Cause want = Cause::none;
};

class CauseTest : public testing::TestWithParam<CauseCase> {};

TEST_P(CauseTest, IsTrue) {
  const CauseCase& c = GetParam();
  Attempt a = spawned();
  a.ending = c.ending;
  a.wish = c.wish;
  RecordSighting r = started();
  WorkerEnd end;
  end.exit_code = c.code;
  end.signal = c.signal;
  end.oom = c.oom;
  end.reason = c.reason;
  end.tree_empty = true;
  r.end = end;
  Sightings s = seen(r, everything(Presence::gone));
  s.limit_line = c.limit;
  s.pane = Seen<PaneView>{{{0, c.server_now, c.server_now == 0 ? 0U : 99U}, std::nullopt}, now};
  const auto certificate = certify(a, s, now);
  ASSERT_TRUE(certificate);
  EXPECT_EQ(certificate->cause(), c.want) << certificate->evidence();
}

INSTANTIATE_TEST_SUITE_P(
    Table, CauseTest,
    testing::Values(
        CauseCase{.name = "CleanExit", .code = 0, .want = Cause::clean_exit},
        CauseCase{.name = "ExitCode", .code = 3, .want = Cause::exit_code},
        CauseCase{.name = "Exit137IsNotAnOomKill", .code = 137, .want = Cause::exit_code},
        CauseCase{.name = "Signal", .signal = 9, .want = Cause::signal},
        CauseCase{.name = "OomCounter", .signal = 9, .oom = OomEvidence::killed, .want = Cause::oom_kill},
        CauseCase{.name = "AShellThatReportsTheOomOfItsChild",
                  .code = 137,
                  .oom = OomEvidence::killed,
                  .want = Cause::oom_kill},
        CauseCase{.name = "AnOldOomOfAChildAndACleanExit",
                  .code = 0,
                  .oom = OomEvidence::killed,
                  .want = Cause::clean_exit},
        CauseCase{.name = "AnOldOomOfAChildAndAStopByAPerson",
                  .signal = 15,
                  .oom = OomEvidence::killed,
                  .reason = "term",
                  .ending = Ending::term_sent,
                  .wish = StopWish::stop,
                  .want = Cause::stopped_by_operator},
        CauseCase{.name = "AnOldOomOfAChildAndAKilledSession",
                  .signal = 15,
                  .oom = OomEvidence::killed,
                  .reason = "hangup",
                  .want = Cause::session_killed},
        CauseCase{.name = "AnOldOomOfAChildAndAnotherSignal",
                  .signal = 11,
                  .oom = OomEvidence::killed,
                  .want = Cause::signal},
        CauseCase{.name = "SessionKilled", .signal = 15, .reason = "hangup", .want = Cause::session_killed},
        CauseCase{.name = "ServerLost",
                  .signal = 15,
                  .reason = "hangup",
                  .server_now = 0,
                  .want = Cause::server_lost},
        CauseCase{.name = "ServerLostAndRestarted",
                  .signal = 15,
                  .reason = "hangup",
                  .server_now = 5000,
                  .want = Cause::server_lost},
        CauseCase{.name = "StoppedByUs",
                  .signal = 15,
                  .reason = "term",
                  .ending = Ending::term_sent,
                  .want = Cause::stopped_by_us},
        CauseCase{.name = "StoppedByAPerson",
                  .signal = 15,
                  .reason = "term",
                  .ending = Ending::term_sent,
                  .wish = StopWish::cancel,
                  .want = Cause::stopped_by_operator},
        CauseCase{.name = "AnExitBeforeTheRestOfItsTreeHadToBeEnded",
                  .code = 0,
                  .ending = Ending::kill_sent,
                  .want = Cause::clean_exit},
        CauseCase{.name = "AFailureBeforeAPersonsStopReachedIt",
                  .code = 3,
                  .ending = Ending::term_sent,
                  .wish = StopWish::stop,
                  .want = Cause::exit_code},
        CauseCase{.name = "AnExitThatOurStopBroughtAbout",
                  .code = 0,
                  .reason = "term",
                  .ending = Ending::term_sent,
                  .want = Cause::stopped_by_us},
        CauseCase{.name = "TermThatNobodyOfUsSent", .signal = 15, .want = Cause::signal},
        CauseCase{.name = "ProviderLimit",
                  .code = 1,
                  .limit = "usage limit reached",
                  .want = Cause::provider_limit},
        CauseCase{.name = "ProviderLimitButCleanExit",
                  .code = 0,
                  .limit = "usage limit reached",
                  .want = Cause::clean_exit},
        CauseCase{.name = "NoGoAhead", .reason = "no-go-ahead", .want = Cause::never_came_to_be},
        CauseCase{
            .name = "ExecFailed", .reason = "exec-failed: No such file", .want = Cause::never_came_to_be}),
    [](const auto& test) { return std::string(test.param.name); });

// The runner was killed too and wrote nothing down; the kernel's count in the cgroup is evidence all the
// same.
TEST(Certificate, AnOomKillIsKnownByTheCgroupOfADeadRunner) {
  ProcessSighting p = everything(Presence::gone);
  p.oom_kills = 1;
  const auto oom = certify(spawned(), seen(started(), p), now);
  ASSERT_TRUE(oom);
  EXPECT_EQ(oom->cause(), Cause::oom_kill);
  EXPECT_NE(oom->evidence().find("oom_kill 1"), std::string::npos) << oom->evidence();
  p.oom_kills = 0;
  const auto none = certify(spawned(), seen(started(), p), now);
  EXPECT_NE(none->cause(), Cause::oom_kill);
  EXPECT_NE(none->evidence().find("oom_kill 0 in its cgroup"), std::string::npos)
      << "a count of zero is told";
  p.oom_kills.reset();
  EXPECT_EQ(certify(spawned(), seen(started(), p), now)->evidence().find("oom_kill"), std::string::npos);
}

// What was left of its tree was told to end, and it was said that this dispatcher had stopped it: a death
// that nobody was charged for, or another one, as a child lived on for a moment or not.
TEST(Certificate, EndingWhatAKilledRunnerLeftIsNotHowItDied) {
  Attempt a = spawned();
  a.ending = Ending::term_sent;
  EXPECT_EQ(certify(a, seen(started(), everything(Presence::gone)), now)->cause(), Cause::unknown);
  a.ending = Ending::kill_sent;
  EXPECT_EQ(certify(a, seen(started(), everything(Presence::gone)), now)->cause(), Cause::stopped_by_us);
  a.ending = Ending::term_sent;
  a.wish = StopWish::stop;
  EXPECT_EQ(certify(a, seen(started(), everything(Presence::gone)), now)->cause(),
            Cause::stopped_by_operator);
}

TEST(Certificate, ARebootIsTheHostsFault) {
  ProcessSighting p;
  p.host = Presence::gone;
  const auto certificate = certify(spawned(), seen(started(), p), now);
  ASSERT_TRUE(certificate);
  EXPECT_EQ(certificate->cause(), Cause::host_lost);
}

TEST(Certificate, AnEndWithALeftoverTreeIsNotOne) {
  RecordSighting r = started();
  r.end = WorkerEnd{};
  r.end->exit_code = 0;
  r.end->tree_empty = false;
  ProcessSighting p = everything(Presence::gone);
  p.cgroup = Presence::present;
  EXPECT_FALSE(certify(spawned(), seen(r, p), now));
}

TEST(Certificate, TheRunnerLingersAfterItsFinalRecord) {
  RecordSighting r = started();
  r.end = WorkerEnd{};
  r.end->exit_code = 0;
  r.end->tree_empty = true;
  ProcessSighting p = everything(Presence::gone);
  p.runner = Presence::present;
  EXPECT_TRUE(certify(spawned(), seen(r, p), now));
}

TEST(Certificate, WhoDiedFirstIsAskedOfTheServerBeforeACauseIsNamed) {
  RecordSighting r = started();
  r.end = WorkerEnd{};
  r.end->reason = "hangup";
  r.end->tree_empty = true;
  Sightings s = seen(r, everything(Presence::gone));
  EXPECT_TRUE(cause_needs_listing(spawned(), s));
  s.pane = Seen<PaneView>{listed(std::nullopt), now + millis(-1)};
  EXPECT_TRUE(cause_needs_listing(spawned(), s));  // from before the death
  s.pane->at = now;
  EXPECT_FALSE(cause_needs_listing(spawned(), s));
}

// A live runtime was declared dead by a person, and a second worker came into its worktree.
TEST(Doubt, OnlyWhereALookOfJustNowCouldNotTell) {
  const RecordSighting r = started();
  const auto doubted = [&](const Sightings& sightings, Instant looked_at, Instant at = now) {
    return doubt_about(spawned(), sightings, looked_at, at).has_value();
  };
  EXPECT_FALSE(doubted({}, {}));  // nobody looked
  EXPECT_TRUE(doubted({}, now));  // the look itself failed
  EXPECT_TRUE(doubted(seen(r, {}), now));
  ProcessSighting p = everything(Presence::gone);
  p.worker = Presence::present;
  EXPECT_FALSE(doubted(seen(r, p), now));                           // it lives
  EXPECT_FALSE(doubted(seen(r, everything(Presence::gone)), now));  // it is dead
  EXPECT_FALSE(doubted(seen(r, {}), now, now + fresh_for + seconds(1)));
}

}  // namespace
}  // namespace holdfast
