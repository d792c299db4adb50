// For tests: the shipped dispatcher's parts, and one accident at a chosen place. The shipped program holds
// nothing of the kind.
//   holdfast-dying-dispatcher CONFIG TICKET N            dies by SIGKILL at the N-th moment of that ticket,
//   where every effect of it has two: before and after holdfast-dying-dispatcher CONFIG TICKET lose-spawn the
//   answer to its first spawn is lost on its way back, after tmux has made the session
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "dispatcher/cli/installation.h"
#include "dispatcher/config/config.h"

namespace {

using namespace holdfast;

// The real terminal. What it did is done; what it said about the first spawn nobody hears.
class LossyTerminal : public Terminal {
 public:
  LossyTerminal(Terminal& real, std::string ticket) : real_(real), ticket_(std::move(ticket)) {}

  Reply<ServerIncarnation> start_server(int shard, Duration deadline) override {
    return real_.start_server(shard, deadline);
  }
  Reply<SpawnedPane> spawn(const SpawnOrder& order, Duration deadline) override {
    Reply<SpawnedPane> reply = real_.spawn(order, deadline);
    if (!order.session.value.starts_with("hf-" + ticket_ + "-g") || lost_.exchange(true)) return reply;
    std::fprintf(stderr, "lost the answer to the spawn of %s: code %d\n", order.session.value.c_str(),
                 reply.raw.code);
    return {{Transport::no_answer, 0, "", "no answer before the deadline"}, {}};
  }
  Reply<ServerListing> list(int shard, Duration deadline) override { return real_.list(shard, deadline); }
  Reply<Nothing> end_session(const ServerIncarnation& server, const SessionName& session,
                             const std::string& session_id, Duration deadline) override {
    return real_.end_session(server, session, session_id, deadline);
  }
  Reply<std::string> capture(const ServerIncarnation& server, const std::string& pane_id, int lines,
                             Duration deadline) override {
    return real_.capture(server, pane_id, lines, deadline);
  }
  Reply<Nothing> notice(const ServerIncarnation& server, const SessionName& session, const std::string& text,
                        Duration deadline) override {
    return real_.notice(server, session, text, deadline);
  }
  [[nodiscard]] std::vector<std::string> attach_command(int shard,
                                                        const SessionName& session) const override {
    return real_.attach_command(shard, session);
  }

 private:
  Terminal& real_;
  std::string ticket_;
  std::atomic<bool> lost_ = false;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 64;
  const auto config = load_config(argv[1]);
  if (!config) {
    std::fprintf(stderr, "%s\n", config.error().words.c_str());
    return 2;
  }
  const auto installation = cli::open_installation(*config, LedgerMode::dispatcher);
  if (!installation) {
    std::fprintf(stderr, "%s\n", installation.error().words.c_str());
    return 2;
  }
  Policy policy = config->policy;
  for (char** entry = environ; *entry != nullptr; ++entry) policy.environment.emplace_back(*entry);
  const bool lossy = std::string_view(argv[3]) == "lose-spawn";
  int left = static_cast<int>(std::strtol(argv[3], nullptr, 10));
  DriverOptions options;
  options.news = (*installation)->news_sources();
  options.watch = [&](const AttemptId& id) { (*installation)->watch(id); };
  options.unwatch = [&](const AttemptId& id) { (*installation)->unwatch(id); };
  if (!lossy)
    options.log = [&](const EffectLine& line) {
      if (ticket_of(line.effect).value != argv[2]) return;
      if (--left <= 0) {
        std::fprintf(stderr, "dies %s: %s\n", line.answer ? "after" : "before",
                     describe(line.effect).c_str());
        ::kill(getpid(), SIGKILL);
      }
    };
  const World real = (*installation)->world();
  LossyTerminal terminal(real.terminal, argv[2]);
  World world{real.ledger,  real.board,     lossy ? terminal : real.terminal,
              real.records, real.processes, real.worktrees,
              real.now,     real.token,     real.runner_command};
  Driver driver(world, policy, std::move(options));
  driver.run(seconds(1));
  return 0;
}
