// Against a real tmux, always a private server in a folder of its own.
#include "dispatcher/terminal/tmux_terminal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "dispatcher/system/clocks.h"
#include "dispatcher/system/process_identity.h"
#include "dispatcher/system/run_process.h"

namespace holdfast {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr Duration enough = seconds(60);

template <class Condition>
bool eventually(Condition condition, Duration within = enough) {
  const Deadline deadline{within};
  while (!condition()) {
    if (deadline.passed()) return false;
    ::poll(nullptr, 0, 5);
  }
  return true;
}

class TmuxTerminalTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto wrong = what_is_wrong_with_tmux("tmux")) GTEST_SKIP() << *wrong;
    char pattern[] = "/tmp/hf-tmux-XXXXXX";
    folder = ::mkdtemp(pattern);
    options.folder = folder + "/t";
    options.label = "t";
    tmux.emplace(options);
  }
  void TearDown() override {
    tmux.reset();
    for (const auto& server : servers) {
      const auto host = this_host();
      const ProcessIdentity who{host.boot_id, host.pid_namespace, server.pid, server.start_ticks};
      signal_exactly(who, SIGKILL);
      EXPECT_TRUE(eventually([&] { return presence_of(who) == Presence::gone; }));
    }
    if (!folder.empty()) fs::remove_all(folder);
  }

  ServerIncarnation start(int shard = 0) {
    const auto reply = tmux->start_server(shard, enough);
    EXPECT_EQ(reply.raw.transport, Transport::answered) << reply.raw.error;
    EXPECT_EQ(reply.raw.code, 0) << reply.raw.error;
    EXPECT_TRUE(reply.value.known());
    servers.push_back(reply.value);
    return reply.value;
  }
  Reply<SpawnedPane> spawn(const std::string& name, std::vector<std::string> argv = {"sleep", "1000"}) {
    return tmux->spawn({0, {name}, folder, std::move(argv)}, enough);
  }
  ServerListing list() {
    const auto reply = tmux->list(0, enough);
    EXPECT_EQ(reply.raw.transport, Transport::answered) << reply.raw.error;
    EXPECT_EQ(reply.raw.code, 0) << reply.raw.error;
    return reply.value;
  }
  std::optional<PaneSighting> pane(const std::string& name) {
    for (const auto& seen : list().panes) {
      if (seen.session.value == name) return seen;
    }
    return {};
  }
  RawReply outside(std::vector<std::string> words) {
    std::vector<std::string> argv{"tmux", "-N", "-L", "t-0"};
    argv.insert(argv.end(), words.begin(), words.end());
    return run_process(
        {argv, "/", std::vector<std::string>{"TMUX_TMPDIR=" + options.folder, "PATH=/usr/bin:/bin"}, {}});
  }

  std::string folder;
  TmuxOptions options;
  std::optional<TmuxTerminal> tmux;
  std::vector<ServerIncarnation> servers;
};

TEST_F(TmuxTerminalTest, NoServerIsAListingAndListingStartsNone) {
  const auto first = list();
  EXPECT_FALSE(first.server.known());
  EXPECT_TRUE(first.panes.empty());
  EXPECT_FALSE(list().server.known());
  EXPECT_EQ(spawn("a").raw.transport, Transport::never_sent);
  EXPECT_FALSE(list().server.known());
}

TEST_F(TmuxTerminalTest, StartIsIdempotentAndTheAnchorIsNotListed) {
  const auto server = start();
  EXPECT_EQ(start(), server);
  const auto listing = list();
  EXPECT_EQ(listing.server, server);
  EXPECT_TRUE(listing.panes.empty());
  const auto anchor = outside({"list-panes", "-a", "-F", "#{session_name} #{pane_dead}"});
  EXPECT_EQ(anchor.text, "hf-anchor 1\n");
}

TEST_F(TmuxTerminalTest, SpawnsAPaneAndEndsIt) {
  const auto server = start();
  const auto spawned = spawn("hf-T-1-g1");
  ASSERT_EQ(spawned.raw.code, 0) << spawned.raw.error;
  EXPECT_EQ(spawned.value.server, server);
  const auto seen = pane("hf-T-1-g1");
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->session_id, spawned.value.session_id);
  EXPECT_EQ(seen->pane_id, spawned.value.pane_id);
  EXPECT_EQ(seen->pane_pid, spawned.value.pane_pid);
  EXPECT_FALSE(seen->dead);
  EXPECT_EQ(seen->persons_attached, 0);

  EXPECT_EQ(tmux->end_session(server, {"hf-T-1-g1"}, spawned.value.session_id, enough).raw.code, 0);
  EXPECT_FALSE(pane("hf-T-1-g1"));
  const auto again = tmux->end_session(server, {"hf-T-1-g1"}, spawned.value.session_id, enough);
  EXPECT_EQ(again.raw.transport, Transport::answered);
  EXPECT_EQ(again.raw.code, 0) << again.raw.error;
}

