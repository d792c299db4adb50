#include "sim/explore/runs.h"

#include <algorithm>
#include <chrono>
#include <mutex>
#include <thread>

namespace holdfast::sim {
namespace {

// Threads take a few seeds at a time and hand in what they have found after each such share.
class Runs {
 public:
  Runs(const RunsOptions& options, const std::function<void(const RunsResult&)>& progress,
       const std::atomic<bool>& stop)
      : options_(options), progress_(progress), stop_(stop) {
    const std::uint64_t shards = std::max<std::uint64_t>(1, options.shards);
    planned_ = options.seeds / shards + (options.seeds % shards > options.shard ? 1 : 0);
    all_.planned = planned_;
  }

  RunsResult run() {
    std::vector<std::thread> others;
    for (int i = 1; i < options_.jobs; ++i) others.emplace_back([this] { work(); });
    work();
    for (std::thread& one : others) one.join();
    std::ranges::sort(all_.failures, {}, &SeedResult::seed);
    std::ranges::sort(all_.diverged);
    std::ranges::sort(all_.unfired);
    all_.stopped = all_.tally.runs < planned_;
    all_.seconds = since_began();
    return std::move(all_);
  }

 private:
  static constexpr std::uint64_t share = 16;

  void work() {
    while (!stop_ && !failed_) {
      const std::uint64_t from = next_.fetch_add(share);
      if (from >= planned_) return;
      RunsResult mine;
      for (std::uint64_t i = from; i < std::min(from + share, planned_) && !stop_ && !failed_; ++i)
        one(options_.start + options_.shard + i * std::max<std::uint64_t>(1, options_.shards), mine);
      hand_in(mine);
    }
  }

  void one(std::uint64_t seed, RunsResult& mine) {
    SeedResult run = run_seed(seed, options_.each, mine.tally);
    Digest whole = run.digest;
    whole.add(seed);
    mine.digest.high += whole.high;
    mine.digest.low += whole.low;
    if (options_.twice > 0 && seed % options_.twice == 0) {
      Tally again;
      mine.compared += 1;
      if (run_seed(seed, options_.each, again).digest != run.digest) mine.diverged.push_back(seed);
    }
    if (!run.unfired.empty()) mine.unfired.push_back(seed);
    if (run.ending == RunEnd::passed) return;
    run.trace.clear();
    mine.failures.push_back(std::move(run));
    if (!options_.collect) failed_ = true;
  }

  void hand_in(const RunsResult& mine) {
    const std::scoped_lock lock(mutex_);
    all_.tally.add(mine.tally);
    all_.failures.insert(all_.failures.end(), mine.failures.begin(), mine.failures.end());
    all_.diverged.insert(all_.diverged.end(), mine.diverged.begin(), mine.diverged.end());
    all_.unfired.insert(all_.unfired.end(), mine.unfired.begin(), mine.unfired.end());
    all_.compared += mine.compared;
    all_.digest.high += mine.digest.high;
    all_.digest.low += mine.digest.low;
    all_.seconds = since_began();
    if (progress_) progress_(all_);
  }

  [[nodiscard]] double since_began() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count();
  }

  const RunsOptions& options_;
  const std::function<void(const RunsResult&)>& progress_;
  const std::atomic<bool>& stop_;
  std::uint64_t planned_ = 0;
  std::atomic<std::uint64_t> next_ = 0;
  std::atomic<bool> failed_ = false;
  std::mutex mutex_;
  RunsResult all_;
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

}  // namespace

RunsResult run_seeds(const RunsOptions& options, const std::function<void(const RunsResult&)>& progress,
                     const std::atomic<bool>& stop) {
  return Runs(options, progress, stop).run();
}

}  // namespace holdfast::sim
