// `holdfast top` in a real terminal: a tmux server of the test's own, real keys, and the picture that comes
// of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <fstream>
#include <iterator>

#include "dispatcher/endtoend/stage.h"
#include "dispatcher/system/run_process.h"

namespace holdfast::stage {
namespace {

using testing::HasSubstr;
using testing::Not;

// One window, in which `script` runs; gone when the test is.
class Window {
 public:
  // Each with a server of its own name: one that is just ending takes no new session.
  Window(const Stage& stage, const std::string& script, std::string name = "window")
      : folder_(stage.folder()), name_(std::move(name)) {
    tmux({"-f", "/dev/null", "new-session", "-d", "-x", "100", "-y", "30", "sh", "-c", script});
  }
  ~Window() { tmux({"kill-server"}); }
  Window(const Window&) = delete;
  Window& operator=(const Window&) = delete;

  std::string tmux(std::vector<std::string> arguments) const {
    ProcessOrder order;
    order.argv = {
        "env", "-u", "TMUX", "TMUX_TMPDIR=" + folder_, "TERM=xterm-256color", "LC_ALL=C.UTF-8", "tmux",
        "-u",  "-L", name_};
    order.argv.insert(order.argv.end(), arguments.begin(), arguments.end());
    order.deadline = seconds(60);
    return run_process(order).text;
  }
  void keys(const std::vector<std::string>& names) const {
    std::vector<std::string> arguments{"send-keys", "--"};
    arguments.insert(arguments.end(), names.begin(), names.end());
    tmux(arguments);
  }
  void text(const std::string& words) const { tmux({"send-keys", "-l", "--", words}); }
  [[nodiscard]] std::string picture() const { return tmux({"capture-pane", "-p"}); }