TEST_F(TmuxTerminalTest, TargetsAreExact) {
  const auto server = start();
  ASSERT_EQ(spawn("agent-12").raw.code, 0);
  EXPECT_EQ(tmux->end_session(server, {"agent-1"}, "", enough).raw.code, 0);
  EXPECT_TRUE(pane("agent-12"));
  EXPECT_EQ(tmux->notice(server, {"agent-1"}, "hello", enough).raw.code, 1);
  EXPECT_EQ(tmux->end_session(server, {"agent-12"}, "", enough).raw.code, 0);
  EXPECT_FALSE(pane("agent-12"));
}

TEST_F(TmuxTerminalTest, ASecondSessionOfAnIncarnationThatIsGoneIsNotTouched) {
  const auto server = start();
  ASSERT_EQ(spawn("a").raw.code, 0);
  auto other = server;
  other.start_ticks += 1;
  const auto reply = tmux->end_session(other, {"a"}, "$1", enough);
  EXPECT_EQ(reply.raw.transport, Transport::answered);
  EXPECT_EQ(reply.raw.code, 0);  // that server is gone, and its session with it
  EXPECT_TRUE(pane("a"));
}

TEST_F(TmuxTerminalTest, ADuplicateSaysSo) {
  start();
  ASSERT_EQ(spawn("a").raw.code, 0);
  const auto second = spawn("a");
  EXPECT_EQ(second.raw.transport, Transport::answered);
  EXPECT_EQ(second.raw.code, 1);
  EXPECT_THAT(second.raw.error, HasSubstr("duplicate session"));
  EXPECT_EQ(list().panes.size(), 1U);
}

TEST_F(TmuxTerminalTest, OfTenConcurrentSpawnsOfOneNameExactlyOneWins) {
  start();
  std::atomic<int> won{0}, lost{0};
  std::vector<std::jthread> threads;
  for (int i = 0; i < 10; ++i) {
    threads.emplace_back([&] {
      const auto reply = spawn("same");
      if (reply.raw.code == 0 && reply.raw.transport == Transport::answered) ++won;
      if (reply.raw.error.find("duplicate session") != std::string::npos) ++lost;
    });
  }
  threads.clear();
  EXPECT_EQ(won, 1);
  EXPECT_EQ(lost, 9);
}

TEST_F(TmuxTerminalTest, TenConcurrentSpawnsOfTenNames) {
  start();
  std::vector<std::jthread> threads;
  for (int i = 0; i < 10; ++i) {
    threads.emplace_back([this, i] { EXPECT_EQ(spawn("n-" + std::to_string(i)).raw.code, 0); });
  }
  threads.clear();
  EXPECT_EQ(list().panes.size(), 10U);
}

TEST_F(TmuxTerminalTest, TheDeadPaneTellsStatusAndSignal) {
  start();
  ASSERT_EQ(spawn("code", {"sh", "-c", "exit 7"}).raw.code, 0);
  ASSERT_EQ(spawn("signal", {"sh", "-c", "kill -KILL $$"}).raw.code, 0);
  // A pane may be dead a moment before tmux has its status.
  ASSERT_TRUE(eventually([&] { return pane("code")->exit_status && pane("signal")->exit_signal; }));
  EXPECT_EQ(pane("code")->exit_status, 7);
  EXPECT_FALSE(pane("code")->exit_signal);
  EXPECT_EQ(pane("signal")->exit_signal, SIGKILL);
}

