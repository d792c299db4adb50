// `plan`: what a dispatcher would do now, and why. A dry run: it looks, decides, and writes nothing.
#include <nlohmann/json.hpp>
#include <ostream>

#include "dispatcher/cli/command.h"
#include "dispatcher/cli/look.h"
#include "dispatcher/cli/print.h"
#include "dispatcher/cli/session.h"
#include "dispatcher/core/names.h"
#include "dispatcher/core/words.h"
#include "dispatcher/look/plan.h"

namespace holdfast::cli {
namespace {

Exit plan(const Arguments& args, Shell& shell) {
  const auto config = configuration(shell);
  if (!config) return fail(shell, config.error());
  const auto look = look_around(*config, false);
  if (!look) return fail(shell, look.error());
  const auto plans = plan_tickets(**look, args.has("all") ? PlanScope::all : PlanScope::due);
  if (shell.json) {
    Json rows = Json::array();
    for (const PlannedTicket& one : plans) rows.push_back(row_of(one));
    print(shell, {{"plans", rows}, {"not_seen", troubles_of(**look)}, {"in_the_way", hindrances_of(**look)}});
    return Exit::ok;
  }
  std::vector<std::vector<std::string>> lines;
  for (const PlannedTicket& one : plans)
    lines.push_back({one.runtime ? attempt_key(*one.runtime) : one.ticket.value, words_for(one.next.rule),
                     one.next.effect ? safe(describe(*one.next.effect), 200) : shell.paint(dim, "nothing"),
                     safe(one.next.why, 160)});
  if (lines.empty())
    shell.out << "nothing would be done\n";
  else
    shell.out << table({"TICKET", "RULE", "WOULD DO", "WHY"}, lines, shell);
  for (const Hindrance& one : (*look)->hindrances)
    shell.out << shell.paint(yellow, "in the way: " + safe(describe(one), 400)) << "\n";
  for (const std::string& trouble : (*look)->troubles)
    shell.out << shell.paint(yellow, "could not be seen: " + safe(trouble, 300)) << "\n";
  return Exit::ok;
}

}  // namespace

std::vector<Command> plan_commands() {
  return {
      {{"plan"},
       "Shows what would be done now, and why. Does nothing.",
       "It looks by itself: ledger, board, tmux, records, processes. A running dispatcher is not disturbed.",
       {},
       {{"all", "", "Also tickets about which there is nothing to do.", 'a', false, Is::text}},
       {{"holdfast plan", ""}, {"holdfast plan --json", ""}},
       plan}};
}

}  // namespace holdfast::cli
