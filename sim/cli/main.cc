// holdfast-sim: runs by seed, proofs by exhaustion, the broken twins, and the catalogue of faults.
//
// Exit codes: 0 passed, 1 not finished (interrupted, or a bound was reached), 10 unsafe, 11 stuck, 12
// diverged, 13 vacuous, 64 usage.
#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <string>
#include <vector>

#include "sim/cli/commands.h"
#include "sim/explore/certificate.h"
#include "sim/explore/prove.h"
#include "sim/twins/prove_twins.h"

namespace {

using namespace holdfast;
using namespace holdfast::sim;
using namespace holdfast::sim::cli;

int prove_all(ProveBounds bounds, const std::vector<std::string>& kinds, std::uint64_t twin_states,
              bool json) {
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
  ProveResult r = prove(bounds, prove_setup(bounds, shipped_dispatcher(), {}), progress, interrupted);
  if (twin_states > 0 && r.end == ProveEnd::complete) prove_twins(bounds, twin_states, interrupted, r);
  std::fputs((json ? certificate_json(bounds, r) : certificate(bounds, r)).c_str(), stdout);
  switch (r.end) {
    case ProveEnd::complete: return vacuous_in(bounds, r).empty() ? passed : vacuous;
    case ProveEnd::violated: return unsafe;
    case ProveEnd::stuck: return stuck;
    case ProveEnd::incomplete: return unfinished;
  }
  __builtin_unreachable();
}

void add_circumstances(CLI::App& to, Circumstances& how) {
  to.add_option("--dispatcher", how.dispatcher, "shipped, naive, or twin:ID");
  to.add_option("--schedule", how.schedule, "random, pct or swarm; the seed chooses where not given")
      ->check(CLI::IsMember({"random", "uniform", "pct", "swarm"}));
  to.add_option("--kinds", how.kinds, "Only these faults: B1,C3; none: no faults")->delimiter(',');
  to.add_option("--inject", how.triggers, "A planned fault: B1,phase=ready,nth=2 (may be repeated)")
      ->allow_extra_args(false);
  to.add_option("--events", how.most_events, "At most so many events before the healing")
      ->check(CLI::PositiveNumber);
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGINT, [](int) { interrupted = true; });
  std::signal(SIGTERM, [](int) { interrupted = true; });
  CLI::App app{
      "Runs the dispatcher's own core in a simulated world, with faults, and says what breaks.\n"
      "  holdfast-sim run --seeds 10000 --jobs 2\n"
      "  holdfast-sim replay 42 --explain\n"
      "  holdfast-sim run --dispatcher naive\n"
      "  holdfast-sim shrink 7 --dispatcher naive\n"
      "  holdfast-sim twins --schedule swarm\n"
      "  holdfast-sim prove --faults 0 --crashes 0 --states 100000\n"
      "  holdfast-sim faults"};
  app.require_subcommand(1);

  RunCommand running;
  CLI::App* by_seed = app.add_subcommand("run", "Random schedules, one for each seed");
  by_seed->add_option("--seeds", running.seeds, "How many")->check(CLI::PositiveNumber);
  by_seed->add_option("--start", running.start, "The first seed");
  by_seed->add_option("--jobs", running.jobs, "Threads")->check(CLI::Range(1, 256));
  by_seed->add_option("--shard", running.shard, "Only part I of N of the seeds: I/N");
  by_seed->add_flag("--collect", running.collect, "Go on after a failure, and tell all");
  by_seed->add_flag("--json", running.json, "One JSON document");
  by_seed->add_flag("--coverage", running.coverage, "How often each fault struck in each phase");
  by_seed->add_flag("--digests", running.digests, "Print each seed's digest, and nothing else");
  by_seed->add_flag("--quiet", running.quiet, "No progress");
  add_circumstances(*by_seed, running.how);

  ReplayCommand replaying;
  CLI::App* again = app.add_subcommand("replay", "One run again: a seed, or a trace's file");
  again->add_option("what", replaying.what, "SEED or FILE")->required();
  again->add_option("--until", replaying.until, "Stop after so many events")->check(CLI::PositiveNumber);
  again->add_flag("--explain", replaying.explain, "Truth and belief, side by side, whenever they change");
  again->add_flag("--quiet", replaying.quiet, "Only how it ends");
  add_circumstances(*again, replaying.how);

  ShrinkCommand shrinking;
  CLI::App* small = app.add_subcommand("shrink", "As little of a failing run as still fails, as a file");
  small->add_option("what", shrinking.what, "SEED or FILE")->required();
  small->add_option("--output,-o", shrinking.output, "The file to write");
  add_circumstances(*small, shrinking.how);

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
  std::uint64_t twin_states = 0;
  proof
      ->add_option("--twins", twin_states,
                   "Then search each broken twin too, up to so many states; 0: do not")
      ->check(CLI::NonNegativeNumber);
  proof->add_option("--commits", bounds.commits, "Commits of a worker")->check(CLI::Range(0, 3));
  proof->add_option("--changes", bounds.changes, "Changes that a worker leaves uncommitted")
      ->check(CLI::Range(0, 2));
  proof->add_option("--attempts", bounds.attempts, "Attempts of a ticket")->check(CLI::Range(1, 5));
  proof->add_option("--jobs", bounds.jobs, "Threads")->check(CLI::Range(1, 64));
  proof->add_option("--states", bounds.most_states, "Stop after so many; 0: never")
      ->check(CLI::NonNegativeNumber);

  TwinsCommand hunting;
  CLI::App* twin = app.add_subcommand("twins", "Broken dispatchers and worlds, each of which must be caught");
  twin->add_option("ids", hunting.ids, "Only these");
  twin->add_flag("--list", hunting.list, "Say what each does wrong, and hunt none");
  twin->add_option("--seeds", hunting.seeds, "At most so many from each start")->check(CLI::PositiveNumber);
  twin->add_option("--starts", hunting.starts, "From so many starts")->check(CLI::PositiveNumber);
  twin->add_option("--jobs", hunting.jobs, "Threads")->check(CLI::PositiveNumber);
  twin->add_option("--schedule", hunting.schedules, "random, pct, swarm; all where not given")
      ->check(CLI::IsMember({"random", "uniform", "pct", "swarm"}));
  twin->add_flag("--json", hunting.json, "One JSON document");

  CLI::App* catalogue = app.add_subcommand("faults", "The catalogue");
  CLI::App* promises = app.add_subcommand("invariants", "What must hold, and the twins that break it");

  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& asked) {
    return app.exit(asked);
  } catch (const CLI::ParseError& wrong) {
    app.exit(wrong);
    return usage;
  }
  if (by_seed->parsed()) return run(running);
  if (again->parsed()) return replay(replaying);
  if (small->parsed()) return shrink(shrinking);
  if (proof->parsed()) return prove_all(bounds, kinds, twin_states, json);
  if (twin->parsed()) return twins(hunting);
  if (catalogue->parsed()) return faults();
  if (promises->parsed()) return cli::invariants();
  return usage;
}
