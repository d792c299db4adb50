// The contract of every ledger, for SQLite: in real files, with a second connection as the other process.
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "dispatcher/ledger/ledger_contract.h"
#include "dispatcher/ledger/sqlite_ledger.h"
#include "dispatcher/ledger/temp_folder.h"

namespace holdfast {
namespace {

LedgerHouse sqlite_house() {
  auto folder = std::make_shared<TempFolder>();
  const std::string path = *folder / "ledger.db";
  auto ledger = open_ledger(path, LedgerMode::dispatcher);
  auto second = open_ledger(path, LedgerMode::command_line);
  EXPECT_TRUE(ledger) << ledger.error();
  EXPECT_TRUE(second) << second.error();
  return {folder, std::move(*ledger), std::move(*second)};
}

INSTANTIATE_TEST_SUITE_P(Sqlite, LedgerContract, testing::Values(LedgerMaker{"sqlite", sqlite_house}),
                         [](const auto& made) { return made.param.name; });
struct Move {
  int ticket = 0;
  int kind = 0;
  int skew = 0;  // how far from the newest generation
};

std::ostream& operator<<(std::ostream& out, const Move& move) {
  return out << "T-" << move.ticket << " kind " << move.kind << " skew " << move.skew;
}

// Three tickets that share two worktrees, any writes in any order, old and future generations among them.
RC_GTEST_PROP(SqliteLedgerSequences, AgreeWithTheModel, ()) {
  const auto one = rc::gen::build<Move>(
      rc::gen::set(&Move::ticket, rc::gen::inRange(1, 4)),
      rc::gen::set(&Move::kind, rc::gen::inRange(0, static_cast<int>(std::variant_size_v<LedgerWrite>))),
      rc::gen::set(&Move::skew, rc::gen::weightedElement<int>({{12, 0}, {1, -1}, {1, 1}})));
  const auto moves = *rc::gen::container<std::vector<Move>>(one);
  const LedgerHouse house = sqlite_house();
  Twins twins(*house.ledger);
  for (int n = 1; n <= 2; ++n) twins.write(StoreSlot{kit::free_slot(n)});
  for (const Move& move : moves) {
    AttemptId id = twins.newest_of({"T-" + std::to_string(move.ticket)});
    id.generation.value =
        static_cast<std::uint32_t>(std::max(1, static_cast<int>(id.generation.value) + move.skew));
    twins.write(kit::one_of_each(id)[static_cast<std::size_t>(move.kind)].write);
    RC_ASSERT(!testing::Test::HasFailure());
  }
  twins.expect_same_everything({{"T-1"}, {"T-2"}, {"T-3"}});
  RC_ASSERT(!testing::Test::HasFailure());
}

}  // namespace
}  // namespace holdfast
