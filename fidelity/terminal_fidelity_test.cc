// The simulated tmux beside a real one, always a private server in a folder of its own: sessions whose names
// are beginnings of one another come and go, panes die in several ways, servers are killed and started again.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dispatcher/core/names.h"
#include "dispatcher/ledger/temp_folder.h"
#include "dispatcher/system/clocks.h"
#include "dispatcher/system/process_identity.h"
#include "dispatcher/terminal/tmux_terminal.h"
#include "fidelity/sequences.h"
#include "fidelity/simulated.h"
#include "sim/world/ports.h"
#include "sim/world/strikes.h"

namespace holdfast::fidelity::of_terminals {
namespace {

constexpr Duration enough = seconds(60);

template <class Condition>
bool eventually(Condition condition) {
  const Deadline deadline{enough};
  while (!condition()) {
    if (deadline.passed()) return false;
    ::poll(nullptr, 0, 5);
  }
  return true;
}

ProcessIdentity identity(const ServerIncarnation& server) {
  const auto host = this_host();
  return {host.boot_id, host.pid_namespace, server.pid, server.start_ticks};
}

enum Kind {
  start,
  spawn,
  look,
  end_by_id,
  end_by_name,
  end_in_another_life,
  pane_exits,
  pane_is_killed,
  server_is_killed,
  notice
};

const AttemptId attempts[] = {{{"T-1"}, {1}}, {{"T-1"}, {11}}, {{"T-10"}, {1}}, {{"T-2"}, {1}}};

class Terminals {
 public:
  explicit Terminals(const sim::Defects& defects) : simulated_(defects) {
    TmuxOptions options;
    options.folder = folder_ / "t";
    options.label = "t";
    real_.emplace(options);
  }
  Terminals(const Terminals&) = delete;
  Terminals& operator=(const Terminals&) = delete;
  ~Terminals() {
    real_.reset();
    for (const ServerIncarnation& server : all_real_) kill(server);
  }

  void run(const Command& c) {
    simulated_.world.now.ms += 1000;
    const AttemptId& id = attempts[static_cast<std::size_t>(c.whom) % std::size(attempts)];
    const SessionName name = session_name(id);
    const bool there = sessions_.contains(name);
    switch (static_cast<Kind>(c.kind)) {
      case start: {
        const auto a = real_->start_server(0, enough);
        const auto b = simulated_.ask(StartServer{0});
        const auto here = Simulated::value<ServerIncarnation>(b);
        const bool again = a.value == now_.real;
        judge.compare(
            "start server",
            {{"outcome", kind_of(Call::server_start, a.raw)}, {"the one that ran", again ? "yes" : "no"}},
            {{"outcome", kind_of(Call::server_start, b.raw)},
             {"the one that ran", here == now_.simulated ? "yes" : "no"}});
        if (!again) before_ = std::exchange(now_, {a.value, here});
        if (!again) all_real_.push_back(a.value);
        break;
      }
      case spawn: {
        const std::string fifo = folder_ / ("fifo-" + std::to_string(++fifos_));
        ::mkfifo(fifo.c_str(), 0600);
        SpawnOrder order{
            0, name, folder_.path().string(), {"sh", "-c", "read how < " + fifo + "; exit $how"}};
        const auto a = real_->spawn(order, enough);
        const auto b = simulated_.ask(SpawnSession{order, id});
        judge.compare("spawn " + name.value, {{"outcome", kind_of(Call::spawn, a.raw)}},
                      {{"outcome", kind_of(Call::spawn, b.raw)}});
        if (a.raw.transport == Transport::answered && a.raw.code == 0)
          sessions_[name] = {a.value, Simulated::value<SpawnedPane>(b), fifo};
        break;
      }
      case look: break;
      case end_by_id:
        if (!there) return;
        return end(id, now_, sessions_[name].real.session_id, sessions_[name].simulated.session_id);
      case end_by_name: return end(id, now_, "", "");
      case end_in_another_life: return end(id, before_, there ? sessions_[name].real.session_id : "", "$0");
      case pane_exits:
        if (!there || sessions_[name].dead) return;
        return pane_ends(name, c.how % 3, 0);
      case pane_is_killed:
        if (!there || sessions_[name].dead) return;
        return pane_ends(name, -1, c.how % 2 == 0 ? SIGKILL : SIGTERM);
      case server_is_killed:
        if (!now_.real.known() || !running()) return;
        kill(now_.real);
        sim::strike(simulated_.world, {sim::Do::strike, 0, 0, FaultId::C2});
        sessions_.clear();
        break;
      case notice: {
        if (!now_.real.known()) return;
        const auto a = real_->notice(now_.real, name, "it will be ended", enough);
        const auto b = simulated_.ask(GiveNotice{now_.simulated, name, "it will be ended", id});
        judge.compare("notice", {{"outcome", kind_of(Call::notice, a.raw)}},
                      {{"outcome", kind_of(Call::notice, b.raw)}});
        break;
      }
    }
    compare_listings();
  }

