#include "sim/explore/fair_ends.h"

#include <algorithm>
#include <functional>

#include "sim/explore/fair.h"
#include "sim/explore/moves.h"
#include "sim/world/key.h"
#include "sim/world/names.h"

namespace holdfast::sim {
namespace {

constexpr int patience = 20'000;

// Nothing but looking has happened since: for longer than any wait of the policy, also the far ones.
Duration quiet_for(const World& w) {
  return w.setup->far ? minutes(std::int64_t{60} * 24 * 30) : minutes(30);
}

// Walks the fair path. `stop_at` is asked after every step in which something happened.
std::vector<Violation> walk(World& w, const std::function<void(const Event&)>& before,
                            const std::function<bool()>& stop_at) {
  Instant quiet_since = w.now;
  Findings findings;
  for (int i = 0; i < patience; ++i) {
    const auto e = next_fair(w, quiet_since + quiet_for(w));
    if (!e) {
      check_liveness(w, findings);
      return findings.violations;
    }
    before(*e);
    step(w, *e);
    check_safety(w, findings);
    if (!findings.violations.empty()) return findings.violations;
    const bool anything = w.happened.anything;
    forget_what_tells_nothing(w);
    if (!anything) continue;
    quiet_since = w.now;
    if (stop_at()) return {};
  }
  findings.broken(Invariant::L8, {}, "it never comes to rest");
  return findings.violations;
}

// What might still have gone wrong is not asked any more.
void heal_for_good(World& w) {
  heal(w);
  w.faults_left = w.crashes_left = w.persons_left = 0;
  forget_what_tells_nothing(w);
}

}  // namespace

// A state of this very path is not yet known to be good: one that goes round in circles runs out of patience.
// So does one that meets a path which somebody else is still walking.
std::vector<Violation> FairEnds::check(World w) {
  heal_for_good(w);
  const Digest first = key_of(w);
  if (known(first)) return {};
  std::vector<Digest> path{first};
  auto bad = walk(
      w, [](const Event&) {},
      [&] {
        const Digest key = key_of(w);
        if (known(key)) return true;
        path.push_back(key);
        return false;
      });
  if (bad.empty())
    for (const Digest& key : path) add(key);
  return bad;
}

std::vector<Violation> FairEnds::tell(World w, std::vector<std::string>& names) {
  heal_for_good(w);
  return walk(w, [&](const Event& e) { names.push_back(name_of(w, e)); }, [] { return false; });
}

bool FairEnds::known(const Digest& key) const {
  const Shard& shard = shards_[key.high >> 60U];
  const std::scoped_lock lock(shard.mutex);
  for (std::size_t at = key.low & (shard.slots.size() - 1); shard.slots[at] != none;
       at = (at + 1) & (shard.slots.size() - 1))
    if (shard.slots[at] == key) return true;
  return false;
}

void FairEnds::add(const Digest& key) {
  Shard& shard = shards_[key.high >> 60U];
  const std::scoped_lock lock(shard.mutex);
  const auto put = [](std::vector<Digest>& slots, const Digest& one) {
    std::size_t at = one.low & (slots.size() - 1);
    while (slots[at] != none && slots[at] != one) at = (at + 1) & (slots.size() - 1);
    const bool fresh = slots[at] == none;
    slots[at] = one;
    return fresh;
  };
  if ((shard.used + 1) * 10 > shard.slots.size() * 7) {
    std::vector<Digest> wider(shard.slots.size() * 2, none);
    for (const Digest& one : shard.slots)
      if (one != none) put(wider, one);
    shard.slots.swap(wider);
  }
  if (put(shard.slots, key)) shard.used += 1;
}

std::uint64_t FairEnds::size() const {
  std::uint64_t n = 0;
  for (const Shard& shard : shards_) {
    const std::scoped_lock lock(shard.mutex);
    n += shard.used;
  }
  return n;
}

std::uint64_t FairEnds::bytes() const {
  std::uint64_t n = 0;
  for (const Shard& shard : shards_) {
    const std::scoped_lock lock(shard.mutex);
    n += shard.slots.capacity() * sizeof(Digest);
  }
  return n;
}

}  // namespace holdfast::sim
