// The words for every enumerator: one spelling in the ledger's log, on the command line, in JSON and in the
// docs.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "dispatcher/core/attempt.h"
#include "dispatcher/core/attempt_sightings.h"
#include "dispatcher/core/branch_facts.h"

namespace holdfast {

const char* words_for(Phase);
const char* words_for(Cause);
const char* words_for(StopWish);
const char* words_for(Ending);
const char* words_for(Said);
const char* words_for(BoardState);
const char* words_for(SlotState);
const char* words_for(MessageKind);
const char* words_for(MessageState);
const char* words_for(Tri);
const char* words_for(OomEvidence);

std::optional<BoardState> board_state_from(std::string_view);  // "in_progress"; nullopt: no such state

// Sentences for people: "OOM-killed", "exited with 3", "killed by signal 9 (KILL)".
std::string sentence_for(Cause, int code);

}  // namespace holdfast
