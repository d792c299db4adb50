// What a value is made of, as a fingerprint of 128 bits in which numbers without a meaning of their own are
// replaced by what they are good for.
//
// Times enter as differences to the clocks that they are compared with, up to the longest wait that anybody
// compares them with; versions, cursors and the like as their order among each other. docs/state-model.md
// says for every field that is treated so why nothing is lost by it.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "dispatcher/core/instant.h"
#include "sim/base/digest.h"

namespace holdfast::sim {

// Numbers that are compared with others of their kind, and with nothing else.
enum class Count : std::uint8_t { revision, version, cursor, sequence, server, queued, sighting };
inline constexpr std::size_t counts = 7;

class Fold {
 public:
  // `clocks`: the present by everybody's clock; the first is the true one.
  explicit Fold(std::vector<Instant> clocks) : clocks_(std::move(clocks)) {}

  void number(std::uint64_t value) { digest_.add(value); }
  void text(std::string_view value) { digest_.add(value); }
  void count(Count kind, std::int64_t value) {
    digest_.add(value == 0 ? 0 : 1);
    if (value != 0) counted_[static_cast<std::size_t>(kind)].push_back(value);
  }
  // How old it is; older than `limit` is all the same.
  void age(Instant at, Duration limit) {
    if (!at.set()) return digest_.add(unset);
    for (const Instant now : clocks_)
      digest_.add(static_cast<std::uint64_t>(std::clamp((now - at).ms, -horizon.ms, limit.ms)));
  }
  // And beyond that, which of two came first.
  void age_in_order(Instant at, Duration limit) {
    age(at, limit);
    const bool old = std::ranges::any_of(clocks_, [&](Instant now) { return (now - at).ms >= limit.ms; });
    if (at.set() && old) counted_[static_cast<std::size_t>(Count::sighting)].push_back(at.ms);
  }
  // How far ahead it is; what has come is the same as what was never set.
  void ahead(Instant at) {
    for (const Instant now : clocks_)
      digest_.add(
          at.set() ? static_cast<std::uint64_t>(std::clamp<std::int64_t>((at - now).ms, 0, horizon.ms)) : 0);
  }
  // Whether a far wait that began then is over (sim/explore/prove_setup.cc), or it is still to come.
  void far_age(Instant at) {
    for (const Instant now : clocks_) {
      const Duration old = now - at;
      digest_.add(!at.set() ? 0 : old.ms < 0 ? 1 : old < half_way_to_far ? 2 : 3);
    }
  }
  void whether_set(Instant at) { digest_.add(at.set() ? 1 : 0); }
  [[nodiscard]] Digest digest() const {
    Digest whole = digest_;
    std::vector<std::int64_t> order;
    for (const auto& values : counted_) {
      order = values;
      std::ranges::sort(order);
      order.erase(std::ranges::unique(order).begin(), order.end());
      for (const std::int64_t one : values)
        whole.add(static_cast<std::uint64_t>(std::ranges::lower_bound(order, one) - order.begin()));
    }
    return whole;
  }

  // Farther ahead than this is far: longer than every wait that is not one of the far ones.
  static constexpr Duration horizon = seconds(90);
  // Farther away than any sum of short waits, and nearer than the far ones.
  static constexpr Duration half_way_to_far = minutes(std::int64_t{60} * 24);

 private:
  static constexpr std::uint64_t unset = 0x7FFF'FFFF'FFFF'FFFFULL;

  std::vector<Instant> clocks_;
  Digest digest_;
  std::array<std::vector<std::int64_t>, counts> counted_;
};

}  // namespace holdfast::sim
