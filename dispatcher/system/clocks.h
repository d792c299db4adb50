// The one place that reads clocks. The wall clock stamps what people and other hosts read; the monotonic
// clock measures deadlines, so that a jump of the wall clock neither shortens nor stretches one.
#pragma once

#include "dispatcher/core/instant.h"

namespace holdfast {

class SystemClock {
 public:
  [[nodiscard]] Instant now() const;         // wall clock, milliseconds since the epoch
  [[nodiscard]] Duration monotonic() const;  // since some moment of this boot; also runs while suspended
};

// A deadline that was set when it was made, by the monotonic clock.
class Deadline {
 public:
  explicit Deadline(Duration within);
  [[nodiscard]] Duration left() const;  // never negative
  [[nodiscard]] int left_for_poll() const;
  [[nodiscard]] bool passed() const { return left().ms == 0; }

 private:
  Duration at_;
};

}  // namespace holdfast
