// What every board must do for a dispatcher, written against the port. The built-in board's instantiation is
// in builtin_board_test.cc; an HTTP board or a simulated one includes this header in one test file and adds
// INSTANTIATE_TEST_SUITE_P.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <map>
#include <thread>

#include "dispatcher/core/ledger_rules_kit.h"
#include "dispatcher/ports/board.h"

namespace holdfast {

// A board with what the tests need of the world around it.
struct BoardHouse {
  std::shared_ptr<void> ground;
  std::unique_ptr<Board> board;
  std::function<void(const BoardTicket&)> put;            // a person adds this ticket
  std::function<void(const TicketId&, BoardState)> move;  // a person moves it
  std::function<void(const AttemptId&)> open_runtime;     // empty: the board knows nothing of runtimes
  std::function<std::vector<std::string>(const TicketId&)>
      comments;  // texts, oldest first; empty: cannot be read
};

struct BoardMaker {
  std::string name;
  std::function<BoardHouse()> make;
};
inline void PrintTo(const BoardMaker& maker, std::ostream* out) {
  *out << maker.name;
}

class BoardContract : public testing::TestWithParam<BoardMaker> {
 protected:
  BoardHouse house = GetParam().make();
  Board& board = *house.board;

  BoardTicket put(const std::string& id, BoardState state = BoardState::todo) {
    BoardTicket ticket;
    ticket.id = {id};
    ticket.title = "Title of " + id;
    ticket.body = "Line one\nline two \xC3\xA9\n";
    ticket.state = state;
    ticket.priority = 50;
    ticket.profile = "agent";
    ticket.labels = {"bug", "area/parser"};
    ticket.created_at = ticket.changed_at = {1000};
    house.put(ticket);
    return board.read({id}).value;
  }

