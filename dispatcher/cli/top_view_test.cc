// What `top` shows and what its keys do, without a terminal.
#include "dispatcher/cli/top_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dispatcher/look/screen.h"

namespace holdfast::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

OverviewLine overview_line(const std::string& id, Need need, std::optional<Phase> phase,
                           const std::string& what) {
  OverviewLine line;
  line.ticket = {id};
  line.need = need;
  line.phase = phase;
  line.what = what;
  line.title = "title of " + id;
  line.since = {1000};
  if (phase) line.runtime = AttemptId{{id}, {2}};
  return line;
}

Top a_top(int lines = 0) {
  Top top;
  top.looked = true;
  top.now = top.seen.at = {61'000};
  top.seen.lines = {overview_line("T-1", Need::answer, Phase::waiting, "left or right?"),
                    overview_line("T-2", Need::nothing, Phase::running, "it runs"),
                    overview_line("T-3", Need::decision, std::nullopt, "its tries are used up")};
  for (int n = 0; n < lines; ++n)
    top.seen.lines.push_back(overview_line("L-" + std::to_string(n), Need::room, std::nullopt, ""));
  settle(top);
  return top;
}

Wanted type(Top& top, std::string keys) {
  Wanted last;
  while (const auto key = take_key(keys, true)) last = press(top, *key);
  return last;
}

std::string text_of(const Top& top, bool color = false) {
  std::string all;
  for (const std::string& line : draw(top, color)) all += line + "\n";
  return all;
}

TEST(Top, ShowsWhoNeedsWhat) {
  const std::string text = text_of(a_top());
  EXPECT_THAT(text, HasSubstr("T-1     asks     g2   waiting  -     60 s  left or right?  (title of T-1)"));
  EXPECT_THAT(text, HasSubstr("T-3     blocked  -    -"));
}

TEST(Top, IsAsLargeAsItsTerminal) {
  for (const int rows : {1, 2, 3, 5, 14, 24, 60})
    for (const int columns : {1, 8, 40, 200}) {
      for (const Top::Mode mode : {Top::Mode::list, Top::Mode::help, Top::Mode::answer, Top::Mode::stop}) {
        Top top = a_top(100);
        top.rows = rows;
        top.columns = columns;
        top.mode = mode;
        top.typed = std::string(500, 'x');
        top.screen = std::vector<std::string>(12, std::string(300, 'y'));
        settle(top);
        const auto lines = draw(top, false);
        EXPECT_EQ(lines.size(), static_cast<std::size_t>(rows));
        for (std::string line : lines) {
          for (const char* escape : {"\x1b[7m", "\x1b[0m", "\x1b[1m", "\x1b[2m"})
            while (line.find(escape) != std::string::npos) line.erase(line.find(escape), 4);
          EXPECT_LE(columns_of(line), static_cast<std::size_t>(columns)) << line;
        }
      }
    }
}

TEST(Top, TheChosenOneStaysChosenAndInSight) {
  Top top = a_top(100);
  top.rows = 10;
  type(top, "jj");
  EXPECT_EQ(top.chosen.value, "T-3");
  std::ranges::reverse(top.seen.lines);
  settle(top);
  EXPECT_EQ(top.chosen.value, "T-3");
  EXPECT_THAT(text_of(top), HasSubstr("> T-3"));
  top.seen.lines.pop_back();
  std::erase_if(top.seen.lines, [](const auto& line) { return line.ticket.value == "T-3"; });
  settle(top);
  EXPECT_EQ(top.chosen, top.seen.lines.front().ticket);  // it is gone
  type(top, "G");
  EXPECT_EQ(top.chosen, top.seen.lines.back().ticket);
  EXPECT_THAT(text_of(top), HasSubstr("> " + top.chosen.value));
  type(top, "\x1b[H");
  EXPECT_EQ(top.first, 0U);
  type(top, "\x1b[6~\x1b[A");
  EXPECT_THAT(text_of(top), HasSubstr("> " + top.chosen.value));
}

TEST(Top, KeysWithNothingToChoose) {
  Top top;
  top.looked = true;
  for (const char* keys : {"j", "k", "a", "r", "s", "G", "g", "\x1b[5~", "\x1b[6~"})
    EXPECT_EQ(type(top, keys).what, Wanted::What::nothing) << keys;
  EXPECT_THAT(text_of(top), HasSubstr("nothing is to be done"));
}

TEST(Top, StopAsksFirst) {
  Top top = a_top();
  EXPECT_EQ(type(top, "s").what, Wanted::What::nothing);
  EXPECT_THAT(text_of(top), HasSubstr("end T-1-g2?"));
  for (const char* no : {"n", "\r", "\x1b", "q", "\x03", "j"}) {
    top.mode = Top::Mode::stop;
    EXPECT_EQ(type(top, no).what, Wanted::What::nothing) << no;
    EXPECT_EQ(top.mode, Top::Mode::list);
  }
  type(top, "s");
  const Wanted wanted = type(top, "y");
  EXPECT_EQ(wanted.what, Wanted::What::stop);
  EXPECT_EQ(wanted.runtime, "T-1-g2");
}

// What was asked about is ended, whatever the list has become meanwhile.
TEST(Top, StopEndsWhatItAskedAbout) {
  Top top = a_top();
  type(top, "s");
  std::ranges::reverse(top.seen.lines);
  top.chosen = {"T-2"};
  settle(top);
  EXPECT_EQ(type(top, "y").runtime, "T-1-g2");
}

TEST(Top, WhatHasNoRuntimeIsNeitherStoppedNorAttachedTo) {
  Top top = a_top();
  type(top, "jj");
  EXPECT_EQ(type(top, "s").what, Wanted::What::nothing);
  EXPECT_EQ(top.mode, Top::Mode::list);
  EXPECT_EQ(type(top, "a").what, Wanted::What::nothing);
  EXPECT_THAT(text_of(top), HasSubstr("T-3 has no runtime"));
}

TEST(Top, AnAnswerIsTypedAndSent) {
  Top top = a_top();
  type(top, "rlefx\x7ft \xC3\xA4\xC3\xB6\x7f");
  EXPECT_EQ(top.typed, "left \xC3\xA4");
  EXPECT_THAT(text_of(top), HasSubstr("? left or right?"));
  EXPECT_THAT(text_of(top), HasSubstr("to T-1-g2: left \xC3\xA4_"));
  const Wanted wanted = type(top, "\r");
  EXPECT_EQ(wanted.what, Wanted::What::answer);
  EXPECT_EQ(wanted.runtime, "T-1-g2");
  EXPECT_EQ(wanted.text, "left \xC3\xA4");
}

TEST(Top, AnAnswerCanBeGivenUp) {
  for (const char* keys : {"rx\x1b", "rx\x03", "r\r", "r  \r", "rxy\x15\r"}) {
    Top top = a_top();
    EXPECT_EQ(type(top, keys).what, Wanted::What::nothing) << keys;
    EXPECT_EQ(top.mode, Top::Mode::list) << keys;
    EXPECT_EQ(top.message, "nothing was answered") << keys;
  }
}

TEST(Top, NothingIsAnsweredWhereNothingIsAsked) {
  Top top = a_top();
  type(top, "jr");
  EXPECT_EQ(top.mode, Top::Mode::list);
  EXPECT_THAT(text_of(top), HasSubstr("no question is asked here"));
}

TEST(Top, HelpAndQuit) {
  Top top = a_top();
  type(top, "?");
  EXPECT_THAT(text_of(top), HasSubstr("reply to its question"));
  type(top, "q");  // any key
  EXPECT_EQ(type(top, "q").what, Wanted::What::quit);
  EXPECT_EQ(type(top, "\x03").what, Wanted::What::quit);
  EXPECT_EQ(type(top, "a").what, Wanted::What::attach);
  EXPECT_EQ(type(top, " ").what, Wanted::What::look);
}

TEST(Top, HostileTextSteersNothing) {
  Top top = a_top();
  const std::string evil =
      "a\x1b[2J\x1b]0;x\x07\r\n\xE2\x80\xAE"
      "b\xC2\x9B"
      "31m\xff";
  top.seen.lines[0].what = top.seen.lines[0].title = evil;
  top.seen.troubles = {evil};
  top.screen = {evil};
  top.message = evil;
  top.rows = 30;
  settle(top);
  for (const Top::Mode mode : {Top::Mode::list, Top::Mode::answer}) {
    top.mode = mode;
    top.question = top.typed = evil;
    for (std::string line : draw(top, false)) {
      for (const char* own : {"\x1b[7m", "\x1b[0m", "\x1b[1m", "\x1b[2m"})
        while (line.find(own) != std::string::npos) line.erase(line.find(own), 4);
      for (const char c : line) EXPECT_GE(static_cast<unsigned char>(c), 0x20) << line;
      EXPECT_THAT(line, Not(HasSubstr("\xE2\x80\xAE")));
      EXPECT_THAT(line, Not(HasSubstr("\xC2\x9B")));
    }
  }
  for (const char c : plain(top.seen, top.now))
    EXPECT_TRUE(static_cast<unsigned char>(c) >= 0x20 || c == '\n');
}

TEST(Top, KeysThatComeInPieces) {
  std::string read = "\x1b";
  EXPECT_FALSE(take_key(read, false));
  read += "[";
  EXPECT_FALSE(take_key(read, false));
  read += "B";
  EXPECT_EQ(take_key(read, false)->is, Key::Is::down);
  read = "\xC3";
  EXPECT_FALSE(take_key(read, false));
  read += "\xA4";
  EXPECT_EQ(take_key(read, false)->sign, "\xC3\xA4");
  read = "\x1b";
  EXPECT_EQ(take_key(read, true)->is, Key::Is::escape);
  read = "\x1b[1;5A\xff\x01x";  // known to nobody, no UTF-8, a control
  EXPECT_EQ(take_key(read, false)->is, Key::Is::nothing);
  while (const auto key = take_key(read, true))
    if (key->sign == "x") return;
  FAIL();
}

TEST(Top, AnOldLookSaysSo) {
  Top top = a_top();
  top.now = top.seen.at + seconds(61);
  EXPECT_THAT(text_of(top), HasSubstr("seen 61 s ago"));
}

}  // namespace
}  // namespace holdfast::cli