  Judge judge{"tmux"};

 private:
  struct Life {
    ServerIncarnation real, simulated;
  };
  struct Pair {
    SpawnedPane real, simulated;
    std::string fifo;
    bool dead = false;
  };

  static void kill(const ServerIncarnation& server) {
    signal_exactly(identity(server), SIGKILL);
    EXPECT_TRUE(eventually([&] { return presence_of(identity(server)) == Presence::gone; }));
  }
  [[nodiscard]] bool running() const { return presence_of(identity(now_.real)) == Presence::present; }

  void end(const AttemptId& id, const Life& life, const std::string& real_id,
           const std::string& simulated_id) {
    if (!life.real.known()) return;
    const SessionName name = session_name(id);
    const auto a = real_->end_session(life.real, name, real_id, enough);
    const auto b = simulated_.ask(EndSession{life.simulated, name, simulated_id, id});
    judge.compare("end " + name.value, {{"outcome", kind_of(Call::session_end, a.raw)}},
                  {{"outcome", kind_of(Call::session_end, b.raw)}});
    const auto found = sessions_.find(name);
    if (life.real == now_.real && found != sessions_.end()) {
      // What was in it is hung up.
      const pid_t pid = static_cast<pid_t>(found->second.real.pane_pid);
      const bool gone = eventually([&] { return ::kill(pid, 0) != 0; });
      const auto runtime = std::ranges::find_if(simulated_.world.runtimes, [&](const sim::Runtime& r) {
        return r.session_id == found->second.simulated.session_id;
      });
      const bool told = runtime != simulated_.world.runtimes.end() &&
                        (runtime->hung_up || runtime->runner == sim::RunnerStage::gone);
      judge.compare("end " + name.value, {{"its process", gone ? "hung up" : "lives"}},
                    {{"its process", told ? "hung up" : "lives"}});
      sessions_.erase(found);
    }
    compare_listings();
  }

  void pane_ends(const SessionName& name, int status, int signal) {
    Pair& pair = sessions_[name];
    pair.dead = true;
    if (signal != 0) {
      ::kill(static_cast<pid_t>(pair.real.pane_pid), signal);
    } else {
      // Its shell may not be reading yet.
      int fd = -1;
      eventually([&] { return (fd = ::open(pair.fifo.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC)) >= 0; });
      const std::string how = std::to_string(status) + "\n";
      EXPECT_EQ(::write(fd, how.data(), how.size()), static_cast<ssize_t>(how.size()));
      ::close(fd);
    }
    EXPECT_TRUE(eventually([&] {
      const auto panes = real_->list(0, enough).value.panes;
      return std::ranges::any_of(panes, [&](const PaneSighting& p) { return p.session == name && p.dead; });
    })) << name.value;
    for (sim::Runtime& r : simulated_.world.runtimes)
      if (r.session_id == pair.simulated.session_id)
        sim::runner_is_gone(simulated_.world, r, signal == 0 ? std::optional(status) : std::nullopt,
                            signal == 0 ? std::nullopt : std::optional(signal));
    compare_listings();
  }

