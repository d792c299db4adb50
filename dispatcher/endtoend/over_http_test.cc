// A dispatcher whose board is elsewhere, with a proxy in between that breaks things: real workers, two
// installations, real HTTP. Whatever is broken, a live worker is never sent back to `todo`, nobody is begun
// or prompted twice, and board and world are equal in the end.
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "dispatcher/board/remote/http_client.h"
#include "dispatcher/endtoend/fault_proxy.h"
#include "dispatcher/endtoend/stage.h"

namespace holdfast::stage {
namespace {

using Back = Blow::Back;

enum class Moment { claim, correction, last_move };

struct Kind {
  const char* name;
  Blow blow;
};

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> all{
      {"unauthorized", {0, true, Back::number, 401}},
      {"too-many", {0, true, Back::number, 429}},
      {"failed-before", {0, true, Back::number, 503}},
      {"failed-after", {1, true, Back::number, 500}},
      {"late-conflict", {1, true, Back::number, 409}},
      {"cut-before", {0, true, Back::cut}},
      {"lost-reply", {1, true, Back::cut}},
      {"no-answer", {1, true, Back::nothing}},
      {"cut-in-body", {1, true, Back::cut_in_the_body}},
      {"page-instead", {1, true, Back::page}},
      {"doubled", {2, true, Back::as_it_is}},
      {"doubled-no-key", {2, false, Back::as_it_is}},
  };
  return all;
}

// Strikes each ticket once at each of the moments, as its name says.
class Striker {
 public:
  std::optional<Blow> operator()(const test_server::Request& request) {
    const auto begin = request.target.find("/tickets/"), end = request.target.find("/transitions");
    if (request.method != "POST" || begin == std::string::npos || end == std::string::npos)
      return std::nullopt;
    const std::string ticket = request.target.substr(begin + 9, end - begin - 9);
    const std::string to = nlohmann::json::parse(request.body).value("to", "");
    const std::lock_guard lock(mutex_);
    Moment moment = Moment::last_move;
    if (to == "in_progress") moment = corrected_.contains(ticket) ? Moment::correction : Moment::claim;
    if (!struck_.insert({ticket, moment}).second) return std::nullopt;
    for (const Kind& kind : kinds())
      if (ticket == std::string("T-") + kind.name) return kind.blow;
    return std::nullopt;
  }
  void from_now_on_it_is_corrected(const std::string& ticket) {
    const std::lock_guard lock(mutex_);
    corrected_.insert(ticket);
  }
  int struck(Moment moment) {
    const std::lock_guard lock(mutex_);
    return static_cast<int>(
        std::ranges::count_if(struck_, [&](const auto& one) { return one.second == moment; }));
  }

 private:
  std::mutex mutex_;
  std::set<std::string> corrected_;
  std::set<std::pair<std::string, Moment>> struck_;
};

Settings elsewhere(const FaultProxy& proxy, int capacity) {
  Settings settings;
  settings.capacity = capacity;
  settings.board_elsewhere = true;
  settings.call_deadline = "4s";  // what is not answered is waited for so long
  settings.extra = R"(, "board": {"url": ")" + proxy.url() + "\"}";
  return settings;
}

class OverHttp : public testing::Test {
 protected:
  void begin(Stage& stage, FaultProxy& proxy) {
    stage.start_board();
    ASSERT_TRUE(stage.wait([&] { return stage.board_port() != 0; })) << stage.story();
    proxy.leads_to(stage.board_port());
    stage.start();
  }
  // Nothing but the making of a ticket, and what a person did, has led to `todo`.
  static int moves_to_todo_by_dispatchers(Stage& stage, const std::string& id) {
    const auto history = stage.page(id).history;
    return static_cast<int>(std::ranges::count_if(history, [](const TicketMove& move) {
      return move.to == BoardState::todo && move.from && !move.moved_by.starts_with("person");
    }));
  }
  static void let_go(const Stage& stage, const std::string& id) {
    std::ofstream(stage.yard() + "/go-" + id) << "go";
  }
};

