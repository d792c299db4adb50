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

struct TwinsOptions {
  std::vector<std::string> ids;  // empty: all
  std::uint64_t seeds = 1000;    // at most, from each start
  int starts = 5;
  int jobs = 1;
  bool json = false;
  std::vector<std::string> schedules;  // empty: swarm, pct, uniform
};
int twins(const TwinsOptions&);

std::optional<Schedule> schedule_named(std::string_view);
std::string_view name_of(Schedule);

}  // namespace holdfast::sim::cli
