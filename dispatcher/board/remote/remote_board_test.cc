// A board over HTTP keeps every board's contract, against the interface of a real installation; and hands on,
// as it came, what a server says that is no such board, or not well.
#include "dispatcher/board/remote/remote_board.h"

#include <gtest/gtest.h>

#include <atomic>
#include <nlohmann/json.hpp>

#include "dispatcher/board/board_contract.h"
#include "dispatcher/board/desk.h"
#include "dispatcher/board/remote/test_server.h"
#include "dispatcher/board/remote/ticket_json.h"
#include "dispatcher/ledger/answer_book.h"
#include "dispatcher/ledger/sqlite_ledger.h"
#include "dispatcher/ledger/temp_folder.h"
#include "dispatcher/server/api.h"
#include "dispatcher/server/listener.h"
#include "dispatcher/system/chance.h"
#include "dispatcher/system/file_records.h"

namespace holdfast::remote_board_tests {
namespace {

using board_json::Json;
using test_server::Answer;
using test_server::Request;

HttpClientOptions client_options(const std::string& url) {
  HttpClientOptions options;
  options.url = parse_url(url).value();
  options.within = seconds(60);
  options.first_wait = millis(2);
  options.now = [] { return Instant{1'700'000'000'000}; };
  options.random = chance;
  return options;
}

BoardHouse house_over_http() {
  struct Ground {
    TempFolder folder;
    std::string path = folder / "holdfast.db";
    std::unique_ptr<SqliteLedger> ledger = open_ledger(path, LedgerMode::command_line).value();
    std::unique_ptr<Desk> desk = open_desk(path, LedgerMode::command_line).value();
    std::unique_ptr<AnswerBook> book = open_answer_book(path).value();
    FileRecords records{folder / "records"};
    Policy policy;
    server::ApiParts api{*ledger, *desk,      records, *book, policy, "1", [] { return Instant{2000}; },
                         [] {},   random_name};
    std::unique_ptr<server::Listener> listener;
  };
  auto ground = std::make_shared<Ground>();
  Ground* g = ground.get();
  server::ListenerOptions options;
  options.token = "a-token-of-the-test";
  server::EventSource source;
  source.newest = [] { return 0; };
  source.after = [](std::int64_t, int) { return std::vector<LedgerEvent>{}; };
  g->listener = server::Listener::open(
                    options, [g](const server::HttpRequest& r) { return answer_request(g->api, r); }, source)
                    .value();
  auto client = client_options("http://127.0.0.1:" + std::to_string(g->listener->port()));
  client.token = options.token;
  BoardHouse house;
  house.board = make_remote_board(
      {known_board_shapes().at("holdfast"), std::make_unique<HttpClient>(client), random_name});
  house.put = [g](const BoardTicket& t) {
    const auto added =
        g->desk->add({t.id, t.title, t.body, t.state, t.priority, t.profile, t.labels, t.depends_on}, "alice",
                     t.created_at);
    EXPECT_TRUE(added) << added.error().words;
  };
  house.move = [g](const TicketId& id, BoardState to) {
    EXPECT_TRUE(g->desk->move(id, to, "", "alice", {1500}));
  };
  house.open_runtime = [g](const AttemptId& attempt) {
    g->ledger->write(StoreSlot{kit::free_slot(1)}, {1});
    EXPECT_EQ(g->ledger->write(kit::claim_of(attempt.ticket.value), {2}).raw.code, 0);
  };
  house.comments = [g](const TicketId& id) {
    std::vector<std::string> texts;
    for (const auto& comment : g->desk->show(id).value().comments) texts.push_back(comment.text);
    return texts;
  };
  house.ground = std::move(ground);
  return house;
}

// A stand-in that is told what to say.
struct House {
  std::function<Answer(const Request&)> answer = [](const Request&) { return Answer{}; };
  test_server::Server server{[this](const Request& r) { return answer(r); }};
  std::unique_ptr<Board> board(BoardShape shape = known_board_shapes().at("holdfast"), int tries = 1) {
    auto options = client_options(server.url());
    options.tries = tries;
    return make_remote_board({std::move(shape), std::make_unique<HttpClient>(options), random_name});
  }
};

const char* const ticket_text = R"({"id": "T-1", "title": "t", "state": "in_progress", "version": 4,
  "moved_by": "T-1-g1"})";
