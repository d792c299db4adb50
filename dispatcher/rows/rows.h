// The core's values as JSON, with stable names, for the command line and the HTTP interface alike. Numbers of
// enums never appear; ids are always whole: a runtime is named by ticket, generation and "runtime": "T-1-g2".
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "dispatcher/board/desk.h"
#include "dispatcher/core/attempt.h"
#include "dispatcher/core/attempt_sightings.h"
#include "dispatcher/core/board_ticket.h"
#include "dispatcher/core/branch_facts.h"

namespace holdfast {

using Json = nlohmann::ordered_json;

Json row_of(const BoardTicket&, bool with_body);
Json row_of(const TicketPage&);
Json row_of(const Attempt&);
Json row_of(const Message&);
Json row_of(const LedgerEvent&);
Json row_of(const Slot&, const SlotSighting* seen);
Json row_of(const RecordSighting&);
Json row_of(const ProcessIdentity&);

const char* words_of(Presence);
const char* words_of(Decision);

}  // namespace holdfast
