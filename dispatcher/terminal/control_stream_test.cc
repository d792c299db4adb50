// The control stream in pieces of every size, with output that looks like protocol.
#include "dispatcher/terminal/control_stream.h"

#include <gtest/gtest.h>

namespace holdfast {
namespace {

constexpr std::string_view talk =
    "%begin 1 270 0\n%end 1 270 0\n%session-changed $0 hf-anchor\n"
    "%begin 1 275 1\na\n\nb\n%end 1 275 1\n%sessions-changed\n"
    "%begin 2 276 1\ncan't find session: x\n%error 2 276 1\n%exit\n";

const std::vector<ControlEvent> meaning{
    ControlBlock{false, false, {}},
    ControlNotice{"session-changed", "$0 hf-anchor"},
    ControlBlock{false, true, {"a", "", "b"}},
    ControlNotice{"sessions-changed", ""},
    ControlBlock{true, true, {"can't find session: x"}},
    ControlNotice{"exit", ""},
};

TEST(ControlStream, ReadsBlocksAndNotices) {
  ControlStream stream;
  EXPECT_EQ(stream.read(talk), meaning);
}

TEST(ControlStream, DoesNotCareWhereTheBytesAreCut) {
  for (std::size_t piece = 1; piece < 40; ++piece) {
    ControlStream stream;
    std::vector<ControlEvent> events;
    for (std::size_t at = 0; at < talk.size(); at += piece) {
      for (auto& event : stream.read(talk.substr(at, piece))) events.push_back(std::move(event));
    }
    EXPECT_EQ(events, meaning) << piece;
  }
}

TEST(ControlStream, AnEndOfAnotherBlockIsALineOfThisOne) {
  ControlStream stream;
  const auto events = stream.read("%begin 1 5 1\n%end 1 4 1\n%error 1 5 0\n%begin 1 6 1\n%end 1 5 1\n");
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(std::get<ControlBlock>(events[0]).lines,
            (std::vector<std::string>{"%end 1 4 1", "%error 1 5 0", "%begin 1 6 1"}));
}

TEST(ControlStream, PassesOverWhatIsNoControlMode) {
  ControlStream stream;
  EXPECT_TRUE(stream.read("hello\r\n\n%").empty());
  EXPECT_FALSE(stream.overflowed());
}

}  // namespace
}  // namespace holdfast
