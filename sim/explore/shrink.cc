// Shrinking by delta debugging: whole blocks of events are taken out, then smaller ones, as long as what is
// left still breaks one of the same invariants. What the plan holds is taken away first: it takes many events
// with it.
#include <algorithm>

#include "sim/explore/trace.h"

namespace holdfast::sim {
namespace {

class Shrinker {
 public:
  Shrinker(Trace trace, const SeedOptions& who, const std::function<void(std::size_t)>& progress)
      : best_(std::move(trace)), wanted_(best_.violates), progress_(progress) {
    how_.world = who;
  }

  Trace smallest() {
    keep_if_it_fails(best_);
    for (bool changed = true; changed;) {
      changed = smaller_plan();
      changed = fewer_events() || changed;
    }
    return best_;
  }

 private:
  bool keep_if_it_fails(Trace candidate) {
    const Replayed run = replay(candidate, how_);
    const bool same = std::ranges::any_of(run.violations, [&](const Violation& v) {
      return std::ranges::find(wanted_, v.invariant) != wanted_.end();
    });
    if (!same) return false;
    candidate.events = run.happened;
    if (run.ending == RunEnd::unsafe && run.happened.size() >= static_cast<std::size_t>(run.at_event))
      candidate.heals = false;
    candidate.violates.clear();
    for (const Violation& v : run.violations)
      if (std::ranges::find(candidate.violates, v.invariant) == candidate.violates.end())
        candidate.violates.push_back(v.invariant);
    candidate.words = run.violations.front().ticket.value + ": " + run.violations.front().words;
    best_ = std::move(candidate);
    if (progress_) progress_(best_.events.size());
    return true;
  }

  template <class Change>
  bool with(Change change) {
    Trace candidate = best_;
    change(candidate.plan);
    return !(candidate.plan == best_.plan) && keep_if_it_fails(std::move(candidate));
  }

  bool smaller_plan() {
    bool changed = false;
    while (best_.plan.tickets > 1 && with([](WorldPlan& p) { p.tickets -= 1; })) changed = true;
    changed = with([](WorldPlan& p) { p.dispatchers = 1; }) || changed;
    changed = with([](WorldPlan& p) { p.capacity = 1; }) || changed;
    changed = with([](WorldPlan& p) { p.shards = 1; }) || changed;
    changed = with([](WorldPlan& p) { p.kinds = {}, p.triggers.clear(); }) || changed;
    changed = with([](WorldPlan& p) { p.crashes = p.persons = 0; }) || changed;
    return changed;
  }

  bool fewer_events() {
    bool changed = false;
    for (std::size_t block = std::max<std::size_t>(1, best_.events.size() / 2); block > 0; block /= 2) {
      // From the end: what comes late depends on what came early, seldom the other way round.
      std::size_t at = best_.events.size();
      while (at > 0) {
        const std::size_t from = at > block ? at - block : 0;
        Trace candidate = best_;
        candidate.events.erase(candidate.events.begin() + static_cast<std::ptrdiff_t>(from),
                               candidate.events.begin() + static_cast<std::ptrdiff_t>(at));
        const std::size_t before = best_.events.size();
        if (keep_if_it_fails(std::move(candidate))) changed = changed || best_.events.size() < before;
        at = std::min(from, best_.events.size());
      }
    }
    return changed;
  }

  Trace best_;
  std::vector<Invariant> wanted_;
  ReplayOptions how_;
  std::function<void(std::size_t)> progress_;
};

}  // namespace

Trace shrink(const Trace& trace, const SeedOptions& who, const std::function<void(std::size_t)>& progress) {
  return Shrinker(trace, who, progress).smallest();
}

}  // namespace holdfast::sim
