// The simulated ports, asked as the driver asks the real ones: one effect at a time, all of its parts at
// once, and nothing goes wrong.
#pragma once

#include "dispatcher/core/effects.h"
#include "sim/world/world.h"

namespace holdfast::fidelity {

class Simulated {
 public:
  explicit Simulated(const sim::Defects& = {});

  struct Got {
    RawReply raw;
    AnswerValue value;
  };
  Got ask(const Effect&);

  // The part of an answer that is a T; a fresh one where there is none.
  template <class T>
  static T value(const Got& got) {
    const auto* value = std::get_if<T>(&got.value);
    return value ? *value : T{};
  }

  sim::World world;
};

}  // namespace holdfast::fidelity
