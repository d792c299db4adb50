// The orders of a runner survive any byte that may stand in a value, and damage is noticed.
#include "dispatcher/runner/spec_text.h"

#include <gtest/gtest.h>

namespace holdfast {
namespace {

RunnerSpec some_spec() {
  RunnerSpec spec;
  spec.attempt = {{"T-1"}, {7}};
  spec.token = "tok";
  spec.working_directory = "/a\nb";
  spec.argv = {"claude", "", "end 0\n\n", "\xff\x01"};
  spec.environment = {"A=1", "B=\n"};
  spec.ready_by = ReadyBy::pattern;
  spec.ready_pattern = "> ";
  spec.go_ahead_within = millis(1);
  spec.enter_delay = millis(2);
  spec.term_grace = millis(3);
  spec.memory_limit_bytes = 4;
  spec.cgroup_parent = "/x";
  spec.stream_limit_bytes = 5;
  spec.columns = 6;
  spec.rows = 7;
  return spec;
}

TEST(SpecText, ReadsWhatItWrites) {
  const auto text = encode_spec(some_spec());
  const auto reading = decode_spec(text);
  ASSERT_TRUE(reading.spec) << reading.error;
  EXPECT_EQ(encode_spec(*reading.spec), text);
  EXPECT_EQ(reading.spec->attempt, some_spec().attempt);
  EXPECT_EQ(reading.spec->argv, some_spec().argv);
  EXPECT_EQ(reading.spec->environment, some_spec().environment);
  EXPECT_EQ(reading.spec->working_directory, "/a\nb");
  EXPECT_EQ(reading.spec->ready_by, ReadyBy::pattern);
  EXPECT_EQ(reading.spec->term_grace, millis(3));
  EXPECT_EQ(reading.spec->rows, 7);
}

TEST(SpecText, RefusesEveryTornOne) {
  const auto text = encode_spec(some_spec());
  for (std::size_t cut = 0; cut < text.size(); ++cut)
    EXPECT_FALSE(decode_spec(text.substr(0, cut)).spec) << cut;
  EXPECT_FALSE(decode_spec(text + "x").spec);
}

TEST(SpecText, RefusesWhatItDoesNotUnderstand) {
  const std::string head = "holdfast-spec 1\n", tail = "end 0\n\n";
  const std::string least = "ticket 1\nT\ntoken 1\nt\nargv 1\na\n";
  EXPECT_TRUE(decode_spec(head + least + tail).spec);
  for (const std::string odd :
       {"novel 1\nx\n", "ticket 1\nU\n", "rows 1\nx\n", "rows 2\n-1\n", "rows 1\n0\n", "rows 5\n70000\n",
        "ready-by 3\nxyz\n", "rows 99999999999999999999\n1\n", "rows 18446744073709551615\n1\n",
        "rows -1\n1\n", "rows\n", "generation 11\n99999999999\n", "ready-by 7\npattern\n"}) {
    EXPECT_FALSE(decode_spec(head + least + odd + tail).spec) << odd;
  }
  EXPECT_FALSE(decode_spec("holdfast-spec 2\n" + least + tail).spec);
  EXPECT_FALSE(decode_spec(head + tail).spec);
  EXPECT_FALSE(decode_spec(head + least + std::string("argv 1\n\0\n", 9) + tail).spec);
}

TEST(SpecText, IsSafeForAnyInput) {
  const auto text = encode_spec(some_spec());
  std::uint32_t state = 1;
  for (int round = 0; round < 20000; ++round) {
    auto broken = text;
    for (int i = 0; i < 3; ++i) {
      state = state * 1664525U + 1013904223U;
      broken[(state >> 8) % broken.size()] = static_cast<char>(state >> 24);
    }
    decode_spec(broken);
  }
}

}  // namespace
}  // namespace holdfast
