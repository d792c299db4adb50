#include "sim/explore/prove.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "sim/explore/fair_ends.h"
#include "sim/explore/state_set.h"
#include "sim/world/key.h"
#include "sim/world/names.h"

namespace holdfast::sim {
namespace {

constexpr int longest_run =
    1000;  // without a choice; a circle of forced moves is stored, and found by the key

// What is resident, whichever allocator has it.
std::uint64_t memory_in_use() {
  std::ifstream statm("/proc/self/statm");
  std::uint64_t whole = 0, resident = 0;
  statm >> whole >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

// A dispatcher goes on, and nothing goes wrong with it.
bool follows_by_itself(const Event& e) {
  const bool goes_on = e.what_kind == Do::hold || e.what_kind == Do::reply || e.what_kind == Do::news ||
                       e.what_kind == Do::think;
  return goes_on && e.fault == FaultId::none;
}

// A state whose successors are not known yet. (Held from afar: a world is dear to move.)
struct Open {
  StateSet::Number number = 0;
  std::unique_ptr<World> world;
};

struct Bad {
  ProveEnd end = ProveEnd::violated;
  std::vector<Violation> violations;
  StateSet::Number parent = 0;
  std::optional<Event> last;
};

// One level of the search after the other; within a level, threads take states as they come. Which states a
// level holds does not depend on that.
class Search {
 public:
  Search(const ProveBounds& bounds, const std::shared_ptr<const Setup>& setup,
         const std::function<void(const ProveResult&)>& progress, const std::atomic<bool>& stop)
      : bounds_(bounds), setup_(setup), progress_(progress), stop_(stop) {}

  ProveResult run() {
    World first = begin(setup_);
    const Digest key = key_of(first);
    level_.push_back(
        {seen_.insert(key, StateSet::no_parent, {}).first, std::make_unique<World>(std::move(first))});
    add_to_digest(result_.digest, key);
    while (!level_.empty() && !bad_ && result_.why_incomplete.empty()) {
      taken_ = 0;
      std::vector<std::thread> others;
      for (int i = 1; i < bounds_.jobs; ++i) others.emplace_back([this] { work(); });
      work();
      for (std::thread& one : others) one.join();
      level_.swap(next_);
      next_.clear();
      result_.depth += 1;
      result_.widest = std::max<std::uint64_t>(result_.widest, level_.size());
    }
    if (bad_)
      tell(*bad_);
    else
      result_.end = result_.why_incomplete.empty() ? ProveEnd::complete : ProveEnd::incomplete;
    measure();
    return std::move(result_);
  }

 private:
  // What one thread has found since it last told the others.
  struct Share {
    Tally tally;
    Findings findings;
    std::uint64_t transitions = 0;
    Digest digest{0, 0};
    std::vector<Open> next;
  };

  void work() {
    Share share;
    std::vector<Event> can;
    while (!over_) {
      const std::size_t i = taken_.fetch_add(1);
      if (i >= level_.size()) break;
      expand(level_[i], share, can);
      level_[i].world.reset();  // its memory is wanted for the next level
      if (share.next.size() > 2000) hand_in(share);
    }
    hand_in(share);
  }

  void expand(Open& open, Share& share, std::vector<Event>& can) {
    can.clear();
    moves(*open.world, bounds_.reductions, can);
    for (std::size_t n = 0; n < can.size() && !over_; ++n) {
      const Event& e = can[n];
      World w = n + 1 < can.size() ? *open.world : std::move(*open.world);
      if (!take(w, e, share)) return found({ProveEnd::violated, share.findings.violations, open.number, e});
      // Where only one thing can happen next, it does: a state in between needs no place in the set.
      if (!run_on(w, share)) return found({ProveEnd::violated, share.findings.violations, open.number, e});
      const Digest key = key_of(w);
      const auto [number, fresh] = seen_.insert(key, open.number, e);
      if (!fresh) continue;
      add_to_digest(share.digest, key);
      if (bounds_.liveness)
        if (auto bad = fair_.check(w); !bad.empty())
          return found({ProveEnd::stuck, std::move(bad), number, std::nullopt});
      w.happened.clear();
      share.next.push_back({number, std::make_unique<World>(std::move(w))});
    }
  }

  static bool take(World& w, const Event& e, Share& share) {
    step(w, e);
    forget_what_tells_nothing(w);
    share.transitions += 1;
    share.tally.count(w);
    check_safety(w, share.findings);
    return share.findings.violations.empty();
  }

  bool run_on(World& w, Share& share) const {
    if (!bounds_.reductions.run_on) return true;
    for (int i = 0; i < longest_run; ++i) {
      const auto e = forced_move(w, bounds_.reductions);
      if (!e) return true;
      if (!take(w, *e, share)) return false;
    }
    return true;
  }

  // The first of the level that is found: all of them have traces of the same length.
  void found(Bad bad) {
    const std::scoped_lock lock(mutex_);
    if (!bad_) bad_ = std::move(bad);
    over_ = true;
  }

  void hand_in(Share& share) {
    const std::scoped_lock lock(mutex_);
    result_.transitions += std::exchange(share.transitions, 0);
    result_.tally.add(std::exchange(share.tally, {}));
    result_.tally.count(share.findings);
    share.findings.at_risk = {};
    add_to_digest(result_.digest, std::exchange(share.digest, {0, 0}));
    for (Open& one : share.next) next_.push_back(std::move(one));
    share.next.clear();
    measure();
    if (progress_) progress_(result_);
    if (stop_)
      result_.why_incomplete = "interrupted";
    else if (bounds_.most_states != 0 && result_.states >= bounds_.most_states)
      result_.why_incomplete = "the bound on states";
    else if (result_.most_bytes > bounds_.most_bytes)
      result_.why_incomplete = "the bound on memory";
    if (!result_.why_incomplete.empty()) over_ = true;
  }

  void measure() {
    result_.states = seen_.size();
    result_.fair_states = fair_.size();
    result_.bytes = seen_.bytes() + fair_.bytes();
    result_.most_bytes = std::max(result_.most_bytes, memory_in_use());
    result_.frontier = level_.size() - std::min(level_.size(), taken_.load()) + next_.size();
    result_.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count();
  }

  void tell(Bad& bad) {
    result_.end = bad.end;
    result_.violations = std::move(bad.violations);
    std::vector<Event> path = seen_.path_to(bad.parent);
    if (bad.last) path.push_back(*bad.last);
    World w = begin(setup_);
    const auto told = [&](const Event& e) {
      result_.trace.push_back(name_of(w, e));
      result_.follows.push_back(follows_by_itself(e));
      step(w, e);
      forget_what_tells_nothing(w);
      Findings findings;
      check_safety(w, findings);
      return findings.violations.empty();
    };
    for (const Event& e : path) {
      if (!told(e)) break;
      if (!bounds_.reductions.run_on) continue;
      for (int i = 0; i < longest_run; ++i) {
        const auto next = forced_move(w, bounds_.reductions);
        if (!next || !told(*next)) break;
      }
    }
    if (bad.end == ProveEnd::stuck) FairEnds::tell(w, result_.fair);
  }

  // A sum: the same in whatever order.
  static void add_to_digest(Digest& sum, const Digest& one) {
    sum.low += one.low;
    sum.high += one.high + (sum.low < one.low ? 1 : 0);
  }

  const ProveBounds& bounds_;
  std::shared_ptr<const Setup> setup_;
  const std::function<void(const ProveResult&)>& progress_;
  const std::atomic<bool>& stop_;
  const std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();

  StateSet seen_;
  FairEnds fair_;
  std::vector<Open> level_;
  std::atomic<std::size_t> taken_ = 0;
  std::atomic<bool> over_ = false;

  std::mutex mutex_;  // of everything below
  std::vector<Open> next_;
  ProveResult result_;
  std::optional<Bad> bad_;
};

}  // namespace

ProveResult prove(const ProveBounds& bounds, const std::shared_ptr<const Setup>& setup,
                  const std::function<void(const ProveResult&)>& progress, const std::atomic<bool>& stop) {
  return Search(bounds, setup, progress, stop).run();
}

}  // namespace holdfast::sim
