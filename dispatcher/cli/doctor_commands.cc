// `doctor`: drift, strays and stranded branches, found by a look of its own. Read-only; --fix mends only what
// cannot lose anything.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>

#include "dispatcher/cli/command.h"
#include "dispatcher/cli/look.h"
#include "dispatcher/cli/pool.h"
#include "dispatcher/cli/print.h"
#include "dispatcher/cli/session.h"
#include "dispatcher/core/names.h"
#include "dispatcher/core/words.h"
#include "dispatcher/ledger/dispatcher_lock.h"
#include "dispatcher/look/doctor.h"

namespace holdfast::cli {
namespace {

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
std::vector<std::string> mend(OwnLook& look, const KnownAttempts& known, Shell& shell) {
  std::vector<std::string> did;
  auto books = open_books(shell, LedgerMode::command_line);
  if (!books) return {"nothing: " + books.error().words};
  int freed = 0;
  for (std::string& words : bring_back_slots(look)) did.push_back(std::move(words));
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
  const auto opened = look_around(*config, true);
  if (!opened) return fail(shell, opened.error());
  OwnLook& look = **opened;
  const KnownAttempts known = known_attempts(look);
  const std::vector<Finding> found = examine(look, known, find_what_is_broken(look));

  const DispatcherRuns runs = dispatcher_runs(config->state);
  std::vector<std::string> did;
  if (args.has("fix")) did = mend(look, known, shell);
  const bool serious = std::ranges::any_of(found, [](const Finding& f) { return f.weight != Weight::note; });
  if (shell.json) {
    Json rows = Json::array();
    for (const Finding& f : found) rows.push_back(row_of(f));
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
