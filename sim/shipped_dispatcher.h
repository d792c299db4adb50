// The dispatcher that is shipped, seen as the simulator sees any: the same core that `holdfast` links.
#pragma once

#include "dispatcher/core/schedule.h"
#include "sim/dispatcher_under_test.h"

namespace holdfast::sim {

class ShippedDispatcher : public DispatcherUnderTest {
 public:
  [[nodiscard]] std::unique_ptr<DispatcherUnderTest> copy() const override;
  void absorb(const Answer&) override;
  void absorb(const News&) override;
  std::vector<Effect> next_effects(Instant now) override;
  [[nodiscard]] Instant next_wake() const override;
  void fold(Fold&) const override;
  [[nodiscard]] bool can_be_proved() const override { return true; }
  [[nodiscard]] bool will_look(const AttemptId&) const override;
  [[nodiscard]] std::string belief(const TicketId&) const override;

  Brain brain;
};

}  // namespace holdfast::sim
