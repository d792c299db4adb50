// The fingerprints of all states seen, each with the number of the state and how it was first reached. Open
// addressing over one flat array: about 50 bytes a state, all told.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "sim/base/digest.h"
#include "sim/world/event.h"

namespace holdfast::sim {

class StateSet {
 public:
  struct Origin {
    std::uint32_t parent = 0;
    Event event;
  };

  StateSet() : slots_(1U << 16) {}

  // The state's number, and whether it is new.
  std::pair<std::uint32_t, bool> insert(const Digest& key, std::uint32_t parent, const Event& event) {
    if ((origins_.size() + 1) * 10 > slots_.size() * 6) grow();
    std::size_t at = key.low & (slots_.size() - 1);
    while (slots_[at].number != 0) {
      if (slots_[at].key == key) return {slots_[at].number - 1, false};
      at = (at + 1) & (slots_.size() - 1);
    }
    origins_.push_back({parent, event});
    slots_[at] = {key, static_cast<std::uint32_t>(origins_.size())};
    return {static_cast<std::uint32_t>(origins_.size()) - 1, true};
  }

  [[nodiscard]] std::uint64_t size() const { return origins_.size(); }
  [[nodiscard]] std::uint64_t bytes() const {
    return slots_.capacity() * sizeof(Slot) + origins_.capacity() * sizeof(Origin);
  }

  // The events from the first state to this one.
  [[nodiscard]] std::vector<Event> path_to(std::uint32_t state) const {
    std::vector<Event> path;
    for (std::uint32_t at = state; at != 0; at = origins_[at].parent) path.push_back(origins_[at].event);
    return {path.rbegin(), path.rend()};
  }

 private:
  struct Slot {
    Digest key;
    std::uint32_t number = 0;  // 0: empty
  };

  void grow() {
    std::vector<Slot> old(slots_.size() * 2);
    old.swap(slots_);
    for (const Slot& slot : old) {
      if (slot.number == 0) continue;
      std::size_t at = slot.key.low & (slots_.size() - 1);
      while (slots_[at].number != 0) at = (at + 1) & (slots_.size() - 1);
      slots_[at] = slot;
    }
  }

  std::vector<Slot> slots_;
  std::vector<Origin> origins_;
};

}  // namespace holdfast::sim
