// What a set of runs has shown: how often each fault fired and in which phase, how often each invariant was
// at risk, which causes of death were certified. A green run must earn it.
#pragma once

#include <array>
#include <cstdint>

#include "faults/fault.h"
#include "sim/oracle/oracle.h"

namespace holdfast::sim {

inline constexpr std::size_t phases = 8, causes = 14;

struct Tally {
  std::uint64_t runs = 0, events = 0, lives = 0;
  std::array<std::uint64_t, fault_ids> fired{};
  std::array<std::array<std::uint64_t, phases + 1>, fault_ids> fired_in{};  // last: no attempt
  std::array<std::uint64_t, invariants> at_risk{};
  std::array<std::uint64_t, causes> deaths{};

  void count(const World&);  // after a step
  // Before a step: faults that are not events of their own, but what a worker, a person or a second
  // dispatcher does by nature.
  void count_choice(const World&, const Event&);
  void count(const Findings&);
  void add(const Tally&);
};

}  // namespace holdfast::sim
