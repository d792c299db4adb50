// What the simulator costs: events, whole lives of tickets, seeds and states of `prove`, for each second of
// one core.
//
// A *full* seed is what `holdfast-sim run` does: one to three tickets, up to two dispatchers, 200 to 2,000
// random events, the healing and the fair end, every safety invariant after every event. A *short* seed is
// one ticket, one dispatcher and at most 60 random events, with the same oracles and the same fair end: what
// a search for the first failure of a young dispatcher is made of. A *life* is one ticket from `todo` to the
// end of its attempt without anything that goes wrong.
#include <benchmark/benchmark.h>

#include "sim/explore/fair.h"
#include "sim/explore/prove.h"
#include "sim/explore/seed_run.h"

namespace holdfast::sim {
namespace {

using benchmark::Counter;

void report(benchmark::State& state, const Tally& tally) {
  state.counters["seeds"] = Counter(static_cast<double>(tally.runs), Counter::kIsRate);
  state.counters["events"] = Counter(static_cast<double>(tally.events), Counter::kIsRate);
  state.counters["attempts"] = Counter(static_cast<double>(tally.lives), Counter::kIsRate);
}

void FullSeeds(benchmark::State& state) {
  Tally tally;
  std::uint64_t seed = 1;
  for (auto _ : state)
    if (run_seed(seed++, {}, tally).ending != RunEnd::passed) return state.SkipWithError("a seed fails");
  report(state, tally);
}
BENCHMARK(FullSeeds)->Unit(benchmark::kMicrosecond);

void ShortSeeds(benchmark::State& state) {
  Tally tally;
  const SeedOptions options = short_seeds();
  std::uint64_t seed = 1;
  for (auto _ : state)
    if (run_seed(seed++, options, tally).ending != RunEnd::passed) return state.SkipWithError("a seed fails");
  report(state, tally);
}
BENCHMARK(ShortSeeds)->Unit(benchmark::kMicrosecond);

// Steps alone: the same events again, without oracles, digests and choices.
void BareSteps(benchmark::State& state) {
  const auto setup = setup_of({}, shipped_dispatcher(), {});
  std::vector<Event> events;
  World w = begin(setup);
  run_fair(w, [&](const Event& e) {
    events.push_back(e);
    step(w, e);
    return true;
  });
  std::uint64_t steps = 0;
  for (auto _ : state) {
    World again = begin(setup);
    heal(again);
    for (const Event& e : events) step(again, e);
    benchmark::DoNotOptimize(again.now);
    steps += events.size();
  }
  state.counters["events"] = Counter(static_cast<double>(steps), Counter::kIsRate);
}
BENCHMARK(BareSteps)->Unit(benchmark::kMicrosecond);

void Lives(benchmark::State& state) {
  WorldPlan plan;
  plan.land = true;
  const auto setup = setup_of(plan, shipped_dispatcher(), {});
  std::uint64_t lives = 0, events = 0;
  for (auto _ : state) {
    World w = begin(setup);
    run_fair(w, [&](const Event& e) {
      step(w, e);
      events += 1;
      return true;
    });
    if (w.board.tickets.begin()->second.state != BoardState::done)
      return state.SkipWithError("it is not done");
    lives += 1;
  }
  state.counters["lives"] = Counter(static_cast<double>(lives), Counter::kIsRate);
  state.counters["events"] = Counter(static_cast<double>(events), Counter::kIsRate);
}
BENCHMARK(Lives)->Unit(benchmark::kMicrosecond);

void Prove(benchmark::State& state) {
  ProveBounds bounds;
  bounds.faults = 0;
  bounds.crashes = 1;
  bounds.most_states = 20'000;
  const std::atomic<bool> stop = false;
  std::uint64_t states = 0, transitions = 0;
  for (auto _ : state) {
    const ProveResult result = prove(bounds, prove_setup(bounds, shipped_dispatcher(), {}), {}, stop);
    if (!result.violations.empty()) return state.SkipWithError("a violation");
    states += result.states;
    transitions += result.transitions;
    state.counters["bytes/state"] = static_cast<double>(result.bytes) / static_cast<double>(result.states);
  }
  state.counters["states"] = Counter(static_cast<double>(states), Counter::kIsRate);
  state.counters["transitions"] = Counter(static_cast<double>(transitions), Counter::kIsRate);
}
BENCHMARK(Prove)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace holdfast::sim

BENCHMARK_MAIN();
