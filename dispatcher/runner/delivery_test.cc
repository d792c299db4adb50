// Ready, messages and the two terminals, with a real runner.
#include <termios.h>

#include "dispatcher/runner/runner_fixture.h"

namespace holdfast {
namespace {

using testing::HasSubstr;
using DeliveryTest = RunnerFixture;

TEST_F(DeliveryTest, ReadyByPatternThroughEscapes) {
  spec.ready_by = ReadyBy::pattern;
  spec.ready_pattern = "ready to go";
  run("printf 'not ready to '; touch first; while ! [ -e more ]; do :; done; printf '\\033[1mrea\\033[0mdy "
      "to\\033[Cgo'; "
      "exec sleep 1000");
  ASSERT_TRUE(eventually([&] { return there("first") && read().stream_bytes > 0; }));
  EXPECT_FALSE(read().ready);
  std::ofstream{folder + "/worktree/more"} << "x";
  EXPECT_TRUE(wait_ready());
  EXPECT_TRUE(read().ready_at.set());
}

TEST_F(DeliveryTest, BeforeItIsReadyNothingIsTaken) {
  spec.ready_by = ReadyBy::hook_file;
  run("cat > got");
  ASSERT_TRUE(eventually([&] { return read().worker_running; }));
  const auto reply = post("m1", "hello");
  EXPECT_EQ(reply.code, EAGAIN);
  EXPECT_EQ(reply.error, "runtime is not ready for input, status=running");
  EXPECT_TRUE(read().messages.empty());
}

TEST_F(DeliveryTest, AMessageIsHandedOnceAndConsumed) {
  run("while read -r line; do echo \"$line\" >> got; done");
  ASSERT_TRUE(wait_ready());
  EXPECT_EQ(post("m1", "two\nlines").code, 0);
  ASSERT_TRUE(eventually([&] { return progress("m1") == MessageProgress::consumed; }));
  EXPECT_EQ(post("m1", "two\nlines").code, 0);
  // The same message under another number, as a second dispatcher might write it.
  std::ofstream{records->folder_of(attempt) + "/inbox/0009-m1"} << "two\nlines";
  EXPECT_EQ(post("m2", "end").code, 0);
  ASSERT_TRUE(eventually([&] { return progress("m2") == MessageProgress::consumed; }));
  EXPECT_TRUE(eventually([&] { return text_of("got") == "two\nlines\nend\n"; })) << text_of("got");
}

TEST_F(DeliveryTest, WhatTheWorkerDoesNotReadIsHandedAndNotConsumed) {
  run("exec sleep 1000");
  ASSERT_TRUE(wait_ready());
  EXPECT_EQ(post("m1", "hello").code, 0);
  ASSERT_TRUE(eventually([&] { return progress("m1") == MessageProgress::handed; }));
  EXPECT_EQ(post("m2", "behind it").code, 0);
  // Long enough for several looks at the terminal.
  EXPECT_FALSE(eventually([&] { return progress("m1") == MessageProgress::consumed; }, millis(300)));
  EXPECT_EQ(progress("m2"), MessageProgress::posted);
}

TEST_F(DeliveryTest, ALargeMessageToADeafWorkerBlocksNothing) {
  run("stty raw -echo; touch up; exec sleep 1000");
  ASSERT_TRUE(eventually([&] { return there("up"); }) && wait_ready());
  EXPECT_EQ(post("m1", std::string(500 << 10, 'x')).code, 0);
  ASSERT_TRUE(eventually([&] { return progress("m1") == MessageProgress::handed; }));
  // The runner still hears and acts.
  processes.end_tree(containment(), EndSignal::term);
  const auto end = wait_end();
  ASSERT_TRUE(end);
  EXPECT_EQ(end->reason, "term");
}

TEST_F(DeliveryTest, ALineTooLongForTheTerminalIsRefused) {
  run("cat > got");
  ASSERT_TRUE(wait_ready());
  EXPECT_EQ(post("m1", "short\n" + std::string(4096, 'x')).code, 0);
  ASSERT_TRUE(eventually([&] { return progress("m1") == MessageProgress::refused; }));
  EXPECT_THAT(read().messages.front().why, HasSubstr("4096 bytes"));
  EXPECT_EQ(post("m2", std::string(4095, 'y')).code, 0);
  ASSERT_TRUE(eventually([&] { return progress("m2") == MessageProgress::consumed; }));
  EXPECT_TRUE(eventually([&] { return text_of("got") == std::string(4095, 'y') + "\n"; }));
}

TEST_F(DeliveryTest, ControlBytesAreTakenOutAndThePasteIsBracketedWhereAskedFor) {
  run("stty raw -echo && printf '\\033[?1;2004h'; exec cat > got");
  ASSERT_TRUE(wait_ready());
  // The runner has read it, so it knows.
  ASSERT_TRUE(eventually([&] { return stream().find("2004h") != std::string::npos; })) << stream();
  EXPECT_EQ(post("m1",
                 "a\x1b[201~\x03\x7f"
                 "b\tc\r\nd\xc2\x9b\xff"
                 "é")
                .code,
            0);
  ASSERT_TRUE(eventually([&] { return progress("m1") == MessageProgress::consumed; }));
  const std::string wanted =
      "\x1b[200~a[201~b\tc\rd"
      "é\x1b[201~\r";
  EXPECT_TRUE(eventually([&] { return text_of("got") == wanted; })) << text_of("got");
}

TEST_F(DeliveryTest, AMessageAfterTheEndIsTooLate) {
  run("true");
  ASSERT_TRUE(wait_end());
  EXPECT_EQ(post("m1", "hello").code, ESRCH);
  EXPECT_EQ(post("../x", "hello").code, EINVAL);
}

TEST_F(DeliveryTest, AKilledRunnerNeverBeginsTwice) {
  run("exec sleep 1000");
  ASSERT_TRUE(wait_ready());
  EXPECT_EQ(post("m1", "hello").code, 0);
  ASSERT_TRUE(eventually([&] { return progress("m1") == MessageProgress::handed; }));
  EXPECT_EQ(post("m1", "hello").code, 0);
  EXPECT_EQ(read().messages.size(), 1U);
}

TEST_F(DeliveryTest, ThePersonsKeysSizesAndInterruptReachTheWorker) {
  shell(
      "trap 'echo interrupted; exit 5' INT; stty size; while read -r line; do echo \"<$line>\"; stty size; "
      "done");
  start_in_terminal();
  go();
  EXPECT_TRUE(terminal_shows("31 91"));
  winsize size{};
  size.ws_col = 77;
  size.ws_row = 22;
  ASSERT_EQ(::ioctl(terminal, TIOCSWINSZ, &size), 0);
  type("hello\r");
  EXPECT_TRUE(terminal_shows("<hello>"));
  // The resize is a signal on its way; ask until it has arrived.
  EXPECT_TRUE(eventually([&] {
    type("again\r");
    ::poll(nullptr, 0, 20);
    return terminal_shows("<again>") && shown.find("22 77") != std::string::npos;
  }));
  type("\x03");
  const auto end = wait_end();
  ASSERT_TRUE(end);
  EXPECT_EQ(end->exit_code, 5);
  EXPECT_TRUE(terminal_shows("interrupted"));
  EXPECT_EQ(end->reason, "");
}

TEST_F(DeliveryTest, KeysPassWhileAMessageIsPending) {
  shell("exec sleep 1000");
  start_in_terminal();
  go();
  ASSERT_TRUE(wait_ready());
  EXPECT_EQ(post("m1", "hello").code, 0);
  ASSERT_TRUE(eventually([&] { return progress("m1") == MessageProgress::handed; }));
  type("\x03");
  EXPECT_EQ(wait_end()->signal, SIGINT);
}

TEST_F(DeliveryTest, AScreenThatStandsStillDoesNotHoldTheEndUp) {
  shell("seq 1 100000; echo LAST");
  start_in_terminal();  // and nobody reads it
  go();
  const auto end = wait_end();
  ASSERT_TRUE(end);
  EXPECT_EQ(end->exit_code, 0);
  EXPECT_THAT(stream(), testing::EndsWith("LAST\r\n"));
  ::close(terminal);
  terminal = -1;
  wait_runner();
}

}  // namespace
}  // namespace holdfast
