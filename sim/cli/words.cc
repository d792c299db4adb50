// What several commands say and read.
#include <cstdio>

#include "sim/cli/commands.h"

namespace holdfast::sim::cli {

std::atomic<bool> interrupted = false;

void say(std::string_view line) {
  std::fwrite(line.data(), 1, line.size(), stdout);
  std::fputc('\n', stdout);
}

void say(const Violation& v, const std::string& where) {
  say(where + " " + std::string(sim::name_of(v.invariant)) + " " + v.ticket.value + ": " + v.words);
}

std::optional<Schedule> schedule_named(std::string_view name) {
  for (const Schedule one : {Schedule::uniform, Schedule::pct, Schedule::swarm})
    if (name_of(one) == name) return one;
  return std::nullopt;
}

std::string_view name_of(Schedule schedule) {
  switch (schedule) {
    case Schedule::uniform: return "uniform";
    case Schedule::pct: return "pct";
    case Schedule::swarm: return "swarm";
  }
  __builtin_unreachable();
}

}  // namespace holdfast::sim::cli
