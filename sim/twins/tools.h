// What the defects are written with: replacing effects without upsetting the scheduler's count, and forging
// what the core would never make.
#pragma once

#include <algorithm>
#include <optional>
#include <utility>

#include "dispatcher/core/classify.h"
#include "sim/twins/twin.h"

namespace holdfast::sim {

// Every leaving effect of this kind may be replaced by another one of the same ticket.
template <class E, class F>
void replace(std::vector<Effect>& effects, F by) {
  for (Effect& effect : effects)
    if (auto* one = std::get_if<E>(&effect))
      if (std::optional<Effect> other = by(*one)) effect = *std::exchange(other, std::nullopt);
}
template <class W, class F>
void replace_write(std::vector<Effect>& effects, F by) {
  replace<WriteLedger>(effects, [&](WriteLedger& e) -> std::optional<Effect> {
    auto* write = std::get_if<W>(&e.write);
    return write ? by(*write) : std::nullopt;
  });
}

// This effect of a ticket leaves, in place of another one of that ticket or beside none. False: the ticket is
// busy, and it has to be tried again later.
bool leaves(TwinMind, std::vector<Effect>&, Effect);

// For every open attempt that is its ticket's newest.
template <class F>
void for_open(TwinMind mind, F what) {
  for (auto& [id, t] : mind.brain.knowledge.tickets)
    if (t.newest && t.newest->open()) what(t, *t.newest);
}
const Attempt* newest_of(TwinMind, const TicketId&);

// A certificate that nothing certifies.
DeathCertificate forged(Attempt, Cause, int code, Instant now);
Effect recorded_lost(TwinMind, const Attempt&, Cause, int code = -1);

inline bool is_unknown(const Answer& answer) {
  return std::holds_alternative<Unknown>(classify(call_of(answer.effect), answer.raw));
}
inline bool is_refused(const Answer& answer) {
  return std::holds_alternative<Refused>(classify(call_of(answer.effect), answer.raw));
}
inline void make_done(Answer& answer, AnswerValue value) {
  answer.raw = {Transport::answered, family_of(call_of(answer.effect)) == Family::board ? 200 : 0, "", ""};
  answer.value = std::move(value);
}

}  // namespace holdfast::sim