const BoardMove a_move{{"T-1"}, 3, BoardState::in_progress, "because", "T-1-g1"};

TEST(RemoteBoard, AMoveSaysAllThatItGoesBy) {
  House house;
  house.answer = [](const Request&) { return Answer{.body = ticket_text}; };
  auto board = house.board();
  const auto moved = board->move(a_move, {1});
  ASSERT_EQ(moved.raw.code, 200) << moved.raw.error;
  EXPECT_EQ(moved.value.version, 4);
  board->return_to_todo(kit::certificate_for({{"T-1"}, {1}}), 4, "dead", {1});
  const auto asked = house.server.requests();
  EXPECT_EQ(asked[0].target, "/api/v1/tickets/T-1/transitions");
  const Json first = Json::parse(asked[0].body), back = Json::parse(asked[1].body);
  EXPECT_EQ(first["version"], 3);
  EXPECT_EQ(first["to"], "in_progress");
  EXPECT_EQ(first["key"], "T-1-g1");
  EXPECT_EQ(back["to"], "todo");
  EXPECT_FALSE(back["cause"].get<std::string>().empty());
  EXPECT_FALSE(back["evidence"].get<std::string>().empty());
  EXPECT_NE(asked[0].headers.at("idempotency-key"), asked[1].headers.at("idempotency-key"));
}

// The same again after a lost answer is the same request; after an answer it is another one.
TEST(RemoteBoard, AWriteKeepsItsKeyUntilItIsAnswered) {
  House house;
  std::atomic<bool> lose = true;
  house.answer = [&](const Request&) {
    return Answer{.body = ticket_text, .end = lose ? Answer::End::before_it : Answer::End::whole};
  };
  auto board = house.board(known_board_shapes().at("holdfast"), 2);
  EXPECT_EQ(board->move(a_move, {1}).raw.transport, Transport::cut);
  lose = false;
  EXPECT_EQ(board->move(a_move, {1}).raw.code, 200);
  EXPECT_EQ(board->move(a_move, {1}).raw.code, 200);
  const auto asked = house.server.requests();
  ASSERT_EQ(asked.size(), 4U);
  const auto key = [&](std::size_t n) { return asked[n].headers.at("idempotency-key"); };
  EXPECT_EQ(key(0), key(1));
  EXPECT_EQ(key(1), key(2));
  EXPECT_NE(key(2), key(3));
}

TEST(RemoteBoard, WhatAServerDoubtsItselfIsNoAnswer) {
  House house;
  house.answer = [](const Request&) {
    return Answer{.status = 409, .body = R"({"code": "idempotency_in_doubt", "detail": "look"})"};
  };
  auto board = house.board();
  EXPECT_EQ(board->move(a_move, {1}).raw.transport, Transport::no_answer);
  EXPECT_EQ(board->move(a_move, {1}).raw.transport, Transport::no_answer);
  const auto asked = house.server.requests();
  EXPECT_NE(asked[0].headers.at("idempotency-key"), asked[1].headers.at("idempotency-key"))
      << "under the same name it would be in doubt for ever";
}

TEST(RemoteBoard, AConflictCarriesTheTicketAndItsWords) {
  House house;
  house.answer = [](const Request&) {
    return Answer{.status = 409,
                  .body = std::string(R"({"code": "version_conflict", "detail": "it moved", "ticket": )") +
                          ticket_text + "}"};
  };
  const auto refused = house.board()->move(a_move, {1});
  EXPECT_EQ(refused.raw.code, 409);
  EXPECT_EQ(refused.value.version, 4);
  EXPECT_NE(refused.raw.error.find("it moved"), std::string::npos);
}

