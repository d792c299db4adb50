// Twins of the way from a death to a ticket that is accounted for: ending, judging, budgets, the board.
#include "dispatcher/core/names.h"
#include "sim/twins/tools.h"

namespace holdfast::sim {
namespace {

using enum Invariant;

// --- ending

void end_the_session_first(TwinMind mind, std::vector<Effect>& effects) {
  replace<EndTree>(effects, [&](const EndTree& e) -> std::optional<Effect> {
    const Attempt* a = newest_of(mind, e.containment.attempt.ticket);
    if (!a || a->id != e.containment.attempt || !a->server.known()) return std::nullopt;
    if (!mind.marked.insert(a->id).second) return std::nullopt;
    return EndSession{a->server, a->session, a->session_id, a->id};
  });
}
void leave_the_session(TwinMind mind) {
  for_open(mind, [](TicketKnowledge& t, const Attempt&) { t.work.session_ended = true; });
}

// --- what an echo says

void believe_the_echo(TwinMind mind, std::vector<Effect>& effects) {
  for_open(mind, [&](TicketKnowledge& t, const Attempt& a) {
    if (!says_live(a.phase) || a.cause != Cause::none) return;
    for (const Marker& marker : t.reader.markers())
      if (marker.kind == Said::done && a.said != Said::done &&
          marker.offset > said_position(a.said_offset).stream) {
        leaves(mind, effects,
               WriteLedger{RecordFinished{a.id, Said::done, marker.text, said_offset({0, marker.offset})}});
        return;
      }
  });
}
void a_commit_is_a_done(TwinMind mind, std::vector<Effect>& effects) {
  replace_write<RecordLost>(effects, [&](const RecordLost& w) -> std::optional<Effect> {
    const Attempt* a = newest_of(mind, w.attempt.ticket);
    if (!a || a->id != w.attempt || a->phase == Phase::planned || w.certificate.cause() != Cause::clean_exit)
      return std::nullopt;
    return WriteLedger{RecordFinished{a->id, Said::done, "it exited", a->said_offset + 1}};
  });
}

// --- the gate

void done_without_gate(TwinMind mind, std::vector<Effect>& effects) {
  replace_write<Close>(effects, [&](Close& w) -> std::optional<Effect> {
    const Attempt* a = newest_of(mind, w.attempt.ticket);
    if (a && a->said == Said::done && w.disposition) w.disposition = BoardState::done;
    return std::nullopt;
  });
}
void commits_are_done(TwinMind mind, std::vector<Effect>& effects) {
  replace_write<Close>(effects, [&](Close& w) -> std::optional<Effect> {
    const auto& t = mind.brain.knowledge.tickets[w.attempt.ticket];
    if (t.work.facts && t.work.facts->has_commits == Tri::yes && w.disposition)
      w.disposition = BoardState::done;
    return std::nullopt;
  });
}
void other_branches_do_not_count(TwinMind, Answer& answer) {
  if (auto* facts = std::get_if<BranchFacts>(&answer.value)) facts->stranded.clear();
}
void salvage_does_not_count(TwinMind mind, std::vector<Effect>& effects) {
  replace_write<Close>(effects, [&](Close& w) -> std::optional<Effect> {
    const auto& t = mind.brain.knowledge.tickets[w.attempt.ticket];
    const bool landed =
        t.work.facts && t.work.facts->has_commits == Tri::yes && t.work.facts->ancestor_of_target == Tri::yes;
    if (landed && w.disposition && !w.salvage_refs.empty()) w.disposition = BoardState::done;
    return std::nullopt;
  });
}

// --- budgets

void without_limit(Policy& p) {
  p.attempts_max = p.free_deaths_max = p.setup_failures_max = 1000;
  p.breaker_deaths = 1 << 20;
  p.backoff_first = p.backoff_max = seconds(1);
}
void without_backoff(Policy& p) {
  p.attempts_max += 6;
  p.breaker_deaths = 1 << 20;
  p.backoff_first = p.backoff_max = {0};
  p.spawns_per_second = 1000;
}
void backoff_in_the_wrong_unit(Policy& p) {
  p.backoff_first = {p.backoff_first.ms * 1'000'000};
  p.backoff_max = {p.backoff_max.ms * 1'000'000};
}
void charge_every_death(TwinMind, std::vector<Effect>& effects) {
  replace_write<Close>(effects, [&](Close& w) -> std::optional<Effect> {
    if (w.memory.free_deaths > 0) w.memory.charged += std::exchange(w.memory.free_deaths, 0);
    return std::nullopt;
  });
}

// --- the board

void drift_is_permission(TwinMind mind, std::vector<Effect>& effects) {
  for_open(mind, [&](TicketKnowledge& t, const Attempt& a) {
    if (says_live(a.phase) && t.board && t.board->state == BoardState::todo && a.cause == Cause::none)
      leaves(mind, effects, recorded_lost(mind, a, Cause::unknown));
  });
}
void move_what_is_over(TwinMind mind, std::vector<Effect>& effects) {
  replace_write<Settle>(effects, [&](const Settle& w) -> std::optional<Effect> {
    const auto& t = mind.brain.knowledge.tickets[w.attempt.ticket];
    if (!t.board || !mind.marked.insert(w.attempt).second) return std::nullopt;
    if (t.board->state != BoardState::cancelled && t.board->state != BoardState::done) return std::nullopt;
    return MoveTicket{w.attempt.ticket, t.board->version, BoardState::blocked, "its attempt has ended",
                      "twin"};
  });
}
void cancelled_is_todo(TwinMind mind) {
  for (auto& [id, t] : mind.brain.knowledge.tickets) {
    if (!t.board || t.board->state != BoardState::cancelled || t.current() != nullptr) continue;
    t.board->state = BoardState::todo;
    mind.brain.agenda.look_for_claims = true;
  }
}
void settle_without_telling(TwinMind mind, std::vector<Effect>& effects) {
  const auto settle = [&](const TicketId& id) -> std::optional<Effect> {
    const Attempt* a = newest_of(mind, id);
    if (!a || a->open()) return std::nullopt;
    return WriteLedger{Settle{a->id}};
  };
  replace<MoveTicket>(effects, [&](const MoveTicket& e) { return settle(e.ticket); });
  replace<ReturnToTodo>(effects,
                        [&](const ReturnToTodo& e) { return settle(e.certificate.attempt().ticket); });
}
void forget_who_moved_it(TwinMind mind) {
  for (auto& [id, t] : mind.brain.knowledge.tickets)
    if (t.board && t.newest && !t.newest->open()) t.board->moved_by = "somebody";
}
void back_to_todo_while_ending(TwinMind mind, std::vector<Effect>& effects) {
  for_open(mind, [&](TicketKnowledge& t, const Attempt& a) {
    const bool stopping = a.ending != Ending::none && t.board && t.board->state == BoardState::in_progress;
    if (!stopping || mind.marked.contains(a.id)) return;
    if (leaves(mind, effects,
               MoveTicket{a.id.ticket, t.board->version, BoardState::todo, "stopped", attempt_key(a.id)}))
      mind.marked.insert(a.id);
  });
}

// --- restart, and quiet

void forget_who_ran(TwinMind, Answer& answer) {
  auto* contents = std::get_if<LedgerContents>(&answer.value);
  if (contents == nullptr || !std::holds_alternative<LoadLedger>(answer.effect)) return;
  std::erase_if(contents->tickets, [](const TicketLedger& t) { return t.newest && t.newest->open(); });
}
void log_every_look(TwinMind mind, std::vector<Effect>& effects) {
  replace<ListServer>(effects, [&](const ListServer& e) -> std::optional<Effect> {
    const Attempt* a = newest_of(mind, e.asked_by);
    if (!a) return std::nullopt;
    return WriteLedger{Note{a->id, "looked", "", ""}};
  });
  for (const auto& [id, t] : mind.brain.knowledge.tickets)
    if (t.newest && !mind.brain.agenda.busy.contains(id) && t.board && t.board->state == BoardState::blocked)
      leaves(mind, effects, WriteLedger{Note{t.newest->id, "still blocked", "", ""}});
}

}  // namespace

std::vector<Twin> twins_of_the_end() {
  return {
      {"session-before-worker",
       "the session is ended first, and takes the worker's terminal with it",
       "gastown#699",
       {S7},
       {.effects = end_the_session_first},
       {}},
      {"leave-the-session",
       "sessions of ended attempts stay",
       "firstmate#4615",
       {L3},
       {.knowledge = leave_the_session},
       {}},
      {"believe-the-echo",
       "the prompt's own DONE line, echoed, counts",
       "",
       {S22},
       {.effects = believe_the_echo},
       {}},
      {"exit-is-done",
       "who exits with 0 has finished",
       "saltbo/agent-kanban#229",
       {S22},
       {.effects = a_commit_is_a_done},
       {}},
      {"done-without-gate",
       "who says DONE is done",
       "harness-engineering#165",
       {S21},
       {.effects = done_without_gate},
       {}},
      {"commits-are-done",
       "who has committed is done",
       "jwbron/egg#2438",
       {S21},
       {.effects = commits_are_done},
       {}},
      {"only-this-branch-counts",
       "commits of earlier attempts are forgotten",
       "claude-code#74719",
       {S21},
       {.answer = other_branches_do_not_count},
       {}},
      {"salvage-does-not-count",
       "landed, and what was left uncommitted is forgotten",
       "hurttlocker/o8#452",
       {S21},
       {.effects = salvage_does_not_count},
       {}},
      {"retry-without-limit", "every death is tried again", "", {S16}, {.policy = without_limit}, {}},
      {"retry-at-once", "every death is tried again, at once", "", {S17}, {.policy = without_backoff}, {}},
      {"backoff-in-microseconds",
       "a back-off of seconds takes weeks",
       "leopu00/job-hunter-team#214",
       {L1, L4},
       {.policy = backoff_in_the_wrong_unit},
       {}},
      {"charge-every-death",
       "a lost server uses up the ticket's attempts",
       "overdeck#2390",
       {S16},
       {.effects = charge_every_death},
       {}},
      {"drift-is-permission",
       "the board says todo, so its runtime may be forgotten",
       "gastown#3342",
       {S6},
       {.effects = drift_is_permission},
       {}},
      {"move-what-is-over",
       "a ticket that a person has cancelled is moved on",
       "gastown#4698",
       {S11},
       {.effects = move_what_is_over},
       {}},
      {"cancelled-is-todo",
       "a cancelled ticket is claimed",
       "gastown#4698",
       {S11},
       {.knowledge = cancelled_is_todo},
       {}},
      {"settle-without-telling",
       "an attempt is closed, and the board is never told",
       "ARC#4155",
       {L2},
       {.knowledge = forget_who_moved_it, .effects = settle_without_telling},
       {}},
      {"todo-while-ending",
       "who is told to end goes back to todo at once",
       "AndyMik90/Aperant#693",
       {S1},
       {.effects = back_to_todo_while_ending},
       {}},
      {"forget-who-ran",
       "a restart forgets who was running",
       "mecatl#475",
       {L2},
       {.answer = forget_who_ran},
       {}},
      {"log-every-look", "with nothing to do, it writes", "", {L8}, {.effects = log_every_look}, {}},
  };
}

}  // namespace holdfast::sim
