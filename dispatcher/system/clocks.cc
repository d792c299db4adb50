#include "dispatcher/system/clocks.h"

#include <time.h>

#include <algorithm>

namespace holdfast {
namespace {

std::int64_t milliseconds_of(clockid_t which) {
  timespec t{};
  ::clock_gettime(which, &t);
  return static_cast<std::int64_t>(t.tv_sec) * 1000 + t.tv_nsec / 1'000'000;
}

}  // namespace

Instant SystemClock::now() const {
  return {milliseconds_of(CLOCK_REALTIME)};
}

Duration SystemClock::monotonic() const {
  return {milliseconds_of(CLOCK_BOOTTIME)};
}

Deadline::Deadline(Duration within)
    : at_{SystemClock{}.monotonic().ms + std::max<std::int64_t>(within.ms, 0)} {}

Duration Deadline::left() const {
  return {std::max<std::int64_t>(at_.ms - SystemClock{}.monotonic().ms, 0)};
}

int Deadline::left_for_poll() const {
  return static_cast<int>(std::min<std::int64_t>(left().ms, 3'600'000));
}

}  // namespace holdfast
