// The built-in board keeps every board's contract, in a real file that it shares with a ledger.
#include "dispatcher/board/builtin_board.h"

#include <gtest/gtest.h>

#include "dispatcher/board/board_contract.h"
#include "dispatcher/board/desk.h"
#include "dispatcher/ledger/ledger_file.h"
#include "dispatcher/ledger/sqlite_ledger.h"
#include "dispatcher/ledger/temp_folder.h"

namespace holdfast {
namespace {

BoardHouse builtin_house() {
  struct Ground {
    TempFolder folder;
    std::unique_ptr<SqliteLedger> ledger;
    std::unique_ptr<Desk> desk;
  };
  auto ground = std::make_shared<Ground>();
  const std::string path = ground->folder / "ledger.db";
  ground->ledger = open_ledger(path, LedgerMode::dispatcher).value();
  ground->desk = open_desk(path, LedgerMode::command_line).value();
  BoardHouse house;
  house.board = open_board(path, LedgerMode::dispatcher).value();
  house.put = [g = ground.get()](const BoardTicket& t) {
    const auto added =
        g->desk->add({t.id, t.title, t.body, t.state, t.priority, t.profile, t.labels, t.depends_on}, "alice",
                     t.created_at);
    EXPECT_TRUE(added) << added.error().words;
  };
  house.move = [g = ground.get()](const TicketId& id, BoardState to) {
    EXPECT_TRUE(g->desk->move(id, to, "", "alice", {1500}));
  };
  house.open_runtime = [g = ground.get()](const AttemptId& attempt) {
    g->ledger->write(StoreSlot{kit::free_slot(1)}, {1});
    EXPECT_EQ(g->ledger->write(kit::claim_of(attempt.ticket.value), {2}).raw.code, 0);
  };
  house.comments = [g = ground.get()](const TicketId& id) {
    std::vector<std::string> texts;
    const TicketPage page = g->desk->show(id).value();
    texts.reserve(page.comments.size());
    for (const auto& comment : page.comments) texts.push_back(comment.text);
    return texts;
  };
  house.ground = std::move(ground);
  return house;
}

INSTANTIATE_TEST_SUITE_P(Builtin, BoardContract, testing::Values(BoardMaker{"builtin", builtin_house}),
                         [](const auto& made) { return made.param.name; });

TEST(BuiltinBoard, ARivalsLockIs503AndForgottenWhenItIsGone) {
  const TempFolder folder;
  const std::string path = folder / "ledger.db";
  auto board = open_board(path, LedgerMode::dispatcher, 1).value();
  auto desk = open_desk(path, LedgerMode::command_line).value();
  const auto ticket = desk->add({{"T-1"}, "t", ""}, "", {1}).value();
  auto rival = sqlite::Connection::open(path, sqlite::Access::read_write, 0).value();
  rival.begin_writing();
  const auto refused = board->move({{"T-1"}, ticket.version, BoardState::blocked, "", "k"}, {2});
  EXPECT_EQ(refused.raw.code, 503) << refused.raw.error;
  EXPECT_EQ(board->read({"T-1"}).value, ticket);
  rival.rollback();
  EXPECT_EQ(board->move({{"T-1"}, ticket.version, BoardState::blocked, "", "k"}, {2}).raw.code, 200);
}

TEST(BuiltinBoard, AFileThatIsReadOnlyIs507) {
  const TempFolder folder;
  auto board = open_board(folder / "ledger.db", LedgerMode::dispatcher).value();
  auto desk = open_desk(folder / "ledger.db", LedgerMode::command_line).value();
  const auto ticket = desk->add({{"T-1"}, "t", ""}, "", {1}).value();
  auto reader = open_board(folder / "ledger.db", LedgerMode::read_only).value();
  const auto refused = reader->move({{"T-1"}, ticket.version, BoardState::blocked, "", "k"}, {2});
  EXPECT_EQ(refused.raw.code, 507) << refused.raw.error;
  EXPECT_EQ(reader->read({"T-1"}).value, ticket);
}

TEST(BuiltinBoard, ARuntimeThatIsClosedSetsItsTicketFree) {
  const TempFolder folder;
  const std::string path = folder / "ledger.db";
  auto ledger = open_ledger(path, LedgerMode::dispatcher).value();
  auto board = open_board(path, LedgerMode::dispatcher).value();
  auto desk = open_desk(path, LedgerMode::command_line).value();
  desk->add({{"T-1"}, "t", ""}, "", {1}).value();
  const AttemptId id{{"T-1"}, {1}};
  ledger->write(StoreSlot{kit::free_slot(1)}, {1});
  ASSERT_EQ(ledger->write(kit::claim_of("T-1"), {2}).raw.code, 0);
  auto seen = board->read({"T-1"}).value;
  seen = board->move({{"T-1"}, seen.version, BoardState::in_progress, "", "T-1-g1"}, {3}).value;
  for (const kit::Stage stage : kit::all_stages) {
    if (stage == kit::Stage::waiting || stage == kit::Stage::finished || stage == kit::Stage::finished_dead)
      continue;
    const auto way = kit::way_to(stage, id);
    if (!way.empty()) {
      ASSERT_EQ(ledger->write(way.back(), {4}).raw.code, 0);
    }
    const bool open = stage != kit::Stage::closed && stage != kit::Stage::settled;
    const auto back = board->return_to_todo(kit::certificate_for(id), seen.version, "dead", {5});
    EXPECT_EQ(back.raw.code, open ? 409 : 200) << kit::name_of(stage);
    const auto asked = desk->move({"T-1"}, BoardState::todo, "please", "alice", {6});
    EXPECT_EQ(asked.has_value(), !open)
        << "a person is held by the same constraint: " << (asked ? "" : asked.error().words);
    if (!open) break;
  }
}

}  // namespace
}  // namespace holdfast
