// Many tickets with short workers, and SIGKILLs of workers, runners, sessions, servers and the dispatcher
// throughout. In the end every ticket is accounted for, nothing is left over, and no invariant was broken.
//
// HOLDFAST_SOAK_TICKETS and HOLDFAST_SOAK_AT_ONCE set the size; the label `slow` runs it at 500 and 32.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <map>
#include <thread>

#include "dispatcher/core/names.h"
#include "dispatcher/core/words.h"
#include "dispatcher/endtoend/stage.h"
#include "dispatcher/system/process_identity.h"
#include "dispatcher/system/spawned_process.h"

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

// How a ticket ends that nobody has touched.
enum class Kind { done_soon, fails_once, leaves_a_child, review, gives_up };
Kind kind_of(int i) {
  switch (i % 10) {
    case 3: return Kind::fails_once;
    case 5: return Kind::leaves_a_child;
    case 7: return Kind::review;
    case 9: return Kind::gives_up;
    default: return Kind::done_soon;
  }
}

class Soak {
 public:
  Soak(int tickets, int at_once)
      : tickets_(tickets),
        at_once_(at_once),
        stage_({.capacity = at_once,
                .shards = 4,
                .extra = ", \"effects_at_once\": 16",
                .puppet_environment = {},
                .spawns_per_second = 20,
                .review_every = "5s"}) {}

