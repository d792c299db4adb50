// What a runtime's terminal shows, drawn from its bytes; and that nothing harmful comes out, whatever went
// in.
#include "dispatcher/look/screen.h"

#include <gtest/gtest.h>

#include <random>

namespace holdfast {
namespace {

using Lines = std::vector<std::string>;

Lines drawn(std::string_view bytes, int columns = 20, int rows = 5, std::size_t at_most = 100) {
  ScreenDrawing drawing(columns, rows);
  drawing.read(bytes);
  return drawing.last_lines(at_most);
}

TEST(Screen, ShowsPlainLinesAndKeepsWhatScrolledOff) {
  EXPECT_EQ(drawn("one\r\ntwo\r\n"), (Lines{"one", "two"}));
  EXPECT_EQ(drawn("1\r\n2\r\n3\r\n4\r\n5\r\n6\r\n7"), (Lines{"1", "2", "3", "4", "5", "6", "7"}));
  EXPECT_EQ(drawn("1\r\n2\r\n3\r\n4\r\n5\r\n6\r\n7", 20, 5, 2), (Lines{"6", "7"}));
}

TEST(Screen, DrawsOverWhatWasThere) {
  EXPECT_EQ(drawn("10 %\r50 %\r100 %"), (Lines{"100 %"}));
  EXPECT_EQ(drawn("a long word\r\x1b[Kno"), (Lines{"no"}));
  EXPECT_EQ(drawn("one\r\ntwo\x1b[1;1HONE\x1b[2;4H!"), (Lines{"ONE", "two!"}));
  EXPECT_EQ(drawn("gone\x1b[2J\x1b[Hhere"), (Lines{"here"}));
  EXPECT_EQ(drawn("abc\x1b[2D\x1b[P"), (Lines{"ac"}));
  EXPECT_EQ(drawn("shell\x1b[?1049h\x1b[Hfull screen"), (Lines{"full screen"}));
  EXPECT_EQ(drawn("shell\x1b[?1049h\x1b[Hfull screen\x1b[?1049l"), (Lines{"shell"}));
  EXPECT_EQ(drawn("a\r\nb\r\nc\x1b[1;2r\x1b[2;1H\nx"), (Lines{"a", "b", "x", "c"}));
}

TEST(Screen, WrapsAtItsWidth) {
  EXPECT_EQ(drawn("abcdefgh", 5), (Lines{"abcde", "fgh"}));
  EXPECT_EQ(drawn("abcde\r\nf", 5), (Lines{"abcde", "f"})) << "a full line is one line";
  EXPECT_EQ(drawn("\xE6\xBC\xA2\xE5\xAD\x97x", 4), (Lines{"\xE6\xBC\xA2\xE5\xAD\x97", "x"}))
      << "wide ones take two";
}

TEST(Screen, DropsColoursTitlesAndLinks) {
  EXPECT_EQ(drawn("\x1b[1;31mred\x1b[0m \x1b]0;title\x07plain"), (Lines{"red plain"}));
  EXPECT_EQ(drawn("\x1b]8;;http://x/\x1b\\link\x1b]8;;\x1b\\"), (Lines{"link"}));
  EXPECT_EQ(drawn("\x1b(B\x1b[?25lok"), (Lines{"ok"}));
}

// U+202E turns the writing around, U+200B hides; neither reaches anybody's eyes.
TEST(Screen, MarksThatMisleadAreNotShown) {
  EXPECT_EQ(drawn("ab\xE2\x80\xAE"
                  "cd\xE2\x80\x8B"
                  "ef\xC2\x9B"
                  "gh"),
            (Lines{"abcdefgh"}));
  EXPECT_EQ(harmless("ab\xE2\x80\xAE"
                     "cd\n\x1b[31m\xC2\x85"),
            "abcd [31m");
  EXPECT_EQ(harmless("a\nb\tc", true), "a\nb\tc");
  EXPECT_EQ(harmless("\xff\xC0\x80x"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBDx");
  EXPECT_EQ(harmless("\xE2\x82"), "\xEF\xBF\xBD") << "cut in the middle";
}

// Said here once more and by itself: no control character, and of the marks those that are known best.
bool is_harmless(const std::string& line) {
  for (std::size_t at = 0; at < line.size(); ++at) {
    const auto byte = static_cast<unsigned char>(line[at]);
    if (byte < 0x20 || byte == 0x7F) return false;
    if (byte == 0xC2 && at + 1 < line.size() && static_cast<unsigned char>(line[at + 1]) < 0xA0) return false;
  }
  for (const char* mark : {"\xE2\x80\xAA", "\xE2\x80\xAE", "\xE2\x81\xA6", "\xE2\x80\x8B", "\xEF\xBB\xBF"})
    if (line.find(mark) != std::string::npos) return false;
  return harmless(line) == line;
}

// Any bytes, and many of those that mean something to a terminal.
TEST(Screen, WhateverGoesInNothingHarmfulComesOut) {
  std::mt19937 dice(7);
  const std::string_view spice =
      "\x1b[;?0123456789HJKrLMPST@ABCDm\r\n\t\b\xE2\x80\xAE\xF0\x9F\x98\x80\x9b\xff";
  for (int round = 0; round < 400; ++round) {
    std::string bytes;
    const auto length = dice() % 600;
    for (unsigned n = 0; n < length; ++n)
      bytes += dice() % 3 == 0 ? static_cast<char>(dice() % 256) : spice[dice() % spice.size()];
    for (const int columns : {1, 2, 7, 80}) {
      for (const std::string& line : drawn(bytes, columns, 1 + static_cast<int>(dice() % 6)))
        EXPECT_TRUE(is_harmless(line)) << "round " << round;
    }
    EXPECT_TRUE(is_harmless(harmless(bytes)));
  }
}

}  // namespace
}  // namespace holdfast
