// Tickets as JSON Lines: an export reads back byte for byte, and every mistake in a file is named by line and
// place while nothing of the file is taken.
#include "dispatcher/board/ticket_lines.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dispatcher/board/builtin_board.h"
#include "dispatcher/board/dependency_cycle.h"
#include "dispatcher/board/desk.h"
#include "dispatcher/ledger/temp_folder.h"

namespace holdfast {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

struct TicketLinesTest : testing::Test {
  TempFolder folder;
  std::unique_ptr<Desk> desk = open_desk(folder / "ledger.db", LedgerMode::command_line).value();

  // All mistakes, one a line; "added N" where there are none.
  std::string import_of(const std::string& text) {
    const auto done = desk->import_lines(text, "alice", {5000});
    if (done) return "added " + std::to_string(done->tickets);
    std::string words;
    for (const LineError& error : done.error()) words += words_for(error) + "\n";
    return words;
  }
};

TEST_F(TicketLinesTest, AnExportReadsBackByteForByte) {
  desk->add({{"B"},
             "se\"cond \xE2\x82\xAC",
             "line\n\ttab \\ \xF0\x9F\x99\x82",
             BoardState::todo,
             -5,
             "agent",
             {"z", "a"}},
            "bob", {1000})
      .value();
  desk->add({{"A"}, "first", "", BoardState::backlog, 2'000'000'000, "", {}, {{"B"}}}, "", {2000}).value();
  desk->comment({"A"}, "a comment", "bob", {3000}).value();
  desk->move({"B"}, BoardState::blocked, "waits\nfor me", "bob", {4000}).value();
  {
    // A dispatcher's comment may hold anything a worker printed.
    auto board = open_board(folder / "ledger.db", LedgerMode::dispatcher).value();
    ASSERT_EQ(board->comment({"A"}, "A-g1", std::string("bytes: \xFF \0 .", 12), {3500}).raw.code, 200);
  }
  const std::string lines = desk->export_lines().value();

  auto other = open_desk(folder / "other.db", LedgerMode::command_line).value();
  const auto added = other->import_lines(lines, "carol", {9000});
  ASSERT_TRUE(added) << words_for(added.error().front());
  EXPECT_EQ(added->tickets, 2);
  EXPECT_EQ(other->export_lines().value(), lines);
}

TEST_F(TicketLinesTest, OnlyIdAndTitleAreNeeded) {
  ASSERT_EQ(import_of("\n{\"id\":\"T-1\",\"title\":\"t\"}\r\n\n"), "added 1");
  const auto ticket = desk->show({"T-1"})->ticket;
  EXPECT_EQ(ticket.state, BoardState::todo);
  EXPECT_EQ(ticket.priority, 100);
  EXPECT_EQ(ticket.created_at, Instant{5000});
  EXPECT_EQ(ticket.moved_by, "person:alice");
}

struct BadLine {
  const char* name;
  const char* line;
  const char* words;
};
class BadLines : public TicketLinesTest, public testing::WithParamInterface<BadLine> {};

TEST_P(BadLines, IsNamedByLineAndPlaceAndNothingIsTaken) {
  const std::string good = R"({"id":"G","title":"good"})";
  EXPECT_THAT(import_of(good + "\n" + GetParam().line + "\n"),
              StartsWith(std::string("line 2: ") + GetParam().words));
  EXPECT_EQ(desk->export_lines().value(), "") << "all or nothing";
}

INSTANTIATE_TEST_SUITE_P(
    Table, BadLines,
    testing::Values(
        BadLine{"NotJson", "{\"id\":\"T\",", "must be one JSON object: "},
        BadLine{"AList", "[1]", "must be one JSON object, is a array"},
        BadLine{"Truncated", "{\"id\":\"T\",\"title\":\"t", "must be one JSON object: "},
        BadLine{"BadUtf8", "{\"id\":\"T\",\"title\":\"\xFF\"}", "must be one JSON object: "},
        BadLine{"TwoObjects", "{\"id\":\"T\",\"title\":\"t\"} {}", "must be one JSON object: "},
        BadLine{"NoId", R"({"title":"t"})", "/id: is missing"},
        BadLine{"NoTitle", R"({"id":"T"})", "/title: is missing"},
        BadLine{"IdNumber", R"({"id":7,"title":"t"})", "/id: must be a string, is a number"},
        BadLine{"IdHostile", R"({"id":"../../etc","title":"t"})", "/id: must begin with a letter"},
        BadLine{"IdLikeAnAttempt", R"({"id":"T-g2","title":"t"})", "/id: must not end in"},
        BadLine{"TitleNewline", R"({"id":"T","title":"a\nb"})", "/title: must not hold control"},
        BadLine{"TitleEscape", R"({"id":"T","title":"a\u001b[2J"})", "/title: must not hold control"},
        BadLine{"BodyNul", R"({"id":"T","title":"t","body":"a\u0000"})", "/body: must not hold NUL"},
        BadLine{"StateUnknown", R"({"id":"T","title":"t","state":"doing"})", "/state: must be backlog, todo"},
        BadLine{"PriorityText", R"({"id":"T","title":"t","priority":"high"})",
                "/priority: must be a whole number"},
        BadLine{"PriorityHuge", R"({"id":"T","title":"t","priority":99999999999})",
                "/priority: must be a whole number"},
        BadLine{"PriorityEnormous", R"({"id":"T","title":"t","priority":18446744073709551615})",
                "/priority: must be"},
        BadLine{"PriorityFraction", R"({"id":"T","title":"t","priority":1.5})",
                "/priority: must be a whole number"},
        BadLine{"LabelsText", R"({"id":"T","title":"t","labels":"bug"})",
                "/labels: must be a list, is a string"},
        BadLine{"LabelNumber", R"({"id":"T","title":"t","labels":["a",1]})", "/labels/1: must be a string"},
        BadLine{"LabelTwice", R"({"id":"T","title":"t","labels":["a","a"]})", "/labels/1: is there twice"},
        BadLine{"UnknownField", R"({"id":"T","title":"t","prio":1})", "/prio: is no field"},
        BadLine{"KeyTwice", R"({"id":"T","title":"t","title":"u"})", "/title: is there twice"},
        BadLine{"IdTwice", R"({"id":"G","title":"t"})", "/id: is on line 1 already"},
        BadLine{"DependsOnNobody", R"({"id":"T","title":"t","depends_on":["N"]})",
                "/depends_on/0: is neither"},
        BadLine{"DependsOnItself", R"({"id":"T","title":"t","depends_on":["T"]})",
                "/depends_on/0: is the ticket"},
        BadLine{"CommentWithoutText", R"({"id":"T","title":"t","comments":[{"key":"k"}]})",
                "/comments/0/text: is missing"},
        BadLine{"CommentNoObject", R"({"id":"T","title":"t","comments":["x"]})",
                "/comments/0: must be an object"}),
    [](const auto& row) { return std::string(row.param.name); });

TEST_F(TicketLinesTest, AnIdThatIsOnTheBoardIsNamed) {
  desk->add({{"T-1"}, "t", ""}, "", {1}).value();
  const std::string before = desk->export_lines().value();
  EXPECT_THAT(import_of(R"({"id":"N","title":"n"})"
                        "\n"
                        R"({"id":"T-1","title":"t"})"),
              HasSubstr("line 2: /id: is on the board already: T-1"));
  EXPECT_EQ(desk->export_lines().value(), before);
}

TEST_F(TicketLinesTest, DependenciesMayComeLaterInTheFileOrBeOnTheBoard) {
  desk->add({{"OLD"}, "t", ""}, "", {1}).value();
  EXPECT_EQ(import_of(R"({"id":"A","title":"a","depends_on":["B","OLD"]})"
                      "\n"
                      R"({"id":"B","title":"b"})"),
            "added 2");
}

TEST_F(TicketLinesTest, ARingIsShown) {
  EXPECT_THAT(import_of(R"({"id":"A","title":"a","depends_on":["B"]})"
                        "\n"
                        R"({"id":"B","title":"b","depends_on":["C"]})"
                        "\n"
                        R"({"id":"C","title":"c","depends_on":["A"]})"),
              HasSubstr("must not form a ring: A -> B -> C -> A"));
}

TEST_F(TicketLinesTest, EveryMistakeIsToldUpToAHundred) {
  std::string text;
  for (int n = 0; n < 300; ++n) text += "{\"id\":\"T\"}\n";
  const auto read = parse_ticket_lines(text, {1});
  EXPECT_EQ(read.errors.size(), 100U);
  EXPECT_EQ(read.errors[99].line, 100);
}

TEST_F(TicketLinesTest, DeepNestingIsAnErrorAndNoCrash) {
  EXPECT_THAT(import_of("{\"id\":" + std::string(200'000, '[') + "}"),
              StartsWith("line 1: must be one JSON object"));
  EXPECT_THAT(import_of("{\"id\":" + std::string(100'000, '[') + std::string(100'000, ']') + "}"),
              StartsWith("line 1: /id: must be a string"));
}

// The parser's own words quote the line, and they go to a terminal.
TEST_F(TicketLinesTest, AMistakeQuotesNoControlCharacterOfItsLine) {
  const std::string words = import_of("{\"id\":\"T-1\",\"title\":\"\\u20\x7F\xE2\x80\xAE\"}");
  EXPECT_THAT(words, StartsWith("line 1: must be one JSON object"));
  EXPECT_EQ(words.find('\x7F'), std::string::npos);
  EXPECT_EQ(words.find("\xE2\x80\xAE"), std::string::npos);
}

TEST(DependencyCycle, AHundredThousandInARowAreNoRing) {
  Dependencies chain;
  for (int n = 0; n < 100'000; ++n) chain[{"T-" + std::to_string(n)}] = {{"T-" + std::to_string(n + 1)}};
  EXPECT_TRUE(find_cycle(chain).empty());
  chain[{"T-100000"}] = {{"T-0"}};
  EXPECT_EQ(find_cycle(chain).size(), 100'002U);
}

}  // namespace
}  // namespace holdfast
