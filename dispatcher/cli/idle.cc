#include "dispatcher/cli/idle.h"

namespace holdfast::cli {

std::optional<std::string> idle(const Brain& brain) {
  const Knowledge& k = brain.knowledge;
  if (!k.full_look_done(brain.policy.shards) || !k.ledger_trouble.empty()) return std::nullopt;
  if (!brain.agenda.writes.empty() || brain.agenda.write_flying || !brain.agenda.busy.empty() ||
      !brain.agenda.queue.empty() || brain.agenda.claims_in_flight > 0)
    return std::nullopt;
  int free = 0, kept_back = 0, claimable = 0;
  for (const auto& [id, slot] : k.slots) {
    free += slot.state == SlotState::free ? 1 : 0;
    kept_back += slot.state == SlotState::quarantined ? 1 : 0;
  }
  for (const auto& [id, t] : k.tickets) {
    if (t.current() != nullptr) return std::nullopt;
    if (!t.board || t.board->state != BoardState::todo) continue;
    const auto wait = not_eligible(k, t, brain.policy);
    if (wait && wait->until.set()) return std::nullopt;  // it backs off, or an account rests: that passes
    claimable += wait ? 0 : 1;
  }
  if (claimable == 0) return "";
  if (free > 0) return std::nullopt;
  return std::to_string(claimable) + " tickets cannot be claimed: no worktree is free, " +
         std::to_string(kept_back) + " are quarantined; see `holdfast pool status`";
}

}  // namespace holdfast::cli
