// Many tickets with short workers, and SIGKILLs of workers, runners, sessions, servers and the dispatcher
// throughout. In the end every ticket is accounted for, nothing is left over, and no invariant was broken.
//
// HOLDFAST_SOAK_TICKETS and HOLDFAST_SOAK_AT_ONCE set the size; the label `slow` runs it at 500 and 32.
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <map>
#include <thread>

#include "dispatcher/core/words.h"
#include "dispatcher/endtoend/stage.h"

namespace holdfast::stage {
namespace {

int number(const char* name, int fallback) {
  const char* value = std::getenv(name);
  return value ? std::atoi(value) : fallback;
}

// A small generator of its own: the same kills on every standard library.
struct Chance {
  std::uint64_t state;
  std::uint64_t next() {
    state ^= state << 13U;
    state ^= state >> 7U;
    state ^= state << 17U;
    return state;
  }
  std::size_t below(std::size_t n) { return static_cast<std::size_t>(next() % n); }
};

class Soak {
 public:
  Soak(int tickets, int at_once)
      : tickets_(tickets),
        stage_({.capacity = at_once,
                .shards = 4,
                .extra = ", \"effects_at_once\": 16",
                .puppet_environment = {}}) {}

  void run() {
    for (int i = 0; i < tickets_; ++i) stage_.add(id(i), script(i));
    stage_.start();
    const auto began = std::chrono::steady_clock::now();
    const auto until = began + std::chrono::seconds(120 + tickets_ * 3);
    while (std::chrono::steady_clock::now() < until && !all_accounted_for()) {
      disturb();
      std::this_thread::sleep_for(
          std::chrono::milliseconds(120));  // the rate of the disturbances, not a wait for anything
      watch();
    }
    if (!stage_.running()) stage_.start();
    EXPECT_TRUE(stage_.wait([&] { return all_accounted_for(); }, 120)) << stage_.story();
    const auto took =
        std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - began).count();
    EXPECT_EQ(stage_.stop(SIGTERM), 0);
    const auto wrong = audit_settled(stage_);
    std::string list;
    for (const auto& one : wrong) list += one + "\n";
    EXPECT_TRUE(wrong.empty()) << list << stage_.story();
    report(took);
  }

 private:
  static std::string id(int i) { return "S-" + std::to_string(i); }

  static std::vector<std::string> script(int i) {
    const std::string n = std::to_string(i);
    const std::vector<std::string> good{"write f" + n + " x", "sleep " + std::to_string(50 + i % 7 * 60),
                                        "commit Add " + n, "done " + n};
    switch (i % 10) {
      case 3: return {"@1 exit 2", "write f" + n + " x", "commit Add " + n, "done " + n};
      case 5: return {"write f" + n + " x", "commit Add " + n, "child 300", "done " + n};
      case 7: return {"write f" + n + " x", "commit Add " + n, "review " + n};
      case 9: return {"write f" + n + " x", "sleep 200", "exit 0"};
      default: return good;
    }
  }

  bool all_accounted_for() {
    for (int i = 0; i < tickets_; ++i) {
      if (settled_.contains(i)) continue;
      const BoardState state = stage_.ticket(id(i)).state;
      if (state == BoardState::todo || state == BoardState::in_progress || state == BoardState::backlog)
        return false;
      const auto attempts = stage_.attempts(id(i));
      if (attempts.empty() || !attempts.back().settled) return false;
      settled_[i] = true;
    }
    return true;
  }

  // One live attempt, by chance.
  std::optional<Attempt> someone() {
    for (int tries = 0; tries < 20; ++tries) {
      const auto attempts =
          stage_.attempts(id(static_cast<int>(chance_.below(static_cast<std::size_t>(tickets_)))));
      if (!attempts.empty() && attempts.back().open()) return attempts.back();
    }
    return std::nullopt;
  }

  void kill_process(const ProcessIdentity& who, const char* what) {
    if (who.known() && ::kill(static_cast<pid_t>(who.pid), SIGKILL) == 0) ++done_[what];
  }

  void disturb() {
    const std::size_t roll = chance_.below(100);
    if (roll < 12) {
      if (const auto a = someone()) kill_process(stage_.record(a->id).worker, "worker");
    } else if (roll < 17) {
      if (const auto a = someone()) kill_process(stage_.record(a->id).runner, "runner");
    } else if (roll < 25) {
      if (const auto a = someone();
          a && stage_.tmux(a->shard, {"kill-session", "-t", "=" + a->session.value}).code == 0)
        ++done_["session"];
    } else if (roll < 27) {
      const auto pid = stage_.tmux_server_pid(static_cast<int>(chance_.below(4)));
      if (pid > 0 && ::kill(static_cast<pid_t>(pid), SIGKILL) == 0) ++done_["server"];
    } else if (roll < 31) {
      stage_.stop(SIGKILL);
      ++done_["dispatcher"];
      stage_.start();
    } else if (roll < 32) {
      stage_.stop(SIGTERM);
      ++done_["dispatcher, politely"];
      stage_.start();
    }
  }

  void watch() {
    const auto wrong = audit(stage_);
    for (const auto& one : wrong) ADD_FAILURE() << one;
  }

  void report(std::int64_t seconds) {
    std::map<std::string, int> states, causes;
    int attempts = 0;
    for (int i = 0; i < tickets_; ++i) {
      ++states[words_for(stage_.ticket(id(i)).state)];
      for (const Attempt& a : stage_.attempts(id(i))) {
        ++attempts;
        ++causes[words_for(a.cause)];
      }
    }
    std::cout << tickets_ << " tickets, " << attempts << " attempts, " << seconds << " s\n  states:";
    for (const auto& [what, n] : states) std::cout << " " << what << " " << n;
    std::cout << "\n  causes:";
    for (const auto& [what, n] : causes) std::cout << " " << what << " " << n;
    std::cout << "\n  killed:";
    for (const auto& [what, n] : done_) std::cout << " " << what << " " << n;
    std::cout << std::endl;
  }

  int tickets_;
  Stage stage_;
  Chance chance_{static_cast<std::uint64_t>(number("HOLDFAST_SOAK_SEED", 20261122))};
  std::map<int, bool> settled_;
  std::map<std::string, int> done_;
};

TEST(EndToEnd, KillsThroughoutAndEverythingIsAccountedFor) {
  Soak(number("HOLDFAST_SOAK_TICKETS", 40), number("HOLDFAST_SOAK_AT_ONCE", 8)).run();
}

}  // namespace
}  // namespace holdfast::stage
