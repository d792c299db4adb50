// A board of labels against a server like GitHub's: states as labels, polling by ETag, rate limits, comments
// once, and what is done about the writes that it cannot make conditional.
#include "dispatcher/board/remote/label_board.h"

#include <gtest/gtest.h>

#include "dispatcher/board/remote/test_server.h"
#include "dispatcher/board/remote/ticket_json.h"
#include "dispatcher/core/ledger_rules_kit.h"

namespace holdfast::label_board_tests {
namespace {

using board_json::Json;
using test_server::Answer;
using test_server::Request;

// Issues in memory. Times have whole seconds, as there.
class Tracker {
 public:
  std::function<std::optional<Answer>(const Request&)> instead = [](const Request&) { return std::nullopt; };
  std::function<void(const Request&)> after = [](const Request&) {};
  std::int64_t clock = 1'700'000'000;
  std::map<int, Json> issues;
  std::map<int, std::vector<std::string>> comments;
  test_server::Server server{[this](const Request& r) { return answer(r); }};

  void put(int number, const std::vector<std::string>& labels) {
    Json issue{{"number", number},        {"title", "Fix " + std::to_string(number)},
               {"body", "Please."},       {"state", "open"},
               {"state_reason", nullptr}, {"created_at", time()},
               {"updated_at", time()},    {"labels", Json::array()}};
    for (const std::string& label : labels) issue["labels"].push_back({{"name", label}, {"color", "fff"}});
    issues[number] = issue;
  }
  void person_labels(int number, const std::vector<std::string>& labels) {
    issues[number]["labels"] = Json::array();
    for (const std::string& label : labels) issues[number]["labels"].push_back({{"name", label}});
    issues[number]["updated_at"] = time();
  }
  [[nodiscard]] std::vector<std::string> labels(int number) const {
    std::vector<std::string> names;
    for (const Json& label : issues.at(number)["labels"]) names.push_back(label["name"]);
    return names;
  }
  std::string time() const { return board_json::iso_8601({clock * 1000}); }
  int asked(const std::string& method, const std::string& part) {
    int n = 0;
    for (const Request& r : server.requests())
      n += r.method == method && r.target.find(part) != std::string::npos ? 1 : 0;
    return n;
  }
  std::unique_ptr<Board> board() {
    HttpClientOptions options;
    options.url = parse_url(server.url() + "/repos/o/r").value();
    options.within = seconds(60);
    options.tries = 1;
    options.now = [this] { return Instant{clock * 1000}; };
    options.random = [] { return 1U; };
    return make_label_board({known_board_shapes().at("labels"), std::make_unique<HttpClient>(options),
                             [] { return std::string("name"); }});
  }

