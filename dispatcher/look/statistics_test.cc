#include "dispatcher/look/statistics.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace holdfast {
namespace {

LedgerEvent told(std::int64_t seq, std::int64_t at_ms, const char* kind, const char* cause = "") {
  return {seq, {at_ms}, {{"T-1"}, {1}}, kind, cause, ""};
}

TEST(Statistics, CountsByTheHourAndByTheCause) {
  Statistics counted;
  const std::int64_t noon = 500'000 * hour_ms;
  counted.take(told(1, noon + 1, "claimed"));
  counted.take(told(2, noon + 2, "ready"));
  counted.take(told(3, noon + 3, "lost", "oom_kill"));
  counted.take(told(4, noon + 4, "closed", "todo"));
  counted.take(told(5, noon + hour_ms, "claimed"));
  counted.take(told(6, noon + hour_ms, "died", "clean_exit"));
  counted.take(told(7, noon + hour_ms + 9, "closed", "in_review"));
  EXPECT_EQ(counted.seq(), 7);

  const Json row = counted.row({noon + hour_ms + 10}, 3);
  ASSERT_EQ(row["hours"].size(), 3U);
  EXPECT_EQ(row["hours"][0]["at"], noon - hour_ms) << "an hour in which nothing was is there too";
  EXPECT_EQ(row["hours"][0]["claimed"], 0);
  EXPECT_EQ(row["hours"][1]["claimed"], 1);
  EXPECT_EQ(row["hours"][1]["todo"], 1);
  EXPECT_EQ(row["hours"][1]["deaths"].value("oom_kill", 0), 1);
  EXPECT_EQ(row["hours"][2]["in_review"], 1);
  EXPECT_EQ(row["deaths"].value("oom_kill", 0), 1);
  EXPECT_EQ(row["deaths"].value("clean_exit", 0), 1);
  // What is further back than was asked for is not counted.
  EXPECT_FALSE(counted.row({noon + hour_ms + 10}, 1)["deaths"].contains("oom_kill"));
}

}  // namespace
}  // namespace holdfast
