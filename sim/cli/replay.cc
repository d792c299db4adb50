// holdfast-sim replay and shrink: one run again, event by event, and as little of it as still fails.
#include <charconv>
#include <cstdio>

#include "sim/cli/commands.h"
#include "sim/cli/trace_file.h"
#include "sim/explore/trace.h"

namespace holdfast::sim::cli {
namespace {

struct Source {
  Trace trace;
  SeedOptions options;
  std::string name;  // for a file of its own
};

// A seed's run, or a trace's file. Nothing: it was said what is wrong.
std::optional<Source> source_from(const std::string& what, const Circumstances& how) {
  std::uint64_t seed = 0;
  const auto [end, wrong] = std::from_chars(what.data(), what.data() + what.size(), seed);
  if (wrong == std::errc{} && end == what.data() + what.size()) {
    const auto options = options_from(how);
    if (!options) return std::nullopt;
    return Source{trace_of(seed, *options, how.dispatcher), *options, "seed-" + what};
  }
  const auto text = content_of(what);
  if (!text) {
    std::fprintf(stderr, "%s: neither a seed nor a file that can be read\n", what.c_str());
    return std::nullopt;
  }
  std::string error;
  const auto trace = trace_from_json(*text, error);
  if (!trace) {
    std::fprintf(stderr, "%s: %s\n", what.c_str(), error.c_str());
    return std::nullopt;
  }
  Circumstances of_the_trace = how;
  if (how.dispatcher == "shipped") of_the_trace.dispatcher = trace->dispatcher;
  const auto options = options_from(of_the_trace);
  if (!options) return std::nullopt;
  std::string name = what;
  if (name.ends_with(".json")) name.resize(name.size() - 5);
  return Source{*trace, *options, name};
}

int code_of(RunEnd end) {
  switch (end) {
    case RunEnd::passed: return passed;
    case RunEnd::unsafe: return unsafe;
    case RunEnd::stuck: return stuck;
  }
  __builtin_unreachable();
}

}  // namespace

int replay(const ReplayCommand& command) {
  const auto source = source_from(command.what, command.how);
  if (!source) return usage;
  ReplayOptions how;
  how.world = source->options;
  how.until = command.until;
  std::vector<std::string> shown, now;
  Instant began, at;
  int n = 0;
  if (!command.quiet)
    how.before = [&](int number, const std::string& name) {
      n = number;
      if (number - 1 == static_cast<int>(source->trace.events.size()))
        say("--- the faults stop, the world heals");
      std::printf("%5d %9.3fs  %s\n", number, static_cast<double>((at - began).ms) / 1000.0, name.c_str());
    };
  how.after = [&](int, const World& w) {
    if (!began.set()) began = w.now;
    at = w.now;
    now = truth_and_belief(w);
    if (!command.explain || now == shown) return;
    for (std::size_t i = 0; i < now.size(); ++i)
      if (i >= shown.size() || shown[i] != now[i]) say("                  " + now[i]);
    shown = now;
  };
  const Replayed run = sim::replay(source->trace, how);
  for (const Violation& v : run.violations) say(v, "event " + std::to_string(run.at_event));
  if (!command.explain || run.ending != RunEnd::passed)
    for (const std::string& line : now) say(line);
  if (run.passed_over > 0)
    std::printf("%d events of the trace could not happen and were passed over\n", run.passed_over);
  std::printf("digest %s\n", run.digest.text().c_str());
  return code_of(run.ending);
}

int shrink(const ShrinkCommand& command) {
  const auto source = source_from(command.what, command.how);
  if (!source) return usage;
  if (source->trace.violates.empty()) {
    std::fprintf(stderr, "%s breaks nothing: there is nothing to shrink\n", command.what.c_str());
    return usage;
  }
  std::size_t least = source->trace.events.size();
  const Trace small = sim::shrink(source->trace, source->options, [&](std::size_t left) {
    if (left < least) std::fprintf(stderr, "%zu events\n", least = left);
  });
  const std::string file = command.output.empty() ? source->name + ".small.json" : command.output;
  if (!write_file(file, as_json(small))) {
    std::fprintf(stderr, "%s cannot be written\n", file.c_str());
    return usage;
  }
  ReplayOptions how;
  how.world = source->options;
  const Replayed run = sim::replay(small, how);
  for (const std::string& name : small.events) say(name);
  if (small.heals) say("--- the faults stop, the world heals");
  for (const Violation& v : run.violations) say(v, "event " + std::to_string(run.at_event));
  say("replay: holdfast-sim replay " + file);
  return code_of(run.ending);
}

}  // namespace holdfast::sim::cli
