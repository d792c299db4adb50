// Ids, sessions, folders and branches: hostile text is refused or made harmless, and nothing is ambiguous.
#include "dispatcher/core/names.h"

#include <gtest/gtest.h>

namespace holdfast {
namespace {

TEST(TicketIds, HostileOnesAreRefused) {
  for (const char* id : {"", "../x", "a/b", "a b", "-x", "_x", "a:b", "a.b", "=a", "a;b", "$(x)", "a\nb",
                         "\x1b[31m", "T-1-g2", "ümlaut", "a'b", "a\"b", "a*"})
    EXPECT_TRUE(what_is_wrong_with_ticket_id(id)) << id;
  EXPECT_TRUE(what_is_wrong_with_ticket_id(std::string(65, 'a')));
  for (const char* id : {"T-1", "T-10", "a", "0", "PROJ_12-b", "x-g", "x-gx"})
    EXPECT_FALSE(what_is_wrong_with_ticket_id(id)) << id;
}

TEST(Names, AttemptKeysComeBack) {
  for (const AttemptId& id : {AttemptId{{"T-1"}, {1}}, AttemptId{{"T-1"}, {12}}, AttemptId{{"a-g"}, {3}}}) {
    EXPECT_EQ(parse_attempt_key(attempt_key(id)), id);
    EXPECT_EQ(parse_branch(branch_name(id, "Fix: the  -g7 'thing'; rm -rf /").value), id);
  }
  for (const char* key :
       {"", "T-1", "T-1-g", "T-1-g0", "T-1-g01", "T-1-gx", "-g1", "../x-g1", "T-1-g99999999999"})
    EXPECT_FALSE(parse_attempt_key(key)) << key;
}

TEST(Names, IdsThatArePrefixesOfOneAnotherNeverMeet) {
  const AttemptId one{{"T-1"}, {2}}, other{{"T-1-x"}, {2}}, ten{{"T-10"}, {2}};
  EXPECT_NE(branch_name(one, "x work"), branch_name(other, ""));
  EXPECT_EQ(parse_branch(branch_name(other, "y").value), other);
  EXPECT_EQ(parse_branch(branch_name(one, "x").value), one);
  EXPECT_EQ(parse_branch(branch_name(ten, "x").value), ten);
}

TEST(Names, SlugsAreHarmless) {
  EXPECT_EQ(branch_name({{"T-1"}, {1}}, "Fix the Parser!!").value, "hf/T-1-fix.the.parser-g1");
  EXPECT_EQ(branch_name({{"T-1"}, {1}}, "../../..").value, "hf/T-1-work-g1");
  EXPECT_EQ(branch_name({{"T-1"}, {1}}, "\xC3\xBC\xF0\x9F").value, "hf/T-1-work-g1");
  EXPECT_LE(branch_name({{"T-1"}, {1}}, std::string(500, 'x')).value.size(), 60U);
}

}  // namespace
}  // namespace holdfast
