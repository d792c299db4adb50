// The state key: everything in the world that decides what can happen next, as one fingerprint of 128 bits.
//
// Times enter as differences to the present, and differences beyond the longest wait of the policy as "long
// ago" or "far off": the dispatcher compares times with each other and with its policy's durations, nothing
// else. Two worlds with the same key have the same future but for the numbers of their clocks.
//
// Left out, with the reason: the numbers of flights (they only tell flights apart, and their order is kept),
// the setup (it never changes), what happened in the last step (the next step begins by forgetting it), and
// reasons in words (nothing compares them).
#pragma once

#include <algorithm>
#include <string_view>

#include "dispatcher/core/instant.h"
#include "sim/base/digest.h"

namespace holdfast::sim {

class Fold {
 public:
  explicit Fold(Instant now, Duration horizon) : now_(now), horizon_(horizon) {}

  void number(std::uint64_t value) { digest_.add(value); }
  void text(std::string_view value) { digest_.add(value); }
  void time(Instant at) {
    if (!at.set()) return digest_.add(0x7FFF'FFFF'FFFF'FFFFULL);
    const std::int64_t off = (at - now_).ms;
    digest_.add(static_cast<std::uint64_t>(std::clamp(off, -horizon_.ms, horizon_.ms)));
  }
  [[nodiscard]] Digest digest() const { return digest_; }

 private:
  Instant now_;
  Duration horizon_;
  Digest digest_;
};

}  // namespace holdfast::sim