  void compare_listings() {
    const auto a = real_->list(0, enough);
    const auto b = simulated_.ask(ListServer{0, {}});
    const auto here = Simulated::value<ServerListing>(b);
    judge.compare("list", shown(a.raw, a.value, now_.real, &Pair::real),
                  shown(b.raw, here, now_.simulated, &Pair::simulated));
  }

  Facts shown(const RawReply& raw, const ServerListing& listing, const ServerIncarnation& life,
              SpawnedPane Pair::* side) const {
    Facts facts{{"outcome", kind_of(Call::server_list, raw)}};
    facts["server"] = !listing.server.known()  ? "none"
                      : listing.server == life ? "this life"
                                               : "another life";
    for (const PaneSighting& pane : listing.panes) {
      const std::string& name = pane.session.value;
      facts[name] = pane.dead ? "dead" : "live";
      if (pane.exit_status) facts[name] += ", exit " + std::to_string(*pane.exit_status);
      if (pane.exit_signal) facts[name] += ", signal " + std::to_string(*pane.exit_signal);
      facts[name + " persons"] = std::to_string(pane.persons_attached);
      const auto known = sessions_.find(pane.session);
      const bool same = known != sessions_.end() && (known->second.*side).session_id == pane.session_id &&
                        (known->second.*side).pane_id == pane.pane_id &&
                        (known->second.*side).pane_pid == pane.pane_pid;
      facts[name + " ids"] = same ? "those of the spawn" : "others";
    }
    return facts;
  }

  TempFolder folder_;
  Simulated simulated_;
  std::optional<TmuxTerminal> real_;
  Life now_, before_;
  std::vector<ServerIncarnation> all_real_;
  std::map<SessionName, Pair> sessions_;
  int fifos_ = 0;
};

Judge play(const std::vector<Command>& sequence, const sim::Defects& defects = {}) {
  Terminals terminals(defects);
  terminals.run({start, 0, 0});
  for (const Command& c : sequence) {
    terminals.run(c);
    if (!terminals.judge.content()) break;
  }
  return terminals.judge;
}

rc::Gen<std::vector<Command>> anything() {
  return commands({2, 8, 1, 3, 2, 1, 2, 2, 1, 1}, std::size(attempts), 6);
}

class TerminalFidelity : public testing::Test {
  void SetUp() override {
    if (const auto wrong = what_is_wrong_with_tmux("tmux")) GTEST_SKIP() << *wrong;
  }
};
using TerminalTwins = TerminalFidelity;

TEST_F(TerminalFidelity, TheSimulatedOneAgreesWithTmux) {
  std::set<std::string_view> met;
  const auto playing = [&](const std::vector<Command>& sequence) {
    const Judge judge = play(sequence);
    met.insert(judge.met().begin(), judge.met().end());
    return judge;
  };
  // Every kind once, in an order that shows something.
  const Judge tour = playing({{spawn, 0, 0},
                              {spawn, 0, 0},
                              {spawn, 1, 0},
                              {end_by_name, 0, 0},
                              {pane_exits, 1, 2},
                              {spawn, 2, 0},
                              {pane_is_killed, 2, 0},
                              {end_by_id, 1, 0},
                              {notice, 3, 0},
                              {server_is_killed, 0, 0},
                              {spawn, 3, 0},
                              {start, 0, 0},
                              {end_in_another_life, 2, 0},
                              {spawn, 3, 0},
                              {end_in_another_life, 3, 0}});
  ASSERT_TRUE(tour.content()) << tour.in_words();
  expect_agreement(anything(), 30, 40, playing);
  expect_all_met("tmux", met);
}

TEST_F(TerminalTwins, AreFound) {
  for (const auto& [name, defect] : {std::pair{"prefix match", &sim::Defects::sessions_by_prefix},
                                     {"starts servers anywhere", &sim::Defects::starts_servers_anywhere}}) {
    sim::Defects defects;
    defects.*defect = true;
    const int found =
        sequences_until_caught(anything(), 30, 40, [&](const auto& s) { return play(s, defects); });
    EXPECT_GT(found, 0) << name;
  }
}

}  // namespace
}  // namespace holdfast::fidelity::of_terminals
