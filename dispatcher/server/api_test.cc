// What the routes do to a real ledger, and what they refuse.
#include "dispatcher/core/names.h"
#include "dispatcher/server/server_kit.h"

namespace holdfast::server {
namespace {

using holdfast::kit::Stage;
using kit::House;

std::string code_of(const HttpAnswer& answer) {
  return Json::parse(answer.body).value("code", "");
}
std::string etag_of(const HttpAnswer& answer) {
  for (const auto& [name, value] : answer.headers)
    if (name == "ETag") return value;
  return "";
}

TEST(Api, ATicketIsAddedShownChangedAndMoved) {
  House house;
  const HttpAnswer added =
      house.ask("POST", "tickets", R"({"title": "Fix it", "labels": ["bug"], "priority": 5})");
  ASSERT_EQ(added.status, 201) << added.body;
  const std::string id = Json::parse(added.body)["id"];
  EXPECT_EQ(house.woken, 1);
  EXPECT_EQ(house.json("GET", "tickets/" + id)["labels"][0], "bug");
  EXPECT_EQ(house.json("GET", "tickets?label=bug&state=todo")["tickets"].size(), 1U);
  EXPECT_EQ(house.json("GET", "tickets?label=other")["tickets"].size(), 0U);
  EXPECT_EQ(house.json("PATCH", "tickets/" + id, R"({"title": "Mend it"})")["title"], "Mend it");
  EXPECT_EQ(house.json("POST", "tickets/" + id + "/move", R"({"state": "backlog"})")["state"], "backlog");
  EXPECT_EQ(house.ask("POST", "tickets/" + id + "/comments", R"({"text": "seen"})").status, 201);
  const Json page = house.json("GET", "tickets/" + id);
  EXPECT_EQ(page["comments"][0]["text"], "seen");
  EXPECT_EQ(page["attempts"].size(), 0U);
}

TEST(Api, AConditionalWriteThatIsTooLateChangesNothing) {
  House house;
  house.add("T-1");
  const std::string tag = etag_of(house.ask("GET", "tickets/T-1"));
  EXPECT_EQ(house.ask("PATCH", "tickets/T-1", R"({"title": "mine"})", {{"if-match", tag}}).status, 200);
  const HttpAnswer late = house.ask("PATCH", "tickets/T-1", R"({"title": "late"})", {{"if-match", tag}});
  EXPECT_EQ(late.status, 412) << late.body;
  EXPECT_EQ(code_of(late), "version_conflict");
  EXPECT_EQ(etag_of(late), etag_of(house.ask("GET", "tickets/T-1"))) << "it says what the version is now";
  EXPECT_EQ(house.json("GET", "tickets/T-1")["title"], "mine");
  EXPECT_EQ(house.ask("POST", "tickets/T-1/move", R"({"state": "done"})", {{"if-match", tag}}).status, 412);
  EXPECT_EQ(house.ask("POST", "tickets/T-1/move", R"({"state": "done"})", {{"if-match", "nonsense"}}).status,
            412);
  const std::string now = etag_of(late);
  EXPECT_EQ(house.ask("GET", "tickets/T-1", "", {{"if-none-match", now}}).status, 304);
}

TEST(Api, ALiveRuntimesTicketIsNotPutBackToTodo) {
  House house;
  house.add("T-1");
  house.attempt("T-1", Stage::running);
  EXPECT_EQ(house.ask("POST", "tickets/T-1/move", R"({"state": "in_progress"})").status, 200);
  for (const char* way : {"move", "retry"}) {
    const HttpAnswer refused =
        house.ask("POST", std::string("tickets/T-1/") + way,
                  way == std::string("move") ? R"({"state": "todo"})" : R"({"reason": "again"})");
    EXPECT_EQ(refused.status, 409) << way << refused.body;
  }
  EXPECT_EQ(house.json("GET", "tickets/T-1")["state"], "in_progress");
}

// The incident's own answer.
TEST(Api, ASendIfReadyIsRefusedWithTheRuntimesStatusAndNothingIsQueued) {
  House house;
  house.add("T-1");
  house.attempt("T-1", Stage::newborn);
  const HttpAnswer refused = house.ask("POST", "runtimes/T-1/messages?if=ready", R"({"text": "hello"})");
  EXPECT_EQ(refused.status, 409);
  EXPECT_EQ(code_of(refused), "runtime_not_ready");
  EXPECT_EQ(Json::parse(refused.body)["runtime_status"], "newborn");
  const auto before = house.json("GET", "runtimes/T-1")["messages"].size();
  EXPECT_EQ(house.ask("POST", "runtimes/T-1/messages", R"({"text": "hello"})").status, 202);
  EXPECT_EQ(house.json("GET", "runtimes/T-1")["messages"].size(), before + 1);
}

TEST(Api, AMessageWithAKeyIsSentOnce) {
  House house;
  house.add("T-1");
  house.attempt("T-1", Stage::running);
  const std::map<std::string, std::string> key{{"idempotency-key", "c0ffee-1"}};
  const auto before = house.json("GET", "runtimes/T-1")["messages"].size();
  const HttpAnswer first = house.ask("POST", "runtimes/T-1/messages", R"({"text": "hello"})", key);
  const HttpAnswer again = house.ask("POST", "runtimes/T-1/messages", R"({"text": "hello"})", key);
  EXPECT_EQ(first.status, 202) << first.body;
  EXPECT_EQ(again.status, 202) << again.body;
  EXPECT_EQ(Json::parse(again.body)["id"], Json::parse(first.body)["id"]);
  EXPECT_EQ(house.json("GET", "runtimes/T-1")["messages"].size(), before + 1);
  EXPECT_EQ(code_of(house.ask("POST", "runtimes/T-1/messages", R"({"text": "other"})", key)),
            "idempotency_key_reused");
  EXPECT_EQ(
      house.ask("POST", "runtimes/T-1/messages", R"({"text": "x"})", {{"idempotency-key", "../x"}}).status,
      422);
}

// Every POST: the same key is answered alike, and does nothing a second time.
TEST(Api, ARepeatedPostWithItsKeyIsOne) {
  House house;
  const std::map<std::string, std::string> key{{"idempotency-key", "add-1"}};
  const HttpAnswer first = house.ask("POST", "tickets", R"({"title": "one"})", key);
  const HttpAnswer again = house.ask("POST", "tickets", R"({"title": "one"})", key);
  EXPECT_EQ(first.status, 201);
  EXPECT_EQ(again.status, 201);
  EXPECT_EQ(again.body, first.body);
  EXPECT_EQ(etag_of(again), etag_of(first));
  EXPECT_EQ(house.json("GET", "tickets")["tickets"].size(), 1U);
  EXPECT_EQ(house.woken, 1);
  // A refusal had no effect: the same key may be tried again.
  const std::map<std::string, std::string> retry{{"idempotency-key", "retry-1"}};
  house.add("T-7");
  house.attempt("T-7", Stage::newborn);
  const std::string send = "runtimes/T-7/messages?if=ready";
  EXPECT_EQ(house.ask("POST", send, R"({"text": "x"})", retry).status, 409);
  EXPECT_EQ(
      house.ledger()
          .write(RecordReady{{{"T-7"}, {1}}, holdfast::kit::process(100), holdfast::kit::process(101), ""},
                 {1'700'000'100'000})
          .raw.code,
      0);
  for (const Message& m : house.ledger().messages_of({{"T-7"}, {1}}).value)
    EXPECT_EQ(house.ledger()
                  .write(MoveMessage{m.attempt, m.id, MessageState::delivered, ""}, {1'700'000'100'001})
                  .raw.code,
              0);
  EXPECT_EQ(house.ask("POST", send, R"({"text": "x"})", retry).status, 202);
}

TEST(Api, WhatIsOpenIsEndedByAWishAndWhatIsNotIsMoved) {
  House house;
  house.add("T-1");
  EXPECT_EQ(house.json("POST", "tickets/T-1/park", "{}")["did"], "moved");
  EXPECT_EQ(house.json("POST", "tickets/T-1/move", R"({"state": "todo"})")["state"], "todo");
  house.attempt("T-1", Stage::running);
  const HttpAnswer wished =
      house.ask("POST", "tickets/T-1/cancel", R"({"reason": "wrong"})", {{"holdfast-by", "alice"}});
  EXPECT_EQ(wished.status, 202);
  EXPECT_EQ(Json::parse(wished.body)["runtime"], "T-1-g1");
  EXPECT_EQ(house.json("GET", "runtimes/T-1")["wish_by"], "alice: wrong");
  EXPECT_EQ(house.ask("POST", "runtimes/T-1-g1/stop", "{}").status, 202);
}

TEST(Api, AQuestionIsAnsweredOnce) {
  House house;
  house.add("T-1");
  house.attempt("T-1", Stage::waiting);
  EXPECT_EQ(house.ask("POST", "tickets/T-1/answer", R"({"text": "the red one"})").status, 202);
  EXPECT_EQ(code_of(house.ask("POST", "tickets/T-1/answer", R"({"text": "the blue one"})")),
            "already_answered");
  house.add("T-2");
  EXPECT_EQ(code_of(house.ask("POST", "tickets/T-2/answer", R"({"text": "x"})")), "runtime_closed");
}

// Its ticket is on a board elsewhere: nobody here could be answered or ended.
TEST(Api, ARuntimeWhoseTicketIsElsewhereIsAnsweredAndEndedAllTheSame) {
  House house;
  house.attempt("X-1", Stage::waiting);
  EXPECT_EQ(house.ask("POST", "tickets/X-1/answer", R"({"text": "the red one"})").status, 202);
  EXPECT_EQ(house.ask("POST", "tickets/X-1/cancel", R"({"reason": "wrong"})").status, 202);
  EXPECT_EQ(house.ask("POST", "tickets/X-1/retry", "{}").status, 404) << "that is said on its own board";
  EXPECT_EQ(house.ask("POST", "tickets/X-2/answer", R"({"text": "x"})").status, 404);
}

TEST(Api, BadInputIsToldInOneLineAndChangesNothing) {
  House house;
  house.add("T-1");
  const struct {
    const char *method, *target, *body;
    int status;
    const char* code;
  } cases[] = {
      {"POST", "tickets", "{", 400, "not_json"},
      {"POST", "tickets", "[]", 400, "not_json"},
      {"POST", "tickets", R"({"title": 7})", 422, "invalid"},
      {"POST", "tickets", R"({"title": "x", "colour": "red"})", 422, "unknown_field"},
      {"POST", "tickets", R"({"title": "x", "id": "T-1"})", 409, "conflict"},
      {"POST", "tickets", R"({"title": "x", "id": "../x"})", 422, "invalid"},
      {"POST", "tickets", R"({"title": "x", "profile": "none"})", 422, "no_such_profile"},
      {"POST", "tickets", R"({"title": "a\nb"})", 422, "invalid"},
      {"POST", "tickets/T-1/move", R"({"state": "gone"})", 422, "invalid"},
      {"POST", "tickets/T-1/move", "{}", 422, "invalid"},
      {"GET", "tickets/T-9", "", 404, "no_such_ticket"},
      {"GET", "tickets/%2e%2e", "", 0, ""},
      {"GET", "runtimes/T-1", "", 404, "no_such_runtime"},
      {"GET", "tickets?limit=0", "", 422, "invalid"},
      {"GET", "events?after=-1", "", 422, "invalid"},
      {"DELETE", "tickets/T-1", "", 405, "method_not_allowed"},
      {"GET", "nothing/here", "", 404, "no_such_path"},
  };
  const std::string before = house.ask("GET", "events?limit=10000").body + house.ask("GET", "tickets").body;
  for (const auto& c : cases) {
    if (c.status == 0) {
      EXPECT_FALSE(parse_target("/api/v1/" + std::string(c.target))) << c.target;
      continue;
    }
    const HttpAnswer answer = house.ask(c.method, c.target, c.body);
    EXPECT_EQ(answer.status, c.status) << c.target << c.body << answer.body;
    EXPECT_EQ(code_of(answer), c.code) << c.target << c.body;
    EXPECT_EQ(answer.type, "application/problem+json");
  }
  EXPECT_EQ(house.ask("GET", "events?limit=10000").body + house.ask("GET", "tickets").body, before);
}

TEST(Api, EventsArePagedByTheirNumber) {
  House house;
  house.add("T-1");
  house.attempt("T-1", Stage::running);
  const Json first = house.json("GET", "events?limit=2");
  ASSERT_EQ(first["events"].size(), 2U);
  const Json rest = house.json("GET", "events?after=" + std::to_string(first["next"].get<std::int64_t>()));
  EXPECT_GT(rest["events"].size(), 0U);
  EXPECT_GT(rest["events"][0]["seq"], first["events"][1]["seq"]);
}

// The document is made from the table; here every example in it is sent, and every answer must be one that it
// names.
TEST(Api, TheOpenApiDocumentsExamplesAreExecuted) {
  House house;
  house.add("T-1");
  house.attempt("T-1", Stage::running);
  const Json document = house.json("GET", "openapi.json");
  int executed = 0;
  for (const auto& [path, operations] : document["paths"].items())
    for (const auto& [method, operation] : operations.items()) {
      if (operation["responses"].contains("200")) continue;  // a stream: listener_test.cc follows each
      std::string target = path.substr(std::string("/api/v1/").size());
      if (const auto at = target.find("{id}"); at != std::string::npos) target.replace(at, 4, "T-1");
      std::string verb = method;
      for (char& c : verb) c = static_cast<char>(c - 'a' + 'A');
      std::string body;
      if (operation.contains("requestBody"))
        body = operation["requestBody"]["content"]["application/json"]["example"].dump();
      const HttpAnswer answer = house.ask(verb, target, body);
      const bool named =
          answer.status < 300 || operation["responses"].contains(std::to_string(answer.status));
      EXPECT_TRUE(named) << verb << " " << target << " answered " << answer.status
                         << ", which is not in the document";
      ++executed;
    }
  EXPECT_EQ(executed, static_cast<int>(routes().size()));
}

TEST(Target, IsDecodedOrNotTakenAtAll) {
  EXPECT_EQ(parse_target("/a/b%20c?x=1%2B1&y=a+b&z")->path, (std::vector<std::string>{"a", "b c"}));
  EXPECT_EQ(parse_target("/a?x=1%2B1&y=a+b&z")->query.at("x"), "1+1");
  EXPECT_EQ(parse_target("/a?x=1%2B1&y=a+b&z")->query.at("y"), "a b");
  for (const char* bad : {"", "a", "http://x/", "/a%2", "/a%zz", "/%2e%2e/b", "/a/../b", "/a//b", "/a%00",
                          "/a%2fb", "/a?x=%0a"})
    EXPECT_FALSE(parse_target(bad)) << bad;
}

}  // namespace
}  // namespace holdfast::server
