// holdfast-sim: runs by seed, proofs by exhaustion, and the catalogue of faults.
//
// Exit codes: 0 passed, 1 not finished (interrupted, or a bound was reached), 10 unsafe, 11 stuck, 13
// vacuous, 64 usage.
#include <CLI/CLI.hpp>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "sim/cli/commands.h"
#include "sim/explore/certificate.h"
#include "sim/explore/prove.h"
#include "sim/explore/seed_run.h"

namespace {

using namespace holdfast;
using namespace holdfast::sim;

using namespace holdfast::sim::cli;

struct RunOptions {
  std::uint64_t seeds = 1000, start = 1;
  bool trace = false;
};

int run(const RunOptions& o) {
  SeedOptions options;
  options.keep_trace = o.trace;
  Tally tally;
  int worst = passed;
  const auto began = std::chrono::steady_clock::now();
  for (std::uint64_t seed = o.start; seed < o.start + o.seeds && !interrupted; ++seed) {
    const SeedResult result = run_seed(seed, options, tally);
    for (const std::string& line : result.trace) say(line);
    for (const Violation& v : result.violations) {
      say(v, "seed " + std::to_string(seed) + " event " + std::to_string(result.at_event));
      say("  replay: holdfast-sim run --start " + std::to_string(seed) + " --seeds 1 --trace");
    }
    if (result.ending == RunEnd::unsafe) worst = unsafe;
    if (result.ending == RunEnd::stuck && worst == passed) worst = stuck;
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  std::printf("%llu runs, %llu events, %llu attempts, %.2f s, %.0f events/s\n",
              static_cast<unsigned long long>(tally.runs), static_cast<unsigned long long>(tally.events),
              static_cast<unsigned long long>(tally.lives), seconds,
              static_cast<double>(tally.events) / seconds);
  return worst == passed && interrupted ? unfinished : worst;
}

int prove_all(ProveBounds bounds, const std::vector<std::string>& kinds, bool json) {
  if (!kinds.empty()) bounds.kinds = {};
  for (const std::string& name : kinds) {
    const auto id = fault_named(name);
    if (!id) {
      std::fprintf(stderr, "there is no fault %s; see holdfast-sim faults\n", name.c_str());
      return usage;
    }
    bounds.kinds.add(*id);
  }
  const auto progress = [next = 1.0](const ProveResult& p) mutable {
    if (p.seconds < next) return;
    next = p.seconds + 2;
    std::fprintf(stderr, "%llu states, %llu transitions, depth %d, frontier %llu, %.0f s, %llu MiB\n",
                 static_cast<unsigned long long>(p.states), static_cast<unsigned long long>(p.transitions),
                 p.depth, static_cast<unsigned long long>(p.frontier), p.seconds,
                 static_cast<unsigned long long>(p.most_bytes >> 20));
  };
  const ProveResult r = prove(bounds, prove_setup(bounds, shipped_dispatcher(), {}), progress, interrupted);
  std::fputs((json ? certificate_json(bounds, r) : certificate(bounds, r)).c_str(), stdout);
  switch (r.end) {
    case ProveEnd::complete: return vacuous_in(bounds, r).empty() ? passed : vacuous;
    case ProveEnd::violated: return unsafe;
    case ProveEnd::stuck: return stuck;
    case ProveEnd::incomplete: return unfinished;
  }
  __builtin_unreachable();
}

int list_faults() {
  for (const Fault& one : catalogue()) {
    if (one.id == FaultId::none) continue;
    say(std::string(name_of(one.id)) + "\t" + std::string(one.title));
    say("\tsimulated: " + std::string(one.simulated.empty() ? one.one_sided : one.simulated));
    say("\treal:      " + std::string(one.real));
  }
  return passed;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGINT, [](int) { interrupted = true; });
  CLI::App app{
      "Runs the dispatcher's own core in a simulated world, with faults, and says what breaks.\n"
      "  holdfast-sim run --seeds 10000\n"
      "  holdfast-sim run --start 42 --seeds 1 --trace\n"
      "  holdfast-sim prove --faults 0 --crashes 0 --states 100000\n"
      "  holdfast-sim faults"};
  app.require_subcommand(1);

  RunOptions run_options;
  CLI::App* by_seed = app.add_subcommand("run", "Random schedules, one for each seed");
  by_seed->add_option("--seeds", run_options.seeds, "How many")->check(CLI::PositiveNumber);
  by_seed->add_option("--start", run_options.start, "The first seed");
  by_seed->add_flag("--trace", run_options.trace,
                    "Print every event, and what the dispatcher believes at the end");

  ProveBounds bounds;
  CLI::App* proof = app.add_subcommand("prove", "Every reachable state within bounds, breadth first");
  proof->add_option("--tickets", bounds.tickets, "Tickets")->check(CLI::Range(1, 4));
  proof->add_option("--dispatchers", bounds.dispatchers, "Dispatchers")->check(CLI::Range(1, 2));
  proof->add_option("--faults", bounds.faults, "Fault events in a run")->check(CLI::NonNegativeNumber);
  proof->add_option("--crashes", bounds.crashes, "Deaths of a dispatcher in a run")
      ->check(CLI::NonNegativeNumber);
  std::vector<std::string> kinds;
  bool json = false;
  proof->add_option("--kinds", kinds, "Only these faults: B1,C3")->delimiter(',');
  proof->add_flag("--json", json, "The certificate as JSON");
  proof->add_option("--commits", bounds.commits, "Commits of a worker")->check(CLI::Range(0, 3));
  proof->add_option("--changes", bounds.changes, "Changes that a worker leaves uncommitted")
      ->check(CLI::Range(0, 2));
  proof->add_option("--attempts", bounds.attempts, "Attempts of a ticket")->check(CLI::Range(1, 5));
  proof->add_option("--jobs", bounds.jobs, "Threads")->check(CLI::Range(1, 64));
  proof->add_option("--states", bounds.most_states, "Stop after so many; 0: never")
      ->check(CLI::NonNegativeNumber);

  CLI::App* faults = app.add_subcommand("faults", "The catalogue");

  TwinsOptions hunting;
  CLI::App* twin = app.add_subcommand("twins", "Broken dispatchers and worlds, each of which must be caught");
  twin->add_option("ids", hunting.ids, "Only these");
  twin->add_option("--seeds", hunting.seeds, "At most so many from each start")->check(CLI::PositiveNumber);
  twin->add_option("--starts", hunting.starts, "From so many starts")->check(CLI::PositiveNumber);
  twin->add_option("--jobs", hunting.jobs, "Threads")->check(CLI::PositiveNumber);
  twin->add_option("--schedule", hunting.schedules, "uniform, pct, swarm; all where not given")
      ->check(CLI::IsMember({"uniform", "pct", "swarm"}));
  twin->add_flag("--json", hunting.json, "One JSON document");

  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& asked) {
    return app.exit(asked);
  } catch (const CLI::ParseError& wrong) {
    app.exit(wrong);
    return usage;
  }
  if (by_seed->parsed()) return run(run_options);
  if (proof->parsed()) return prove_all(bounds, kinds, json);
  if (faults->parsed()) return list_faults();
  if (twin->parsed()) return twins(hunting);
  return usage;
}
