// The fingerprints of all states seen, each with the number of the state and how it was first reached.
// Several threads may insert at once. About 32 bytes a state, all told.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

#include "sim/base/digest.h"
#include "sim/world/event.h"

namespace holdfast::sim {

class StateSet {
 public:
  using Number = std::uint32_t;

  // The state's number, and whether it is new.
  std::pair<Number, bool> insert(const Digest& key, Number parent, const Event& event) {
    const auto which = static_cast<Number>(key.high >> 60U);
    const auto [index, fresh] = shards_[which].insert(key, parent, event);
    return {(which << index_bits) | index, fresh};
  }

  [[nodiscard]] std::uint64_t size() const {
    std::uint64_t n = 0;
    for (const Shard& shard : shards_) n += shard.size.load(std::memory_order_relaxed);
    return n;
  }
  [[nodiscard]] std::uint64_t bytes() const {
    std::uint64_t n = 0;
    for (const Shard& shard : shards_) n += shard.bytes.load(std::memory_order_relaxed);
    return n;
  }

  // The events from the first state to this one. Not while others insert.
  [[nodiscard]] std::vector<Event> path_to(Number state) const {
    std::vector<Event> path;
    for (const Origin* at = &origin(state); at->parent != no_parent; at = &origin(at->parent))
      path.push_back(at->event);
    return {path.rbegin(), path.rend()};
  }

  static constexpr Number no_parent = ~Number{0};

 private:
  static constexpr unsigned index_bits = 28;
  struct Origin {
    Number parent = no_parent;
    Event event;
  };

  struct Shard {
    std::mutex mutex;
    std::vector<Digest> keys;
    std::vector<Origin> origins;
    std::vector<Number> slots = std::vector<Number>(1U << 10);  // number + 1; 0: empty
    std::atomic<std::uint64_t> size = 0, bytes = 0;

    std::pair<Number, bool> insert(const Digest& key, Number parent, const Event& event) {
      const std::scoped_lock lock(mutex);
      if ((keys.size() + 1) * 10 > slots.size() * 7) grow();
      std::size_t at = key.low & (slots.size() - 1);
      while (slots[at] != 0) {
        if (keys[slots[at] - 1] == key) return {slots[at] - 1, false};
        at = (at + 1) & (slots.size() - 1);
      }
      keys.push_back(key);
      origins.push_back({parent, event});
      slots[at] = static_cast<Number>(keys.size());
      size = keys.size();
      bytes = keys.capacity() * sizeof(Digest) + origins.capacity() * sizeof(Origin) +
              slots.capacity() * sizeof(Number);
      return {slots[at] - 1, true};
    }
    void grow() {
      slots.assign(slots.size() * 2, 0);
      for (std::size_t i = 0; i < keys.size(); ++i) {
        std::size_t at = keys[i].low & (slots.size() - 1);
        while (slots[at] != 0) at = (at + 1) & (slots.size() - 1);
        slots[at] = static_cast<Number>(i + 1);
      }
    }
  };

  [[nodiscard]] const Origin& origin(Number state) const {
    return shards_[state >> index_bits].origins[state & ((Number{1} << index_bits) - 1)];
  }

  std::array<Shard, 16> shards_;
};

}  // namespace holdfast::sim
