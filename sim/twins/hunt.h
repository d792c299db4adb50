// How many seeds it takes to catch a twin, from several starts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/explore/seed_run.h"
#include "sim/twins/twin.h"

namespace holdfast::sim {

struct Hunt {
  std::vector<std::uint64_t>
      took;                     // seeds to the first catch by an invariant that the twin breaks, a start each
  int escaped = 0;              // starts from which it was not caught within the bound
  std::uint64_t by_others = 0;  // seeds at which only another invariant was broken
  std::uint64_t first_seed = 0;     // that caught it, from the first start
  std::optional<Violation> caught;  // there
  std::string others;               // names of the other invariants, where it was never caught

  [[nodiscard]] bool was_caught() const { return escaped == 0; }
  [[nodiscard]] std::uint64_t median() const { return at(50); }
  [[nodiscard]] std::uint64_t p95() const { return at(95); }

 private:
  [[nodiscard]] std::uint64_t at(unsigned percent) const;
};

struct HuntOptions {
  std::optional<Schedule> schedule;
  int starts = 5;
  std::uint64_t first = 1;  // of the first start; the next ones begin `apart` later
  std::uint64_t apart = 10'000;
  std::uint64_t most = 2'000;  // seeds from each start
};

Hunt hunt(const Twin&, const HuntOptions&);
SeedOptions options_for(const Twin&, std::optional<Schedule>);

}  // namespace holdfast::sim
