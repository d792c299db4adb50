// From a state without any more faults: does it come to rest, with everything accounted for? What happens
// then is one path, so a state on a path that ended well is good for ever.
#pragma once

#include <array>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "sim/base/digest.h"
#include "sim/oracle/oracle.h"
#include "sim/world/world.h"

namespace holdfast::sim {

class FairEnds {
 public:
  // Empty: it does. Several threads may ask at once.
  std::vector<Violation> check(World w);
  // The same, with everything that happens in words.
  static std::vector<Violation> tell(World w, std::vector<std::string>& names);
  [[nodiscard]] std::uint64_t size() const;
  [[nodiscard]] std::uint64_t bytes() const;

 private:
  struct Shard {
    mutable std::mutex mutex;
    std::vector<Digest> slots = std::vector<Digest>(1U << 10, none);
    std::size_t used = 0;
  };
  static constexpr Digest none{0, 0};
  [[nodiscard]] bool known(const Digest&) const;
  void add(const Digest&);
  std::array<Shard, 16> shards_;
};

}  // namespace holdfast::sim
