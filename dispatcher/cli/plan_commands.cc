// `plan`: what a dispatcher would do now, and why. A dry run: it looks, decides, and writes nothing.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>

#include "dispatcher/cli/command.h"
#include "dispatcher/cli/look.h"
#include "dispatcher/cli/print.h"
#include "dispatcher/cli/session.h"
#include "dispatcher/core/names.h"
#include "dispatcher/core/words.h"

namespace holdfast::cli {
namespace {

Exit plan(const Arguments& args, Shell& shell) {
  const auto config = configuration(shell);
  if (!config) return fail(shell, config.error());
  const auto look = look_around(*config, false);
  if (!look) return fail(shell, look.error());
  // Live ones first, then those that would be claimed, in their order, then the rest.
  const Knowledge& known = (*look)->brain.knowledge;
  std::vector<TicketId> ids, rest;
  const auto order = ranking(known, (*look)->brain.policy);
  for (const auto& [id, t] : known.tickets)
    if (t.current() != nullptr)
      ids.push_back(id);
    else if (std::ranges::find(order, id) == order.end())
      rest.push_back(id);
  ids.insert(ids.end(), order.begin(), order.end());
  ids.insert(ids.end(), rest.begin(), rest.end());

  const bool all = args.has("all");
  Json rows = Json::array();
  std::vector<std::vector<std::string>> lines;
  int room = config->policy.capacity;
  for (const auto& [id, t] : (*look)->brain.knowledge.tickets) room -= t.newest && t.newest->open() ? 1 : 0;
  for (const TicketId& id : ids) {
    Plan next = (*look)->plan_for(id);
    const auto* write = next.effect ? std::get_if<WriteLedger>(&*next.effect) : nullptr;
    const bool claim = write != nullptr && std::holds_alternative<Claim>(write->write);
    if (claim && room-- <= 0) next = {next.rule, "it waits for room: all places are taken", std::nullopt, {}};
    if (next.rule == Rule::rest && !all) continue;
    const TicketKnowledge& t = (*look)->brain.knowledge.tickets.at(id);
    const std::string effect = next.effect ? safe(describe(*next.effect), 200) : "";
    if (shell.json) {
      Json j;
      j["ticket"] = id.value;
      j["runtime"] = t.current() ? Json(attempt_key(t.current()->id)) : Json(nullptr);
      j["state"] = t.board ? Json(words_for(t.board->state)) : Json(nullptr);
      j["rule"] = words_for(next.rule);
      j["why"] = safe(next.why);
      j["effect"] = next.effect ? Json(effect) : Json(nullptr);
      j["wake_at"] = next.wake_at.set() ? Json(next.wake_at.ms) : Json(nullptr);
      rows.push_back(std::move(j));
    } else {
      lines.push_back({t.current() ? attempt_key(t.current()->id) : id.value, words_for(next.rule),
                       effect.empty() ? shell.paint(dim, "nothing") : effect, safe(next.why, 160)});
    }
  }
  if (shell.json) {
    Json troubles = Json::array();
    for (const std::string& trouble : (*look)->troubles) troubles.push_back(safe(trouble));
    Json hindrances = Json::array();
    for (const Hindrance& one : (*look)->hindrances) hindrances.push_back(safe(describe(one)));
    print(shell, {{"plans", rows}, {"not_seen", troubles}, {"in_the_way", hindrances}});
    return Exit::ok;
  }
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
