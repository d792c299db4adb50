// What a dispatcher has to be in order to run in the simulated world. Ours and anybody else's: implement
// these, hand a maker to the explorer, and every oracle, fault and schedule is yours.
//
// A dispatcher is a value that is told things and asks for things. It never touches the world itself: what it
// wants done it returns as effects (dispatcher/core/effects.h), each of which is answered by exactly one
// Answer, or by none if the dispatcher dies first. It has no clock: `now` is told. It must be deterministic:
// the same calls in the same order give the same effects, or a run cannot be replayed.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dispatcher/core/absorb.h"
#include "dispatcher/core/effects.h"
#include "dispatcher/core/policy.h"

namespace holdfast::sim {

class Fold;

class DispatcherUnderTest {
 public:
  virtual ~DispatcherUnderTest() = default;
  [[nodiscard]] virtual std::unique_ptr<DispatcherUnderTest> copy() const = 0;

  // An effect's answer: what was asked, the raw reply, and (where it succeeded) the value. A raw reply that
  // is not a success says how far the request got; whether anything happened is for the dispatcher to find
  // out.
  virtual void absorb(const Answer&) = 0;
  // Something may be new there. Says where to look, never what is there; may come twice, late or never.
  virtual void absorb(const News&) = 0;
  // What is to be started now. Called after every absorb, and when next_wake() has come.
  virtual std::vector<Effect> next_effects(Instant now) = 0;
  // When it wants to be called without any news; not set: never.
  [[nodiscard]] virtual Instant next_wake() const = 0;

  // Everything that decides its future, for the state key of `prove`. A dispatcher that leaves this out can
  // be run by seeds and replayed, not proved.
  virtual void fold(Fold&) const {}
  [[nodiscard]] virtual bool can_be_proved() const { return false; }
  // It looks at this attempt before it decides anything about it, whatever comes first: what happens to the
  // attempt before that look may as well happen right before it. "No" is always right.
  [[nodiscard]] virtual bool will_look(const AttemptId&) const { return false; }
  // One line about a ticket for the "belief" side of reports: "running g2, verdict alive".
  [[nodiscard]] virtual std::string belief(const TicketId&) const { return {}; }
};

using DispatcherMaker = std::function<std::unique_ptr<DispatcherUnderTest>(const Policy&)>;

// A copyable holder: copying the world copies the minds in it. Copies share one mind until one of them is
// told something.
class Mind {
 public:
  Mind() = default;
  explicit Mind(std::unique_ptr<DispatcherUnderTest> mind) : mind_(std::move(mind)) {}
  [[nodiscard]] bool there() const { return mind_ != nullptr; }
  DispatcherUnderTest* operator->() { return &own(); }
  const DispatcherUnderTest* operator->() const { return mind_.get(); }
  DispatcherUnderTest& operator*() { return own(); }
  const DispatcherUnderTest& operator*() const { return *mind_; }

 private:
  DispatcherUnderTest& own() {
    if (mind_.use_count() > 1)
      mind_ = std::shared_ptr<DispatcherUnderTest>(mind_->copy());
    else
      std::atomic_thread_fence(std::memory_order_acquire);  // whoever had it too has read it to the end
    return *mind_;
  }
  std::shared_ptr<DispatcherUnderTest> mind_;
};

// The dispatcher that `holdfast` ships: the very core, wrapped.
DispatcherMaker shipped_dispatcher();

}  // namespace holdfast::sim
