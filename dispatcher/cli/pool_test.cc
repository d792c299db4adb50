// `pool gc` on real worktrees: what it gives back, and what it leaves alone.
#include "dispatcher/cli/git_part.h"
#include "dispatcher/cli/session.h"
#include "dispatcher/cli/shell_kit.h"

namespace holdfast::cli {
namespace {

namespace fs = std::filesystem;

TEST(Pool, GcMakesALostSlotAgain) {
  kit::Place place;
  place.install();
  place.make_repository();
  place.run({"ticket", "add", "First"});
  const auto config = load_config(place.folder + "/holdfast.json");
  ASSERT_TRUE(config);
  const auto worktrees = make_worktrees(*config, false);
  ASSERT_EQ(worktrees->ensure_pool(1, "refs/heads/main", seconds(60)).raw.code, 0);
  auto ledger = open_ledger(place.ledger_path(), LedgerMode::command_line);
  ASSERT_TRUE(ledger);
  const AttemptId id = place.attempt("T-1", holdfast::kit::Stage::lost);
  const Attempt attempt = (*ledger)->attempts_of(id.ticket).value.back();
  const auto prepared =
      worktrees->prepare({attempt.slot, id, attempt.branch, "refs/heads/main"}, seconds(60));
  ASSERT_EQ(prepared.raw.code, 0) << prepared.raw.error;
  place.sh("cd '" + prepared.value.path +
           "' && git -c user.name=w -c user.email=w@w commit -q --allow-empty -m work");
  fs::remove_all(prepared.value.path);
  Close close = holdfast::kit::close_of(id);
  close.slot_after = SlotState::quarantined;
  close.slot_note = "missing: the folder is gone";
  ASSERT_EQ((*ledger)->write(close, Instant{1'700'000'100'000}).raw.code, 0);

  const auto dry = place.run({"pool", "gc", "--dry-run"});
  EXPECT_NE(dry.out.find("would be made again"), std::string::npos) << dry.out << dry.err;
  EXPECT_FALSE(fs::exists(prepared.value.path));
  const auto freed = place.run({"pool", "gc"});
  EXPECT_NE(freed.out.find("slot-001  freed"), std::string::npos) << freed.out << freed.err;
  EXPECT_TRUE(fs::exists(prepared.value.path + "/.git"));
  place.sh("cd '" + place.folder +
           "/repo' && test \"$(git log -1 --format=%s refs/holdfast/keep/T-1/g1/head)\" = work" +
           " && test \"$(git log -1 --format=%s " + attempt.branch.value + ")\" = work");
}

// Somebody stood in it when it was to be given back, and has left.
TEST(Pool, GcGivesBackWhatIsCleanAndOnlyStillOnItsBranch) {
  kit::Place place;
  place.install();
  place.make_repository();
  place.run({"ticket", "add", "First"});
  const auto config = load_config(place.folder + "/holdfast.json");
  ASSERT_TRUE(config);
  const auto worktrees = make_worktrees(*config, false);
  ASSERT_EQ(worktrees->ensure_pool(1, "refs/heads/main", seconds(60)).raw.code, 0);
  auto ledger = open_ledger(place.ledger_path(), LedgerMode::command_line);
  ASSERT_TRUE(ledger);
  const AttemptId id = place.attempt("T-1", holdfast::kit::Stage::lost);
  const Attempt attempt = (*ledger)->attempts_of(id.ticket).value.back();
  const auto prepared =
      worktrees->prepare({attempt.slot, id, attempt.branch, "refs/heads/main"}, seconds(60));
  ASSERT_EQ(prepared.raw.code, 0) << prepared.raw.error;
  place.sh("cd '" + prepared.value.path +
           "' && git -c user.name=w -c user.email=w@w commit -q --allow-empty -m work");
  Close close = holdfast::kit::close_of(id);
  close.slot_after = SlotState::quarantined;
  close.slot_note = "busy: process 17 stands in it";
  ASSERT_EQ((*ledger)->write(close, Instant{1'700'000'100'000}).raw.code, 0);

  EXPECT_NE(place.run({"pool", "gc", "--dry-run"}).out.find("would be given back"), std::string::npos);
  const auto freed = place.run({"pool", "gc"});
  EXPECT_NE(freed.out.find("slot-001  freed"), std::string::npos) << freed.out << freed.err;
  place.sh("cd '" + place.folder + "/repo' && test \"$(git log -1 --format=%s " + attempt.branch.value +
           ")\" = work && ! git -C '" + prepared.value.path + "' symbolic-ref -q HEAD");
}

}  // namespace
}  // namespace holdfast::cli