TEST(RemoteBoard, WhatIsNoAnswerOfABoardIsGarbled) {
  House house;
  for (const Answer& odd :
       {Answer{.body = "<html>", .headers = {{"Content-Type", "text/html"}}},
        Answer{.body = "{\"id\": \"T-1\""}, Answer{.body = "[]"},
        Answer{.body = R"({"id": "T-2", "state": "todo", "version": 1})"},
        Answer{.body = R"({"id": "T-1", "state": "eaten", "version": 1})"}, Answer{.status = 204, .body = ""},
        Answer{.body = ticket_text, .headers = {{"Content-Type", "text/html"}}}}) {
    house.answer = [&](const Request&) { return odd; };
    EXPECT_EQ(house.board()->move(a_move, {1}).raw.code, 0) << odd.body;
    EXPECT_EQ(house.board()->read({"T-1"}).raw.code, 0) << odd.body;
    EXPECT_EQ(house.board()->changes_after(0, 10).raw.code, 0) << odd.body;
  }
}

TEST(RemoteBoard, AStatusIsHandedOnAsItCame) {
  House house;
  for (const int status : {400, 401, 403, 404, 409, 410, 412, 413, 422, 423, 429, 500, 502, 503, 504}) {
    house.answer = [&](const Request&) { return Answer{.status = status, .body = "not even JSON\x01"}; };
    auto board = house.board();
    EXPECT_EQ(board->move(a_move, {1}).raw.code, status);
    EXPECT_EQ(board->comment({"T-1"}, "k", "x", {1}).raw.code, status);
    const auto read = board->read({"T-1"});
    EXPECT_EQ(read.raw.code, status);
    EXPECT_EQ(read.raw.error.find('\x01'), std::string::npos);
  }
}

TEST(RemoteBoard, OneTicketThatNobodyUnderstandsIsNotTheOthersFault) {
  House house;
  house.answer = [](const Request&) {
    return Answer{.body = std::string(R"({"cursor": 9, "complete": true, "tickets": [{"id": "?"}, )") +
                          ticket_text + R"(, {"id": "T-3", "state": "eaten", "version": 1}]})"};
  };
  const auto list = house.board()->changes_after(0, 10);
  EXPECT_EQ(list.raw.code, 200);
  ASSERT_EQ(list.value.tickets.size(), 1U);
  EXPECT_EQ(list.value.cursor, 9);
  EXPECT_TRUE(list.value.complete);
}

TEST(RemoteBoard, AnotherShapeIsAskedInItsOwnWay) {
  BoardShape shape = known_board_shapes().at("holdfast");
  shape.paths = {"/search?after={since}&max={limit}", "/items/{id}", "/items/{id}/move", "/items/{id}/notes",
                 ""};
  shape.fields.tickets = "/found";
  shape.fields.cursor = "/upto";
  shape.fields.complete = "";
  shape.fields.id = "/key";
  shape.fields.state = "/status/name";
  shape.fields.version = "/rev";
  shape.sends.version = "/if/rev";
  shape.sends.to = "/status/name";
  shape.states[BoardState::in_progress] = "Doing";
  House house;
  house.answer = [](const Request& r) {
    const std::string item = R"({"key": "AB-1", "rev": 2, "status": {"name": "Doing"}})";
    return Answer{.body =
                      r.target.starts_with("/search") ? R"({"found": [)" + item + R"(], "upto": 5})" : item};
  };
  auto board = house.board(shape);
  const auto list = board->changes_after(3, 20);
  ASSERT_EQ(list.value.tickets.size(), 1U) << list.raw.error;
  EXPECT_EQ(list.value.tickets[0].state, BoardState::in_progress);
  EXPECT_EQ(board->move({{"AB-1"}, 2, BoardState::in_progress, "", "AB-1-g1"}, {1}).raw.code, 200);
  const auto asked = house.server.requests();
  EXPECT_EQ(asked[0].target, "/search?after=3&max=20");
  EXPECT_EQ(asked[1].target, "/items/AB-1/move");
  EXPECT_EQ(Json::parse(asked[1].body)["if"]["rev"], 2);
  EXPECT_EQ(Json::parse(asked[1].body)["status"]["name"], "Doing");
}

}  // namespace
}  // namespace holdfast::remote_board_tests

namespace holdfast {
INSTANTIATE_TEST_SUITE_P(OverHttp, BoardContract,
                         testing::Values(BoardMaker{"over_http", remote_board_tests::house_over_http}),
                         [](const auto& made) { return made.param.name; });
}  // namespace holdfast
