// Faults: which could strike now, and what each does. Port faults are cells at a flight that has not taken
// hold; the others strike a runtime, a server, a slot, a ticket or a dispatcher by themselves.
#pragma once

#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "sim/world/world.h"

namespace holdfast::sim {

// The raw reply that a port fault puts in the place of the right one. Codes and words are those of the real
// adapters in that situation.
RawReply false_reply(FaultId, const Effect&);
// Does this port fault make sense for this effect? (A5 only at the rows after a spawn, D1 only at a claim.)
bool strikes_at(FaultId, const World&, const Flight&);

// What of these faults the world could do by itself now.
void world_strikes(const World&, const FaultSet&, std::vector<Event>& out);
void strike(World&, const Event&);

void person_deeds(const World&, std::vector<Event>& out);
void person_does(World&, const Event&);

// The phase of that attempt's row (generation 0: of the ticket's newest); nothing: there is none.
std::optional<Phase> phase_of(const World&, const AttemptId&);
// Whom an effect is about, as far as it says.
AttemptId whom(const Effect&);
void count_fault(World&, FaultId, const AttemptId&);

// What F5 makes slow: a call, or a runtime (its runner, or the end of a worker that is killed).
inline constexpr std::uint8_t of_call = 0, of_runtime = 1;

// How long a suspension of everything takes (F4).
inline constexpr Duration suspended_for = minutes(60);
// How far each fault of a clock moves it.
std::span<const std::pair<FaultId, Duration>> clock_faults();

}  // namespace holdfast::sim
