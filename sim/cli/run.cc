// holdfast-sim run: many seeds, and what they have shown together.
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "dispatcher/core/words.h"
#include "sim/cli/commands.h"
#include "sim/explore/coverage.h"
#include "sim/explore/runs.h"

namespace holdfast::sim::cli {
namespace {

using Json = nlohmann::ordered_json;

// "I/N" with I < N.
bool take_shard(const std::string& words, RunsOptions& into) {
  char* end = nullptr;
  const std::uint64_t i = std::strtoull(words.c_str(), &end, 10);
  if (end == words.c_str() || *end != '/') return false;
  const char* rest = end + 1;
  const std::uint64_t n = std::strtoull(rest, &end, 10);
  if (end == rest || *end != 0 || n == 0 || i >= n) return false;
  into.shard = i;
  into.shards = n;
  return true;
}

const char* words_for(RunEnd end) {
  switch (end) {
    case RunEnd::passed: return "passed";
    case RunEnd::unsafe: return "unsafe";
    case RunEnd::stuck: return "stuck";
  }
  __builtin_unreachable();
}

double per_second(std::uint64_t n, double seconds) {
  return static_cast<double>(n) / std::max(seconds, 0.001);
}

// So many runs must have fired every fault and put every invariant at risk.
constexpr std::uint64_t runs_that_must_earn_it = 20'000;

std::vector<std::string> vacuous_in(const RunCommand& command, const RunsResult& r) {
  std::vector<std::string> why;
  for (const std::uint64_t seed : r.unfired)
    why.push_back("in seed " + std::to_string(seed) + " a planned fault never struck");
  const bool judged = command.how.kinds.empty() && r.tally.runs >= runs_that_must_earn_it;
  if (judged && !r.stopped)
    for (std::string& one : never_seen(r.tally)) why.push_back(std::move(one));
  return why;
}

int code_of(const RunsResult& r, const std::vector<std::string>& vacuity) {
  int code = passed;
  for (const SeedResult& run : r.failures) {
    if (run.ending == RunEnd::unsafe) return unsafe;
    code = stuck;
  }
  if (code != passed) return code;
  if (!r.diverged.empty()) return diverged;
  if (interrupted) return unfinished;
  return vacuity.empty() ? passed : vacuous;
}

std::string replay_line(const RunCommand& command, std::uint64_t seed) {
  return "holdfast-sim replay " + std::to_string(seed) + cli::words_for(command.how);
}

void print(const RunCommand& command, const RunsResult& r, const std::vector<std::string>& vacuity) {
  for (const SeedResult& run : r.failures) {
    for (const Violation& v : run.violations)
      say(v, "seed " + std::to_string(run.seed) + " event " + std::to_string(run.at_event));
    say("  replay: " + replay_line(command, run.seed));
  }
  for (const std::uint64_t seed : r.diverged)
    say("seed " + std::to_string(seed) +
        " diverged: two runs of it gave two digests\n  replay: " + replay_line(command, seed));
  for (const std::string& one : vacuity) say("vacuous: " + one);
  if (command.coverage) std::fputs(coverage_table(r.tally).c_str(), stdout);
  std::printf("%llu runs, %llu events, %llu attempts, %.2f s, %.0f runs/s, %.0f events/s\n",
              static_cast<unsigned long long>(r.tally.runs), static_cast<unsigned long long>(r.tally.events),
              static_cast<unsigned long long>(r.tally.lives), r.seconds, per_second(r.tally.runs, r.seconds),
              per_second(r.tally.events, r.seconds));
  std::printf("%zu failures, %zu diverged of %llu run twice, digest %s%s\n", r.failures.size(),
              r.diverged.size(), static_cast<unsigned long long>(r.compared), r.digest.text().c_str(),
              r.stopped ? ", not all were run" : "");
}

Json as_json(const RunCommand& command, const RunsResult& r, const std::vector<std::string>& vacuity) {
  Json all = {{"dispatcher", command.how.dispatcher},
              {"runs", r.tally.runs},
              {"planned", r.planned},
              {"events", r.tally.events},
              {"attempts", r.tally.lives},
              {"seconds", r.seconds},
              {"runs_per_second", per_second(r.tally.runs, r.seconds)},
              {"events_per_second", per_second(r.tally.events, r.seconds)},
              {"digest", r.digest.text()},
              {"run_twice", r.compared},
              {"diverged", r.diverged},
              {"vacuous", vacuity}};
  all["failures"] = Json::array();
  for (const SeedResult& run : r.failures) {
    Json one = {{"seed", run.seed}, {"end", words_for(run.ending)}, {"event", run.at_event}};
    for (const Violation& v : run.violations)
      one["violations"].push_back({{"invariant", std::string(sim::name_of(v.invariant))},
                                   {"ticket", v.ticket.value},
                                   {"words", v.words}});
    one["replay"] = replay_line(command, run.seed);
    all["failures"].push_back(one);
  }
  for (std::size_t i = 1; i < fault_ids; ++i)
    all["fired"][std::string(holdfast::name_of(static_cast<FaultId>(i)))] = r.tally.fired[i];
  for (std::size_t i = 0; i < sim::invariants; ++i)
    all["at_risk"][std::string(sim::name_of(static_cast<Invariant>(i)))] = r.tally.at_risk[i];
  for (std::size_t i = 1; i < causes; ++i)
    all["deaths"][holdfast::words_for(static_cast<Cause>(i))] = r.tally.deaths[i];
  if (command.coverage) {
    for (const CoverageCell& cell : coverage(r.tally)) {
      Json one = {{"fault", std::string(holdfast::name_of(cell.fault))},
                  {"phase", std::string(cell.phase)},
                  {"fired", cell.fired}};
      if (!cell.out_of_reach.empty()) one["out_of_reach"] = std::string(cell.out_of_reach);
      all["coverage"].push_back(one);
    }
  }
  return all;
}

}  // namespace

int run(const RunCommand& command) {
  RunsOptions options;
  const auto each = options_from(command.how);
  if (!each) return usage;
  options.each = *each;
  options.start = command.start;
  options.seeds = command.seeds;
  options.jobs = command.jobs;
  options.collect = command.collect;
  if (!take_shard(command.shard, options)) {
    std::fprintf(stderr, "--shard %s: expected I/N with I from 0 to N-1\n", command.shard.c_str());
    return usage;
  }
  if (command.digests) {
    Tally tally;
    for (std::uint64_t seed = command.start; seed < command.start + command.seeds && !interrupted; ++seed)
      say(std::to_string(seed) + " " + run_seed(seed, options.each, tally).digest.text());
    return interrupted ? unfinished : passed;
  }
  const auto progress = [&, next = 2.0, told = std::size_t{0}](const RunsResult& r) mutable {
    if (command.quiet) return;
    for (; told < r.failures.size(); ++told)
      std::fprintf(stderr, "seed %llu fails: %s\n", static_cast<unsigned long long>(r.failures[told].seed),
                   r.failures[told].violations.front().words.c_str());
    if (r.seconds < next) return;
    next = r.seconds + 2;
    std::fprintf(stderr, "%llu of %llu runs, %.0f runs/s, %.0f events/s, %zu failures\n",
                 static_cast<unsigned long long>(r.tally.runs), static_cast<unsigned long long>(r.planned),
                 per_second(r.tally.runs, r.seconds), per_second(r.tally.events, r.seconds),
                 r.failures.size());
  };
  const RunsResult result = run_seeds(options, progress, interrupted);
  const auto vacuity = vacuous_in(command, result);
  if (command.json)
    say(as_json(command, result, vacuity).dump(1));
  else
    print(command, result, vacuity);
  return code_of(result, vacuity);
}

}  // namespace holdfast::sim::cli
