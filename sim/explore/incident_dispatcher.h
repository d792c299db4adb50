// The dispatcher of the founding incident, for tests: ours, but for one decision.
#pragma once

#include <memory>
#include <vector>

#include "dispatcher/core/classify.h"
#include "sim/base/fold_values.h"
#include "sim/shipped_dispatcher.h"

namespace holdfast::sim {

// The incident itself: the prompt's send is refused, and the ticket goes back to todo.
class RevertsOnRefusal : public ShippedDispatcher {
 public:
  using ShippedDispatcher::absorb;
  [[nodiscard]] std::unique_ptr<DispatcherUnderTest> copy() const override {
    return std::make_unique<RevertsOnRefusal>(*this);
  }
  void absorb(const Answer& answer) override {
    const auto* post = std::get_if<Post>(&answer.effect);
    if (post && !is_done(classify(Call::post, answer.raw))) reverted_ = post->attempt.ticket;
    ShippedDispatcher::absorb(answer);
  }
  std::vector<Effect> next_effects(Instant now) override {
    auto effects = ShippedDispatcher::next_effects(now);
    const auto known = brain.knowledge.tickets.find(reverted_);
    if (known == brain.knowledge.tickets.end() || !known->second.board) return effects;
    effects.push_back(
        MoveTicket{reverted_, known->second.board->version, BoardState::todo, "tmux_spawn_failed", "twin"});
    reverted_ = {};
    return effects;
  }
  void fold(Fold& fold) const override {
    ShippedDispatcher::fold(fold);
    fold.text(reverted_.value);
  }

 private:
  TicketId reverted_;
};

}  // namespace holdfast::sim