TEST_F(TmuxTerminalTest, HostileArgumentsArriveAsTheyAre) {
  start();
  const std::vector<std::string> hostile{";",
                                         "a;b \\;",
                                         "'",
                                         "\"",
                                         "$HOME ${HOME} $(id)",
                                         "#{pid} #(touch /tmp/never) ##{x} #[fg=red]",
                                         "~",
                                         "~root/x",
                                         "\\",
                                         "\\n\\",
                                         "{ display }",
                                         "%1",
                                         "-d",
                                         "--",
                                         "",
                                         "a\nb\tc\x01\x1b[31m",
                                         "grün 漢字 🦊",
                                         "\xff\xfe",
                                         "`id`",
                                         "%%",
                                         "# no comment"};
  std::vector<std::string> argv{
      "sh", "-c", "for a in \"$@\"; do printf '%s\\0' \"$a\"; done > got.tmp; mv got.tmp got", "name"};
  argv.insert(argv.end(), hostile.begin(), hostile.end());
  ASSERT_EQ(spawn("a", argv).raw.code, 0);
  ASSERT_TRUE(eventually([&] { return fs::exists(folder + "/got"); }));
  std::ifstream file{folder + "/got", std::ios::binary};
  std::vector<std::string> got;
  for (std::string word; std::getline(file, word, '\0');) got.push_back(word);
  EXPECT_EQ(got, hostile);
}

TEST_F(TmuxTerminalTest, ASingleWordIsNotGivenToAShell) {
  start();
  ASSERT_EQ(spawn("a", {"touch never; true"}).raw.code, 0);
  ASSERT_TRUE(eventually([&] { return pane("a")->exit_status.has_value(); }));
  EXPECT_FALSE(fs::exists(folder + "/never"));
  EXPECT_EQ(pane("a")->exit_status, 127);
}

TEST_F(TmuxTerminalTest, HostileNamesAreRefusedBeforeAnythingIsSent) {
  start();
  for (const auto* name : {"", "a b", "a;b", "a:b", "a.b", "=a", "$1", "#{pid}", "a\nb", "a'b"}) {
    EXPECT_EQ(spawn(name).raw.transport, Transport::never_sent) << name;
  }
  EXPECT_EQ(tmux->spawn({0, {"a"}, "/", {}}, enough).raw.transport, Transport::never_sent);
  EXPECT_EQ(tmux->spawn({9, {"a"}, "/", {"true", "x"}}, enough).raw.transport, Transport::never_sent);
  EXPECT_TRUE(list().panes.empty());
}

TEST_F(TmuxTerminalTest, AWorkingDirectoryIsNotAFormat) {
  start();
  const auto odd = folder + "/#(touch " + folder + "/never) #{pid} ;'\"$HOME";
  fs::create_directories(odd);
  ASSERT_EQ(tmux->spawn({0, {"a"}, odd, {"sleep", "1000"}}, enough).raw.code, 0);
  const auto quoted_only = folder + "/blank 'q' \"d\" $HOME ~ ; x";
  fs::create_directories(quoted_only);
  ASSERT_EQ(
      tmux->spawn({0, {"b"}, quoted_only, {"sh", "-c", "pwd > here.tmp; mv here.tmp here"}}, enough).raw.code,
      0);
  EXPECT_TRUE(eventually([&] { return fs::exists(quoted_only + "/here"); }));
  EXPECT_FALSE(fs::exists(folder + "/never"));
}

TEST_F(TmuxTerminalTest, ThePaneKnowsNothingOfTheServersMarkOrPreload) {
  start();
  ASSERT_EQ(spawn("a", {"sh", "-c", "env > e.tmp; mv e.tmp e"}).raw.code, 0);
  ASSERT_TRUE(eventually([&] { return fs::exists(folder + "/e"); }));
  std::ifstream file{folder + "/e"};
  const std::string text{std::istreambuf_iterator<char>{file}, {}};
  EXPECT_THAT(text, Not(HasSubstr("HOLDFAST_TMUX_SERVER")));
  EXPECT_THAT(text, Not(HasSubstr("LD_PRELOAD")));
  EXPECT_THAT(text, Not(HasSubstr("TMUX_TMPDIR")));
}

TEST_F(TmuxTerminalTest, TheUtmpSilencerIsLoadedIntoTheServerAlone) {
  if (options.utmp_silencer.empty()) GTEST_SKIP() << "the library is not built here";
  const auto server = start();
  const auto loaded_into = [](std::int64_t pid) {
    std::ifstream maps{"/proc/" + std::to_string(pid) + "/maps"};
    const std::string text{std::istreambuf_iterator<char>{maps}, {}};
    EXPECT_FALSE(text.empty());
    return text.find("utmp-silencer") != std::string::npos;
  };
  EXPECT_TRUE(loaded_into(server.pid));
  const auto spawned = spawn("a", {"sh", "-c", "touch up; exec sleep 1000"});
  ASSERT_TRUE(eventually([&] { return fs::exists(folder + "/up"); }));
  EXPECT_FALSE(loaded_into(spawned.value.pane_pid));
}

