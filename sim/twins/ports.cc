// Twins whose defect is in a port: the simulated tmux, git, ledger or record folder is built wrongly.
#include "sim/twins/tools.h"

namespace holdfast::sim {
namespace {

using enum Invariant;

// The dispatcher names no session by its id, as one does that only knows names.
void by_name_alone(TwinMind, std::vector<Effect>& effects) {
  replace<EndSession>(effects, [](EndSession& e) -> std::optional<Effect> {
    e.session_id.clear();
    return std::nullopt;
  });
}

// Whoever has died is signalled once more before it is closed, to be sure.
void signal_the_dead(TwinMind mind, std::vector<Effect>& effects) {
  for_open(mind, [&](TicketKnowledge& t, const Attempt& a) {
    if (a.phase != Phase::lost || mind.marked.contains(a.id)) return;
    if (leaves(mind, effects, EndTree{containment_of(a, t.seen), EndSignal::kill})) mind.marked.insert(a.id);
  });
}

void nothing_is_pinned(TwinMind mind) {
  for_open(mind, [](TicketKnowledge& t, const Attempt&) { t.work.pinned = true; });
}
void everything_is_clean(TwinMind, Answer& answer) {
  if (auto* facts = std::get_if<BranchFacts>(&answer.value)) facts->uncommitted = facts->untracked = Tri::no;
}

Defects with(bool Defects::* which) {
  Defects d;
  d.*which = true;
  return d;
}

}  // namespace

std::vector<Twin> twins_of_the_ports() {
  return {
      {"prefix-match",
       "a session is ended by the beginning of its name",
       "measured",
       {S7},
       {.effects = by_name_alone},
       with(&Defects::sessions_by_prefix)},
      {"no-fence",
       "the ledger takes writes of old generations",
       "ever-works#2364",
       {S5},
       {},
       with(&Defects::ledger_without_fence)},
      {"sealed-starts-anyway",
       "a runner starts its worker, whatever the decision file says",
       "github-symphony#517",
       {S2, S4, S6},
       {},
       with(&Defects::decision_not_exclusive)},
      {"kill-by-pid",
       "a pid is signalled, whoever has it now",
       "known",
       {S7},
       {.effects = signal_the_dead},
       with(&Defects::kill_by_bare_pid)},
      {"release-without-recheck",
       "a worktree is given back over new changes",
       "stablyai/orca#2927",
       {S9},
       {},
       with(&Defects::release_without_recheck)},
      {"remove-with-force",
       "a worktree is removed with force, without a look into it",
       "kirodotdev/KiroCrew#1554",
       {S9},
       {.answer = everything_is_clean},
       with(&Defects::release_without_recheck)},
      {"inbox-without-ids",
       "a message that is posted twice is handed over twice",
       "oh-my-openagent#8579",
       {S10},
       {},
       with(&Defects::inbox_without_ids)},
      {"land-without-compare",
       "the target is set, whatever it was",
       "ever-works#2364",
       {S8, S15},
       {},
       with(&Defects::land_without_compare)},
      {"slot-lock-ignored",
       "a slot is used while a late git still works in it",
       "stella#6135",
       {S3, S8, S9, S14},
       {},
       with(&Defects::slot_lock_ignored)},
      {"salvage-skips-some",
       "the last change is not in the salvage",
       "agent-orchestrator#1926",
       {S9},
       {},
       [] {
         Defects d = with(&Defects::salvage_skips_untracked);
         d.release_without_recheck = true;  // else the release itself would find it
         return d;
       }()},
      {"empty-branch-is-merged",
       "a branch without commits counts as merged",
       "harness-engineering#165",
       {S21},
       {},
       with(&Defects::branch_facts_without_commits_landed)},
      {"gone-branch-is-merged",
       "a branch that is gone was merged",
       "claude-code#94045",
       {S21},
       {},
       with(&Defects::gone_upstream_counts_as_landed)},
      {"dirty-worktree",
       "a worktree is reused as it is",
       "agent-orchestrator#1926",
       {S9},
       {},
       [] {
         Defects d = with(&Defects::prepare_over_dirty);
         return d;
       }()},
      {"main-checkout",
       "what the pool does not give is done in the main checkout",
       "the founding incident",
       {S15},
       {},
       with(&Defects::prepare_in_main_checkout)},
      {"branch-goes-with-worktree",
       "a worktree that is given back takes its branch along",
       "stablyai/orca#2927",
       {S8},
       {.knowledge = nothing_is_pinned},
       with(&Defects::release_deletes_branch)},
      {"no-log", "rows change without a line in the log", "", {S20}, {}, with(&Defects::ledger_without_log)},
      {"claim-over-open",
       "a claim overwrites an open attempt",
       "eltmon/overdeck#2898",
       {S2, S14},
       {},
       with(&Defects::claim_over_open)},
      {"same-slot-twice",
       "a slot is handed out while it is leased",
       "firstmate#3365",
       {S3, S14},
       {},
       with(&Defects::claim_takes_any_slot)},
      {"forgotten-lease",
       "a closed attempt keeps its slot",
       "firstmate#4615",
       {S14, L3},
       {},
       with(&Defects::close_keeps_lease)},
  };
}

}  // namespace holdfast::sim
