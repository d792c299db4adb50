// What to do next about one ticket. A function of what is known: level-triggered, no memory of its own.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "dispatcher/core/effects.h"
#include "dispatcher/core/knowledge.h"
#include "dispatcher/core/policy.h"
#include "dispatcher/core/rules.h"

namespace holdfast {

struct Plan {
  Rule rule = Rule::rest;
  std::string why;               // in words for a person: the rule, and what it waits for
  std::optional<Effect> effect;  // the next one; what follows depends on its answer
  Instant wake_at;  // not set: nothing is pending but news. Of a plan without effect, or with one by the way
};

// `ask_board` false: the board cannot be asked now (too many are asking it); what does not need it goes on.
Plan decide(const Knowledge&, const TicketId&, const Policy&, bool ask_board = true);

// Nothing is to be done before `wake_at` (not set: before there is news).
inline Plan resting(Rule rule, std::string why, Instant wake_at = {}) {
  return {rule, std::move(why), std::nullopt, wake_at};
}

// Linux takes no longer argument than 128 KiB, its end included.
inline constexpr std::size_t argument_bytes_max = (128U << 10) - 1;
// And no runner types a longer text (runner/paste.cc).
inline constexpr std::size_t pasted_bytes_max = 1U << 20;

// So often the worktree or the orders may fail before the attempt is given up.
inline constexpr int setup_failures_max = 4;

// So often a tmux server is asked who is attached before one acts without knowing: with the waits in between
// a quarter of an hour. A person's session is worth that.
inline constexpr int looks_in_vain_max = 40;

// --- parts, each in a file of its own
// --------------------------------------------------------------------------------

// Why a todo ticket cannot be claimed now; nothing: it can. Capacity is the scheduler's affair.
struct Wait {
  std::string why;
  Instant until;  // not set: until something changes
};
std::optional<Wait> not_eligible(const Knowledge&, const TicketKnowledge&, const Policy&);

RunnerSpec spec_for(const Attempt&, const BoardTicket&, const Profile&, const Policy&);
std::string prompt_text(const BoardTicket&, const Profile&);
// Why this profile cannot give this ticket's prompt to anybody; asked before a worker is started for it.
std::optional<std::string> too_long_to_give(const BoardTicket&, const Profile&);

// May the board be asked about this ticket now? Where not: why, and until when (not set: until its list was
// read).
std::optional<Wait> board_waits(const Knowledge&, const TicketKnowledge&);

Plan plan_pick_up(const Knowledge&, const TicketKnowledge&, const Policy&);
Plan plan_bring_up(const Knowledge&, const TicketKnowledge&, const Policy&);
Plan plan_messages(const Knowledge&, const TicketKnowledge&, const Policy&, Plan otherwise);
Plan plan_ending(const Knowledge&, const TicketKnowledge&, const Policy&);
Plan plan_closing(const Knowledge&, const TicketKnowledge&, const Policy&);
// Where the worker's output names its provider's limit and the account does not rest yet.
std::optional<Plan> plan_account_rest(const Knowledge&, const TicketKnowledge&, const Policy&, Rule);
Plan plan_settling(const Knowledge&, const TicketKnowledge&, const Policy&);

Containment containment_of(const Attempt&, const Sightings&);
Look look_at(const TicketKnowledge&,
             bool scan);  // the whole of its newest attempt, from where reading got to
BranchOrder branch_order(const Attempt&, const Policy&, bool with_slot);
int persons_attached(const Attempt&, const Sightings&);
const MessageSighting* sighting_of(const Sightings&, const MessageId&);

// Its last marker, where that was passed over because it may be our own text coming back.
// A word on its terminal that may be its prompt, and the prompt is not known: the ticket is to be read first.
bool last_word_unsure(const TicketKnowledge&, const Policy&);

std::optional<Marker> passed_over(const TicketKnowledge&, const Policy&);
inline constexpr Duration passed_over_shown_after = seconds(60);  // of silence

// The first marker that the ledger does not have yet and that is not our own text coming back.
std::optional<Marker> next_marker(const TicketKnowledge&, const Policy&);

}  // namespace holdfast
