// The loop on a toy world with real threads: what runs beside what, what wakes it, and how it ends.
#include "dispatcher/driver/driver.h"

#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>

#include "dispatcher/driver/toy_ports.h"

namespace holdfast {
namespace {

constexpr auto patience =
    std::chrono::seconds(60);  // a deadline for a condition, never a duration that is judged

// Something that several threads learn, and one waits for.
template <class T>
class Shared {
 public:
  template <class Change>
  void change(Change change) {
    const std::scoped_lock lock(mutex_);
    change(value_);
    changed_.notify_all();
  }
  template <class Condition>
  bool wait(Condition condition) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, patience, [&] { return condition(value_); });
  }
  T now() {
    const std::scoped_lock lock(mutex_);
    return value_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  T value_{};
};

// News as the real sources bring it: a descriptor, and what is read from it.
class Letterbox {
 public:
  Letterbox() : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
  ~Letterbox() { ::close(fd_); }
  Letterbox(const Letterbox&) = delete;
  Letterbox& operator=(const Letterbox&) = delete;
  void put(News news) {
    const std::scoped_lock lock(mutex_);
    letters_.push_back(std::move(news));
    ring();
  }
  NewsSource source() {
    return {fd_, [this] {
              const std::scoped_lock lock(mutex_);
              std::uint64_t count = 0;
              [[maybe_unused]] const auto got = ::read(fd_, &count, sizeof count);
              return std::exchange(letters_, {});
            }};
  }

 private:
  void ring() const {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(fd_, &one, sizeof one);
  }
  int fd_;
  std::mutex mutex_;
  std::vector<News> letters_;
};

// A policy in which nothing is looked at again by itself, so that only news and answers move the loop.
Policy quiet_policy(int capacity) {
  Policy policy = toy_policy(capacity);
  policy.look_every = policy.review_every = policy.board_every = policy.servers_every = minutes(60);
  policy.profiles["generic"].finish_grace = policy.profiles["generic"].term_grace = millis(1);
  return policy;
}

struct Play {
  ToyPorts ports;
  World world;
  Policy policy;
  Letterbox letters;
  DriverOptions options;
  std::chrono::steady_clock::time_point give_up = std::chrono::steady_clock::now() + patience;

  Play(int capacity, int tickets) : ports(capacity), world(ports.world()), policy(quiet_policy(capacity)) {
    ports.with([&](ToyWorld& toy) {
      for (int i = 1; i <= tickets; ++i) toy.add("T-" + std::to_string(i));
      toy.facts.has_commits = Tri::yes;
      toy.facts.commits = 1;
    });
    options.news.push_back(letters.source());
    ports.after = [this](const Effect& e) { after_call(e); };
    options.enough = [this](const Brain&) {
      return in_review() == ports.with([](ToyWorld& toy) { return toy.board.size(); }) ||
             std::chrono::steady_clock::now() > give_up;
    };
  }

  // What runner and worker do, and the news that it makes: the worker reads its prompt, says DONE and leaves.
  void after_call(const Effect& e) {
    if (const auto* spawn = std::get_if<SpawnSession>(&e)) letters.put(AttemptNews{spawn->attempt});
    if (const auto* go = std::get_if<GiveGo>(&e)) letters.put(AttemptNews{go->attempt});
    if (const auto* post = std::get_if<Post>(&e)) {
      ports.with([&](ToyWorld& toy) {
        toy.say(post->attempt.ticket, "DONE: it");
        toy.exit(post->attempt.ticket, 0);
      });
      letters.put(AttemptNews{post->attempt});
    }
  }

