// The invariants as named checkers. They see the truth; the dispatcher sees only sightings. Safety is checked
// after every event, liveness after the faults have stopped and everything fair has happened.
//
// S18, L5 and L9 speak of whole runs (sim/oracle/chronicle.h), L6 of two runs (sim/explore/convergence.h). M1
// to M5 are about the harness: they are kept by `run` and by the tests. Weaker than their sentence: S10 (a
// prompt that reaches another attempt's session cannot happen in this world), S16 (a generous bound), S18
// (that a worker whose ticket nothing struck is not ended; not that it has to wait no longer), L6 (see
// there).
//
// Each checker also says when its invariant was at risk: evaluated in a state where a wrong dispatcher could
// have broken it. One that never was has shown nothing (vacuity).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/world/world.h"

namespace holdfast::sim {

// DO NOT REORDER: reports and scenarios name them.
enum class Invariant : std::uint8_t {
  S1,
  S2,
  S3,
  S4,
  S5,
  S6,
  S7,
  S8,
  S9,
  S10,
  S11,
  S12,
  S13,
  S14,
  S15,
  S16,
  S17,
  S18,
  S19,
  S20,
  S21,
  S22,
  S23,
  S24,
  L1,
  L2,
  L3,
  L4,
  L5,
  L6,
  L7,
  L8,
  L9,
  M1,
  M2,
  M3,
  M4,
  M5,
};
inline constexpr std::size_t invariants = static_cast<std::size_t>(Invariant::M5) + 1;

std::string_view name_of(Invariant);      // "S1"
std::string_view sentence_of(Invariant);  // "a ticket whose runtime is alive is never put back to todo"
std::optional<Invariant> invariant_named(std::string_view);

struct Violation {
  Invariant invariant = Invariant::S1;
  TicketId ticket;    // empty: the installation's
  std::string words;  // what is wrong, with the truth in it
};

struct Findings {
  std::vector<Violation> violations;
  std::array<std::uint64_t, invariants> at_risk{};

  void risk(Invariant i) { at_risk[static_cast<std::size_t>(i)] += 1; }
  void broken(Invariant i, TicketId ticket, std::string words) {
    violations.push_back({i, std::move(ticket), std::move(words)});
  }
};

// After every step, on the world as it is now and what happened in the step.
void check_safety(const World&, Findings&);

// When everything fair has happened after heal(): is everything accounted for?
void check_liveness(const World&, Findings&);

}  // namespace holdfast::sim
