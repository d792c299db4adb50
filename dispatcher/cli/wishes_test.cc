// Commands about attempts, on a real ledger with attempts led to every stage; no tmux, no dispatcher.
#include <nlohmann/json.hpp>

#include "dispatcher/cli/shell_kit.h"
#include "dispatcher/core/verdict.h"
#include "dispatcher/system/process_identity.h"

namespace holdfast::cli {
namespace {

using holdfast::kit::Stage;
using kit::Place;
using nlohmann::json;

struct Live : testing::Test {
  Place place;
  AttemptId at(Stage stage) {
    place.install();
    EXPECT_EQ(place.run({"ticket", "add", "Fix it", "--id", "T-1"}).code, 0);
    return place.attempt("T-1", stage);
  }
  json runtime() { return json::parse(place.run({"runtime", "show", "T-1", "--json"}).out); }
  json ticket() { return json::parse(place.run({"ticket", "show", "T-1", "--json"}).out); }
};

TEST_F(Live, CancelStopAndParkAreWishesWhileAnAttemptIsOpen) {
  at(Stage::running);
  const auto cancelled = place.run({"ticket", "cancel", "T-1", "-m", "not needed"});
  EXPECT_EQ(cancelled.code, 0) << cancelled.err;
  EXPECT_EQ(runtime()["wish"], "cancel");
  EXPECT_EQ(runtime()["wish_by"], "alice: not needed");
  EXPECT_NE(ticket()["state"], "cancelled");  // only when it is gone
  EXPECT_EQ(place.run({"ticket", "park", "T-1"}).code, 0);
  EXPECT_EQ(runtime()["wish"], "park");
  EXPECT_EQ(place.run({"runtime", "stop", "T-1-g1"}).code, 0);
  EXPECT_EQ(runtime()["wish"], "stop");
}

TEST_F(Live, WithoutAnAttemptTheyMoveTheTicket) {
  place.install();
  place.run({"ticket", "add", "Fix it"});
  EXPECT_EQ(place.run({"ticket", "cancel", "T-1"}).out, "T-1  is cancelled\n");
  EXPECT_EQ(ticket()["state"], "cancelled");
  EXPECT_EQ(place.run({"ticket", "retry", "T-1"}).code, 0);
  EXPECT_EQ(ticket()["state"], "todo");
  EXPECT_EQ(place.run({"ticket", "park", "T-1"}).code, 0);
  EXPECT_EQ(ticket()["state"], "backlog");
}

TEST_F(Live, NoHandPutsALiveTicketBackToTodo) {
  at(Stage::running);
  place.run({"ticket", "move", "T-1", "in_progress"});
  const std::string before = place.everything();
  EXPECT_EQ(place.run({"ticket", "move", "T-1", "todo"}).code, 4);
  EXPECT_EQ(place.run({"ticket", "retry", "T-1"}).code, 4);
  EXPECT_EQ(place.everything(), before);
}

TEST_F(Live, ASendIfReadyIsRefusedWithTheStatus) {
  const struct {
    Stage stage;
    const char* status;
  } table[] = {{Stage::claimed, "planned"},
               {Stage::spawn_begun, "planned"},
               {Stage::newborn, "newborn"},
               {Stage::finished, "finished"},
               {Stage::lost, "lost"}};
  for (const auto& row : table) {
    Place one;
    one.install();
    one.run({"ticket", "add", "Fix it", "--id", "T-1"});
    one.attempt("T-1", row.stage);
    const std::string before = one.everything();
    const auto result = one.run({"runtime", "send", "T-1", "hello", "--if-ready"});
    EXPECT_EQ(result.code, 4) << row.status;
    EXPECT_EQ(result.err,
              std::string("holdfast: T-1-g1: runtime is not ready for input, status=") + row.status + "\n");
    const json error = json::parse(one.run({"runtime", "send", "T-1", "hello", "--if-ready", "--json"}).err);
    EXPECT_EQ(error["error"]["status"], row.status);
    EXPECT_EQ(one.everything(), before);
  }
}

TEST_F(Live, AReadyOneWithAMessageOnItsWayIsBusy) {
  at(Stage::running);
  const auto result = place.run({"runtime", "send", "T-1", "hello", "--if-ready"});
  EXPECT_EQ(result.code, 4);
  EXPECT_NE(result.err.find("status=busy"), std::string::npos)
      << result.err;  // the prompt is not delivered yet
  const json sent =
      json::parse(place.run({"runtime", "send", "T-1", "hello", "--json"}).out);  // queued all the same
  EXPECT_EQ(sent["state"], "queued");
  EXPECT_EQ(sent["kind"], "note");
  EXPECT_EQ(sent["runtime"], "T-1-g1");
  EXPECT_EQ(sent["by"], "alice");
}

TEST_F(Live, AnAnswerNeedsAQuestion) {
  at(Stage::running);
  const auto no = place.run({"ticket", "answer", "T-1", "yes"});
  EXPECT_EQ(no.code, 4);
  EXPECT_NE(no.err.find("status=running"), std::string::npos) << no.err;
}

TEST_F(Live, AnAnswerToAQuestionIsQueued) {
  at(Stage::waiting);
  EXPECT_EQ(place.run({"ticket", "answer", "T-1", "-F", "-"}, "the second\n").code, 0);
  const json messages = runtime()["messages"];
  EXPECT_EQ(messages.back()["kind"], "answer");
  EXPECT_EQ(messages.back()["text"], "the second\n");
}

TEST_F(Live, AQuestionIsAnsweredOnce) {
  const AttemptId id = at(Stage::waiting);
  ASSERT_EQ(place.run({"ticket", "answer", "T-1", "the first"}).code, 0);
  const auto second = place.run({"ticket", "answer", "T-1", "the second"});
  EXPECT_EQ(second.code, 4);
  EXPECT_NE(second.err.find("already answered"), std::string::npos) << second.err;
  EXPECT_EQ(runtime()["messages"].back()["text"], "the first");
  auto ledger = open_ledger(place.ledger_path(), LedgerMode::command_line);
  const Instant later{1'700'000'100'000};
  ASSERT_EQ((*ledger)->write(RecordRunning{id}, later).raw.code, 0);
  ASSERT_EQ((*ledger)->write(RecordWaiting{id, "and now?", 5000}, later).raw.code, 0);
  EXPECT_EQ(place.run({"ticket", "answer", "T-1", "to the next question"}).code, 0);
}

TEST_F(Live, OnlyABranchOfTheTicketIsWaived) {
  at(Stage::running);
  const std::string before = place.run({"events", "--json"}).out;
  const auto no = place.run({"ticket", "waive", "T-1", "nobranch"});
  EXPECT_EQ(no.code, 4);
  EXPECT_NE(no.err.find("it has: hf/T-1-"), std::string::npos) << no.err;
  EXPECT_EQ(place.run({"events", "--json"}).out, before);
  EXPECT_EQ(place.run({"ticket", "waive", "T-1", runtime()["branch"]}).code, 0);
}

TEST_F(Live, DeathsSaysOfALiveOneOnlyThatItIsAlive) {
  const AttemptId id = at(Stage::newborn);
  auto ledger = open_ledger(place.ledger_path(), LedgerMode::command_line);
  ASSERT_EQ(
      (*ledger)->write(RecordReady{id, own_identity(), own_identity(), ""}, {1'700'000'100'000}).raw.code, 0);
  const std::string said = place.run({"deaths", "T-1"}).out;
  EXPECT_NE(said.find("T-1-g1  alive\n"), std::string::npos) << said;
  for (const char* fact : {"oom", "exit", "ended because"})
    EXPECT_EQ(said.find(fact), std::string::npos) << said;
  const json row = json::parse(place.run({"deaths", "T-1", "--json"}).out)[0];
  EXPECT_TRUE(row["oom"].is_null());
  EXPECT_EQ(row["sentence"], "alive");
}

TEST_F(Live, DeclaredDeadByNameAndEvidence) {
  at(Stage::running);
  EXPECT_EQ(place.run({"runtime", "declare-dead", "T-1-g1", "-e", "the host was scrapped"}).code, 0);
  EXPECT_EQ(runtime()["cause"], "declared_dead");
  EXPECT_EQ(runtime()["evidence"], "declared dead by alice: the host was scrapped");
  EXPECT_EQ(place.run({"runtime", "declare-dead", "T-1-g1", "-e", "again"}).code, 4);
}

TEST_F(Live, DeathsSayWhatIsKnownAndWhatIsNot) {
  at(Stage::closed);
  EXPECT_EQ(place.run({"deaths", "T-1"}).out,
            "T-1-g1  exited with 3, 1970-01-01 00:00:05Z\n"
            "  pid           101\n"
            "  exit          not recorded\n"
            "  oom           unknown (there is no record of it)\n"
            "  evidence      runner's record: it ended\n"
            "  branch        hf/T-1-fix.the.parser.it.s.broken-g1: 2 commits, clean\n"
            "  saved         refs/holdfast/salvage/T-1/g1/index\n"
            "  saved         refs/holdfast/keep/T-1/g1/tip\n"
            "  became        todo: exited with 3; tried again\n"
            "  last words\n"
            "    panic:   and \xEF\xBF\xBD bytes\n");
}

TEST_F(Live, DeathsReadTheRunnersRecord) {
  const AttemptId id = at(Stage::closed);
  const std::string folder = "state/records/T-1-g1";
  std::filesystem::create_directories(place.folder + "/" + folder);
  place.write(folder + "/decision", "1000 started boot=b pidns=n pid=100 ticks=5\n");
  place.write(
      folder + "/record",
      "1000 started version=1\n1001 worker boot=b pidns=n pid=4711 ticks=6\n1002 running\n"
      "2000 end signal=9 core=0 oom=killed evidence=oom_kill%200%20-%3E%201 reason= empty=1 user-ms=1 "
      "system-ms=1 peak-rss-kib=1\n");
  const json death = json::parse(place.run({"deaths", "T-1", "--json"}).out)[0];
  EXPECT_EQ(death["pid"], 4711);
  EXPECT_EQ(death["signal"], 9);
  EXPECT_EQ(death["runtime"], attempt_key(id));
  EXPECT_NE(death["oom"], nullptr);
}

// The kernel was asked and had counted none: that is known, though the runner wrote no end.
TEST_F(Live, DeathsTellACountOfZero) {
  const AttemptId id = at(Stage::running);
  const std::string folder = "state/records/T-1-g1";
  std::filesystem::create_directories(place.folder + "/" + folder);
  place.write(folder + "/decision", "1000 started boot=b pidns=n pid=100 ticks=5\n");
  place.write(folder + "/record",
              "1000 started version=1\n1001 containment cgroup=/cg/T-1-g1.7 ceiling=none\n"
              "1001 worker boot=b pidns=n pid=4711 ticks=6\n1002 running\n");
  Attempt dead;
  dead.id = id;
  dead.step = Step::spawn_begun;
  dead.phase = Phase::running;
  RecordSighting record;
  record.decision = Decision::started;
  record.runner = {"b", "n", 100, 5};
  record.worker = {"b", "n", 4711, 6};
  record.cgroup = "/cg/T-1-g1.7";
  ProcessSighting gone;
  gone.host = Presence::present;
  gone.runner = gone.worker = gone.cgroup = gone.descendants = Presence::gone;
  gone.scanned = true;
  gone.oom_kills = 0;
  const Instant now{1'700'000'100'000};
  Sightings seen;
  seen.record = Seen<RecordSighting>{record, now};
  seen.process = Seen<ProcessSighting>{gone, now};
  const auto certificate = certify(dead, seen, now);
  ASSERT_TRUE(certificate);
  auto ledger = open_ledger(place.ledger_path(), LedgerMode::command_line);
  ASSERT_EQ((*ledger)->write(RecordLost{id, *certificate}, now).raw.code, 0);
  const std::string said = place.run({"deaths", "T-1"}).out;
  EXPECT_NE(said.find("oom           no (oom_kill 0 -> 0 in cgroup /cg/T-1-g1.7)"), std::string::npos)
      << said;
}

TEST_F(Live, EventsTellWhoAndWhy) {
  at(Stage::running);
  place.run({"ticket", "cancel", "T-1", "-m", "wrong"});
  const auto result = place.run({"events", "--ticket", "T-1", "--json"});
  std::istringstream lines(result.out);
  std::string line, last;
  std::int64_t seq = 0;
  while (std::getline(lines, line)) {
    const json event = json::parse(line);
    EXPECT_GT(event["seq"], seq);
    seq = event["seq"];
    last = line;
  }
  const json wish = json::parse(last);
  EXPECT_EQ(wish["kind"], "wish");
  EXPECT_EQ(wish["cause"], "cancel");
  EXPECT_EQ(wish["evidence"], "alice: wrong");
  EXPECT_EQ(wish["runtime"], "T-1-g1");
}

TEST_F(Live, ListsOfRuntimes) {
  at(Stage::waiting);
  const json all = json::parse(place.run({"runtime", "list", "--json"}).out);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0]["phase"], "waiting");
  EXPECT_EQ(all[0]["said_text"], "which one?");
  EXPECT_NE(place.run({"runtime", "list"}).out.find("T-1-g1   waiting"), std::string::npos);
}

}  // namespace
}  // namespace holdfast::cli
