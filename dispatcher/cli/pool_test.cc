// `pool gc` on real worktrees: what it gives back, and what it leaves alone.
#include "dispatcher/cli/git_part.h"
#include "dispatcher/cli/session.h"
#include "dispatcher/cli/shell_kit.h"

namespace holdfast::cli {
namespace {

namespace fs = std::filesystem;

// A slot whose attempt has made a commit and is over.
class Pool : public testing::Test {
 protected:
  void SetUp() override {
    place.install();
    place.make_repository();
    place.run({"ticket", "add", "First"});
    const auto config = load_config(place.folder + "/holdfast.json");
    ASSERT_TRUE(config);
    const auto worktrees = make_worktrees(*config, false);
    ASSERT_EQ(worktrees->ensure_pool(1, "refs/heads/main", seconds(60)).raw.code, 0);
    id = place.attempt("T-1", holdfast::kit::Stage::lost);
    auto ledger = open_ledger(place.ledger_path(), LedgerMode::command_line);
    ASSERT_TRUE(ledger);
    attempt = (*ledger)->attempts_of(id.ticket).value.back();
    const auto prepared =
        worktrees->prepare({attempt.slot, id, attempt.branch, "refs/heads/main"}, seconds(60));
    ASSERT_EQ(prepared.raw.code, 0) << prepared.raw.error;
    slot = prepared.value.path;
    place.sh("cd '" + slot + "' && git -c user.name=w -c user.email=w@w commit -q --allow-empty -m work");
  }
  void quarantine(const std::string& note) {
    auto ledger = open_ledger(place.ledger_path(), LedgerMode::command_line);
    ASSERT_TRUE(ledger);
    Close close = holdfast::kit::close_of(id);
    close.slot_after = SlotState::quarantined;
    close.slot_note = note;
    ASSERT_EQ((*ledger)->write(close, Instant{1'700'000'100'000}).raw.code, 0);
  }
  void expect_freed() {
    const auto freed = place.run({"pool", "gc"});
    EXPECT_NE(freed.out.find("slot-001  freed"), std::string::npos) << freed.out << freed.err;
  }

  kit::Place place;
  AttemptId id;
  Attempt attempt;
  std::string slot;  // its folder
};

TEST_F(Pool, GcMakesALostSlotAgain) {
  fs::remove_all(slot);
  quarantine("missing: the folder is gone");
  const auto dry = place.run({"pool", "gc", "--dry-run"});
  EXPECT_NE(dry.out.find("would be made again"), std::string::npos) << dry.out << dry.err;
  EXPECT_FALSE(fs::exists(slot));
  expect_freed();
  EXPECT_TRUE(fs::exists(slot + "/.git"));
  place.sh("cd '" + place.folder +
           "/repo' && test \"$(git log -1 --format=%s refs/holdfast/keep/T-1/g1/head)\" = work" +
           " && test \"$(git log -1 --format=%s " + attempt.branch.value + ")\" = work");
}

// Somebody stood in it when it was to be given back, and has left.
TEST_F(Pool, GcGivesBackWhatIsCleanAndOnlyStillOnItsBranch) {
  quarantine("busy: process 17 stands in it");
  EXPECT_NE(place.run({"pool", "gc", "--dry-run"}).out.find("would be given back"), std::string::npos);
  expect_freed();
  place.sh("cd '" + place.folder + "/repo' && test \"$(git log -1 --format=%s " + attempt.branch.value +
           ")\" = work && ! git -C '" + slot + "' symbolic-ref -q HEAD");
}

}  // namespace
}  // namespace holdfast::cli
