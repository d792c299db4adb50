#include "sim/explore/tally.h"

namespace holdfast::sim {

void Tally::count(const World& w) {
  events += 1;
  if (!w.happened.anything) return;
  for (const FaultFired& f : w.happened.faults) {
    const auto id = static_cast<std::size_t>(f.fault);
    fired[id] += 1;
    fired_in[id][f.phase ? static_cast<std::size_t>(*f.phase) : phases] += 1;
  }
  for (const RowChanged& row : w.happened.rows) {
    if (!row.before) lives += 1;
    if (row.after.cause != Cause::none && (!row.before || row.before->cause == Cause::none))
      deaths[static_cast<std::size_t>(row.after.cause)] += 1;
  }
}

void Tally::count(const Findings& findings) {
  for (std::size_t i = 0; i < invariants; ++i) at_risk[i] += findings.at_risk[i];
}

void Tally::add(const Tally& other) {
  runs += other.runs;
  events += other.events;
  lives += other.lives;
  for (std::size_t i = 0; i < fault_ids; ++i) {
    fired[i] += other.fired[i];
    for (std::size_t p = 0; p <= phases; ++p) fired_in[i][p] += other.fired_in[i][p];
  }
  for (std::size_t i = 0; i < invariants; ++i) at_risk[i] += other.at_risk[i];
  for (std::size_t i = 0; i < causes; ++i) deaths[i] += other.deaths[i];
}

}  // namespace holdfast::sim
