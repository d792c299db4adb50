// A ticket as the board shows it. Every board is remote: what is here is what was read at some time, under
// `version`.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dispatcher/core/attempt.h"

namespace holdfast {

struct BoardTicket {
  TicketId id;
  std::string title;
  std::string body;  // the prompt
  BoardState state = BoardState::backlog;
  int priority = 100;   // smaller is sooner
  std::string profile;  // worker profile; empty: the installation's default
  std::vector<std::string> labels;
  std::vector<TicketId> depends_on;
  std::int64_t version = 0;  // of the conditional write
  Instant created_at, changed_at;
  std::string reason;    // of the last transition
  std::string moved_by;  // "person" or "person:alice", or the attempt key of the dispatcher's own transition
  friend bool operator==(const BoardTicket&, const BoardTicket&) = default;
};

struct BoardChanges {
  std::int64_t cursor = 0;
  bool complete = true;              // false: there is more after this cursor
  std::vector<BoardTicket> tickets;  // current state of every ticket that changed after the cursor asked for
  friend bool operator==(const BoardChanges&, const BoardChanges&) = default;
};

struct BoardMove {
  TicketId ticket;
  std::int64_t expected_version = 0;
  BoardState to = BoardState::in_progress;  // never `todo`: see return_to_todo
  std::string reason;
  std::string key;  // attempt key of the dispatcher's own transition
  friend bool operator==(const BoardMove&, const BoardMove&) = default;
};

}  // namespace holdfast
