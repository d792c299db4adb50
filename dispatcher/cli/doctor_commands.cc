// `doctor`: drift, strays and stranded branches, found by a look of its own. Read-only; --fix mends only what
// cannot lose anything.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>

#include "dispatcher/cli/command.h"
#include "dispatcher/cli/doctor.h"
#include "dispatcher/cli/look.h"
#include "dispatcher/cli/pool.h"
#include "dispatcher/cli/print.h"
#include "dispatcher/cli/session.h"
#include "dispatcher/core/decide.h"
#include "dispatcher/core/gate.h"
#include "dispatcher/core/names.h"
#include "dispatcher/core/words.h"
#include "dispatcher/ledger/dispatcher_lock.h"

namespace holdfast::cli {
namespace {

const char* words_of(Weight weight) {
  switch (weight) {
    case Weight::note: return "note";
    case Weight::warning: return "warning";
    case Weight::problem: return "problem";
  }
  __builtin_unreachable();
}

// Commits of finished tickets that are on no target: asked of git ticket by ticket.
std::vector<Finding> find_stranded(LookAround& look) {
  std::vector<Finding> found;
  for (auto& [id, t] : look.brain.knowledge.tickets) {
    const auto attempts = look.parts->ledger().attempts_of(id);
    if (attempts.value.empty() || attempts.value.back().base.empty()) continue;
    const Attempt& newest = attempts.value.back();
    const auto facts = look.parts->world().worktrees.inspect(branch_order(newest, look.config.policy, false),
                                                             look.config.policy.git_deadline);
    if (facts.raw.transport != Transport::answered || facts.raw.code != 0) {
      look.troubles.push_back("branches of " + id.value + ": " + facts.raw.error);
      continue;
    }
    for (const Stranded& one : stranded_of(facts.value, t.memory))
      found.push_back(
          {Weight::warning, "stranded-branch", id.value,
           one.ref + " has " + std::to_string(one.commits) + " commits that are not on " + look.config.target,
           "land it, or `holdfast ticket waive " + id.value + " " + one.ref + "`"});
    const bool over =
        t.board && (t.board->state == BoardState::done || t.board->state == BoardState::cancelled);
    if (over && !newest.open() && facts.value.has_commits == Tri::yes &&
        facts.value.ancestor_of_target == Tri::no && facts.value.equal_patch_on_target == Tri::no &&
        std::ranges::find(t.memory.waived, newest.branch.value) == t.memory.waived.end())
      found.push_back(
          {t.board->state == BoardState::done ? Weight::problem : Weight::note, "stranded-branch", id.value,
           std::string(words_for(t.board->state)) + ", and " + newest.branch.value + " is not on " +
               look.config.target + " (" + std::to_string(facts.value.commits) + " commits)",
           "land it, or `holdfast ticket waive " + id.value + " " + newest.branch.value + "`"});
  }
  return found;
}

const char* words_of(DispatcherRuns runs) {
  switch (runs) {
    case DispatcherRuns::yes: return "runs";
    case DispatcherRuns::no: return "does not run";
    case DispatcherRuns::unknown: return "cannot be told: its lock file cannot be read";
  }
  __builtin_unreachable();
}
Json truth_of(DispatcherRuns runs) {
  return runs == DispatcherRuns::unknown ? Json() : Json(runs == DispatcherRuns::yes);
}

// What cannot lose anything: worktrees that are clean again, and sessions in which nothing runs any more.
std::vector<std::string> mend(LookAround& look, const KnownAttempts& known, Shell& shell) {
  std::vector<std::string> did;
  auto books = open_books(shell, LedgerMode::command_line);
  if (!books) return {"nothing: " + books.error().words};
  int freed = 0;
  for (std::string& words : remake_lost_slots(look)) did.push_back(std::move(words));
  const auto fit = slots_fit_again(look.brain.knowledge, look.slots);
  if (const auto trouble = free_slots(*books->ledger, fit, freed, shell.now())) did.push_back(trouble->words);
  if (freed > 0) did.push_back("gave " + std::to_string(freed) + " clean worktrees back to the pool");
  for (const auto& [number, shard] : look.brain.knowledge.shards)
    for (const PaneSighting& pane : shard.panes) {
      const std::string& name = pane.session.value;
      const auto id =
          name.starts_with("hf-") ? parse_attempt_key(std::string_view(name).substr(3)) : std::nullopt;
      const auto t = id ? look.brain.knowledge.tickets.find(id->ticket) : look.brain.knowledge.tickets.end();
      const bool newest_open = t != look.brain.knowledge.tickets.end() && t->second.newest &&
                               t->second.newest->id == *id && t->second.newest->open();
      if (!id || !known.contains(*id) || newest_open || !pane.dead || pane.persons_attached > 0) continue;
      const auto ended = look.parts->world().terminal.end_session(shard.server, pane.session, pane.session_id,
                                                                  look.config.policy.call_deadline);
      if (ended.raw.transport == Transport::answered && ended.raw.code == 0)
        did.push_back("ended the dead session " + name);
    }
  wake_dispatcher(look.config);
  return did;
}

Exit doctor(const Arguments& args, Shell& shell) {
  const auto config = configuration(shell);
  if (!config) return fail(shell, config.error());
  std::vector<Finding> found;
  if (const auto fine = check_surroundings(*config); !fine)
    found.push_back({Weight::problem, "surroundings", "", fine.error().words, ""});
  const auto opened = look_around(*config, true);
  if (!opened) return fail(shell, opened.error());
  LookAround& look = **opened;
  if (const std::string broken = look.parts->ledger().what_is_broken(); !broken.empty())
    found.push_back(
        {Weight::problem, "ledger", "", broken, "restore a backup; running workers are found again"});

  KnownAttempts known;
  std::set<TicketId> tickets;
  for (const auto& [id, t] : look.brain.knowledge.tickets) tickets.insert(id);
  for (const AttemptId& id : look.brain.knowledge.traces) tickets.insert(id.ticket);
  for (const TicketId& id : tickets)
    for (const Attempt& a : look.parts->ledger().attempts_of(id).value) known.insert(a.id);
  for (auto& [id, t] : look.brain.knowledge.tickets)
    if (t.current() != nullptr && t.current()->open()) look.plan_for(id);  // looks at what it must see

  const auto add = [&](std::vector<Finding> more) { std::ranges::move(more, std::back_inserter(found)); };
  add(find_drift(look.brain.knowledge, look.brain.policy));
  add(find_strays(look.brain.knowledge, known));
  add(find_pool_trouble(look.brain.knowledge, look.slots));
  add(find_stranded(look));
  for (const Hindrance& one : look.hindrances)
    found.push_back({Weight::warning, "in-the-way", "", describe(one),
                     "the dispatcher tries it again until it works, or its tries are used up"});
  for (const std::string& trouble : look.troubles)
    found.push_back({Weight::warning, "not-seen", "", trouble, "look again when it answers"});
  std::vector<Finding> ordered;  // the heaviest first
  for (const Weight weight : {Weight::problem, Weight::warning, Weight::note})
    for (const Finding& f : found)
      if (f.weight == weight) ordered.push_back(f);
  found = std::move(ordered);

  const DispatcherRuns runs = dispatcher_runs(config->state);
  std::vector<std::string> did;
  if (args.has("fix")) did = mend(look, known, shell);
  const bool serious = std::ranges::any_of(found, [](const Finding& f) { return f.weight != Weight::note; });
  if (shell.json) {
    Json rows = Json::array();
    for (const Finding& f : found)
      rows.push_back({{"weight", words_of(f.weight)},
                      {"kind", f.kind},
                      {"about", f.about},
                      {"words", safe(f.words)},
                      {"remedy", safe(f.remedy)}});
    print(shell, {{"dispatcher_runs", truth_of(runs)}, {"findings", rows}, {"fixed", did}});
    return serious ? Exit::findings : Exit::ok;
  }
  shell.out << "dispatcher: " << words_of(runs) << "\n";
  for (const Finding& f : found) {
    const auto color = f.weight == Weight::problem ? red : f.weight == Weight::warning ? yellow : dim;
    shell.out << shell.paint(color, words_of(f.weight)) << "  " << f.kind
              << (f.about.empty() ? "" : "  " + safe(f.about)) << ": " << safe(f.words) << "\n";
    if (!f.remedy.empty()) shell.out << "    " << safe(f.remedy) << "\n";
  }
  for (const std::string& one : did) shell.out << shell.paint(green, "fixed") << "  " << safe(one) << "\n";
  if (found.empty()) shell.out << "board, ledger and world agree\n";
  return serious ? Exit::findings : Exit::ok;
}

}  // namespace

std::vector<Command> doctor_commands() {
  return {{{"doctor"},
           "Compares board, ledger and world: drift, strays, stranded branches, a damaged ledger.",
           "Changes nothing. --fix gives clean worktrees back to the pool and ends sessions in which nothing "
           "runs any "
           "more; strays are never killed. Exit code 6 where a person should see something.",
           {},
           {{"fix", "", "Mend what cannot lose anything.", 0, false, Is::text}},
           {{"holdfast doctor", ""}, {"holdfast doctor --json | jq '.findings[].kind'", ""}},
           doctor}};
}

}  // namespace holdfast::cli
