// Lines that are markers, lines that only look like it, and bytes as terminals really produce them.
#include "dispatcher/core/markers.h"

#include <gtest/gtest.h>

namespace holdfast {
namespace {

std::vector<Marker> read(std::string_view bytes, std::size_t chunk = 1 << 20,
                         WordAt at = WordAt::first_column) {
  MarkerReader reader({}, at);
  for (std::size_t i = 0; i < bytes.size(); i += chunk) reader.feed(bytes.substr(i, chunk));
  reader.finish();
  return reader.markers();
}

struct MarkerCase {
  const char* name;
  std::string bytes;
  std::vector<std::pair<Said, std::string>> want;
  WordAt at = WordAt::first_column;
};
class MarkerTest : public testing::TestWithParam<MarkerCase> {};

TEST_P(MarkerTest, ReadsTheSameInAnyChunks) {
  const MarkerCase& c = GetParam();
  for (const std::size_t chunk : {std::size_t{1}, std::size_t{3}, std::size_t{1000}}) {
    const auto markers = read(c.bytes, chunk, c.at);
    ASSERT_EQ(markers.size(), c.want.size()) << "chunk " << chunk;
    for (std::size_t i = 0; i < markers.size(); ++i) {
      EXPECT_EQ(markers[i].kind, c.want[i].first);
      EXPECT_EQ(markers[i].text, c.want[i].second);
    }
  }
}

using S = Said;
INSTANTIATE_TEST_SUITE_P(
    Table, MarkerTest,
    testing::Values(
        MarkerCase{"Plain", "working\r\nDONE: all of it\r\n", {{S::done, "all of it"}}},
        MarkerCase{"LastLineWithoutNewline", "DONE: x", {{S::done, "x"}}},
        MarkerCase{"Review", "REVIEW: look at a.cc\n", {{S::review, "look at a.cc"}}},
        MarkerCase{
            "TwoQuestions", "QUESTION: a?\nQUESTION: b?\n", {{S::question, "a?"}, {S::question, "b?"}}},
        MarkerCase{"NotAtTheStart", "I am not DONE: yet\n", {}}, MarkerCase{"LowerCase", "done: x\n", {}},
        MarkerCase{"Coloured", "\x1b[1;32mDONE:\x1b[0m fine\x1b[K\r\n", {{S::done, "fine"}}},
        MarkerCase{
            "Bullet", "\xE2\x8F\xBA DONE: with a bullet\n", {{S::done, "with a bullet"}}, WordAt::drawn},
        MarkerCase{"ASecondParagraphBelowABullet",
                   "\xE2\x8F\xBA I did it.\r\n\r\n  DONE: it\r\n",
                   {{S::done, "it"}},
                   WordAt::drawn},
        MarkerCase{"ABulletThatNobodyDraws", "\xE2\x8F\xBA DONE: with a bullet\n", {}},
        MarkerCase{"ACommitMessageInALog", "commit 1234\n\n    DONE: the old thing\n", {}},
        MarkerCase{
            "ACommitMessageInALogOfAnAgent", "commit 1234\n\n    DONE: the old thing\n", {}, WordAt::drawn},
        MarkerCase{"AListOfTasks", "- DONE: the parser\n* DONE: the lexer\n", {}},
        MarkerCase{"AListOfTasksOfAnAgent", "- DONE: the parser\n* DONE: the lexer\n", {}, WordAt::drawn},
        MarkerCase{"PersonsInputInATui", "> DONE: typed\n", {}},
        MarkerCase{"TitleSequence", "\x1b]0;DONE: title\aDONE: real\n", {{S::done, "real"}}},
        MarkerCase{"TitleSequenceCutOff", "\x1b]0;oops\nDONE: real\n", {{S::done, "real"}}},
        MarkerCase{"WrappedByTheScreenOnly",
                   "DONE: " + std::string(300, 'a') + "\n",
                   {{S::done, std::string(300, 'a')}}},
        MarkerCase{"CursorToTheMiddle", "\x1b[3;20HDONE: fragment\x1b[4;1H\n", {}},
        MarkerCase{"CursorToFirstColumn", "\x1b[3;1HDONE: line\x1b[4;1H", {{S::done, "line"}}},
        MarkerCase{"ProgressThenDone", "10%\r50%\r100%\rDONE: built\n", {{S::done, "built"}}},
        MarkerCase{"Backspaces", "DONF\bE: typo\n", {{S::done, "typo"}}},
        MarkerCase{"ControlCharacters",
                   "DONE: a\x07\x01"
                   "b\n",
                   {{S::done, "ab"}}},
        MarkerCase{"EmptyText", "DONE:\n", {{S::done, ""}}}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(Echo, ThePromptsOwnTextIsNotAWord) {
  const std::string prompt = "Fix it.\nWhen you are finished, print\nDONE: what you did\n";
  EXPECT_TRUE(is_echo(read("DONE: what you did\n").at(0), prompt));
  EXPECT_TRUE(is_echo(read("DONE: what  you\n").at(0), prompt));  // redrawn, wrapped
  EXPECT_FALSE(is_echo(read("DONE: fixed the parser\n").at(0), prompt));
  EXPECT_FALSE(is_echo(read("DONE: fixed\n").at(0), ""));
}

TEST(Echo, ABareWordIsOnlyAWholeLineOfWhatWasSent) {
  EXPECT_FALSE(is_echo(read("DONE:\n").at(0), "Write DONE: and one sentence.\n"));
  EXPECT_TRUE(is_echo(read("DONE:\n").at(0), "Write this line:\n  DONE:\n"));
}

TEST(Markers, OffsetsNameTheLine) {
  const auto markers = read("abc\nDONE: x\n");
  EXPECT_EQ(markers.at(0).offset, 4);
}

TEST(Markers, LimitLinesAreKept) {
  MarkerReader reader({"usage limit reached"});
  reader.feed("ok\nClaude usage limit reached; resets at 7pm\n");
  EXPECT_EQ(reader.limit_line(), "Claude usage limit reached; resets at 7pm");
}

TEST(Markers, AMillionBytesWithoutANewlineStayBounded) {
  MarkerReader reader;
  for (int i = 0; i < 100; ++i) reader.feed(std::string(10'000, 'x'));
  reader.feed("\nDONE: y\n");
  EXPECT_EQ(reader.markers().size(), 1U);
  EXPECT_LE(reader.last_lines().front().size(), 400U);
}

TEST(Printable, NothingThatSteersATerminalOrTurnsText) {
  EXPECT_EQ(printable("a\x1b[31mb", 100), "a [31mb");
  EXPECT_EQ(printable("a\nb\tc", 100), "a b c");
  EXPECT_EQ(printable("x\xE2\x80\xAEy", 100), "x\xEF\xBF\xBDy");  // right-to-left override
  EXPECT_EQ(printable("\xC2\x9B"
                      "31m",
                      100),
            "\xEF\xBF\xBD"
            "31m");  // C1 CSI
  EXPECT_EQ(printable("ok \xFF\xC0\xAF", 100), "ok \xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_EQ(printable("gr\xC3\xBC\xC3\x9F", 100), "gr\xC3\xBC\xC3\x9F");
  EXPECT_EQ(printable("\xC3\xBC\xC3\xBC", 3), "\xC3\xBC");
}

}  // namespace
}  // namespace holdfast
