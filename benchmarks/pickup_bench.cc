// What a pickup costs, beside the bare tmux and git work that no dispatcher can do without, on real parts.
//
//   idle        one ticket at a time, warm pool: from `todo` to the worker's own first line
//   in flight N tickets a second from `todo` to a worktree that has been given back, with N at a time
//
// The floor does the same on the same machine in the same run, turn by turn: it switches a prepared worktree
// to a new branch by its files, creates a session through a persistent tmux connection, lets the same
// scripted worker run, kills the session, brings the worktree back. It keeps no record, asks nobody, and
// would lose everything at the first crash. Figures from a busy machine are worth nothing but as ratios.
//
//   pickup_bench [--rounds N] [--tickets N] [--in-flight N]... [--json]
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "dispatcher/core/names.h"
#include "dispatcher/endtoend/stage.h"
#include "dispatcher/system/clocks.h"
#include "dispatcher/terminal/tmux_terminal.h"
#include "dispatcher/worktree/git_worktrees.h"

namespace {

namespace fs = std::filesystem;
using namespace holdfast;
using holdfast::stage::JournalLine;
using holdfast::stage::Stage;

constexpr Duration long_enough = minutes(2);

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "pickup_bench: %s\n", why.c_str());
  std::exit(1);
}

// When that ticket's worker said that it had started; 0: not yet.
std::int64_t started_at(const Stage& stage, const std::string& ticket) {
  for (const JournalLine& line : stage.journal())
    if (line.ticket == ticket && line.what == "start") return line.at_ms;
  return 0;
}

struct Figures {
  std::vector<double> values;
  [[nodiscard]] double at(double share) const {
    auto sorted = values;
    std::ranges::sort(sorted);
    return sorted.empty() ? 0
                          : sorted[static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1))];
  }
};

// The bare parts, on a repository and a tmux server of their own.
class Floor {
 public:
  Floor(const Stage& stage, int slots)
      : stage_(stage),
        worktrees_(stage.repository(), stage.folder() + "/floor", {}),
        terminal_({.label = "floor", .folder = tmux_folder(stage), .shards = 2}) {
    auto pool = worktrees_.ensure_pool(slots, "refs/heads/main", long_enough);
    if (pool.raw.code != 0) give_up("floor: " + pool.raw.error);
    pool_ = std::move(pool.value);
    for (int shard = 0; shard < 2; ++shard)
      servers_.push_back(terminal_.start_server(shard, long_enough).value);
  }
  ~Floor() {
    for (const ServerIncarnation& server : servers_)
      if (server.known()) ::kill(static_cast<pid_t>(server.pid), SIGKILL);
  }
  Floor(const Floor&) = delete;
  Floor& operator=(const Floor&) = delete;

  // One ticket's life in one slot; answers when its worker started, in ms since the epoch.
  std::int64_t one(std::size_t slot, int number, const std::string& script) {
    const AttemptId attempt{{"F-" + std::to_string(number)}, {1}};
    const auto prepared = worktrees_.prepare(
        {pool_.at(slot).slot, attempt, branch_name(attempt, "floor"), "refs/heads/main"}, long_enough);
    if (prepared.raw.code != 0) give_up("floor: " + prepared.raw.error);
    const std::string prompt = stage_.folder() + "/prompt-" + attempt.ticket.value;
    std::ofstream(prompt) << "#!puppet\n" << script << "end.\n";
    SpawnOrder order;
    order.shard = number % 2;
    order.session = {"floor-" + attempt.ticket.value};
    order.working_directory = prepared.value.path;
    order.argv = {"/usr/bin/env",
                  "PUPPET_STAGE=" + stage_.yard(),
                  "HOLDFAST_TICKET=" + attempt.ticket.value,
                  "HOLDFAST_GENERATION=1",
                  "PUPPET_PROMPT=file",
                  "HOLDFAST_PROMPT_FILE=" + prompt,
                  stage::program("holdfast-puppet")};
    const auto spawned = terminal_.spawn(order, long_enough);
    if (spawned.raw.code != 0) give_up("floor: " + spawned.raw.error);
    std::int64_t started = 0;
    bool ended = false;
    while (!ended) {
      for (const JournalLine& line : stage_.journal())
        if (line.ticket == attempt.ticket.value) {
          if (line.what == "start") started = line.at_ms;
          ended = ended || line.what.starts_with("end exit");
        }
      if (!ended) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    terminal_.end_session(spawned.value.server, order.session, spawned.value.session_id, long_enough);
    const auto released = worktrees_.release({pool_.at(slot).slot, attempt}, prepared.value.base,
                                             "refs/heads/main", long_enough);
    if (released.raw.code != 0) give_up("floor: " + released.raw.error);
    return started;
  }

 private:
  static std::string tmux_folder(const Stage& stage) {
    const std::string folder = stage.folder() + "/floor-tmux";
    fs::create_directories(folder);
    fs::permissions(folder, fs::perms::owner_all);
    return folder;
  }
  const Stage& stage_;
  GitWorktrees worktrees_;
  TmuxTerminal terminal_;
  std::vector<SlotSighting> pool_;
  std::vector<ServerIncarnation> servers_;
};

struct Line {
  std::string name, unit;
  Figures floor, product;
  bool more_is_better = false;
  [[nodiscard]] double ratio() const { return floor.at(0.5) > 0 ? product.at(0.5) / floor.at(0.5) : 0; }
};

void print(const std::vector<Line>& lines, bool json) {
  if (json) std::printf("[\n");
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const Line& l = lines[i];
    if (json)
      std::printf(
          "  {\"what\": \"%s\", \"unit\": \"%s\", \"rounds\": %zu, \"floor\": {\"p50\": %.2f, \"p10\": %.2f, "
          "\"p90\": %.2f}, \"product\": {\"p50\": %.2f, \"p10\": %.2f, \"p90\": %.2f}, \"ratio\": %.3f}%s\n",
          l.name.c_str(), l.unit.c_str(), l.product.values.size(), l.floor.at(0.5), l.floor.at(0.1),
          l.floor.at(0.9), l.product.at(0.5), l.product.at(0.1), l.product.at(0.9), l.ratio(),
          i + 1 < lines.size() ? "," : "");
    else
      std::printf("%-28s floor %8.2f [%8.2f %8.2f]   holdfast %8.2f [%8.2f %8.2f] %-10s  ratio %.2f\n",
                  l.name.c_str(), l.floor.at(0.5), l.floor.at(0.1), l.floor.at(0.9), l.product.at(0.5),
                  l.product.at(0.1), l.product.at(0.9), l.unit.c_str(), l.ratio());
  }
  if (json) std::printf("]\n");
}

