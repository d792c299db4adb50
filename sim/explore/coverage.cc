#include "sim/explore/coverage.h"

#include <algorithm>
#include <map>

namespace holdfast::sim {
namespace {

constexpr std::string_view phase_names[] = {"planned",  "newborn", "ready",  "running", "waiting",
                                            "finished", "lost",    "closed", "none"};

std::string in_columns(std::string_view first, const std::vector<std::string>& rest) {
  std::string line(first);
  line.resize(std::max<std::size_t>(line.size(), 6), ' ');
  for (const std::string& one : rest) line += std::string(one.size() < 10 ? 10 - one.size() : 1, ' ') + one;
  return line + "\n";
}

}  // namespace

std::string_view why_out_of_reach(FaultId, std::size_t) {
  return {};
}

std::vector<CoverageCell> coverage(const Tally& tally) {
  std::vector<CoverageCell> cells;
  for (std::size_t i = 1; i < fault_ids; ++i)
    for (std::size_t p = 0; p <= phases; ++p) {
      const auto id = static_cast<FaultId>(i);
      cells.push_back({id, phase_names[p], tally.fired_in[i][p], why_out_of_reach(id, p)});
    }
  return cells;
}

std::vector<std::string> never_seen(const Tally& tally) {
  std::vector<std::string> words;
  for (std::size_t i = 1; i < fault_ids; ++i) {
    const auto id = static_cast<FaultId>(i);
    if (fault(id).one_sided.empty() && tally.fired[i] == 0 && fault(id).actor != Actor::setting)
      words.push_back(std::string(name_of(id)) + " never fired: " + std::string(fault(id).title));
  }
  return words;
}

std::string coverage_table(const Tally& tally) {
  std::string out = in_columns("", {std::begin(phase_names), std::end(phase_names)});
  std::map<std::string_view, std::string> reasons;
  std::string gaps;
  std::vector<std::string> row;
  for (const CoverageCell& cell : coverage(tally)) {
    row.push_back(cell.fired > 0              ? std::to_string(cell.fired)
                  : cell.out_of_reach.empty() ? std::string("EMPTY")
                                              : std::string("-"));
    if (cell.fired == 0 && cell.out_of_reach.empty())
      gaps += " " + std::string(name_of(cell.fault)) + "/" + std::string(cell.phase);
    if (!cell.out_of_reach.empty())
      reasons[cell.out_of_reach] += " " + std::string(name_of(cell.fault)) + "/" + std::string(cell.phase);
    if (row.size() <= phases) continue;
    out += in_columns(name_of(cell.fault), row);
    row.clear();
  }
  out += gaps.empty() ? "every cell that can be reached was\n" : "empty, and can be reached:" + gaps + "\n";
  for (const auto& [why, cells] : reasons) out += std::string(why) + ":" + cells + "\n";
  return out;
}

}  // namespace holdfast::sim
