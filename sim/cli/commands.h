// The commands of holdfast-sim, one function each. Each returns the program's exit code.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/explore/seed_run.h"

namespace holdfast::sim::cli {

// Exit codes. 1: not finished (interrupted, or a bound was reached).
inline constexpr int passed = 0, unfinished = 1, unsafe = 10, stuck = 11, diverged = 12, vacuous = 13,
                     usage = 64;

extern std::atomic<bool> interrupted;

void say(std::string_view line);
void say(const Violation&, const std::string& where);

// What a run is made of besides its seed; the same words for `run`, `replay` and `shrink`.
struct Circumstances {
  std::string dispatcher = "shipped";  // "shipped", "naive", "twin:ID"
  std::string schedule;                // "uniform", "pct", "swarm"; empty: the seed chooses
  std::vector<std::string> kinds;      // only these faults; empty: all
  std::vector<std::string> triggers;   // planned faults
  int most_events = 0;                 // 0: as always
};
// Nothing: it was said on the error channel what is wrong.
std::optional<SeedOptions> options_from(const Circumstances&);
// The options that make it: what is to be said after `holdfast-sim replay SEED`.
std::string words_for(const Circumstances&);
std::optional<Schedule> schedule_named(std::string_view);
std::string_view name_of(Schedule);

struct RunCommand {
  Circumstances how;
  std::uint64_t seeds = 1000, start = 1;
  int jobs = 1;
  std::string shard = "0/1";  // I/N
  bool collect = false, json = false, coverage = false, digests = false, quiet = false;
};
int run(const RunCommand&);

struct ReplayCommand {
  std::string what;  // a seed, or a trace's file
  Circumstances how;
  int until = 0;
  bool explain = false, quiet = false;
};
int replay(const ReplayCommand&);

struct ShrinkCommand {
  std::string what;
  Circumstances how;
  std::string output;  // a file; empty: SEED.trace.json, or the given one with .small.json
};
int shrink(const ShrinkCommand&);

struct TwinsCommand {
  std::vector<std::string> ids;  // empty: all
  std::uint64_t seeds = 1000;    // at most, from each start
  int starts = 5;
  int jobs = 1;
  bool json = false, list = false;
  std::vector<std::string> schedules;  // empty: swarm, pct, uniform
};
int twins(const TwinsCommand&);

int faults();
int invariants();

}  // namespace holdfast::sim::cli