  std::size_t in_review() {
    return ports.with([](ToyWorld& toy) {
      return static_cast<std::size_t>(std::ranges::count_if(
          toy.board, [](const auto& t) { return t.second.state == BoardState::in_review; }));
    });
  }
  std::string trace() {
    return ports.with([](ToyWorld& toy) {
      std::string all;
      for (const std::string& line : toy.trace) all += line + "\n";
      return all;
    });
  }
};

TEST(Driver, BringsTicketsFromTodoToReview) {
  Play p(2, 5);
  Driver driver(p.world, p.policy, p.options);
  EXPECT_TRUE(driver.run(seconds(60)));
  EXPECT_EQ(p.in_review(), 5U) << p.trace();
}

TEST(Driver, OneEffectOfATicketAtATimeAndSeveralTicketsAtOnce) {
  Play p(4, 12);
  p.policy.effects_at_once = 4;
  struct Running {
    std::map<TicketId, int> of;
    int most_of_one = 0, now = 0, most = 0, preparing = 0;
    bool met = false;
  };
  Shared<Running> running;
  p.ports.before = [&](const Effect& e) {
    const TicketId id = ticket_of(e);
    running.change([&](Running& r) {
      r.most = std::max(r.most, ++r.now);
      if (!id.empty()) r.most_of_one = std::max(r.most_of_one, ++r.of[id]);
      if (std::holds_alternative<PrepareWorktree>(e)) r.met = ++r.preparing >= 2 || r.met;
    });
    // The first worktree is not ready before a second one has been begun.
    if (std::holds_alternative<PrepareWorktree>(e)) running.wait([](const Running& r) { return r.met; });
  };
  p.ports.after = [&](const Effect& e) {
    running.change([&](Running& r) {
      r.now -= 1;
      if (const TicketId id = ticket_of(e); !id.empty()) r.of[id] -= 1;
      if (std::holds_alternative<PrepareWorktree>(e)) r.preparing -= 1;
    });
    p.after_call(e);
  };
  Driver driver(p.world, p.policy, p.options);
  EXPECT_TRUE(driver.run(seconds(60)));
  EXPECT_EQ(p.in_review(), 12U) << p.trace();
  EXPECT_TRUE(running.now().met);
  EXPECT_EQ(running.now().most_of_one, 1);
  EXPECT_LE(running.now().most, 4);
}

TEST(Driver, EveryEffectHasOneAnswerInTheLog) {
  Play p(2, 4);
  std::map<std::string, int> open;
  int lines = 0;
  p.options.log = [&](const EffectLine& line) {
    const int now = open[describe(line.effect)] += line.answer ? -1 : 1;
    EXPECT_TRUE(now >= 0) << describe(line.effect);
    lines += 1;
  };
  Driver driver(p.world, p.policy, p.options);
  ASSERT_TRUE(driver.run(seconds(60)));
  EXPECT_GT(lines, 4 * 10);
}

TEST(Driver, AnAdapterThatThrowsNowAndThenStopsNothing) {
  Play p(2, 3);
  std::atomic<int> thrown = 0;
  Shared<std::set<std::string>> seen;
  p.ports.before = [&](const Effect& e) {
    // The first call of each kind for each ticket, so that every step is met once.
    const std::string what = ticket_of(e).value + " " + words_for(call_of(e));
    bool first = false;
    seen.change([&](auto& all) { first = all.insert(what).second; });
    if (!first) return;
    thrown += 1;
    p.letters.put(BoardNews{});
    throw std::runtime_error("planted");
  };
  Driver driver(p.world, p.policy, p.options);
  EXPECT_TRUE(driver.run(seconds(60)));
  EXPECT_EQ(p.in_review(), 3U) << p.trace();
  EXPECT_GT(thrown, 10);
  p.ports.with([](ToyWorld& toy) {
    for (const auto& [id, messages] : toy.posted) EXPECT_EQ(messages.size(), 1U) << id.ticket.value;
  });
}

TEST(Driver, NewsWakesALoopThatHasNothingElseToDo) {
  Play p(1, 0);
  p.options.enough = {};
  Shared<int> reads;
  Shared<bool> settled;
  p.ports.before = [&](const Effect& e) {
    if (std::holds_alternative<ReadBoard>(e)) reads.change([](int& n) { n += 1; });
  };
  p.options.enough = [&](const Brain& brain) {
    if (brain.knowledge.first_look_done && brain.agenda.in_flight == 0)
      settled.change([](bool& yes) { yes = true; });
    return false;
  };
  Driver driver(p.world, p.policy, p.options);
  std::thread loop([&] { EXPECT_TRUE(driver.run(seconds(60))); });
  EXPECT_TRUE(settled.wait([](bool yes) { return yes; }));
  const int before = reads.now();
  p.letters.put(BoardNews{});
  EXPECT_TRUE(reads.wait([&](int n) { return n > before; }));
  driver.stop();
  loop.join();
}

TEST(Driver, WatchesAnAttemptWhileItCanChangeAndNoLonger) {
  Play p(1, 2);
  std::vector<std::string> watching;
  p.options.watch = [&](const AttemptId& id) { watching.push_back("watch " + id.ticket.value); };
  p.options.unwatch = [&](const AttemptId& id) { watching.push_back("leave " + id.ticket.value); };
  Driver driver(p.world, p.policy, p.options);
  ASSERT_TRUE(driver.run(seconds(60)));
  ASSERT_GE(watching.size(), 3U);
  EXPECT_EQ(std::vector(watching.begin(), watching.begin() + 3),
            (std::vector<std::string>{"watch T-1", "leave T-1", "watch T-2"}));
  std::vector<std::string> once = watching;
  std::ranges::sort(once);
  EXPECT_EQ(std::ranges::adjacent_find(once), once.end());
}

TEST(Driver, AStopBeforeTheFirstTurnIsObeyed) {
  Play p(1, 1);
  Driver driver(p.world, p.policy, p.options);
  driver.stop();
  EXPECT_TRUE(driver.run(seconds(60)));
  EXPECT_EQ(p.trace(), "");
}

TEST(Driver, AStopWaitsForWhatIsInFlightWithinItsBoundAndSaysWhetherItEnded) {
  Play p(1, 1);
  struct Held {
    bool inside = false, open = false;
  };
  Shared<Held> held;
  p.ports.before = [&](const Effect& e) {
    if (!std::holds_alternative<PrepareWorktree>(e)) return;
    held.change([](Held& h) { h.inside = true; });
    held.wait([](const Held& h) { return h.open; });
  };
  Driver driver(p.world, p.policy, p.options);
  bool ended = true;
  std::thread loop([&] { ended = driver.run(millis(1)); });
  EXPECT_TRUE(held.wait([](const Held& h) { return h.inside; }));
  driver.stop();
  loop.join();
  EXPECT_FALSE(ended);  // git still runs, and the loop has left all the same
  const std::string until_then = p.trace();
  held.change([](Held& h) { h.open = true; });
  EXPECT_TRUE(driver.run(seconds(60)));  // now it has ended, and nothing followed it
  EXPECT_EQ(p.trace().find("spawn"), std::string::npos) << p.trace();
  EXPECT_EQ(until_then.find("spawn"), std::string::npos);
}

}  // namespace
}  // namespace holdfast
