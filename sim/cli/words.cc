// What several commands say and read.
#include <algorithm>
#include <cstdio>

#include "sim/cli/commands.h"
#include "sim/examples/naive_dispatcher.h"
#include "sim/twins/hunt.h"

namespace holdfast::sim::cli {

std::atomic<bool> interrupted = false;

void say(std::string_view line) {
  std::fwrite(line.data(), 1, line.size(), stdout);
  std::fputc('\n', stdout);
}

void say(const Violation& v, const std::string& where) {
  say(where + " " + std::string(sim::name_of(v.invariant)) + " " + v.ticket.value + ": " + v.words);
}

namespace {

bool take_dispatcher(const std::string& name, SeedOptions& into) {
  if (name == "shipped") return true;
  if (name == "naive") {
    into.maker = naive_dispatcher();
    return true;
  }
  const Twin* twin = name.starts_with("twin:") ? twin_named(name.substr(5)) : nullptr;
  if (twin == nullptr) {
    std::fprintf(stderr,
                 "there is no dispatcher '%s': shipped, naive, or twin:ID (holdfast-sim twins --list)\n",
                 name.c_str());
    return false;
  }
  into.maker = maker_of(*twin);
  into.defects = twin->defects;
  return true;
}

}  // namespace

std::optional<SeedOptions> options_from(const Circumstances& how) {
  SeedOptions options;
  if (!take_dispatcher(how.dispatcher, options)) return std::nullopt;
  if (!how.schedule.empty()) options.schedule = schedule_named(how.schedule);
  if (!how.kinds.empty()) options.faults = {};
  for (const std::string& name : how.kinds) {
    const auto id = fault_named(name);
    if (!id) {
      std::fprintf(stderr, "there is no fault %s; see holdfast-sim faults\n", name.c_str());
      return std::nullopt;
    }
    if (*id != FaultId::none) options.faults.add(*id);
  }
  for (const std::string& words : how.triggers) {
    std::string error;
    const auto trigger = trigger_from(words, error);
    if (!trigger) {
      std::fprintf(stderr, "--inject %s: %s\n", words.c_str(), error.c_str());
      return std::nullopt;
    }
    options.triggers.push_back(*trigger);
  }
  if (how.most_events > 0) options.most_events = how.most_events;
  return options;
}

std::string words_for(const Circumstances& how) {
  std::string words;
  if (how.dispatcher != "shipped") words += " --dispatcher " + how.dispatcher;
  if (!how.schedule.empty()) words += " --schedule " + how.schedule;
  for (std::size_t i = 0; i < how.kinds.size(); ++i) words += (i == 0 ? " --kinds " : ",") + how.kinds[i];
  for (const std::string& one : how.triggers) words += " --inject " + one;
  if (how.most_events > 0) words += " --events " + std::to_string(how.most_events);
  return words;
}

std::optional<Schedule> schedule_named(std::string_view name) {
  if (name == "random") return Schedule::uniform;
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

int faults() {
  for (const Fault& one : catalogue()) {
    if (one.id == FaultId::none) continue;
    say(std::string(holdfast::name_of(one.id)) + "\t" + std::string(one.title));
    say("\tsimulated: " + std::string(one.simulated.empty() ? one.one_sided : one.simulated));
    say("\treal:      " + std::string(one.real));
  }
  return passed;
}

int invariants() {
  for (std::size_t i = 0; i < sim::invariants; ++i) {
    const auto one = static_cast<Invariant>(i);
    std::string twins_of_it;
    for (const Twin& twin : sim::twins())
      if (std::ranges::find(twin.breaks, one) != twin.breaks.end()) twins_of_it += " " + std::string(twin.id);
    say(std::string(sim::name_of(one)) + "\t" + std::string(sentence_of(one)));
    if (!twins_of_it.empty()) say("\tbroken by:" + twins_of_it);
  }
  return passed;
}

}  // namespace holdfast::sim::cli
