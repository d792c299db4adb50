// The dispatcher that `holdfast` ships, as a dispatcher under test: nothing but the core's own objects.
#include "sim/shipped_dispatcher.h"

#include "dispatcher/core/decide.h"
#include "dispatcher/core/rules.h"
#include "dispatcher/core/words.h"

namespace holdfast::sim {

std::unique_ptr<DispatcherUnderTest> ShippedDispatcher::copy() const {
  return std::make_unique<ShippedDispatcher>(*this);
}
void ShippedDispatcher::absorb(const Answer& answer) {
  holdfast::absorb(brain, answer);
}
void ShippedDispatcher::absorb(const News& news) {
  holdfast::absorb(brain, news);
}
std::vector<Effect> ShippedDispatcher::next_effects(Instant now) {
  return holdfast::next_effects(brain, now);
}
Instant ShippedDispatcher::next_wake() const {
  return holdfast::next_wake(brain);
}

// As look_first in core/decide.cc has it.
bool ShippedDispatcher::will_look(const AttemptId& id) const {
  const auto found = brain.knowledge.tickets.find(id.ticket);
  if (found == brain.knowledge.tickets.end()) return false;
  const TicketKnowledge& t = found->second;
  return t.newest && t.newest->id == id && t.work.look_now && says_live(t.newest->phase) &&
         t.newest->cause == Cause::none && !t.seen.sealed_at;
}

std::string ShippedDispatcher::belief(const TicketId& id) const {
  const auto found = brain.knowledge.tickets.find(id);
  if (found == brain.knowledge.tickets.end()) return "nothing";
  const TicketKnowledge& t = found->second;
  std::string line = t.board ? words_for(t.board->state) : "board unread";
  if (!t.newest) return line;
  line += ", g" + std::to_string(t.newest->id.generation.value) + " " + words_for(t.newest->phase);
  switch (verdict_of(*t.newest, t.seen, brain.knowledge.now)) {
    case Verdict::alive: line += ", alive"; break;
    case Verdict::dead: line += ", dead"; break;
    case Verdict::unknown: line += ", unknown"; break;
  }
  const Plan plan = decide(brain.knowledge, id, brain.policy);
  return line + "; " + words_for(plan.rule) + ": " + plan.why;
}

DispatcherMaker shipped_dispatcher() {
  return [](const Policy& policy) -> std::unique_ptr<DispatcherUnderTest> {
    auto made = std::make_unique<ShippedDispatcher>();
    made->brain.policy = policy;
    return made;
  };
}

}  // namespace holdfast::sim
