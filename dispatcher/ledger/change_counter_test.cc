// Every commit is seen, whoever made it.
#include "dispatcher/ledger/change_counter.h"

#include <gtest/gtest.h>

#include "dispatcher/core/ledger_rules_kit.h"
#include "dispatcher/ledger/sqlite_ledger.h"
#include "dispatcher/ledger/temp_folder.h"

namespace holdfast {
namespace {

TEST(ChangeCounter, DiffersAfterEveryCommitAndOnlyThen) {
  const TempFolder folder;
  const std::string path = folder / "holdfast.db";
  auto one = open_ledger(path, LedgerMode::command_line).value();
  auto other = open_ledger(path, LedgerMode::command_line).value();
  auto counter = open_change_counter(path).value();
  auto last = counter->now();
  ASSERT_TRUE(last);
  for (int n = 0; n < 20; ++n) {
    EXPECT_EQ(counter->now(), last);
    auto& writer = n % 2 == 0 ? *one : *other;
    ASSERT_EQ(writer.write(Note{{{"T-1"}, {1}}, "noted", "", std::to_string(n)}, {1000 + n}).raw.code, 0);
    const auto now = counter->now();
    ASSERT_TRUE(now);
    EXPECT_NE(now, last) << n;
    last = now;
    // Reading is no change.
    EXPECT_EQ(one->events_after(0, std::nullopt, 100).value.size(), static_cast<std::size_t>(n + 1));
  }
}

TEST(ChangeCounter, OfNoFileIsAnError) {
  EXPECT_FALSE(open_change_counter("/nowhere/holdfast.db"));
}

}  // namespace
}  // namespace holdfast
