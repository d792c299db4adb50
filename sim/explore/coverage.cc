#include "sim/explore/coverage.h"

#include <algorithm>
#include <map>

namespace holdfast::sim {
namespace {

constexpr std::string_view phase_names[] = {"planned",  "newborn", "ready",  "running", "waiting",
                                            "finished", "lost",    "closed", "none"};

constexpr std::string_view attempts = "planned newborn ready running waiting finished lost closed";
constexpr std::string_view workers = "C1 C14 D10 D11 D12 G1 G2 G3 G4 G5 G6";

// Cells that can never be reached. A call that was asked for in one phase may take hold in any later one (its
// dispatcher stood still, another went on); so a phase is out of reach only before the call can be asked for.
struct Never {
  std::string_view faults, phases, why;
};
constexpr Never nevers[] = {
    {"C11", attempts, "processes have no names in the simulated table"},
    {"C11", "none", "processes have no names in the simulated table"},
    {"E5", attempts, "the simulated ledger has no schema"},
    {"E5", "none", "the simulated ledger has no schema"},
    {"A11 C2 C15 D3 D8 D9 E1 E2 E3 E4 E6 E7 E8 E9 F1 F2 F3 F4 F5", attempts,
     "it strikes the installation, no attempt"},
    {"A5 A12 B1 B2 B4 B5 B8 B9 C1 C3 C4 C5 C6 C7 C9 C12 C13 C14 D2 D5 D6 D7 D10 D11 D12 D13 D14 D15 F6 F7 "
     "G1 G2 G3 G4 G5 G6",
     "none", "it strikes an attempt"},
    {"C12", "planned", "no worker is born before its row says newborn"},
    {workers, "planned", "no worker is born before its row says newborn"},
    {workers, "lost closed", "a death is recorded when nothing lives any more"},
    {"B9 C13", "planned newborn", "a message is posted to what is ready"},
    {"C9 D2 D13", "planned newborn ready running waiting", "it strikes what is done after a death"},
    {"D14", "planned newborn ready running waiting lost", "only what has finished is landed"},
    {"G2", "ready running waiting finished", "it fails before it is ready"},
    {"G1 G3 G4 G5 G6", "finished", "by then it has said so"},
};

bool has_word(std::string_view words, std::string_view word) {
  for (std::size_t at = words.find(word); at != std::string_view::npos; at = words.find(word, at + 1)) {
    const bool begins = at == 0 || words[at - 1] == ' ';
    const std::size_t end = at + word.size();
    if (begins && (end == words.size() || words[end] == ' ')) return true;
  }
  return false;
}

std::string in_columns(std::string_view first, const std::vector<std::string>& rest) {
  std::string line(first);
  line.resize(std::max<std::size_t>(line.size(), 6), ' ');
  for (const std::string& one : rest) line += std::string(one.size() < 10 ? 10 - one.size() : 1, ' ') + one;
  return line + "\n";
}

}  // namespace

std::string_view why_out_of_reach(FaultId id, std::size_t phase) {
  for (const Never& never : nevers)
    if (has_word(never.faults, name_of(id)) && has_word(never.phases, phase_names[phase])) return never.why;
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
