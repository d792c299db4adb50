// The only place where a raw reply becomes an outcome, and the only maker of Refused.
//
// The founding incident was a wrong line in exactly this table: "409 from the send" was read as "the spawn
// has failed". The rule behind every line: Refused needs the peer's own word that *this* request changed
// nothing. Everything that is merely discouraging is Unknown. And a Refused(conflict) never means failure:
// somebody got there first, perhaps we.
//
//   never_sent            Refused(busy): nothing has left this process
//   no_answer, cut        Unknown
//   answered              by the peer's own codes, per family of calls; see the tables in classify.cc
#pragma once

#include "dispatcher/core/effects.h"
#include "dispatcher/core/outcome.h"

namespace holdfast {

Outcome classify(Call, const RawReply&);

// The families whose codes mean the same thing.
enum class Family { ledger, board, files, tmux, git };
Family family_of(Call);

}  // namespace holdfast
