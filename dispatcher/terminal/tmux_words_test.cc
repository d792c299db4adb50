// Text on its way to tmux and back: no word of it is ever taken for a command, and the spellings of
// "absent".
#include "dispatcher/terminal/tmux_words.h"

#include <gtest/gtest.h>

namespace holdfast {
namespace {

TEST(TmuxWords, QuotesEverythingOntoOneLine) {
  EXPECT_EQ(quoted("a b;'#{x}"), "\"a b;'#{x}\"");
  EXPECT_EQ(quoted("$~\"\\"), "\"\\$\\~\\\"\\\\\"");
  EXPECT_EQ(quoted("\n\x7f\xff"), "\"\\012\\177\\377\"");
  EXPECT_EQ(not_a_format("#{a} 5%"), "##{a} 5%%");
}

TEST(TmuxWords, KnowsTheSpellingsOfAbsent) {
  EXPECT_EQ(absence_in("no server running on /tmp/tmux-0/x"), Absence::refused);
  EXPECT_EQ(absence_in("error connecting to /tmp/x (No such file or directory)"), Absence::no_socket);
  EXPECT_EQ(absence_in("error connecting to /tmp/x (Connection refused)"), Absence::refused);
  EXPECT_EQ(absence_in("error connecting to /tmp/x (Permission denied)"), Absence::none);
  EXPECT_EQ(absence_in("server exited unexpectedly"), Absence::died);
  EXPECT_EQ(absence_in("lost server"), Absence::died);
  EXPECT_EQ(absence_in("can't find session: =x"), Absence::no_session);
  EXPECT_EQ(absence_in("duplicate session: x"), Absence::none);
}

TEST(TmuxWords, ReadsPanes) {
  const auto line = parse_pane_line("77 $3 %4 1234 1 =9 = my own name");
  ASSERT_TRUE(line);
  EXPECT_EQ(line->server_pid, 77);
  EXPECT_EQ(line->pane, (PaneSighting{{"my own name"}, "$3", "%4", 1234, true, 9, std::nullopt, 0}));
  EXPECT_EQ(parse_pane_line("77 $3 %4 1234 1 = =11 x")->pane.exit_signal, 11);
  EXPECT_FALSE(parse_pane_line("77 $3 %4 1234 0 = = x")->pane.exit_status);
  for (const auto* bad :
       {"", "77", "x $3 %4 1 0 = = n", "77 3 %4 1 0 = = n", "77 $3 %4 1 0 = =", "77 $3 %4 1 0 9 9 n"}) {
    EXPECT_FALSE(parse_pane_line(bad)) << bad;
  }
}

TEST(TmuxWords, ReadsClients) {
  const auto line = parse_client_line("12 1 =$0 client-12");
  ASSERT_TRUE(line);
  EXPECT_TRUE(line->control);
  EXPECT_EQ(line->session_id, "$0");
  EXPECT_EQ(line->name, "client-12");
  EXPECT_EQ(parse_client_line("12 0 = /dev/pts/3")->session_id, "");
  EXPECT_FALSE(parse_client_line("x"));
}

TEST(TmuxWords, ReadsVersions) {
  EXPECT_EQ(parse_tmux_version("tmux 3.3a\n"), (TmuxVersion{3, 3}));
  EXPECT_EQ(parse_tmux_version("tmux next-3.7"), (TmuxVersion{3, 7}));
  EXPECT_LT(*parse_tmux_version("tmux 2.9"), oldest_tmux);
  EXPECT_GT(*parse_tmux_version("tmux master"), oldest_tmux);
  EXPECT_FALSE(parse_tmux_version("screen 4"));
  EXPECT_FALSE(parse_tmux_version("tmux x"));
}

}  // namespace
}  // namespace holdfast
