#include "dispatcher/hand/approve.h"

#include "dispatcher/core/decide.h"
#include "dispatcher/core/gate.h"
#include "dispatcher/core/markers.h"
#include "dispatcher/core/names.h"
#include "dispatcher/core/words.h"

namespace holdfast {
namespace {

constexpr std::size_t output_shown = 2000;

std::unexpected<Refusal> not_approved(int status, std::string code, std::string words) {
  return std::unexpected(Refusal{status, std::move(code), std::move(words)});
}

bool went(const RawReply& raw) {
  return raw.transport == Transport::answered && raw.code == 0;
}

Taken<BranchFacts> facts_of(Worktrees& worktrees, const Attempt& a, const Policy& policy) {
  auto facts = worktrees.inspect(branch_order(a, policy, false), policy.git_deadline);
  if (!went(facts.raw) || facts.value.has_commits == Tri::unknown || facts.value.stranded_known != Tri::yes)
    return not_approved(
        503, "not_known",
        "its branches could not be seen: " + (facts.raw.error.empty() ? facts.value.note : facts.raw.error) +
            (went(facts.raw) && facts.value.tip.empty()
                 ? "; if a pin below refs/holdfast/keep/" + a.id.ticket.value + "/g" +
                       std::to_string(a.id.generation.value) + "/ has its work: `git branch " +
                       a.branch.value + " <that ref>`"
                 : ""));
  return std::move(facts.value);
}

Taken<Nothing> land(const Attempt& a, const BranchFacts& facts, const BoardTicket& ticket,
                    Worktrees& worktrees, const Policy& policy) {
  const LandOrder order{a.id,
                        a.branch,
                        facts.tip,
                        policy.target,
                        policy.remote,
                        policy.check,
                        policy.check_timeout,
                        "Land " + a.id.ticket.value + ": " + printable(ticket.title, 200)};
  const auto landed = worktrees.land(order, Duration{policy.git_deadline.ms + policy.check_timeout.ms});
  if (!went(landed.raw))
    return not_approved(503, "not_known", "whether it was landed is not known: " + landed.raw.error);
  const std::string output = printable(landed.value.output, output_shown);
  switch (landed.value.answer) {
    case LandAnswer::landed:
    case LandAnswer::already_landed: return Nothing{};
    case LandAnswer::parked: return not_approved(409, "ready_to_land", "ready to land: " + landed.value.note);
    case LandAnswer::conflict: return not_approved(409, "land_conflict", "landing conflicts: " + output);
    case LandAnswer::check_failed:
      return not_approved(409, "check_failed", "the check failed before landing: " + output);
    case LandAnswer::moved:
      return not_approved(409, "target_moved", "the target kept moving: " + landed.value.note);
  }
  __builtin_unreachable();
}

Memory memory_of(const LedgerContents& contents, const TicketId& id) {
  for (const TicketLedger& one : contents.tickets)
    if (one.memory.ticket == id) return one.memory;
  return {};
}

// What could not be saved lies in a slot that is set apart.
Taken<Nothing> nothing_unsaved(const LedgerContents& contents, const TicketId& id) {
  for (const Slot& slot : contents.slots)
    if (slot.state == SlotState::quarantined && slot.holder.ticket == id)
      return not_approved(409, "unsaved",
                          "work of " + attempt_key(slot.holder) + " lies unsaved in " + slot.path +
                              ": save or discard it there, then `holdfast pool gc`");
  return Nothing{};
}

Taken<Nothing> nothing_stranded(const BranchFacts& facts, const Memory& memory, const TicketId& id) {
  const auto stranded = stranded_of(facts, memory);
  if (stranded.empty()) return Nothing{};
  return not_approved(409, "stranded",
                      stranded.front().ref +
                          " has commits that are not on the target; land it, or `holdfast ticket waive " +
                          id.value + " " + stranded.front().ref + "`");
}

// In review; or finished, and blocked because it could not be landed: whoever has resolved that says so.
bool waits_for_a_word(BoardState state, const Attempt* newest) {
  const bool finished = newest != nullptr && newest->said != Said::nothing;
  return state == BoardState::in_review || (state == BoardState::blocked && finished);
}

}  // namespace

Taken<Approved> approve(const Hand& hand, Worktrees& worktrees, const Policy& policy, const TicketId& id,
                        const std::string& reason) {
  const auto page = hand.desk.show(id);
  if (!page) return std::unexpected(refusal_of(page.error()));
  const BoardTicket& ticket = page->ticket;
  const auto attempts = hand.ledger.attempts_of(id);
  if (!went(attempts.raw)) return std::unexpected(refusal_of(attempts.raw));
  const Attempt* newest = attempts.value.empty() ? nullptr : &attempts.value.back();
  if (!waits_for_a_word(ticket.state, newest))
    return not_approved(409, "not_in_review",
                        id.value + " is not in review, it is " + words_for(ticket.state));
  if (newest != nullptr && newest->open())
    return not_approved(409, "runtime_open", attempt_key(newest->id) + " is still open");

  std::string how = "has no commits";
  if (newest != nullptr && !newest->base.empty()) {
    auto facts = facts_of(worktrees, *newest, policy);
    if (!facts) return std::unexpected(facts.error());
    const auto contents = hand.ledger.load();
    if (!went(contents.raw)) return std::unexpected(refusal_of(contents.raw));
    if (const auto saved = nothing_unsaved(contents.value, id); !saved) return std::unexpected(saved.error());
    const Memory memory = memory_of(contents.value, id);
    // Before anything is landed, or the target would have moved for a ticket that is not done.
    if (const auto whole = nothing_stranded(*facts, memory, id); !whole)
      return std::unexpected(whole.error());
    if (seen_landed(*facts, memory)) {
      how = "is on the target already";
    } else if (facts->has_commits == Tri::yes && facts->ancestor_of_target != Tri::yes &&
               facts->equal_patch_on_target != Tri::yes) {
      if (const auto done = land(*newest, *facts, ticket, worktrees, policy); !done)
        return std::unexpected(done.error());
      facts = facts_of(worktrees, *newest, policy);
      if (!facts) return std::unexpected(facts.error());
      how = "landed: " + describe(*facts);
    }
    if (const auto whole = nothing_stranded(*facts, memory, id); !whole)
      return std::unexpected(whole.error());
  }
  const std::string words = "approved by " + hand.by + (reason.empty() ? "" : ": " + reason) + "; " + how;
  // The dispatcher may have seen it landed and moved it meanwhile; everything else is somebody's word.
  const auto moved = hand.desk.move(id, BoardState::done, words, hand.by, hand.now, ticket.version);
  if (moved) return Approved{*moved, how};
  if (const auto now = hand.desk.show(id); now && now->ticket.state == BoardState::done)
    return Approved{now->ticket, how};
  return std::unexpected(refusal_of(moved.error()));
}

}  // namespace holdfast
