#include "dispatcher/look/plan.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "dispatcher/core/names.h"
#include "dispatcher/core/words.h"
#include "dispatcher/look/words.h"

namespace holdfast {

const char* words_of(Life life) {
  switch (life) {
    case Life::alive: return "alive";
    case Life::dead: return "dead";
    case Life::unknown: return "unknown";
  }
  __builtin_unreachable();
}

std::vector<PlannedTicket> plan_tickets(LookAround& look, PlanScope scope) {
  const Knowledge& known = look.brain.knowledge;
  std::vector<TicketId> ids, rest;
  const auto order = ranking(known, look.brain.policy);
  int room = look.brain.policy.capacity;
  for (const auto& [id, t] : known.tickets) {
    room -= t.newest && t.newest->open() ? 1 : 0;
    if (t.current() != nullptr)
      ids.push_back(id);
    else if (std::ranges::find(order, id) == order.end())
      rest.push_back(id);
  }
  if (scope != PlanScope::live) {
    ids.insert(ids.end(), order.begin(), order.end());
    ids.insert(ids.end(), rest.begin(), rest.end());
  }

  std::vector<PlannedTicket> plans;
  for (const TicketId& id : ids) {
    Plan next = look.plan_for(id);
    const auto* write = next.effect ? std::get_if<WriteLedger>(&*next.effect) : nullptr;
    const bool claim = write != nullptr && std::holds_alternative<Claim>(write->write);
    if (claim && room-- <= 0) next = resting(next.rule, "it waits for room: all places are taken");
    if (next.rule == Rule::rest && scope == PlanScope::due) continue;
    const TicketKnowledge& t = known.tickets.at(id);
    PlannedTicket planned;
    planned.ticket = id;
    if (t.current() != nullptr) {
      planned.runtime = t.current()->id;
      planned.verdict = verdict_for(t, known.now);
    }
    if (t.board) planned.state = t.board->state;
    planned.next = std::move(next);
    plans.push_back(std::move(planned));
  }
  return plans;
}

Json row_of(const PlannedTicket& planned) {
  const Plan& next = planned.next;
  Json j;
  j["ticket"] = planned.ticket.value;
  j["runtime"] = planned.runtime ? Json(attempt_key(*planned.runtime)) : Json(nullptr);
  j["state"] = planned.state ? Json(words_for(*planned.state)) : Json(nullptr);
  j["verdict"] = planned.verdict ? Json(words_of(*planned.verdict)) : Json(nullptr);
  j["rule"] = words_for(next.rule);
  j["why"] = safe(next.why);
  j["effect"] = next.effect ? Json(safe(describe(*next.effect), 200)) : Json(nullptr);
  j["wake_at"] = next.wake_at.set() ? Json(next.wake_at.ms) : Json(nullptr);
  return j;
}

Json troubles_of(const LookAround& look) {
  Json rows = Json::array();
  for (const std::string& trouble : look.troubles) rows.push_back(safe(trouble));
  return rows;
}

Json hindrances_of(const LookAround& look, const TicketId& about) {
  Json rows = Json::array();
  for (const Hindrance& one : look.hindrances)
    if (about.empty() || one.ticket.empty() || one.ticket == about.value) rows.push_back(safe(describe(one)));
  return rows;
}

}  // namespace holdfast
