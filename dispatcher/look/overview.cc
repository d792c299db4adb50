#include "dispatcher/look/overview.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <tuple>

#include "dispatcher/core/names.h"
#include "dispatcher/core/words.h"
#include "dispatcher/look/words.h"

namespace holdfast {
namespace {

Need need_on_the_board(BoardState state) {
  switch (state) {
    case BoardState::in_review: return Need::judgement;
    case BoardState::blocked: return Need::decision;
    case BoardState::todo: return Need::room;
    // In progress without a runtime: a person works on it, or it is drift, which doctor shows.
    case BoardState::in_progress: return Need::nothing;
    case BoardState::backlog:
    case BoardState::done:
    case BoardState::cancelled: return Need::wish;
  }
  __builtin_unreachable();
}

OverviewLine line_of_runtime(const TicketKnowledge& t, const Attempt& a, const PlannedTicket* planned) {
  OverviewLine line;
  line.runtime = a.id;
  line.phase = a.phase;
  line.since = a.changed_at;
  if (planned != nullptr) line.verdict = planned->verdict;
  const bool doubtful = line.verdict == Verdict::unknown && a.step == Step::spawn_begun && a.open();
  if (a.phase == Phase::waiting) {
    line.need = Need::answer;
    line.what = a.said_text;
  } else if (!a.attention.empty()) {
    line.need = Need::look;
    line.what = a.attention;
  } else if (a.open() && t.board && t.board->state == BoardState::todo && says_live(a.phase)) {
    line.need = Need::look;
    line.what = "todo on the board beside its runtime; it is put right";
  } else {
    line.need = doubtful ? Need::look : Need::nothing;
    line.what = planned != nullptr ? planned->next.why : a.said_text;
  }
  return line;
}

}  // namespace

const char* words_of(Need need) {
  switch (need) {
    case Need::answer: return "asks";
    case Need::look: return "to look at";
    case Need::judgement: return "in review";
    case Need::decision: return "blocked";
    case Need::nothing: return "at work";
    case Need::room: return "to do";
    case Need::wish: return "at rest";
  }
  __builtin_unreachable();
}

Overview overview_of(const Knowledge& k, const Policy& policy, const std::vector<PlannedTicket>& live,
                     bool all) {
  Overview out;
  out.at = k.now;
  out.places = policy.capacity;
  for (const auto& [id, slot] : k.slots) {
    out.slots += 1;
    out.free_slots += slot.state == SlotState::free ? 1 : 0;
  }
  std::map<TicketId, const PlannedTicket*> planned;
  for (const PlannedTicket& one : live) planned[one.ticket] = &one;
  std::map<TicketId, std::size_t> turn;  // of those that wait to be claimed
  for (const TicketId& id : ranking(k, policy)) turn.emplace(id, turn.size());

  for (const auto& [id, t] : k.tickets) {
    const Attempt* a = t.current();
    if (a == nullptr && !t.board) continue;
    OverviewLine line;
    if (a != nullptr) {
      out.live += a->open() ? 1 : 0;
      const auto its = planned.find(id);
      line = line_of_runtime(t, *a, its == planned.end() ? nullptr : its->second);
    } else {
      line.need = need_on_the_board(t.board->state);
      line.since = t.board->changed_at;
      line.what = t.board->reason;
    }
    line.ticket = id;
    if (t.board) {
      line.state = t.board->state;
      line.title = t.board->title;
    }
    out.needs[line.need] += 1;
    if (all || line.need != Need::wish) out.lines.push_back(std::move(line));
  }
  // Whoever has waited for the longest comes first; those that wait for room, in their turn.
  std::ranges::sort(out.lines, [&](const OverviewLine& x, const OverviewLine& y) {
    if (x.need != y.need) return x.need < y.need;
    if (x.need == Need::room) {
      const auto of = [&](const TicketId& id) {
        const auto found = turn.find(id);
        return found == turn.end() ? turn.size() : found->second;
      };
      if (of(x.ticket) != of(y.ticket)) return of(x.ticket) < of(y.ticket);
    }
    return std::tie(x.since, x.ticket) < std::tie(y.since, y.ticket);
  });
  return out;
}

Overview overview_of(LookAround& look, bool all) {
  const auto live = plan_tickets(look, PlanScope::live);
  Overview out = overview_of(look.brain.knowledge, look.brain.policy, live, all);
  for (const Hindrance& one : look.hindrances) out.troubles.push_back("in the way: " + describe(one));
  for (const std::string& trouble : look.troubles) out.troubles.push_back("not seen: " + trouble);
  if (!look.brain.knowledge.ledger_trouble.empty())
    out.troubles.push_back("the ledger: " + look.brain.knowledge.ledger_trouble);
  return out;
}

Json row_of(const Overview& o) {
  Json j;
  j["looked_at"] = o.at.ms;
  j["live"] = o.live;
  j["capacity"] = o.places;
  j["worktrees"] = {{"free", o.free_slots}, {"all", o.slots}};
  j["tickets"] = Json::array();
  for (const OverviewLine& line : o.lines) {
    Json row;
    row["ticket"] = line.ticket.value;
    row["need"] = words_of(line.need);
    row["runtime"] = line.runtime ? Json(attempt_key(*line.runtime)) : Json(nullptr);
    row["state"] = line.state ? Json(words_for(*line.state)) : Json(nullptr);
    row["phase"] = line.phase ? Json(words_for(*line.phase)) : Json(nullptr);
    row["verdict"] = line.verdict ? Json(words_of(*line.verdict)) : Json(nullptr);
    row["since"] = line.since.set() ? Json(line.since.ms) : Json(nullptr);
    row["title"] = safe(line.title, 300);
    row["what"] = safe(line.what);
    j["tickets"].push_back(std::move(row));
  }
  j["troubles"] = Json::array();
  for (const std::string& trouble : o.troubles) j["troubles"].push_back(safe(trouble));
  return j;
}

}  // namespace holdfast