TEST_F(OverHttp, ClaimCorrectionAndLastMoveAreStruckInEachWay) {
  Striker striker;
  FaultProxy proxy([&](const test_server::Request& r) { return striker(r); });
  Stage stage(elsewhere(proxy, static_cast<int>(kinds().size())));
  std::vector<std::string> ids;
  for (const Kind& kind : kinds()) {
    ids.push_back(std::string("T-") + kind.name);
    stage.add(ids.back(),
              {"write f-%a by %a", "commit Add", "wait " + stage.yard() + "/go-" + ids.back(), "done it"});
  }
  begin(stage, proxy);
  for (const std::string& id : ids)
    ASSERT_TRUE(stage.wait_for_phase(id, Phase::running, 240)) << id << "\n" << stage.story();
  EXPECT_EQ(striker.struck(Moment::claim), std::ssize(kinds()));

  // A person puts them back while their workers live, and the dispatcher puts that right.
  for (const std::string& id : ids) {
    ASSERT_TRUE(stage.wait_for_state(id, BoardState::in_progress)) << id << "\n" << stage.story();
    striker.from_now_on_it_is_corrected(id);
    EXPECT_EQ(stage.person_moves(id, BoardState::todo), "");
  }
  for (const std::string& id : ids)
    ASSERT_TRUE(stage.wait_for_state(id, BoardState::in_progress, 240)) << id << "\n" << stage.story();
  EXPECT_EQ(striker.struck(Moment::correction), std::ssize(kinds()));
  EXPECT_EQ(std::ssize(stage.open_attempts()), std::ssize(kinds())) << stage.story();

  for (const std::string& id : ids) let_go(stage, id);
  for (const std::string& id : ids) {
    ASSERT_TRUE(stage.wait_for_state(id, BoardState::done, 240)) << id << "\n" << stage.story();
    ASSERT_TRUE(stage.wait([&] { return stage.attempts(id).back().settled; }, 240)) << stage.story();
  }
  EXPECT_EQ(striker.struck(Moment::last_move), std::ssize(kinds()));
  EXPECT_EQ(stage.stop(SIGTERM), 0);
  for (const std::string& id : ids) {
    EXPECT_EQ(stage.attempts(id).size(), 1U) << id << "\n" << stage.story();
    EXPECT_EQ(stage.journalled(id, "prompt"), 1) << id;
    EXPECT_EQ(moves_to_todo_by_dispatchers(stage, id), 0) << id;
  }
  EXPECT_EQ(audit_settled(stage), std::vector<std::string>{}) << stage.story();
}

// The one way back that there is, with its answer lost, doubled and late.
TEST_F(OverHttp, TheWayBackToTodoIsTakenOnceForEachDeath) {
  std::mutex mutex;
  std::set<std::string> struck;
  FaultProxy proxy([&](const test_server::Request& r) -> std::optional<Blow> {
    if (r.body.find("\"cause\"") == std::string::npos) return std::nullopt;
    const std::lock_guard lock(mutex);
    if (!struck.insert(r.target).second) return std::nullopt;
    if (r.target.find("/D-1/") != std::string::npos) return Blow{1, true, Back::cut};
    if (r.target.find("/D-2/") != std::string::npos) return Blow{1, true, Back::number, 409};
    return Blow{2, false, Back::as_it_is};
  });
  Stage stage(elsewhere(proxy, 3));
  const std::vector<std::string> ids{"D-1", "D-2", "D-3"};
  for (const std::string& id : ids) stage.add(id, {"@1 exit 3", "write f-%a by %a", "commit Add", "done it"});
  begin(stage, proxy);
  for (const std::string& id : ids) {
    ASSERT_TRUE(stage.wait_for_state(id, BoardState::done, 240)) << id << "\n" << stage.story();
    ASSERT_TRUE(stage.wait([&] { return stage.attempts(id).back().settled; }, 240)) << stage.story();
  }
  EXPECT_EQ(struck.size(), 3U);
  EXPECT_EQ(stage.stop(SIGTERM), 0);
  for (const std::string& id : ids) {
    EXPECT_EQ(stage.attempts(id).size(), 2U) << id << "\n" << stage.story();
    EXPECT_EQ(stage.journalled(id, "prompt"), 2) << id;
    EXPECT_EQ(moves_to_todo_by_dispatchers(stage, id), 1) << id;
  }
  EXPECT_EQ(audit_settled(stage), std::vector<std::string>{}) << stage.story();
}

// The board is away, and the dispatcher is killed and begun again meanwhile. Who works gets what is sent to
// them, and what they say waits until the board can be told.
// What the board has is shown here, and tried again from here.
TEST_F(OverHttp, ItsTicketsAreShownAndTriedAgain) {
  FaultProxy proxy([](const test_server::Request&) { return std::nullopt; });
  Settings settings = elsewhere(proxy, 2);
  settings.attempts_max = 1;
  settings.extra += R"(, "server": {"listen": "127.0.0.1:0"})";
  Stage stage(settings);
  stage.add("R-1", {"@1 exit 3", "write f-%a by %a", "commit Add", "done it"});
  begin(stage, proxy);
  ASSERT_TRUE(stage.wait_for_state("R-1", BoardState::blocked, 120)) << stage.story();
  ASSERT_TRUE(stage.wait([&] { return stage.attempts("R-1").back().settled; })) << stage.story();

  const auto get = [&](const std::string& path, const std::string& method = "GET") {
    std::ifstream file(stage.state() + "/http-address");
    std::string address;
    file >> address;
    HttpClientOptions options;
    const auto url = parse_url(address);
    if (!url) return std::string();
    options.url = *url;
    options.within = seconds(60);
    options.now = [] { return Instant{1}; };
    options.random = [] { return 1U; };
    HttpClient client(options);
    HttpCall call;
    call.method = method;
    call.target = "/api/v1/" + path;
    if (method == "POST") call.body = R"({"title": "x"})";
    const HttpReply reply = client.call(call);
    return std::to_string(reply.status) + " " + reply.body;
  };
  ASSERT_TRUE(stage.wait([&] { return get("tickets").find(R"("state":"blocked")") != std::string::npos; }))
      << get("tickets");
  EXPECT_NE(get("tickets/R-1").find(R"("generation":1)"), std::string::npos) << get("tickets/R-1");
  EXPECT_EQ(get("tickets?state=todo").find("R-1"), std::string::npos);
  EXPECT_TRUE(get("tickets/R-9").starts_with("404"));
  EXPECT_NE(get("tickets", "POST").find("board_elsewhere"), std::string::npos);
  EXPECT_NE(stage.holdfast({"top", "--once"}).out.find("R-1     blocked"), std::string::npos);

  EXPECT_EQ(stage.holdfast({"ticket", "retry", "R-9"}).code, 4);  // never begun here
  const auto again = stage.holdfast({"ticket", "retry", "R-1", "--reason", "mended"});
  EXPECT_EQ(again.code, 0) << again.err;
  ASSERT_TRUE(stage.wait_for_state("R-1", BoardState::done, 120)) << stage.story();
  EXPECT_EQ(stage.attempts("R-1").size(), 2U);
  ASSERT_TRUE(stage.wait([&] { return get("tickets").find(R"("state":"done")") != std::string::npos; }));
  const auto done = stage.holdfast({"ticket", "retry", "R-1"});
  EXPECT_EQ(done.code, 4) << done.err;  // only there that is taken back
  EXPECT_EQ(stage.stop(SIGTERM), 0);
}

