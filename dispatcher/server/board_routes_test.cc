// The board for a dispatcher elsewhere, as docs/http.md has it.
#include "dispatcher/server/server_kit.h"

namespace holdfast::server {
namespace {

using holdfast::kit::Stage;
using kit::House;

Json transition(House& house, const std::string& body, int status) {
  const HttpAnswer answer = house.ask("POST", "tickets/T-1/transitions", body);
  EXPECT_EQ(answer.status, status) << body << answer.body;
  return Json::parse(answer.body);
}

TEST(BoardRoutes, ChangesComeSinceACursorAPageAtATime) {
  House house;
  for (const char* id : {"T-1", "T-2", "T-3"}) house.add(id);
  const Json first = house.json("GET", "board/changes?limit=2");
  EXPECT_EQ(first["tickets"].size(), 2U);
  EXPECT_FALSE(first["complete"]);
  EXPECT_TRUE(first["tickets"][0].contains("body"));
  const std::string after = std::to_string(first["cursor"].get<std::int64_t>());
  const Json rest = house.json("GET", "board/changes?bodies=no&since=" + after);
  ASSERT_EQ(rest["tickets"].size(), 1U);
  EXPECT_TRUE(rest["complete"]);
  EXPECT_FALSE(rest["tickets"][0].contains("body"));
  house.ask("PATCH", "tickets/T-1", R"({"title": "new"})");
  const Json changed =
      house.json("GET", "board/changes?since=" + std::to_string(rest["cursor"].get<std::int64_t>()));
  ASSERT_EQ(changed["tickets"].size(), 1U);
  EXPECT_EQ(changed["tickets"][0]["title"], "new");
  EXPECT_EQ(changed["tickets"][0]["version"], 2);
  EXPECT_EQ(house.ask("GET", "board/changes?since=x").status, 422);
}

TEST(BoardRoutes, ATransitionIsConditionalOnTheVersion) {
  House house;
  house.add("T-1");
  const Json moved = transition(
      house, R"({"version": 1, "from": "todo", "to": "in_progress", "key": "T-1-g1", "reason": "picked up"})",
      200);
  EXPECT_EQ(moved["state"], "in_progress");
  EXPECT_EQ(moved["moved_by"], "T-1-g1");
  EXPECT_EQ(moved["version"], 2);
  // Its answer was lost; it is sent again, and can be recognised.
  const Json late =
      transition(house, R"({"version": 1, "from": "todo", "to": "in_progress", "key": "T-1-g1"})", 409);
  EXPECT_EQ(late["code"], "version_conflict");
  EXPECT_EQ(late["ticket"]["moved_by"], "T-1-g1");
  EXPECT_EQ(late["ticket"]["version"], 2);
  EXPECT_EQ(transition(house, R"({"version": 1, "to": "blocked", "key": "k"})", 409)["code"],
            "version_conflict");
  EXPECT_EQ(transition(house, R"({"version": 2, "from": "todo", "to": "blocked", "key": "k"})", 409)["code"],
            "version_conflict");
}

TEST(BoardRoutes, BackToTodoOnlyADeathLeads) {
  House house;
  house.add("T-1");
  transition(house, R"({"version": 1, "to": "in_progress", "key": "T-1-g1"})", 200);
  EXPECT_EQ(transition(house, R"({"version": 2, "to": "todo", "key": "T-1-g1"})", 422)["code"],
            "death_needed");
  EXPECT_EQ(
      transition(house, R"({"version": 2, "to": "todo", "key": "T-1-g1", "cause": "tired"})", 422)["code"],
      "invalid");
  const Json back = transition(
      house,
      R"({"version": 2, "to": "todo", "key": "T-1-g1", "reason": "again", "cause": "exit_code", "evidence": "exit code 3"})",
      200);
  EXPECT_EQ(back["state"], "todo");
  EXPECT_EQ(back["reason"], "again (exit_code: exit code 3)");
}

// Whoever asks: a runtime of this installation that is alive keeps its ticket from `todo`.
TEST(BoardRoutes, AnOpenRuntimeKeepsItsTicketFromTodo) {
  House house;
  house.add("T-1");
  house.attempt("T-1", Stage::running);
  transition(house, R"({"version": 1, "to": "in_progress", "key": "k"})", 200);
  const Json refused =
      transition(house, R"({"version": 2, "to": "todo", "key": "k", "cause": "exit_code"})", 409);
  EXPECT_EQ(refused["code"], "conflict");
  EXPECT_EQ(refused["ticket"]["state"], "in_progress");
}

TEST(BoardRoutes, WhatIsOverOnlyAPersonOpens) {
  House house;
  house.add("T-1");
  transition(house, R"({"version": 1, "to": "done", "key": "k"})", 200);
  transition(house, R"({"version": 2, "to": "done", "key": "k"})", 200);
  const Json refused = transition(house, R"({"version": 2, "to": "blocked", "key": "k"})", 422);
  EXPECT_EQ(refused["code"], "no_such_transition");
  EXPECT_EQ(refused["ticket"]["state"], "done");
}

TEST(BoardRoutes, AKeyIsNoPersonsName) {
  House house;
  house.add("T-1");
  for (const char* key : {"person", "person:alice", "", "a b"})
    EXPECT_EQ(transition(house, R"({"version": 1, "to": "done", "key": ")" + std::string(key) + R"("})",
                         422)["code"],
              "invalid");
  EXPECT_EQ(transition(house, R"({"version": 1, "to": "done"})", 422)["code"], "invalid");
}

TEST(BoardRoutes, ACommentWithAKeyIsAppendedOnce) {
  House house;
  house.add("T-1");
  const std::string comment = R"({"text": "closed", "key": "T-1-g1-closed"})";
  EXPECT_EQ(house.ask("POST", "tickets/T-1/comments", comment).status, 201);
  EXPECT_EQ(house.ask("POST", "tickets/T-1/comments", comment).status, 200);
  EXPECT_EQ(house.json("GET", "tickets/T-1")["comments"].size(), 1U);
  EXPECT_EQ(house.ask("POST", "tickets/T-9/comments", comment).status, 404);
  EXPECT_EQ(house.ask("POST", "tickets/T-1/comments", R"({"text": "x", "key": "a b"})").status, 422);
}

}  // namespace
}  // namespace holdfast::server
