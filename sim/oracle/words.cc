// The sentence of each invariant, as people read it in a report.
#include <algorithm>
#include <iterator>

#include "sim/oracle/oracle.h"

namespace holdfast::sim {
namespace {

struct Entry {
  std::string_view name, sentence;
};
constexpr std::array<Entry, invariants> entries{{
    {"S1",
     "a ticket whose runtime is alive, or may still be born, is never put back to todo by a dispatcher"},
    {"S2", "at most one runtime of a ticket lives, late effects counted"},
    {"S3", "a worktree has at most one owner"},
    {"S4", "a session name has at most one live runtime"},
    {"S5", "a write of an old generation changes nothing"},
    {"S6", "nothing is recorded dead that is not dead"},
    {"S7", "signals and session ends hit the attempt that they were meant for"},
    {"S8", "no commit is lost"},
    {"S9", "uncommitted changes are saved before they are destroyed"},
    {"S10", "an attempt's prompt is read at most once"},
    {"S11", "done and cancelled stay as they are; nothing is spawned for them"},
    {"S12", "nothing is spawned that the ledger has not announced"},
    {"S13", "a row that says running had its spawn accepted"},
    {"S14", "every slot is free, leased to an open attempt, or quarantined"},
    {"S15", "nothing outside the assigned worktree and the dispatcher's own refs is written"},
    {"S16", "the attempts of a ticket are bounded"},
    {"S17", "the rate of spawns is bounded"},
    {"S18", "a fault of one ticket changes no other ticket's outcome"},
    {"S19", "a conflict about one's own effect is never taken for a failure"},
    {"S20", "every change of a row is in the log with its cause"},
    {"S21", "done means landed: every commit of every attempt, and every salvage"},
    {"S22", "a recorded cause of death is the true one, or unknown"},
    {"S23", "a live runtime carries no failure"},
    {"S24", "a session with a person in it is neither typed into nor killed unasked"},
    {"L1", "every eligible ticket is claimed"},
    {"L2", "every death is noticed and handled"},
    {"L3", "slots, sessions and leases of the dead are given back"},
    {"L4", "a stranded branch is shown"},
    {"L5", "two dispatchers make progress"},
    {"L6", "after a crash the end is the same as without it"},
    {"L7", "every worker gets its prompt, or a person is told"},
    {"L8", "with nothing to do, writes stop"},
    {"L9", "after all sessions are lost, every ticket is accounted for"},
    {"M1", "the same seed gives the same digest"},
    {"M2", "every scheduled fault fired"},
    {"M3", "every invariant was at risk"},
    {"M4", "every invariant is broken by a twin"},
    {"M5", "what should sometimes happen did"},
}};

}  // namespace

std::string_view name_of(Invariant i) {
  return entries.at(static_cast<std::size_t>(i)).name;
}
std::string_view sentence_of(Invariant i) {
  return entries.at(static_cast<std::size_t>(i)).sentence;
}
std::optional<Invariant> invariant_named(std::string_view name) {
  const auto* const found = std::ranges::find(entries, name, &Entry::name);
  if (found == entries.end()) return std::nullopt;
  return static_cast<Invariant>(std::distance(entries.begin(), found));
}

}  // namespace holdfast::sim