TEST_F(OverHttp, AnOutageWithARestartInItHoldsUpNothingThatLives) {
  FaultProxy proxy([](const test_server::Request&) { return std::nullopt; });
  Stage stage(elsewhere(proxy, 3));
  stage.add("O-1", {"write f-%a by %a", "commit Add", "wait " + stage.yard() + "/go-O-1", "done it"});
  stage.add("O-2", {"wait " + stage.yard() + "/go-O-2", "ask which one?", "write f-%a by %a", "commit Add",
                    "done answered"});
  stage.add("O-3", {"wait " + stage.yard() + "/go-O-3", "exit 3", "done it"});
  begin(stage, proxy);
  for (const char* id : {"O-1", "O-2", "O-3"})
    ASSERT_TRUE(stage.wait_for_phase(id, Phase::running, 120)) << id << "\n" << stage.story();
  proxy.away(true);
  stage.add("O-4", {"done it"});  // on the board, where nobody sees it now
  for (const char* id : {"O-1", "O-2", "O-3"}) let_go(stage, id);
  ASSERT_TRUE(stage.wait_for_phase("O-1", Phase::closed, 120)) << stage.story();
  ASSERT_TRUE(stage.wait_for_phase("O-2", Phase::waiting, 120)) << stage.story();
  ASSERT_TRUE(stage.wait_for_phase("O-3", Phase::closed, 120)) << stage.story();
  EXPECT_EQ(stage.stop(SIGKILL), -SIGKILL);
  stage.start();
  const auto answered = stage.holdfast({"ticket", "answer", "O-2", "the second one"});
  EXPECT_EQ(answered.code, 0) << answered.err;
  ASSERT_TRUE(stage.wait_for_phase("O-2", Phase::closed, 120)) << "it got its answer, and ended\n"
                                                               << stage.story();
  for (const char* id : {"O-1", "O-2", "O-3"}) {
    EXPECT_EQ(stage.ticket(id).state, BoardState::in_progress) << id;
    EXPECT_FALSE(stage.attempts(id).back().settled) << id;
  }
  EXPECT_TRUE(stage.attempts("O-4").empty());
  EXPECT_EQ(stage.page("O-2").comments.size(), 0U);

  proxy.away(false);
  for (const char* id : {"O-1", "O-2", "O-4"})
    ASSERT_TRUE(
        stage.wait([&] { return !stage.attempts(id).empty() && stage.attempts(id).back().settled; }, 240))
        << id << "\n"
        << stage.story();
  ASSERT_TRUE(stage.wait_for_state("O-1", BoardState::done, 120)) << stage.story();
  ASSERT_TRUE(stage.wait_for_state("O-2", BoardState::done, 120)) << stage.story();
  ASSERT_TRUE(stage.wait([&] { return stage.attempts("O-3").size() >= 2; }, 120)) << stage.story();
  EXPECT_EQ(moves_to_todo_by_dispatchers(stage, "O-1"), 0);
  EXPECT_EQ(moves_to_todo_by_dispatchers(stage, "O-2"), 0);
  EXPECT_EQ(stage.attempts("O-1").size(), 1U);
  EXPECT_EQ(stage.attempts("O-2").size(), 1U);
  EXPECT_EQ(stage.journalled("O-1", "prompt"), 1);
  EXPECT_EQ(stage.stop(SIGTERM), 0);
  const auto wrong = audit(stage);
  EXPECT_TRUE(wrong.empty()) << wrong.front() << "\n" << stage.story();
}

}  // namespace
}  // namespace holdfast::stage
