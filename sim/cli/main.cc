#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "sim/explore/prove.h"
#include "sim/explore/seed_run.h"

using namespace holdfast::sim;

int main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], "prove") == 0) {
    ProveBounds bounds;
    bounds.tickets = argc > 2 ? std::atoi(argv[2]) : 1;
    bounds.dispatchers = argc > 3 ? std::atoi(argv[3]) : 1;
    bounds.faults = argc > 4 ? std::atoi(argv[4]) : 0;
    bounds.crashes = argc > 5 ? std::atoi(argv[5]) : 0;
    const std::atomic<bool> stop = false;
    const auto r = prove(
        bounds, prove_setup(bounds, shipped_dispatcher(), {}),
        [](const ProveResult& p, std::size_t frontier) {
          std::fprintf(stderr, "%lu states, %lu transitions, depth %d, frontier %zu, %.0f s\n", p.states,
                       p.transitions, p.depth, frontier, p.seconds);
        },
        stop);
    std::printf(
        "end %d (%s): %lu states, %lu fair, %lu transitions, depth %d, %.1f s, %lu MB, %.0f transitions/s\n",
        static_cast<int>(r.end), r.why_incomplete.c_str(), r.states, r.fair_states, r.transitions, r.depth,
        r.seconds, r.bytes >> 20, static_cast<double>(r.transitions) / r.seconds);
    for (const auto& v : r.violations)
      std::printf("%s %s: %s\n", std::string(name_of(v.invariant)).c_str(), v.ticket.value.c_str(),
                  v.words.c_str());
    for (const auto& line : r.trace) std::printf("  %s\n", line.c_str());
    if (!r.fair.empty()) std::printf("then, fairly:\n");
    for (std::size_t i = 0; i < r.fair.size() && i < 60; ++i) std::printf("  %s\n", r.fair[i].c_str());
    return 0;
  }
  const std::uint64_t start = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1;
  const std::uint64_t n = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1;
  const bool trace = argc > 3;
  Tally tally;
  std::map<std::string, int> kinds;
  SeedOptions options;
  options.keep_trace = trace;
  const auto began = std::chrono::steady_clock::now();
  for (std::uint64_t seed = start; seed < start + n; ++seed) {
    const SeedResult result = run_seed(seed, options, tally);
    if (trace)
      for (const std::string& line : result.trace) std::printf("%s\n", line.c_str());
    for (const Violation& v : result.violations) {
      const std::string key = std::string(name_of(v.invariant));
      if (kinds[key]++ < 3)
        std::printf("seed %lu event %d %s %s: %s\n", seed, result.at_event, key.c_str(),
                    v.ticket.value.c_str(), v.words.c_str());
    }
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  std::printf("%lu runs, %lu events, %lu lives, %.2f s, %.0f events/s\n", tally.runs, tally.events,
              tally.lives, seconds, static_cast<double>(tally.events) / seconds);
  for (const auto& [key, count] : kinds) std::printf("%s: %d\n", key.c_str(), count);
}
