// What becomes a line of the log by being told, and what a configuration without anybody in it makes.
#include "dispatcher/cli/notify_part.h"

#include <gtest/gtest.h>

#include "dispatcher/cli/shell_kit.h"
#include "dispatcher/core/knowledge.h"
#include "dispatcher/core/telling.h"

namespace holdfast::cli {
namespace {

Answer moved(BoardState to, const std::string& reason, const std::string& key, int code = 200) {
  return {MoveTicket{{"T-1"}, 3, to, reason, key}, {Transport::answered, code, {}, {}}, {}, {1000}, {900}};
}

TEST(Notifications, ABoardThatWasPutRightIsALineOfTheLog) {
  const auto note =
      worth_a_note(moved(BoardState::in_progress, std::string(told_kept) + " (T-1-g2)", "T-1-g2"));
  ASSERT_TRUE(note);
  EXPECT_EQ(note->kind, "drift");
  EXPECT_EQ(note->attempt, (AttemptId{{"T-1"}, {2}}));
  const auto blocked =
      worth_a_note(moved(BoardState::blocked, std::string(told_ended) + ": exited with 3", "T-1-g2-closed"));
  ASSERT_TRUE(blocked);
  EXPECT_EQ(blocked->kind, "blocked");
  EXPECT_EQ(blocked->attempt.ticket.value, "T-1");
}

TEST(Notifications, OtherMovesAndRefusedOnesAreNone) {
  EXPECT_FALSE(worth_a_note(moved(BoardState::in_progress, "picked up", "T-1-g2")));
  EXPECT_FALSE(worth_a_note(moved(BoardState::in_progress, std::string(told_kept), "T-1-g2", 409)));
  EXPECT_FALSE(worth_a_note(moved(BoardState::blocked, "its tries are used up", "T-1-g2-closed")));
}

TEST(Notifications, NobodyIsToldWhereNobodyIsNamed) {
  kit::Place place;
  place.install();
  auto config = load_config(place.folder + "/holdfast.json");
  ASSERT_TRUE(config) << config.error().words;
  const auto none = open_notifications(*config);
  ASSERT_TRUE(none);
  EXPECT_EQ(none->get(), nullptr);
  config->notify.webhook = "http://127.0.0.1:1/";
  {
    const auto some = open_notifications(*config);
    ASSERT_TRUE(some) << some.error().words;
    EXPECT_NE(some->get(), nullptr);
  }
  // The secret was made, for its owner alone.
  struct stat there{};
  ASSERT_EQ(::stat((place.folder + "/state/webhook-secret").c_str(), &there), 0);
  EXPECT_EQ(there.st_mode & 0777U, 0600U);
}

}  // namespace
}  // namespace holdfast::cli
