// The pool alone: how many at once, in which order answers come back, and what "finished" means.
#include "dispatcher/driver/effect_pool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <set>

namespace holdfast {
namespace {

constexpr auto pool_patience =
    std::chrono::seconds(60);  // a deadline for a condition, never a duration that is judged

// A place where effects (ReadBoard, by their cursor) wait until the test lets them on.
class Gate {
 public:
  Answer pass(const Effect& effect) {
    const std::int64_t who = std::get<ReadBoard>(effect).cursor;
    std::unique_lock lock(mutex_);
    inside_.insert(who);
    entered_ += 1;
    most_ = std::max(most_, inside_.size());
    changed_.notify_all();
    changed_.wait(lock, [&] { return all_ || open_.contains(who); });
    inside_.erase(who);
    changed_.notify_all();
    return Answer{effect, {}, {}, {}, {}};
  }
  void open(std::int64_t who) {
    const std::scoped_lock lock(mutex_);
    open_.insert(who);
    changed_.notify_all();
  }
  void open_all() {
    const std::scoped_lock lock(mutex_);
    all_ = true;
    changed_.notify_all();
  }
  bool wait_inside(std::size_t n) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, pool_patience, [&] { return inside_.size() == n; });
  }
  std::size_t most() {
    const std::scoped_lock lock(mutex_);
    return most_;
  }
  int entered() {
    const std::scoped_lock lock(mutex_);
    return entered_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::set<std::int64_t> inside_, open_;
  std::size_t most_ = 0;
  int entered_ = 0;
  bool all_ = false;
};

// What the loop does with wake-ups, as a condition to wait for.
class Inbox {
 public:
  void wake() {
    const std::scoped_lock lock(mutex_);
    wakes_ += 1;
    changed_.notify_all();
  }
  // Drains at each wake-up until `n` answers are there; their cursors in the order in which they came.
  std::vector<std::int64_t> collect(EffectPool& pool, std::size_t n) {
    std::vector<std::int64_t> got;
    int seen = 0;
    while (got.size() < n) {
      for (const Answer& answer : pool.drain()) got.push_back(std::get<ReadBoard>(answer.effect).cursor);
      if (got.size() >= n) break;
      std::unique_lock lock(mutex_);
      if (!changed_.wait_for(lock, pool_patience, [&] { return wakes_ > seen; })) break;
      seen = wakes_;
    }
    return got;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int wakes_ = 0;
};

struct Bench {
  Gate gate;
  Inbox inbox;
  std::unique_ptr<EffectPool> pool;
  explicit Bench(int threads)
      : pool(std::make_unique<EffectPool>(
            threads, [this](const Effect& e) { return gate.pass(e); }, [this] { inbox.wake(); })) {}
  ~Bench() { gate.open_all(); }
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;
};

TEST(EffectPool, NeverPerformsMoreAtOnceThanItHasThreads) {
  Bench b(3);
  for (std::int64_t i = 0; i < 20; ++i) b.pool->start(ReadBoard{i});
  ASSERT_TRUE(b.gate.wait_inside(3));
  b.gate.open_all();
  EXPECT_EQ(b.inbox.collect(*b.pool, 20).size(), 20U);
  EXPECT_EQ(b.gate.most(), 3U);
}

TEST(EffectPool, OneThreadAnswersInTheOrderOfTheAsking) {
  Bench b(1);
  b.gate.open_all();
  std::vector<std::int64_t> asked;
  for (std::int64_t i = 0; i < 50; ++i) {
    asked.push_back(i);
    b.pool->start(ReadBoard{i});
  }
  EXPECT_EQ(b.inbox.collect(*b.pool, 50), asked);
}

TEST(EffectPool, AnswersAreHandedBackAsTheyWereGiven) {
  Bench b(2);
  b.pool->start(ReadBoard{1});
  b.pool->start(ReadBoard{2});
  ASSERT_TRUE(b.gate.wait_inside(2));
  b.gate.open(2);
  ASSERT_TRUE(b.gate.wait_inside(1));
  EXPECT_EQ(b.inbox.collect(*b.pool, 1), std::vector<std::int64_t>{2});
  b.gate.open(1);
  EXPECT_EQ(b.inbox.collect(*b.pool, 1), std::vector<std::int64_t>{1});
}

TEST(EffectPool, AnAnswerIsThereWhenItsWakeUpCame) {
  std::atomic<int> woken = 0;
  EffectPool pool(
      1, [](const Effect& e) { return Answer{e, {}, {}, {}, {}}; },
      [&] {
        woken += 1;
        woken.notify_all();
      });
  for (int i = 1; i <= 100; ++i) {
    pool.start(ReadBoard{i});
    for (int seen = woken; seen < i; seen = woken) woken.wait(seen);
    EXPECT_EQ(pool.drain().size(), 1U) << i;
  }
}

TEST(EffectPool, FinishingStartsNothingMoreAndWaitsOnlyAsLongAsItIsTold) {
  Bench b(1);
  for (std::int64_t i = 0; i < 5; ++i) b.pool->start(ReadBoard{i});
  ASSERT_TRUE(b.gate.wait_inside(1));
  EXPECT_FALSE(b.pool->finish_within(millis(1)));  // one is held at the gate, and it says so
  b.pool->start(ReadBoard{9});                     // too late
  b.gate.open_all();
  EXPECT_TRUE(b.pool->finish_within(seconds(60)));
  EXPECT_EQ(b.inbox.collect(*b.pool, 1), std::vector<std::int64_t>{0});
  EXPECT_EQ(b.gate.entered(), 1);
}

TEST(EffectPool, FinishingAnIdlePoolIsTrueAtOnce) {
  Bench b(4);
  EXPECT_TRUE(b.pool->finish_within(millis(0)));
}

TEST(EffectPool, ItsEndWaitsForWhatIsRunning) {
  Bench b(2);
  b.pool->start(ReadBoard{1});
  ASSERT_TRUE(b.gate.wait_inside(1));
  std::thread opener([&] { b.gate.open_all(); });
  b.pool.reset();
  EXPECT_TRUE(b.gate.wait_inside(0));
  opener.join();
}

}  // namespace
}  // namespace holdfast
