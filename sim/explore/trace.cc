#include "sim/explore/trace.h"

#include <algorithm>

#include "dispatcher/core/names.h"
#include "dispatcher/core/words.h"
#include "sim/explore/convergence.h"
#include "sim/explore/fair.h"
#include "sim/oracle/chronicle.h"
#include "sim/world/names.h"

namespace holdfast::sim {

Replayed replay(const Trace& trace, const ReplayOptions& options) {
  Replayed result;
  World w = begin(setup_of(trace.plan, options.world.maker, options.world.defects));
  Findings findings;
  Chronicle chronicle;
  int n = 0;
  const auto take = [&](const Event& e, const std::string& name) {
    if (options.before) options.before(n + 1, name);
    chronicle.before(w, e);
    step(w, e);
    chronicle.after(w);
    ++n;
    add_to(result.digest, w, e);
    check_safety(w, findings);
    if (options.after) options.after(n, w);
    if (findings.violations.empty()) return true;
    result.ending = RunEnd::unsafe;
    result.violations = findings.violations;
    result.at_event = n;
    return false;
  };
  const auto enough = [&] { return options.until > 0 && n >= options.until; };
  for (const std::string& name : trace.events) {
    if (enough()) return result;
    const auto e = event_named(w, name);
    if (!e) {
      result.passed_over += 1;
      continue;
    }
    result.happened.push_back(name);
    if (!take(*e, name)) return result;
  }
  if (!trace.heals || enough()) return result;

  const auto rests = run_fair(w, [&](const Event& e) {
    std::string name = options.fair_names || options.before ? name_of(w, e) : std::string();
    if (options.fair_names) result.fair.push_back(name);
    return take(e, name) && !enough();
  });
  if (result.ending != RunEnd::passed || enough()) return result;
  if (rests == Rest::never) findings.broken(Invariant::L8, {}, "it never comes to rest");
  check_liveness(w, findings);
  check_run(w, chronicle, findings);
  if (trace.converges)
    if (auto differs = compare_with_reference(trace.plan, w, options.world.maker, options.world.defects))
      findings.violations.push_back(std::move(*differs));
  if (!findings.violations.empty()) {
    result.ending = RunEnd::stuck;
    result.violations = findings.violations;
    result.at_event = n;
  }
  return result;
}

Trace trace_of(std::uint64_t seed, const SeedOptions& options, const std::string& dispatcher) {
  SeedOptions with_trace = options;
  with_trace.keep_trace = true;
  Tally tally;
  const SeedResult run = run_seed(seed, with_trace, tally);
  Trace trace;
  trace.plan = run.plan;
  trace.dispatcher = dispatcher;
  trace.seed = seed;
  trace.heals = run.healed_at >= 0;
  trace.converges = run.crashed;
  const auto end = trace.heals ? static_cast<std::ptrdiff_t>(run.healed_at) : std::ssize(run.trace);
  trace.events.assign(run.trace.begin(), run.trace.begin() + end);
  for (const Violation& v : run.violations) trace.violates.push_back(v.invariant);
  if (!run.violations.empty())
    trace.words = run.violations.front().ticket.value + ": " + run.violations.front().words;
  return trace;
}

std::vector<std::string> truth_and_belief(const World& w) {
  std::vector<std::string> lines;
  for (const auto& [id, ticket] : w.board.tickets) {
    std::string truth = std::string("board ") + words_for(ticket.state);
    for (const Runtime& r : w.runtimes) {
      if (r.attempt.ticket != id) continue;
      truth += ", g" + std::to_string(r.attempt.generation.value) + (lives(w, r) ? " LIVES" : " is dead");
      if (r.worker_lives()) truth += " (worker)";
      if (r.child) truth += " (a child)";
    }
    const auto row = w.ledger.tickets.find(id);
    if (row != w.ledger.tickets.end() && row->second.newest) {
      const Attempt& a = *row->second.newest;
      truth += "; ledger g" + std::to_string(a.id.generation.value) + " " + words_for(a.phase);
      if (a.cause != Cause::none) truth += std::string(" (") + words_for(a.cause) + ")";
    }
    lines.push_back("truth   " + id.value + ": " + truth);
    for (std::size_t d = 0; d < w.dispatchers.size(); ++d) {
      const DispatcherSeat& seat = w.dispatchers[d];
      lines.push_back("belief  " + id.value + ": d" + std::to_string(d) + " " +
                      (!seat.running || !seat.mind.there() ? "is not running" : seat.mind->belief(id)));
    }
  }
  return lines;
}

}  // namespace holdfast::sim
