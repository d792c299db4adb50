// Time as a value. The core never reads a clock: the driver says what time it is, in milliseconds since the
// epoch by the dispatcher's own wall clock. Nothing becomes dead because of it; it only says when to look
// again.
#pragma once

#include <compare>
#include <cstdint>

namespace holdfast {

struct Duration {
  std::int64_t ms = 0;
  friend auto operator<=>(const Duration&, const Duration&) = default;
};

struct Instant {
  std::int64_t ms = 0;  // 0: never
  friend auto operator<=>(const Instant&, const Instant&) = default;
  [[nodiscard]] bool set() const { return ms != 0; }
  friend constexpr Instant operator+(Instant at, Duration d) { return {at.ms + d.ms}; }
  friend constexpr Duration operator-(Instant a, Instant b) { return {a.ms - b.ms}; }
};

// Is it still to be waited for `until`? A wait that is longer than any that is ever set comes from a clock
// that was moved: it is over.
constexpr bool still_waits(Instant now, Instant until, Duration longest) {
  return now < until && (until - now) <= longest;
}

constexpr Duration seconds(std::int64_t n) {
  return {n * 1000};
}
constexpr Duration millis(std::int64_t n) {
  return {n};
}
constexpr Duration minutes(std::int64_t n) {
  return {n * 60'000};
}

}  // namespace holdfast