TEST_F(TmuxTerminalTest, CapturesTheLastLines) {
  const auto server = start();
  const auto spawned = spawn("a", {"sh", "-c", "seq 1 300; echo '%end 1 2 3'; sleep 1000"});
  ASSERT_EQ(spawned.raw.code, 0);
  Reply<std::string> shot;
  ASSERT_TRUE(eventually([&] {
    shot = tmux->capture(server, spawned.value.pane_id, 4, enough);
    return shot.value.find("%end") != std::string::npos;
  })) << shot.raw.error
      << shot.value;
  EXPECT_EQ(shot.value, "298\n299\n300\n%end 1 2 3");
  EXPECT_EQ(tmux->capture(server, "%999", 4, enough).raw.code, 1);
  EXPECT_EQ(tmux->capture(server, "a; kill-server", 4, enough).raw.transport, Transport::never_sent);
}

TEST_F(TmuxTerminalTest, AttachedPersonsAreCountedAndOurOwnClientIsNot) {
  const auto server = start();
  ASSERT_EQ(spawn("a").raw.code, 0);
  ASSERT_EQ(spawn("b").raw.code, 0);
  // A person: tmux in a terminal, here one that script(1) would give. The outer terminal is a pane of the
  // same server.
  auto attach = tmux->attach_command(0, {"a"});
  ASSERT_EQ(spawn("person", attach).raw.code, 0);
  EXPECT_TRUE(eventually([&] { return pane("a")->persons_attached == 1; }));
  EXPECT_EQ(pane("b")->persons_attached, 0);
  EXPECT_EQ(tmux->notice(server, {"a"}, "100% #{pid} #(id) \"quoted\"; $HOME", enough).raw.code, 0);
}

TEST_F(TmuxTerminalTest, AStoppedServerIsGivenUpAtTheDeadline) {
  const auto server = start();
  ASSERT_EQ(spawn("before").raw.code, 0);
  ASSERT_EQ(::kill(static_cast<pid_t>(server.pid), SIGSTOP), 0);
  const auto spawned = tmux->spawn({0, {"during"}, "/", {"sleep", "1000"}}, millis(200));
  EXPECT_EQ(spawned.raw.transport, Transport::no_answer) << spawned.raw.error;
  const auto listed = tmux->list(0, millis(200));
  EXPECT_EQ(listed.raw.transport, Transport::never_sent) << "behind an answer that is owed nothing is sent";
  const auto killed = tmux->end_session(server, {"before"}, "", millis(200));
  EXPECT_EQ(killed.raw.transport, Transport::never_sent);
  ASSERT_EQ(::kill(static_cast<pid_t>(server.pid), SIGCONT), 0);
  // The spawn that was not answered may have happened or not; once a call is answered, that does not change
  // any more.
  const auto reply = tmux->list(0, enough);
  EXPECT_EQ(reply.raw.error, "");
  const auto after = reply.value;
  EXPECT_EQ(after.server, server);
  EXPECT_TRUE(pane("before"));
  const bool there = pane("during").has_value();
  for (int i = 0; i < 20; ++i) EXPECT_EQ(pane("during").has_value(), there);
  EXPECT_EQ(spawn("during").raw.code, there ? 1 : 0);
}

// tmux 3.3a fell over when a server that had stood still went on and found several control clients that had
// come meanwhile, some of them gone again: the first news killed it, and every worker in it.
TEST_F(TmuxTerminalTest, AServerThatStoodStillKeepsItsSessionsHoweverOftenItWasTried) {
  const auto server = start();
  ASSERT_EQ(spawn("a").raw.code, 0);
  ASSERT_EQ(spawn("b").raw.code, 0);
  for (int round = 0; round < 5; ++round) {
    ASSERT_EQ(::kill(static_cast<pid_t>(server.pid), SIGSTOP), 0);
    // Others who look: each with a connection of its own, and with patience for a moment only.
    for (int i = 0; i < 4; ++i) {
      TmuxTerminal other{options};
      EXPECT_NE(other.list(0, millis(60)).raw.transport, Transport::answered);
      EXPECT_NE(other.list(0, millis(60)).raw.transport, Transport::answered);
    }
    EXPECT_NE(tmux->list(0, millis(60)).raw.transport, Transport::answered);
    EXPECT_NE(tmux->capture(server, "%1", 4, millis(60)).raw.transport, Transport::answered);
    ASSERT_EQ(::kill(static_cast<pid_t>(server.pid), SIGCONT), 0);
    const auto after = list();
    ASSERT_EQ(after.server, server) << "in round " << round;
    EXPECT_EQ(after.panes.size(), 2U);
    tmux.emplace(options);  // and this one begins again
    ASSERT_EQ(list().server, server);
  }
}