int number_after(int argc, char** argv, int& i) {
  if (++i >= argc) give_up("a number is missing");
  return std::atoi(argv[i]);
}

}  // namespace

int main(int argc, char** argv) {
  int rounds = 20, tickets = 32;
  std::vector<int> in_flight;
  bool json = false;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--rounds")
      rounds = number_after(argc, argv, i);
    else if (word == "--tickets")
      tickets = number_after(argc, argv, i);
    else if (word == "--in-flight")
      in_flight.push_back(number_after(argc, argv, i));
    else if (word == "--json")
      json = true;
    else
      give_up("usage: pickup_bench [--rounds N] [--tickets N] [--in-flight N]... [--json]");
  }
  if (in_flight.empty()) in_flight = {1, 8, 32};
  const std::string script =
      "done x\n";  // no commit: what git costs inside the worker is the worker's affair
  std::vector<Line> lines;
  int number = 0;

  {
    Stage stage({.capacity = 2,
                 .shards = 2,
                 .gate = "review",
                 .remote = false,
                 .prompt_by_file = true,
                 .review_every = "20s"});
    Floor floor(stage, 2);
    stage.add("W-0", {"done warm"});
    stage.start();
    if (!stage.wait([&] { return !stage.attempts("W-0").empty() && stage.attempts("W-0").back().settled; }))
      give_up("the dispatcher does not come up\n" + stage.story());
    Line idle{"idle pickup, todo to worker", "ms", {}, {}};
    for (int round = 0; round < rounds; ++round) {
      const std::int64_t before = SystemClock{}.now().ms;
      idle.floor.values.push_back(static_cast<double>(floor.one(0, ++number, script) - before));
      const std::string id = "I-" + std::to_string(round);
      const std::int64_t added = SystemClock{}.now().ms;
      stage.add(id, {"done x"});
      if (!stage.wait([&] { return !stage.attempts(id).empty() && stage.attempts(id).back().settled; }))
        give_up("a ticket did not end\n" + stage.story());
      idle.product.values.push_back(static_cast<double>(started_at(stage, id) - added));
    }
    stage.stop(SIGTERM);
    lines.push_back(std::move(idle));
  }

  for (const int at_once : in_flight) {
    Line line{std::to_string(at_once) + " in flight", "tickets/s", {}, {}, true};
    Stage stage({.capacity = at_once,
                 .shards = 2,
                 .gate = "review",
                 .remote = false,
                 .extra = ", \"effects_at_once\": 16",
                 .prompt_by_file = true,
                 .review_every = "20s"});
    Floor floor(stage, at_once);
    stage.add("W-0", {"done warm"});
    stage.start();
    if (!stage.wait([&] { return !stage.attempts("W-0").empty() && stage.attempts("W-0").back().settled; }))
      give_up("the dispatcher does not come up\n" + stage.story());
    for (int round = 0; round < std::max(1, rounds / 5); ++round) {
      auto start = std::chrono::steady_clock::now();
      std::vector<std::jthread> hands;
      const int first = number;
      number += tickets;
      for (int hand = 0; hand < at_once; ++hand)
        hands.emplace_back([&, hand] {
          for (int n = first + 1 + hand; n <= first + tickets; n += at_once)
            floor.one(static_cast<std::size_t>(hand), n, script);
        });
      hands.clear();
      line.floor.values.push_back(tickets / seconds_since(start));

      start = std::chrono::steady_clock::now();
      const std::string prefix = "P-" + std::to_string(round) + "-";
      for (int n = 0; n < tickets; ++n) stage.add(prefix + std::to_string(n), {"done x"});
      int done = 0;
      if (!stage.wait(
              [&] {
                while (done < tickets) {
                  const auto all = stage.attempts(prefix + std::to_string(done));
                  if (all.empty() || !all.back().settled) return false;
                  ++done;
                }
                return true;
              },
              600))
        give_up("the tickets did not end\n" + stage.story());
      line.product.values.push_back(tickets / seconds_since(start));
    }
    stage.stop(SIGTERM);
    lines.push_back(std::move(line));
  }
  print(lines, json);
  return 0;
}
