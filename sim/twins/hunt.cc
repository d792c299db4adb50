#include "sim/twins/hunt.h"

#include <algorithm>
#include <set>

namespace holdfast::sim {

std::uint64_t Hunt::at(unsigned percent) const {
  if (took.empty()) return 0;
  std::vector<std::uint64_t> order = took;
  std::ranges::sort(order);
  return order[(order.size() - 1) * percent / 100];
}

SeedOptions options_for(const Twin& twin, std::optional<Schedule> schedule) {
  SeedOptions options;
  options.maker = maker_of(twin);
  options.defects = twin.defects;
  options.schedule = schedule;
  return options;
}

Hunt hunt(const Twin& twin, const HuntOptions& how) {
  Hunt result;
  const SeedOptions options = options_for(twin, how.schedule);
  std::set<Invariant> others;
  for (int i = 0; i < how.starts; ++i) {
    const std::uint64_t start = how.first + static_cast<std::uint64_t>(i) * how.apart;
    bool caught = false;
    for (std::uint64_t n = 1; n <= how.most && !caught; ++n) {
      Tally tally;
      const SeedResult run = run_seed(start + n - 1, options, tally);
      const auto named = std::ranges::find_if(run.violations, [&](const Violation& v) {
        return std::ranges::find(twin.breaks, v.invariant) != twin.breaks.end();
      });
      if (named != run.violations.end()) {
        caught = true;
        result.took.push_back(n);
        if (!result.caught) {
          result.caught = *named;
          result.first_seed = start + n - 1;
        }
      } else if (!run.violations.empty()) {
        result.by_others += 1;
        for (const Violation& v : run.violations) others.insert(v.invariant);
      }
    }
    if (!caught) {
      result.escaped += 1;
      result.took.push_back(how.most);
    }
  }
  for (const Invariant i : others)
    result.others += (result.others.empty() ? "" : " ") + std::string(name_of(i));
  return result;
}

}  // namespace holdfast::sim