  void run() {
    for (int i = 0; i < tickets_; ++i) stage_.add(id(i), script(i));
    stage_.note("nobody", "nothing");  // from here on everything that is done is noted
    stage_.start();
    const auto began = Clock::now();
    const auto until = began + std::chrono::seconds(120 + tickets_ * 3);
    auto next_full = began;
    while (Clock::now() < until && !all_accounted_for() && !testing::Test::HasFailure()) {
      disturb();
      std::this_thread::sleep_for(
          std::chrono::milliseconds(60));  // the rate of the disturbances, not a wait for anything
      const bool full = Clock::now() >= next_full;
      for (const auto& one : full ? audit(stage_) : audit_life(stage_)) ADD_FAILURE() << one;
      ++(full ? full_audits_ : audits_);
      if (full) next_full = Clock::now() + std::chrono::seconds(3);
      look_at_the_bystander();
    }
    if (!stage_.running()) stage_.start();
    const bool all = stage_.wait([&] { return all_accounted_for(); }, testing::Test::HasFailure() ? 5 : 120);
    EXPECT_TRUE(all) << left();
    const auto took = std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - began).count();
    EXPECT_EQ(stage_.stop(SIGTERM), 0);
    std::string list;
    for (const auto& one : audit_settled(stage_)) list += one + "\n";
    for (const auto& one : fates()) list += one + "\n";
    EXPECT_TRUE(list.empty()) << list;
    if (testing::Test::HasFailure()) std::cout << stage_.folder() << "\n" << stage_.story() << std::endl;
    report(took);
    bystander_.end();
  }

 private:
  using Clock = std::chrono::steady_clock;

  // S7: somebody who has nothing to do with it, but looks as if: it stands in the repository and has a
  // ticket's name in its environment.
  struct Bystander {
    SpawnedProcess process;
    explicit Bystander(const std::string& where) {
      SpawnRequest request;
      request.argv = {"/usr/bin/env",          "-C",    where, "HOLDFAST_TICKET=S-1",
                      "HOLDFAST_GENERATION=1", "sleep", "7200"};
      process = spawn_process(request);
    }
    [[nodiscard]] bool lives() const {
      return process.error == 0 && ::waitpid(process.pid, nullptr, WNOHANG) == 0;
    }
    void end() const {
      if (!lives()) return;
      ::kill(process.pid, SIGKILL);
      ::waitpid(process.pid, nullptr, 0);
    }
  };
  void look_at_the_bystander() const {
    if (!bystander_.lives()) ADD_FAILURE() << "S7 a bystander was ended";
  }

  static std::string id(int i) { return "S-" + std::to_string(i); }

  static std::vector<std::string> script(int i) {
    const std::string n = std::to_string(i);
    const std::string write = "write f-%a by %a";
    const std::string work = "sleep " + std::to_string(300 + i % 7 * 250);
    switch (kind_of(i)) {
      case Kind::fails_once: return {"@1 exit 2", write, work, "commit Add " + n, "done " + n};
      case Kind::leaves_a_child:
        return {write, "child 3000", work, "commit Add " + n, "done " + n, "sleep 300"};
      case Kind::review: return {write, work, "commit Add " + n, "review " + n, "sleep 500"};
      case Kind::gives_up: return {write, work, "exit 0"};
      case Kind::done_soon: break;
    }
    return {write, work, "commit Add " + n, "done " + n};
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

  // One open attempt, by chance; those with a live worker three times in four.
  std::optional<Attempt> someone() {
    const auto open = stage_.open_attempts();
    std::vector<Attempt> live;
    for (const Attempt& a : open)
      if (a.phase == Phase::ready || a.phase == Phase::running || a.phase == Phase::newborn)
        live.push_back(a);
    const auto& among = live.empty() || chance_.below(4) == 0 ? open : live;
    if (among.empty()) return std::nullopt;
    return among[chance_.below(among.size())];
  }

  // Noted first: whoever looks meanwhile finds a doer.
  void kill_process(const Attempt& a, const ProcessIdentity& who, const char* what) {
    if (!who.known() || presence_of(who) != Presence::present) return;
    stage_.note(attempt_key(a.id), what);
    if (signal_exactly(who, SIGKILL) != 0) return;
    ++done_[what];
    ++victims_;
  }

  // In proportion to what has been begun and brought to its end, so that a busy machine sees as many as an
  // idle one; whoever kills faster than anything can be finished tests nothing but patience. A dispatcher
  // lives long enough to have all its places filled.
  void disturb() {
    const int claimed = stage_.count("select count(*) from runtimes");
    const int closed = stage_.count("select count(*) from runtimes where phase = 7");
    const std::size_t roll = chance_.below(100);
    if (victims_ < claimed * 2 / 5 && roll < 75) {
      if (const auto a = someone()) {
        if (roll < 27)
          kill_process(*a, stage_.record(a->id).worker, "worker");
        else if (roll < 52)
          kill_process(*a, stage_.record(a->id).runner, "runner");
        else
          kill_session(*a);
      }
    } else if (servers_ * 20 < closed && roll < 85) {
      const int shard = static_cast<int>(chance_.below(4));
      const auto pid = stage_.tmux_server_pid(shard);
      stage_.note("server " + std::to_string(shard), "server");
      if (pid > 0 && ::kill(static_cast<pid_t>(pid), SIGKILL) == 0) ++done_["server"];
      ++servers_;
    } else if (restarts_ * std::max(6, at_once_ / 2) < closed) {
      const bool politely = chance_.below(5) == 0;
      stage_.stop(politely ? SIGTERM : SIGKILL);
      ++done_[politely ? "dispatcher, politely" : "dispatcher"];
      ++restarts_;
      stage_.start();
    }
  }

  void kill_session(const Attempt& a) {
    stage_.note(attempt_key(a.id), "session");
    if (stage_.tmux(a.shard, {"kill-session", "-t", "=" + a.session.value}).code != 0) return;
    ++done_["session"];
    ++victims_;
  }

  // S18: whoever was not touched ends as if nothing had happened to anybody; whoever was touched is not given
  // up before its budget is used.
  std::vector<std::string> fates() {
    std::vector<std::string> wrong;
    for (int i = 0; i < tickets_; ++i) {
      const BoardTicket t = stage_.ticket(id(i));
      bool touched = false;
      for (const Attempt& a : stage_.attempts(id(i))) {
        for (const char* what : {"worker", "runner", "session"})
          touched = touched || stage_.disturbances().contains({attempt_key(a.id), what});
        touched = touched || a.cause == Cause::server_lost || a.cause == Cause::never_came_to_be;
      }
      untouched_ += touched ? 0 : 1;
      const BoardState expected = kind_of(i) == Kind::review     ? BoardState::in_review
                                  : kind_of(i) == Kind::gives_up ? BoardState::blocked
                                                                 : BoardState::done;
      const bool limit = t.reason.find("the limit") != std::string::npos;
      const bool fair = t.state == BoardState::done || t.state == BoardState::in_review ||
                        (t.state == BoardState::blocked && limit);
      if (touched ? !fair : t.state != expected)
        wrong.push_back("S18 " + t.id.value + (touched ? "" : ", which nobody touched,") + " ended " +
                        words_for(t.state) + ": " + t.reason);
    }
    return wrong;
  }

  std::string left() {
    std::string text = "not accounted for:";
    for (int i = 0; i < tickets_; ++i)
      if (!settled_.contains(i)) text += " " + id(i);
    return text;
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
    std::cout << tickets_ << " tickets, " << attempts << " attempts, " << seconds << " s, " << untouched_
              << " untouched; audits: " << audits_ << " of life, " << full_audits_ << " full\n  states:";
    for (const auto& [what, n] : states) std::cout << " " << what << " " << n;
    std::cout << "\n  causes:";
    for (const auto& [what, n] : causes) std::cout << " " << what << " " << n;
    std::cout << "\n  killed:";
    for (const auto& [what, n] : done_) std::cout << " " << what << " " << n;
    std::cout << std::endl;
  }

  int tickets_, at_once_;
  Stage stage_;
  Bystander bystander_{stage_.repository()};
  Chance chance_{static_cast<std::uint64_t>(number("HOLDFAST_SOAK_SEED", 20261122))};
  std::map<int, bool> settled_;
  std::map<std::string, int> done_;
  int audits_ = 0, full_audits_ = 0, untouched_ = 0;
  int victims_ = 0, servers_ = 0, restarts_ = 0;
};

TEST(EndToEnd, KillsThroughoutAndEverythingIsAccountedFor) {
  Soak(number("HOLDFAST_SOAK_TICKETS", 12), number("HOLDFAST_SOAK_AT_ONCE", 6)).run();
}

}  // namespace
}  // namespace holdfast::stage
