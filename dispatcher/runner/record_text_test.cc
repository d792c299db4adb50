// The record read back: whole, cut off anywhere by a crash, or written by somebody else.
#include "dispatcher/runner/record_text.h"

#include <gtest/gtest.h>

namespace holdfast {
namespace {

const ProcessIdentity somebody{"boot", "pid:[1]", 12, 345};

TEST(RecordText, ReadsWhatItWrites) {
  WorkerEnd end;
  end.signal = 9;
  end.core_dumped = true;
  end.oom = OomEvidence::killed;
  end.oom_evidence = "memory.oom_control oom_kill 0 -> 1";
  end.reason = "odd = \n%41 é";
  end.tree_empty = true;
  end.user_ms = 1;
  end.system_ms = 2;
  end.peak_rss_kib = 3;
  const auto text =
      record_line({5}, "started", {{"version", "1"}}) + record_line({6}, "gone-ahead") +
      record_line({7}, "containment", {{"cgroup", "/a b"}, {"ceiling", "none: x"}}) +
      record_line({8}, "worker", identity_fields(somebody)) + record_line({9}, "running") +
      record_line({10}, "ready", {{"by", "pattern"}}) + record_line({11}, "something-new", {{"a", "b"}}) +
      message_line({12}, {"m1"}, MessageStep::handing) + message_line({13}, {"m1"}, MessageStep::handed) +
      message_line({14}, {"m1"}, MessageStep::consumed) +
      message_line({15}, {"m2"}, MessageStep::refused, "too long") +
      message_line({16}, {"m3"}, MessageStep::handing) + record_line({17}, "end", end_fields(end));
  RecordSighting seen;
  absorb_record(text + "18 end code=0", seen);  // the last line is torn
  EXPECT_EQ(seen.started_at, Instant{5});
  EXPECT_TRUE(seen.gone_ahead);
  EXPECT_EQ(seen.cgroup, "/a b");
  EXPECT_EQ(seen.memory_ceiling, "none: x");
  EXPECT_EQ(seen.worker, somebody);
  EXPECT_TRUE(seen.worker_running);
  EXPECT_EQ(seen.ready_at, Instant{10});
  const std::vector<MessageSighting> messages{{{"m1"}, MessageProgress::consumed, ""},
                                              {{"m2"}, MessageProgress::refused, "too long"},
                                              {{"m3"}, MessageProgress::handed, ""}};
  EXPECT_EQ(seen.messages, messages);
  EXPECT_EQ(seen.end, end);
}

TEST(RecordText, ReadsItsDecisions) {
  const auto started = parse_decision(started_text({3}, somebody));
  EXPECT_EQ(started.decision, Decision::started);
  EXPECT_EQ(started.runner, somebody);
  EXPECT_EQ(started.at, Instant{3});
  const auto sealed = parse_decision(sealed_text({4}, "no pane, ever"));
  EXPECT_EQ(sealed.decision, Decision::sealed);
  EXPECT_EQ(sealed.why, "no pane, ever");
}

TEST(RecordText, IsSafeForAnyInput) {
  const auto good = started_text({3}, somebody);
  for (std::size_t cut = 0; cut + 1 < good.size(); ++cut) {
    EXPECT_EQ(parse_decision(good.substr(0, cut)).decision, Decision::unreadable) << cut;
  }
  for (const auto* bad :
       {"\n", " \n", "x started\n", "1 started\n", "1 sealed", "1 other a=b\n",
        "99999999999999999999 sealed\n", "1 started boot=a pidns=b pid=x ticks=1\n", "1  =\n", "1 \n"}) {
    EXPECT_EQ(parse_decision(bad).decision, Decision::unreadable) << bad;
    RecordSighting seen;
    absorb_record(bad, seen);
  }
  std::uint32_t state = 1;
  const auto text =
      record_line({1}, "worker", identity_fields(somebody)) + record_line({2}, "end", end_fields({}));
  for (int round = 0; round < 20000; ++round) {
    auto broken = text;
    for (int i = 0; i < 4; ++i) {
      state = state * 1664525U + 1013904223U;
      broken[(state >> 8) % broken.size()] = static_cast<char>(state >> 24);
    }
    RecordSighting seen;
    absorb_record(broken, seen);
    parse_decision(broken);
  }
}

}  // namespace
}  // namespace holdfast
