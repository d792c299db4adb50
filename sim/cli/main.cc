#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "sim/explore/seed_run.h"

using namespace holdfast::sim;

int main(int argc, char** argv) {
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