 private:
  Answer answer(const Request& r) {
    Answer said = instead(r).value_or(Answer{.status = 0});
    if (said.status == 0) said = usual(r);
    after(r);
    return said;
  }
  static std::string asked_of(const std::string& target, const std::string& name) {
    auto at = target.find("&" + name + "=");
    if (at == std::string::npos) at = target.find("?" + name + "=");
    if (at == std::string::npos) return "";
    at += name.size() + 2;
    return target.substr(at, target.find('&', at) - at);
  }
  Answer usual(const Request& r) {
    const std::string base = "/repos/o/r/issues";
    if (!r.target.starts_with(base)) return {.status = 404, .body = R"({"message": "Not Found"})"};
    const std::string rest = r.target.substr(base.size());
    if (rest.starts_with("?")) return list(r);
    const int number = std::stoi(rest.substr(1));
    if (!issues.contains(number)) return {.status = 404, .body = R"({"message": "Not Found"})"};
    if (rest.find("/comments") != std::string::npos) {
      if (r.method == "POST") {
        comments[number].push_back(Json::parse(r.body)["body"]);
        issues[number]["updated_at"] = time();
        return {.status = 201};
      }
      Json all = Json::array();
      if (asked_of(r.target, "page") == "1")
        for (const std::string& text : comments[number]) all.push_back({{"body", text}});
      return {.body = all.dump()};
    }
    if (r.method == "PATCH") {
      const Json change = Json::parse(r.body);
      Json& issue = issues[number];
      issue["labels"] = Json::array();
      for (const Json& name : change["labels"]) issue["labels"].push_back({{"name", name}});
      issue["state"] = change["state"];
      issue["state_reason"] = change.value("state_reason", Json());
      issue["updated_at"] = time();
    }
    return {.body = issues[number].dump()};
  }
  Answer list(const Request& r) {
    std::vector<Json> found;
    std::string since = asked_of(r.target, "since"), plain;
    for (std::size_t i = 0; i < since.size(); ++i)
      if (since[i] == '%') {
        plain += static_cast<char>(std::stoi(since.substr(i + 1, 2), nullptr, 16));
        i += 2;
      } else {
        plain += since[i];
      }
    for (const auto& [number, issue] : issues)
      if (issue["updated_at"] >= plain) found.push_back(issue);
    std::ranges::sort(found, {}, [](const Json& j) { return j["updated_at"].get<std::string>(); });
    const auto page = static_cast<std::size_t>(std::stoi(asked_of(r.target, "page")));
    Json all = Json::array();
    for (std::size_t i = (page - 1) * 100; i < found.size() && i < page * 100; ++i) all.push_back(found[i]);
    const std::string tag = "\"" + std::to_string(std::hash<std::string>{}(all.dump())) + "\"";
    const auto known = r.headers.find("if-none-match");
    if (known != r.headers.end() && known->second == tag) return {.status = 304, .headers = {{"ETag", tag}}};
    return {.body = all.dump(), .headers = {{"ETag", tag}}};
  }
};

Reply<BoardTicket> move(Board& board, const BoardTicket& seen, BoardState to) {
  return board.move({seen.id, seen.version, to, "because", seen.id.value + "-g1"}, {1});
}

TEST(LabelBoard, LabelsAreStates) {
  Tracker tracker;
  tracker.put(1, {"bug", "todo", "priority: 7", "profile:agent"});
  tracker.put(2, {"in progress"});
  tracker.put(3, {"bug"});
  tracker.put(4, {"todo", "blocked"});
  tracker.put(5, {});
  tracker.put(6, {});
  tracker.put(7, {"todo"});
  tracker.issues[5]["state"] = tracker.issues[6]["state"] = "closed";
  tracker.issues[6]["state_reason"] = "not_planned";
  tracker.issues[7]["pull_request"] = {{"url", "x"}};
  auto board = tracker.board();
  const auto all = board->changes_after(0, 500);
  ASSERT_EQ(all.raw.code, 200) << all.raw.error;
  std::map<std::string, BoardTicket> by;
  for (const BoardTicket& t : all.value.tickets) by[t.id.value] = t;
  ASSERT_EQ(by.size(), 6U) << "a pull request is no ticket";
  EXPECT_EQ(by["1"].state, BoardState::todo);
  EXPECT_EQ(by["1"].priority, 7);
  EXPECT_EQ(by["1"].profile, "agent");
  EXPECT_EQ(by["1"].created_at, (Instant{1'700'000'000'000}));
  EXPECT_EQ(by["2"].state, BoardState::in_progress);
  EXPECT_EQ(by["3"].state, BoardState::backlog) << "nobody asked for it";
  EXPECT_EQ(by["4"].state, BoardState::blocked) << "the one that is less to be done";
  EXPECT_EQ(by["5"].state, BoardState::done);
  EXPECT_EQ(by["6"].state, BoardState::cancelled);
}

TEST(LabelBoard, AMoveIsOneWriteAndKeepsOtherLabels) {
  Tracker tracker;
  tracker.put(1, {"bug", "todo"});
  auto board = tracker.board();
  auto seen = board->read({"1"}).value;
  const auto moved = move(*board, seen, BoardState::in_progress);
  ASSERT_EQ(moved.raw.code, 200) << moved.raw.error;
  EXPECT_EQ(moved.value.state, BoardState::in_progress);
  EXPECT_GT(moved.value.version, seen.version);
  EXPECT_EQ(moved.value.moved_by, "1-g1");
  EXPECT_EQ(tracker.labels(1), (std::vector<std::string>{"bug", "in progress"}));
  EXPECT_EQ(tracker.asked("PATCH", "/issues/1"), 1);
  EXPECT_EQ(board->read({"1"}).value, moved.value) << "and it is remembered whose move it was";
  const auto done = move(*board, moved.value, BoardState::done);
  EXPECT_EQ(done.value.state, BoardState::done);
  EXPECT_EQ(tracker.issues[1]["state"], "closed");
  EXPECT_EQ(tracker.issues[1]["state_reason"], "completed");
  EXPECT_EQ(move(*board, done.value, BoardState::in_review).raw.code, 422) << "a person opens it again";
  EXPECT_EQ(tracker.asked("PATCH", "/issues/1"), 2);
}

TEST(LabelBoard, WhatAPersonChangedMeanwhileIsAConflictAndStays) {
  Tracker tracker;
  tracker.put(1, {"todo"});
  auto board = tracker.board();
  const auto seen = board->read({"1"}).value;
  tracker.person_labels(1, {"blocked"});  // in the same second
  const auto refused = move(*board, seen, BoardState::in_progress);
  EXPECT_EQ(refused.raw.code, 409);
  EXPECT_EQ(refused.value.state, BoardState::blocked);
  EXPECT_EQ(refused.value.moved_by, "");
  EXPECT_EQ(tracker.labels(1), (std::vector<std::string>{"blocked"}));
  EXPECT_EQ(tracker.asked("PATCH", "/issues/1"), 0);
}

// An answer of a replica that is behind is older than what is known, and says so by its version.
TEST(LabelBoard, AnAnswerFromAnEarlierTimeHasAnOlderVersion) {
  Tracker tracker;
  tracker.put(1, {"todo"});
  auto board = tracker.board();
  const Json before = tracker.issues[1];
  tracker.clock += 10;
  tracker.person_labels(1, {"blocked"});
  const auto seen = board->read({"1"}).value;
  tracker.instead = [&](const Request&) { return std::optional(Answer{.body = before.dump()}); };
  EXPECT_LT(board->read({"1"}).value.version, seen.version);
  tracker.instead = [](const Request&) { return std::nullopt; };
  EXPECT_EQ(board->read({"1"}).value, seen);
}

TEST(LabelBoard, OnlyACertificateLeadsBackToTodo) {
  Tracker tracker;
  tracker.put(1, {"in progress"});
  auto board = tracker.board();
  const auto seen = board->read({"1"}).value;
  EXPECT_EQ(move(*board, seen, BoardState::todo).raw.code, 422);
  const auto certificate = kit::certificate_for({{"1"}, {1}});
  EXPECT_EQ(board->return_to_todo(certificate, seen.version + 5, "dead", {1}).raw.code, 409);
  EXPECT_EQ(board->return_to_todo(certificate, seen.version, "dead", {1}).value.state, BoardState::todo);
  EXPECT_EQ(tracker.labels(1), (std::vector<std::string>{"todo"}));
}

TEST(LabelBoard, ALostAnswerIsNotRepeatedAndSeenByReading) {
  Tracker tracker;
  tracker.put(1, {"todo"});
  auto board = tracker.board();
  const auto seen = board->read({"1"}).value;
  tracker.instead = [&](const Request& r) -> std::optional<Answer> {
    if (r.method != "PATCH") return std::nullopt;
    tracker.person_labels(1, {"in progress"});  // it takes hold, and nobody hears of it
    return Answer{.end = Answer::End::before_it};
  };
  const auto lost = move(*board, seen, BoardState::in_progress);
  EXPECT_EQ(lost.raw.transport, Transport::cut) << lost.raw.error;
  EXPECT_EQ(tracker.asked("PATCH", "/issues/1"), 1) << "what is not conditional is sent once";
  tracker.instead = [](const Request&) { return std::nullopt; };
  EXPECT_EQ(board->read({"1"}).value.state, BoardState::in_progress);
}

// The reading before a write: what goes wrong with it has changed nothing.
TEST(LabelBoard, AReadBeforeAWriteThatFailsIsNoDoubtAboutTheWrite) {
  Tracker tracker;
  tracker.put(1, {"todo"});
  auto board = tracker.board();
  const auto seen = board->read({"1"}).value;
  tracker.instead = [](const Request&) { return std::optional(Answer{.status = 502, .body = "<html>"}); };
  EXPECT_EQ(move(*board, seen, BoardState::in_progress).raw.transport, Transport::never_sent);
  EXPECT_EQ(board->comment({"1"}, "k", "x", {1}).raw.transport, Transport::never_sent);
  tracker.instead = [](const Request&) { return std::optional(Answer{.status = 404}); };
  EXPECT_EQ(move(*board, seen, BoardState::in_progress).raw.code, 404);
}

TEST(LabelBoard, PollingCostsNothingWhereNothingHasChanged) {
  Tracker tracker;
  for (int n = 1; n <= 3; ++n) tracker.put(n, {"todo"});
  auto board = tracker.board();
  const auto first = board->changes_after(0, 500).value;
  EXPECT_EQ(first.tickets.size(), 3U);
  EXPECT_TRUE(first.complete);
  std::int64_t cursor = first.cursor;
  int not_modified = 0;
  tracker.instead = [&](const Request& r) -> std::optional<Answer> {
    not_modified += r.headers.contains("if-none-match") ? 1 : 0;
    return std::nullopt;
  };
  for (int n = 0; n < 4; ++n) {
    const auto again = board->changes_after(cursor, 500);
    EXPECT_EQ(again.raw.code, 200);
    EXPECT_TRUE(again.value.tickets.empty()) << "each is told once";
    cursor = again.value.cursor;
  }
  EXPECT_GE(not_modified, 3);
  tracker.person_labels(2, {"blocked"});  // within the same second still
  const auto changed = board->changes_after(cursor, 500).value;
  ASSERT_EQ(changed.tickets.size(), 1U);
  EXPECT_EQ(changed.tickets[0].state, BoardState::blocked);
  tracker.clock += 5;
  tracker.person_labels(3, {});
  EXPECT_EQ(board->changes_after(changed.cursor, 500).value.tickets.size(), 1U);
}

TEST(LabelBoard, AListOfManyPagesIsComplete) {
  Tracker tracker;
  for (int n = 1; n <= 250; ++n) {
    if (n == 230) tracker.clock += 1;
    tracker.put(n, {"todo"});  // most of them within one second
  }
  auto board = tracker.board();
  std::map<TicketId, int> told;
  std::int64_t cursor = 0;
  for (int n = 0; n < 10; ++n) {
    const auto page = board->changes_after(cursor, 100).value;
    for (const BoardTicket& t : page.tickets) ++told[t.id];
    cursor = page.cursor;
    if (page.complete) break;
  }
  EXPECT_EQ(told.size(), 250U);
  for (const auto& [id, times] : told) EXPECT_EQ(times, 1) << id.value;
}

TEST(LabelBoard, ACommentIsMadeOnce) {
  Tracker tracker;
  tracker.put(1, {"in progress"});
  auto board = tracker.board();
  tracker.instead = [&](const Request& r) -> std::optional<Answer> {
    if (r.method != "POST") return std::nullopt;
    tracker.comments[1].push_back(Json::parse(r.body)["body"]);
    tracker.instead = [](const Request&) { return std::nullopt; };
    return Answer{.end = Answer::End::in_the_body};
  };
  EXPECT_EQ(board->comment({"1"}, "1-g1-q5", "QUESTION: which?", {1}).raw.transport, Transport::cut);
  EXPECT_EQ(board->comment({"1"}, "1-g1-q5", "QUESTION: which?", {1}).raw.code, 200);
  EXPECT_EQ(tracker.board()->comment({"1"}, "1-g1-q5", "QUESTION: which?", {1}).raw.code, 200)
      << "another process finds it too";
  ASSERT_EQ(tracker.comments[1].size(), 1U);
  EXPECT_TRUE(tracker.comments[1][0].starts_with("QUESTION: which?"));
  EXPECT_EQ(board->comment({"1"}, "1-g1-q9", "QUESTION: and now?", {1}).raw.code, 201);
  EXPECT_EQ(tracker.comments[1].size(), 2U);
}

TEST(LabelBoard, ARateLimitIsKeptAndIsNoShutDoor) {
  Tracker tracker;
  tracker.put(1, {"todo"});
  auto board = tracker.board();
  tracker.instead = [&](const Request&) {
    return std::optional(Answer{.status = 403,
                                .body = R"({"message": "API rate limit exceeded"})",
                                .headers = {{"X-RateLimit-Remaining", "0"},
                                            {"X-RateLimit-Reset", std::to_string(tracker.clock + 60)}}});
  };
  EXPECT_EQ(board->changes_after(0, 500).raw.code, 429);
  const auto asked = tracker.server.requests().size();
  EXPECT_EQ(board->read({"1"}).raw.transport, Transport::never_sent);
  EXPECT_EQ(tracker.server.requests().size(), asked);
  tracker.clock += 61;
  tracker.instead = [](const Request&) { return std::nullopt; };
  EXPECT_EQ(board->read({"1"}).raw.code, 200);
}

TEST(LabelBoard, AProxysPageIsNoAnswerOfTheBoard) {
  Tracker tracker;
  tracker.put(1, {"todo"});
  auto board = tracker.board();
  tracker.instead = [](const Request&) {
    return std::optional(Answer{.body = "<html>Log in</html>", .headers = {{"Content-Type", "text/html"}}});
  };
  EXPECT_EQ(board->read({"1"}).raw.code, 0);
  EXPECT_EQ(board->changes_after(0, 500).raw.code, 0);
  tracker.instead = [](const Request&) { return std::optional(Answer{.body = "[{"}); };
  EXPECT_EQ(board->changes_after(0, 500).raw.code, 0);
}

}  // namespace
}  // namespace holdfast::label_board_tests
