// The faults that a plan names by hand, each at its trigger.
#pragma once

#include <optional>
#include <vector>

#include "sim/base/random.h"
#include "sim/explore/plan.h"
#include "sim/world/world.h"

namespace holdfast::sim {

class PlannedFaults {
 public:
  explicit PlannedFaults(const std::vector<Trigger>& triggers);
  // The event that happens instead of the chosen one, where a trigger says so.
  std::optional<Event> strikes(const World&, const Event& chosen, Random&);
  void note(const World&);  // after a step: what has fired
  [[nodiscard]] std::vector<Trigger> unfired() const;

 private:
  struct State {
    Trigger trigger;
    int seen = 0, fired = 0;
  };
  std::vector<State> states_;
  FaultSet fired_;
  Instant began_;
};

}  // namespace holdfast::sim
