// Foreign JSON as tickets: what can be read is, what cannot is said.
#include "dispatcher/board/remote/ticket_json.h"

#include <gtest/gtest.h>

#include <thread>

#include "dispatcher/board/remote/board_line.h"

namespace holdfast::board_json {
namespace {

const BoardShape& own() {
  return known_board_shapes().at("holdfast");
}

TEST(TicketJson, OursIsReadAsItIsWritten) {
  const Json j =
      Json::parse(R"({"id": "T-1", "title": "Fix", "body": "é", "state": "in_review", "priority": -3,
    "profile": "agent", "labels": ["a", "b"], "depends_on": ["T-0"], "version": 7, "created_at": 1700000000000,
    "changed_at": null, "reason": "because", "moved_by": "T-1-g1", "later": {"fields": "are passed over"}})");
  const auto t = ticket_from(j, own());
  ASSERT_TRUE(t) << t.error();
  EXPECT_EQ(t->id.value, "T-1");
  EXPECT_EQ(t->state, BoardState::in_review);
  EXPECT_EQ(t->priority, -3);
  EXPECT_EQ(t->labels, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(t->depends_on, (std::vector<TicketId>{{"T-0"}}));
  EXPECT_EQ(t->version, 7);
  EXPECT_EQ(t->created_at, (Instant{1'700'000'000'000}));
  EXPECT_EQ(t->moved_by, "T-1-g1");
}

TEST(TicketJson, AShapeSaysWhereThingsAre) {
  BoardShape shape = own();
  shape.fields.id = "/key";
  shape.fields.title = "/fields/summary";
  shape.fields.state = "/fields/status/name";
  shape.fields.version = "/rev";
  shape.fields.labels = "/fields/tags";
  shape.fields.label_name = "/text";
  shape.states[BoardState::todo] = "To Do";
  const Json j = Json::parse(R"({"key": "ABC-7", "rev": 3, "fields": {"summary": "S",
    "status": {"name": "To Do"}, "tags": [{"text": "x"}, {"other": 1}]}})");
  const auto t = ticket_from(j, shape);
  ASSERT_TRUE(t) << t.error();
  EXPECT_EQ(t->id.value, "ABC-7");
  EXPECT_EQ(t->state, BoardState::todo);
  EXPECT_EQ(t->labels, (std::vector<std::string>{"x"}));
}

TEST(TicketJson, WhatNobodyUnderstandsIsSaidAndNeverGuessed) {
  const Json good = Json::parse(R"({"id": "T-1", "state": "todo", "version": 1})");
  ASSERT_TRUE(ticket_from(good, own()));
  for (const char* patch :
       {R"({"id": null})", R"({"id": "../x"})", R"({"id": "T-1-g2"})", R"({"id": ["T-1"]})",
        R"({"state": "Todo"})", R"({"state": 3})", R"({"state": null})", R"({"version": "1"})",
        R"({"version": 1.5})", R"({"version": null})"}) {
    Json j = good;
    j.merge_patch(Json::parse(patch));
    EXPECT_FALSE(ticket_from(j, own())) << patch;
  }
  for (const char* odd : {"[]", "3", "\"x\"", "null"})
    EXPECT_FALSE(ticket_from(Json::parse(odd), own())) << odd;
}

TEST(TicketJson, TimesThereAndBack) {
  EXPECT_EQ(instant_from("2026-01-31T12:00:01Z"), (Instant{1'769'860'801'000}));
  EXPECT_EQ(instant_from("2026-01-31T12:00:01.5Z"), (Instant{1'769'860'801'500}));
  EXPECT_EQ(instant_from("2026-01-31T12:00:01.123456Z"), (Instant{1'769'860'801'123}));
  EXPECT_EQ(iso_8601({1'769'860'801'999}), "2026-01-31T12:00:01Z");
  EXPECT_EQ(iso_8601({0}), "1970-01-01T00:00:00Z");
  for (const char* wrong : {"", "yesterday", "2026-02-30T12:00:01Z", "2026-01-31T12:00:01",
                            "2026-01-31T99:00:01Z", "2026-01-31T12:00:01+02:00"})
    EXPECT_FALSE(instant_from(wrong)) << wrong;
}

TEST(TicketJson, WhatIsPutIntoAPathStaysOnePartOfIt) {
  EXPECT_EQ(filled("/t/{id}/x?since={since}", "id", "a/../b c?&#"),
            "/t/a%2F..%2Fb%20c%3F%26%23/x?since={since}");
  EXPECT_EQ(filled("/{id}/{id}", "id", "{id}"), "/%7Bid%7D/%7Bid%7D");
}

TEST(BoardLine, WhatMayHaveBeenHeardKeepsItsNameAndWhatWasAnsweredDoesNot) {
  int names = 0;
  BoardLine line([&] { return "n" + std::to_string(++names); });
  const auto ask = [&](const char* ticket, const char* what, bool answered) {
    auto turn = line.wait({ticket}, what);
    std::string key = turn.key();
    if (answered) turn.answered();
    return key;
  };
  const std::string first = ask("T-1", "move", false);
  EXPECT_EQ(ask("T-1", "move", false), first);
  EXPECT_NE(ask("T-2", "move", true), first);
  EXPECT_EQ(ask("T-1", "move", true), first);
  const std::string second = ask("T-1", "move", false);
  EXPECT_NE(second, first) << "it was answered";
  EXPECT_NE(ask("T-1", "another", false), second);
  EXPECT_NE(ask("T-1", "move", true), second) << "another came in between";
}

TEST(BoardLine, TwoWritersOfOneTicketGoOneAfterTheOther) {
  BoardLine line([] { return "n"; });
  std::atomic<int> inside = 0, most = 0, turns = 0;
  std::vector<std::jthread> writers;
  for (int t = 0; t < 4; ++t)
    writers.emplace_back([&] {
      for (int n = 0; n < 200; ++n) {
        const auto turn = line.wait({"T-1"}, "x");
        most = std::max(most.load(), ++inside);
        std::this_thread::yield();
        ++turns;
        --inside;
      }
    });
  writers.clear();
  EXPECT_EQ(turns, 800);
  EXPECT_EQ(most, 1);
}

}  // namespace
}  // namespace holdfast::board_json