  Reply<BoardTicket> move(const BoardTicket& seen, BoardState to, const std::string& key = "T-1-g1") {
    return board.move({seen.id, seen.version, to, "because", key}, {2000});
  }
};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(BoardContract);

TEST_P(BoardContract, ATicketIsReadAsItWasPut) {
  put("T-0", BoardState::done);
  BoardTicket ticket;
  ticket.id = {"T-1"};
  ticket.title = "Fix the parser";
  ticket.body = std::string(100'000, 'b');
  ticket.state = BoardState::todo;
  ticket.priority = -3;
  ticket.labels = {"z", "a"};
  ticket.depends_on = {{"T-0"}};
  ticket.created_at = {1000};
  house.put(ticket);
  const auto got = board.read({"T-1"});
  EXPECT_EQ(got.raw.code, 200);
  EXPECT_EQ(got.value.title, ticket.title);
  EXPECT_EQ(got.value.body, ticket.body);
  EXPECT_EQ(got.value.state, ticket.state);
  EXPECT_EQ(got.value.priority, ticket.priority);
  EXPECT_EQ(got.value.labels, ticket.labels);
  EXPECT_EQ(got.value.depends_on, ticket.depends_on);
  EXPECT_EQ(got.value.created_at, ticket.created_at);
  EXPECT_EQ(board.read({"T-9"}).raw.code, 404);
}

TEST_P(BoardContract, AMoveTakesHoldAndIsSignedWithItsKey) {
  const auto seen = put("T-1");
  const auto moved = move(seen, BoardState::in_progress);
  ASSERT_EQ(moved.raw.code, 200) << moved.raw.error;
  EXPECT_EQ(moved.value.state, BoardState::in_progress);
  EXPECT_EQ(moved.value.moved_by, "T-1-g1");
  EXPECT_EQ(moved.value.reason, "because");
  EXPECT_GT(moved.value.version, seen.version);
  EXPECT_EQ(board.read({"T-1"}).value, moved.value);
}

// S19: our own write whose answer was lost looks like a conflict; the ticket in the answer says whose it was.
TEST_P(BoardContract, ARepeatedMoveAnswersConflictAndShowsOurOwnKey) {
  const auto seen = put("T-1");
  const auto first = move(seen, BoardState::in_progress);
  const auto again = move(seen, BoardState::in_progress);
  EXPECT_EQ(again.raw.code, 409);
  EXPECT_EQ(again.value, first.value);
  EXPECT_EQ(again.value.moved_by, "T-1-g1");
  EXPECT_EQ(board.read({"T-1"}).value, first.value) << "and nothing happens twice";
}

TEST_P(BoardContract, AMoveOverAnOldVersionIsRefusedWithTheTicketAsItIs) {
  const auto seen = put("T-1");
  house.move({"T-1"}, BoardState::backlog);
  const auto refused = move(seen, BoardState::in_progress);
  EXPECT_EQ(refused.raw.code, 409);
  EXPECT_EQ(refused.value.state, BoardState::backlog);
  EXPECT_EQ(board.read({"T-1"}).value.state, BoardState::backlog);
  BoardTicket nobody;
  nobody.id = {"T-9"};
  EXPECT_EQ(move(nobody, BoardState::in_progress).raw.code, 404);
}

TEST_P(BoardContract, NoMoveLeadsToTodo) {
  const auto seen = put("T-1", BoardState::in_progress);
  EXPECT_EQ(move(seen, BoardState::todo).raw.code, 422);
  EXPECT_EQ(board.read({"T-1"}).value, seen);
}

// S11
TEST_P(BoardContract, DoneAndCancelledAreLeftByPersonsOnly) {
  for (const BoardState terminal : {BoardState::done, BoardState::cancelled}) {
    const auto seen = put(std::string("T_") + words_for(terminal), terminal);
    for (const BoardState to : {BoardState::in_progress, BoardState::in_review, BoardState::blocked}) {
      EXPECT_EQ(move(seen, to).raw.code, 422);
      EXPECT_EQ(board.read(seen.id).value, seen);
    }
    const auto back =
        board.return_to_todo(kit::certificate_for({seen.id, {1}}), seen.version, "dead", {2000});
    EXPECT_EQ(back.raw.code, 422);
    EXPECT_EQ(board.read(seen.id).value, seen);
  }
}

TEST_P(BoardContract, ACertificateLeadsBackToTodo) {
  const auto seen = put("T-1", BoardState::in_progress);
  const auto certificate = kit::certificate_for({{"T-1"}, {1}});
  EXPECT_EQ(board.return_to_todo(certificate, seen.version + 7, "dead", {2000}).raw.code, 409);
  const auto back = board.return_to_todo(certificate, seen.version, "dead", {2000});
  ASSERT_EQ(back.raw.code, 200) << back.raw.error;
  EXPECT_EQ(back.value.state, BoardState::todo);
  EXPECT_EQ(back.value.moved_by, "T-1-g1");
  EXPECT_EQ(board.return_to_todo(certificate, seen.version, "dead", {2000}).raw.code, 409) << "repeated";
}

// The promise, in the store itself.
TEST_P(BoardContract, NoCertificateHelpsBesideAnOpenRuntime) {
  if (!house.open_runtime) GTEST_SKIP() << "this board knows nothing of runtimes";
  const auto seen = put("T-1", BoardState::in_progress);
  house.open_runtime({{"T-1"}, {1}});
  const auto refused =
      board.return_to_todo(kit::certificate_for({{"T-1"}, {1}}), seen.version, "dead", {2000});
  EXPECT_EQ(refused.raw.code, 409);
  EXPECT_EQ(refused.value, seen);
  EXPECT_NE(refused.raw.error.find("alive or not yet accounted for"), std::string::npos) << refused.raw.error;
  EXPECT_EQ(board.read({"T-1"}).value, seen);
}

TEST_P(BoardContract, ACommentIsMadeOncePerKey) {
  put("T-1");
  EXPECT_EQ(board.comment({"T-1"}, "T-1-g1-closed", "it died", {2000}).raw.code / 100, 2);
  EXPECT_EQ(board.comment({"T-1"}, "T-1-g1-closed", "it died", {3000}).raw.code / 100, 2);
  EXPECT_EQ(board.comment({"T-1"}, "T-1-g2-closed", "again", {4000}).raw.code / 100, 2);
  EXPECT_EQ(board.comment({"T-9"}, "k", "x", {2000}).raw.code, 404);
  if (house.comments) {
    EXPECT_EQ(house.comments({"T-1"}), (std::vector<std::string>{"it died", "again"}));
  }
}

TEST_P(BoardContract, ChangesComeOnceAndAreComplete) {
  for (int n = 1; n <= 5; ++n) put("T-" + std::to_string(n));
  std::map<TicketId, BoardTicket> seen;
  std::int64_t cursor = 0;
  for (int pages = 0; pages < 10; ++pages) {
    const auto page = board.changes_after(cursor, 2).value;
    EXPECT_LE(page.tickets.size(), 2U);
    for (const BoardTicket& ticket : page.tickets) seen[ticket.id] = ticket;
    EXPECT_GE(page.cursor, cursor);
    cursor = page.cursor;
    if (page.complete) break;
  }
  ASSERT_EQ(seen.size(), 5U);
  for (const auto& [id, ticket] : seen) EXPECT_EQ(board.read(id).value, ticket);

  EXPECT_TRUE(board.changes_after(cursor, 100).value.tickets.empty());
  move(seen[{"T-2"}], BoardState::in_progress);
  house.move({"T-4"}, BoardState::cancelled);
  const auto after = board.changes_after(cursor, 100).value;
  EXPECT_TRUE(after.complete);
  ASSERT_EQ(after.tickets.size(), 2U);
  for (const BoardTicket& ticket : after.tickets) EXPECT_EQ(board.read(ticket.id).value, ticket);
  EXPECT_GT(after.cursor, cursor);
}

TEST_P(BoardContract, ManyMoversHaveOneWinner) {
  const auto seen = put("T-1");
  std::atomic<int> won{0};
  std::vector<std::jthread> movers;
  movers.reserve(4);
  for (int t = 0; t < 4; ++t)
    movers.emplace_back([&, t] {
      if (move(seen, BoardState::in_progress, "T-1-g" + std::to_string(t + 1)).raw.code == 200) ++won;
    });
  movers.clear();
  EXPECT_EQ(won, 1);
}

}  // namespace holdfast