 private:
  std::string folder_, name_;
};

std::string script_for(const Stage& stage) {
  const std::string top = "'" + program("holdfast") + "' --config '" + stage.config() + "' top --every 200ms";
  return "echo what stood before; " + top +
         "; echo \"left with $?\"; stty -a | tr ';' '\\n' | tr ' ' '\\n' | grep -x -e echo -e icanon -e "
         "isig; exec sleep 1000";
}

TEST(EndToEndTop, QuestionsAreAnsweredAndRuntimesStopped) {
  Stage stage;
  stage.start();
  stage.add("T-1", {"ask left or right?", "write a.txt x", "commit Add", "done it"});
  stage.add("T-2", {"say something was written", "hang"});
  ASSERT_TRUE(stage.wait_for_phase("T-1", Phase::waiting)) << stage.story();
  ASSERT_TRUE(stage.wait_for_phase("T-2", Phase::running)) << stage.story();
  const Window window(stage, script_for(stage));
  const auto shows = [&](const std::string& words) {
    return stage.wait([&] { return window.picture().find(words) != std::string::npos; });
  };
  ASSERT_TRUE(shows("> T-1")) << window.picture();
  EXPECT_THAT(window.picture(), HasSubstr("left or right?"));
  EXPECT_THAT(window.picture(), HasSubstr("2 of 4 live, 1 asks"));

  window.keys({"r"});
  ASSERT_TRUE(shows("to T-1-g1: _")) << window.picture();
  window.text("left, $(please)");
  ASSERT_TRUE(shows("to T-1-g1: left, $(please)_")) << window.picture();
  window.keys({"Enter"});
  ASSERT_TRUE(stage.wait_for_state("T-1", BoardState::done)) << window.picture() << stage.story();

  ASSERT_TRUE(shows("> T-2")) << window.picture();
  ASSERT_TRUE(shows("something was written")) << window.picture();  // its terminal's last lines
  window.keys({"s"});
  ASSERT_TRUE(shows("end T-2-g1?")) << window.picture();
  window.keys({"n"});
  ASSERT_TRUE(shows("T-2-g1 goes on")) << window.picture();
  EXPECT_EQ(stage.attempts("T-2").at(0).wish, StopWish::none);
  window.keys({"s"});
  ASSERT_TRUE(shows("end T-2-g1?")) << window.picture();
  window.keys({"y"});
  ASSERT_TRUE(stage.wait_for_state("T-2", BoardState::blocked)) << stage.story();
  ASSERT_TRUE(shows("blocked")) << window.picture();

  // It follows the size of its window.
  window.tmux({"resize-window", "-x", "40", "-y", "8"});
  window.keys({"?"});
  ASSERT_TRUE(shows("any key goes back")) << window.picture();
  window.keys({"x"});
  ASSERT_TRUE(shows("j k move")) << window.picture();

  window.keys({"q"});
  ASSERT_TRUE(shows("left with 0") && shows("echo\n")) << window.picture();
  const std::string after = window.picture();
  EXPECT_THAT(after, HasSubstr("what stood before"));
  EXPECT_THAT(after, HasSubstr("icanon"));
  EXPECT_THAT(after, Not(HasSubstr("T-2")));
  EXPECT_EQ(stage.stop(SIGTERM), 0);
}

TEST(EndToEndTop, AttachingComesBack) {
  Stage stage;
  stage.start();
  stage.add("T-1", {"say here I am", "hang"});
  ASSERT_TRUE(stage.wait_for_phase("T-1", Phase::running)) << stage.story();
  const Window window(stage, script_for(stage));
  const auto shows = [&](const std::string& words) {
    return stage.wait([&] { return window.picture().find(words) != std::string::npos; });
  };
  const auto attached = [&] {
    std::string clients;
    for (int shard = 0; shard < stage.settings().shards; ++shard)
      clients += stage.tmux(shard, {"list-clients", "-F", "#{session_name} #{client_control_mode}"}).out;
    return clients.find("hf-T-1-g1 0") != std::string::npos;
  };
  ASSERT_TRUE(shows("> T-1")) << window.picture();
  window.keys({"a"});
  ASSERT_TRUE(stage.wait(attached)) << window.picture();
  window.keys({"C-b"});
  window.keys({"d"});
  ASSERT_TRUE(stage.wait([&] { return !attached(); })) << window.picture();
  ASSERT_TRUE(shows("> T-1")) << window.picture();
  EXPECT_THAT(window.picture(), HasSubstr("1 of 4 live"));
  window.keys({"C-c"});
  ASSERT_TRUE(shows("left with 0")) << window.picture();
  EXPECT_EQ(stage.stop(SIGTERM), 0);
}

// The terminal is given back whatever ends it.
TEST(EndToEndTop, ASignalLeavesTheTerminalAsItWas) {
  Stage stage;
  for (const char* how : {"TERM", "HUP", "QUIT", "SEGV", "ABRT"}) {
    const Window window(stage, script_for(stage), how);
    const auto shows = [&](const std::string& words) {
      return stage.wait([&] { return window.picture().find(words) != std::string::npos; });
    };
    ASSERT_TRUE(shows("nothing is to be done")) << how << window.picture();
    EXPECT_THAT(window.picture(), Not(HasSubstr("what stood before"))) << how;
    const std::string pane = window.tmux({"list-panes", "-F", "#{pane_pid}"});
    ProcessOrder order;
    order.argv = {"pkill", std::string("-") + how, "-P", pane.substr(0, pane.find('\n')), "holdfast"};
    run_process(order);
    ASSERT_TRUE(shows("left with 1")) << how << window.picture();  // 128 + the signal's number
    ASSERT_TRUE(shows("isig")) << how << window.picture();
    EXPECT_THAT(window.picture(), HasSubstr("what stood before")) << how;
    EXPECT_THAT(window.picture(), HasSubstr("\necho\n")) << how;
  }
}

// Nothing is drawn that is there already.
TEST(EndToEndTop, ItIsClearedOnceAndNotAgain) {
  Stage stage;
  stage.add("T-1", {"done it"});
  const Window window(stage, "sleep 1; " + script_for(stage));
  const std::string bytes = stage.folder() + "/bytes";
  window.tmux({"pipe-pane", "cat > '" + bytes + "'"});
  const auto read = [&] {
    std::ifstream file(bytes, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  ASSERT_TRUE(stage.wait([&] { return read().find("T-1") != std::string::npos; })) << window.picture();
  const auto count = [&](const std::string& what) {
    int n = 0;
    const std::string all = read();
    for (auto at = all.find(what); at != std::string::npos; at = all.find(what, at + 1)) ++n;
    return n;
  };
  const int heads = count("TICKET");
  // Its age is written anew again and again.
  ASSERT_TRUE(stage.wait([&] { return count("T-1") >= 4; })) << window.picture();
  EXPECT_EQ(count("TICKET"), heads);
  EXPECT_EQ(count("\x1b[2J"), 2);  // once where it begins, once with the first picture
  window.keys({"q"});
}

TEST(EndToEndTop, OncePrintsAndNeedsNoTerminal) {
  Stage stage;
  stage.add("T-1", {"done it"});
  const auto once = stage.holdfast({"top", "--once"});
  EXPECT_EQ(once.code, 0) << once.err;
  EXPECT_THAT(once.out, HasSubstr("0 of 4 live, 1 to do, "));
  EXPECT_THAT(once.out, HasSubstr("T-1     to do"));
  EXPECT_THAT(once.out, Not(HasSubstr("\x1b")));
  EXPECT_THAT(stage.holdfast({"top", "--json"}).out, HasSubstr("\"need\": \"to do\""));
  const auto without = stage.holdfast({"top"});
  EXPECT_EQ(without.code, 2);
  EXPECT_THAT(without.err, HasSubstr("top needs a terminal"));
}

}  // namespace
}  // namespace holdfast::stage