TEST_F(TmuxTerminalTest, AKilledServerIsALossAndItsSuccessorAnotherIncarnation) {
  const auto server = start();
  ASSERT_EQ(spawn("a").raw.code, 0);
  ASSERT_EQ(::kill(static_cast<pid_t>(server.pid), SIGKILL), 0);
  ServerListing listing;
  ASSERT_TRUE(eventually([&] {
    const auto reply = tmux->list(0, enough);
    listing = reply.value;
    return reply.raw.transport == Transport::answered && !listing.server.known();
  }));
  EXPECT_TRUE(listing.panes.empty());
  const auto next = start();
  EXPECT_NE(next, server);
  EXPECT_EQ(list().server, next);
  const auto ended = tmux->end_session(server, {"a"}, "$1", enough);
  EXPECT_EQ(ended.raw.transport, Transport::answered);
  EXPECT_EQ(ended.raw.code, 0);
}

TEST_F(TmuxTerminalTest, ADeletedSocketFileIsNotAbsenceAndIsMadeAgain) {
  const auto server = start();
  ASSERT_EQ(spawn("a").raw.code, 0);
  tmux.emplace(options);  // a dispatcher that was restarted
  fs::remove(options.folder + "/tmux-" + std::to_string(::getuid()) + "/t-0");
  const auto listing = list();
  EXPECT_EQ(listing.server, server);
  EXPECT_EQ(listing.panes.size(), 1U);
}

TEST_F(TmuxTerminalTest, AKilledControlClientIsReplaced) {
  const auto server = start();
  const auto clients = outside({"list-clients", "-F", "#{client_pid}"});
  const auto pid = std::stoi(clients.text);
  ASSERT_EQ(::kill(pid, SIGKILL), 0);
  ASSERT_TRUE(eventually([&] { return tmux->list(0, enough).raw.transport == Transport::answered; }));
  EXPECT_EQ(list().server, server);
  EXPECT_EQ(spawn("a").raw.code, 0);
}

TEST_F(TmuxTerminalTest, AKilledAnchorIsReplaced) {
  const auto server = start();
  ASSERT_EQ(outside({"kill-session", "-t", "=hf-anchor"}).code, 0);
  ASSERT_TRUE(eventually([&] { return tmux->list(0, enough).raw.transport == Transport::answered; }));
  EXPECT_EQ(list().server, server);
}

TEST_F(TmuxTerminalTest, NewsWake) {
  start();
  tmux->take_news();
  ASSERT_EQ(outside({"new-session", "-d", "-s", "stranger", "sleep", "1000"}).code, 0);
  pollfd news{tmux->news_fd(), POLLIN, 0};
  EXPECT_EQ(::poll(&news, 1, 60'000), 1);
  EXPECT_TRUE(pane("stranger"));
}

TEST_F(TmuxTerminalTest, ShardsAreServersOfTheirOwn) {
  tmux.reset();
  options.shards = 2;
  tmux.emplace(options);
  const auto first = start(0), second = start(1);
  EXPECT_NE(first.pid, second.pid);
  ASSERT_EQ(tmux->spawn({1, {"a"}, "/", {"sleep", "1000"}}, enough).raw.code, 0);
  EXPECT_TRUE(list().panes.empty());
  EXPECT_EQ(tmux->list(1, enough).value.panes.size(), 1U);
}

TEST(Tmux, AMissingOneIsSaidToBeMissing) {
  EXPECT_THAT(what_is_wrong_with_tmux("/nonexistent/tmux").value_or(""), HasSubstr("cannot be run"));
  EXPECT_THAT(what_is_wrong_with_tmux("echo").value_or(""), HasSubstr("no tmux"));
}

}  // namespace
}  // namespace holdfast
