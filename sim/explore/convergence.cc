#include "sim/explore/convergence.h"

#include <algorithm>

#include "dispatcher/core/names.h"
#include "dispatcher/core/words.h"
#include "sim/explore/fair.h"
#include "sim/world/names.h"

namespace holdfast::sim {
namespace {

struct Reference {
  std::vector<std::string> outcome;
  std::uint64_t events = 0;
};

Reference reference_of(const std::shared_ptr<const Setup>& setup) {
  Reference reference;
  World w = begin(setup);
  run_fair(w, [&](const Event& e) {
    step(w, e);
    reference.events += 1;
    return true;
  });
  reference.outcome = outcome_of(w);
  return reference;
}

std::optional<Violation> difference(const std::vector<std::string>& reference,
                                    const std::vector<std::string>& end) {
  const auto [a, b] = std::ranges::mismatch(reference, end);
  if (a == reference.end() && b == end.end()) return std::nullopt;
  return Violation{Invariant::L6,
                   {},
                   "after the crash: " + (b == end.end() ? std::string("nothing") : *b) +
                       "; without it: " + (a == reference.end() ? std::string("nothing") : *a)};
}

}  // namespace

std::vector<std::string> outcome_of(const World& w) {
  std::vector<std::string> lines;
  for (const auto& [id, ticket] : w.board.tickets)
    lines.push_back(id.value + " is " + words_for(ticket.state));
  for (const auto& [id, a] : w.ledger.closed) {
    // An intent whose effect nobody can tell is sealed: that attempt never came to be, and another takes its
    // place.
    if (a.cause == Cause::never_came_to_be) continue;
    lines.push_back("an attempt of " + id.ticket.value + " ended: " + words_for(a.cause) + ", code " +
                    std::to_string(a.exit_code) + ", said " + std::to_string(static_cast<int>(a.said)) +
                    (a.settled ? ", " : ", unsettled, ") + a.attention);
  }
  for (const auto& [id, row] : w.ledger.tickets)
    if (row.newest && row.newest->open())
      lines.push_back("an attempt of " + id.value + " is " + words_for(row.newest->phase) + ", " +
                      row.newest->attention);
  for (const auto& [id, slot] : w.ledger.slots)
    lines.push_back(id.value + " is " + std::to_string(static_cast<int>(slot.state)) + " " + slot.note);
  for (const auto& [shard, server] : w.servers)
    for (const auto& [name, session] : server.sessions) lines.push_back("session " + name.value);
  for (const auto& [attempt, read] : w.history.prompts_read)
    lines.push_back("an attempt of " + attempt.ticket.value + " read its prompt " + std::to_string(read) +
                    " times");
  lines.push_back(std::to_string(patches_of(w.git, ref_of(w.git, w.setup->policy.target)).size()) +
                  " changes are on the target");
  return lines;
}

WorldPlan untroubled(const WorldPlan& plan) {
  WorldPlan p = plan;
  p.faults = p.persons = 0;
  p.crashes = 1;
  p.dispatchers = 1;
  p.kinds = {};
  p.triggers.clear();
  p.theme.clear();
  return p;
}

Convergence crash_at(const WorldPlan& plan, std::uint64_t at, const DispatcherMaker& maker,
                     const Defects& defects) {
  Convergence result;
  result.plan = untroubled(plan);
  const auto setup = setup_of(result.plan, maker, defects);
  const Reference reference = reference_of(setup);
  if (reference.events == 0) return result;
  at %= reference.events;
  World w = begin(setup);
  std::uint64_t n = 0;
  const auto take = [&](const Event& e) {
    step(w, e);
    n += 1;
    return n != at;
  };
  if (at > 0) run_fair(w, take);
  const Event death{Do::crash, 0, 0, FaultId::E1};
  const bool was_running = w.dispatchers.front().running;
  if (was_running) step(w, death);
  const Rest rest = run_fair(w, [&](const Event& e) {
    step(w, e);
    return true;
  });
  if (rest == Rest::never)
    result.violation = Violation{Invariant::L6, {}, "after the crash it never comes to rest"};
  else
    result.violation = difference(reference.outcome, outcome_of(w));
  if (!result.violation) return result;
  // Once more, in words.
  World again = begin(setup);
  n = 0;
  if (at > 0)
    run_fair(again, [&](const Event& e) {
      result.events.push_back(exact_name_of(again, e));
      step(again, e);
      n += 1;
      return n != at;
    });
  if (was_running) result.events.push_back(exact_name_of(again, death));
  return result;
}

std::optional<Violation> compare_with_reference(const WorldPlan& plan, const World& end,
                                                const DispatcherMaker& maker, const Defects& defects) {
  return difference(reference_of(setup_of(untroubled(plan), maker, defects)).outcome, outcome_of(end));
}

}  // namespace holdfast::sim
