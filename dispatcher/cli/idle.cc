#include "dispatcher/cli/idle.h"

#include <algorithm>

#include "dispatcher/core/decide.h"

namespace holdfast::cli {
namespace {

// A ticket in review is looked at again and again until a person lands it, and with many of them some look is
// always under way. Each is waited for once: what is landed already is found, and what it lets go on is
// begun.
bool reviewed_before(const TicketKnowledge& t) {
  return t.board && t.board->state == BoardState::in_review && t.current() == nullptr &&
         (t.newest == std::nullopt || t.work.reviewed_at.set());
}

bool only_reviews_again(const Brain& brain, const TicketId& id) {
  const auto found = brain.knowledge.tickets.find(id);
  if (found == brain.knowledge.tickets.end() || !reviewed_before(found->second)) return false;
  if (brain.agenda.busy.contains(id)) return brain.agenda.reviewing.contains(id);
  const auto next = decide(brain.knowledge, id, brain.policy).effect;
  return !next || std::holds_alternative<InspectBranch>(*next);
}

}  // namespace

std::optional<std::string> idle(const Brain& brain) {
  const Knowledge& k = brain.knowledge;
  if (!k.full_look_done(brain.policy.shards) || !k.ledger_trouble.empty()) return std::nullopt;
  const auto reviews = [&](const TicketId& id) { return only_reviews_again(brain, id); };
  if (!brain.agenda.writes.empty() || brain.agenda.write_flying ||
      !std::ranges::all_of(brain.agenda.busy, reviews) || !std::ranges::all_of(brain.agenda.queue, reviews) ||
      brain.agenda.claims_in_flight > 0)
    return std::nullopt;
  int free = 0, kept_back = 0, claimable = 0;
  for (const auto& [id, slot] : k.slots) {
    free += slot.state == SlotState::free ? 1 : 0;
    kept_back += slot.state == SlotState::quarantined ? 1 : 0;
  }
  for (const auto& [id, t] : k.tickets) {
    if (t.current() != nullptr) return std::nullopt;
    if (!t.board) continue;
    if (t.board->state == BoardState::in_review && !reviewed_before(t)) return std::nullopt;
    if (t.board->state != BoardState::todo) continue;
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
