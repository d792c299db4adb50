// Twins whose defect shows in no single state: a neighbour that suffers, dispatchers that do not hear of each
// other, a restart that leaves a trace, one of many that is forgotten.
#include "dispatcher/core/names.h"
#include "sim/twins/tools.h"

namespace holdfast::sim {
namespace {

using enum Invariant;

// --- S18

// A worker has died: who knows what the others on this host are worth now.
void end_the_neighbours(TwinMind mind, std::vector<Effect>& effects) {
  std::set<AttemptId> dying;
  for (const Effect& effect : effects)
    if (const auto* write = std::get_if<WriteLedger>(&effect))
      if (const auto* lost = std::get_if<RecordLost>(&write->write)) dying.insert(lost->attempt);
  for_open(mind, [&](TicketKnowledge& t, const Attempt& a) {
    if (a.cause != Cause::none || dying.contains(a.id)) return;
    if (!dying.empty()) mind.marked.insert(a.id);
    const bool at_work = a.phase == Phase::ready || a.phase == Phase::running;
    if (!at_work || !mind.marked.contains(a.id)) return;
    if (leaves(mind, effects, EndTree{containment_of(a, t.seen), EndSignal::term})) mind.marked.erase(a.id);
  });
}

// --- L5

void others_write_nothing(TwinMind, Answer& answer) {
  auto* contents = std::get_if<LedgerContents>(&answer.value);
  if (contents && std::holds_alternative<ReadLedgerChanges>(answer.effect)) contents->tickets.clear();
}

void mark_own_claims(TwinMind mind, Answer& answer) {
  const auto* write = std::get_if<WriteLedger>(&answer.effect);
  const auto* delta = std::get_if<LedgerDelta>(&answer.value);
  if (write && std::holds_alternative<Claim>(write->write) && delta && delta->attempt)
    mind.marked.insert(delta->attempt->id);
}
// A claim of somebody else's that has led to nothing yet is an orphan.
void give_up_others(TwinMind mind, std::vector<Effect>& effects) {
  for_open(mind, [&](TicketKnowledge&, const Attempt& a) {
    if (a.phase != Phase::planned || a.step != Step::claimed || mind.marked.contains(a.id)) return;
    if (const auto certificate = certify(a, {}, mind.now))
      leaves(mind, effects, WriteLedger{RecordLost{a.id, *certificate}});
  });
}

// --- L6

// A dispatcher that has just started ends what it finds running, to begin with a clean table.
void mark_what_ran_before(TwinMind mind, Answer& answer) {
  const auto* contents = std::get_if<LedgerContents>(&answer.value);
  if (contents == nullptr || !std::holds_alternative<LoadLedger>(answer.effect)) return;
  for (const TicketLedger& t : contents->tickets)
    if (t.newest && t.newest->open()) mind.marked.insert(t.newest->id);
}
void end_what_ran_before(TwinMind mind, std::vector<Effect>& effects) {
  for_open(mind, [&](TicketKnowledge& t, const Attempt& a) {
    const bool at_work = a.phase == Phase::ready || a.phase == Phase::running;
    if (!at_work || a.cause != Cause::none || !mind.marked.contains(a.id)) return;
    if (leaves(mind, effects, EndTree{containment_of(a, t.seen), EndSignal::term})) mind.marked.erase(a.id);
  });
}

// --- L9

// The last one of those that went with a server is not in the list that is worked through.
void mark_the_last_of_many(TwinMind mind, Answer& answer) {
  const auto* listing = std::get_if<ServerListing>(&answer.value);
  if (listing == nullptr) return;
  std::vector<AttemptId> lost;
  for_open(mind, [&](TicketKnowledge&, const Attempt& a) {
    if (a.shard == listing->shard && a.server.known() && a.server != listing->server &&
        a.cause == Cause::none)
      lost.push_back(a.id);
  });
  if (lost.size() > 1) mind.marked.insert(lost.back());
}
void leave_out_the_last(TwinMind mind, std::vector<Effect>& effects) {
  const auto instead = [&](const auto& w) -> std::optional<Effect> {
    if (!mind.marked.contains(w.attempt)) return std::nullopt;
    return ReadTicket{w.attempt.ticket};
  };
  replace_write<RecordLost>(effects, instead);
  replace_write<RecordDeath>(effects, instead);
}

}  // namespace

std::vector<Twin> twins_of_whole_runs() {
  return {
      {"ends-the-neighbours",
       "when a worker dies, those beside it are ended too",
       "",
       {S18},
       {.effects = end_the_neighbours},
       {}},
      {"others-write-nothing",
       "what another dispatcher writes into the ledger is not read",
       "agent-orchestrator#3805",
       {L5},
       {.answer = others_write_nothing},
       {}},
      {"claims-in-turn",
       "a claim of another dispatcher's is taken for an orphan's",
       "overdeck#2898",
       {L5},
       {.answer = mark_own_claims, .effects = give_up_others},
       {}},
      {"restart-ends-all",
       "a restart ends what it finds running, to begin with a clean table",
       "",
       {L6},
       {.answer = mark_what_ran_before, .effects = end_what_ran_before},
       {}},
      {"one-of-many-is-forgotten",
       "of several sessions that went with their server, the last one is forgotten",
       "overdeck#3539",
       {L9},
       {.answer = mark_the_last_of_many, .effects = leave_out_the_last},
       {}},
  };
}

}  // namespace holdfast::sim
