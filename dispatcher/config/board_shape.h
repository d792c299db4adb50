// How a board over HTTP looks, as data: where its calls are, where in its answers the fields of a ticket
// stand, and what it calls the states. Two are known by name; a file can change any part of either.
//
//   holdfast   transitions under a condition: our own interface, and whatever can be mapped onto it
//   labels     issues whose states are labels, like GitHub's: no conditional writes, one write a change
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "dispatcher/core/attempt.h"

namespace holdfast {

enum class BoardKind { transitions, labels };

// Paths stand below the board's url. {id}, {since}, {limit} and {page} are replaced; the rest is sent as it
// is.
struct BoardPaths {
  std::string changes, ticket, move, comment;
  std::string comments;  // where those that are there can be read; empty: the board takes one once by its key
  friend bool operator==(const BoardPaths&, const BoardPaths&) = default;
};

// JSON pointers. Empty: the board has no such thing.
struct BoardFields {
  // In the answer to `changes`. `tickets` empty: the answer itself is the list.
  std::string tickets, cursor, complete;
  // In a ticket.
  std::string id, title, body, state, priority, profile, labels, depends_on, version, created_at, changed_at,
      reason, moved_by;
  std::string label_name;  // in one of `labels`; empty: it is the name
  std::string skip;        // where this is there it is no ticket
  // In the answer to a move that was refused: the ticket as it is now.
  std::string ticket_in_conflict;
  friend bool operator==(const BoardFields&, const BoardFields&) = default;
};

// JSON pointers into what is sent.
struct BoardSends {
  std::string version, to, key, reason, cause, evidence, text;
  friend bool operator==(const BoardSends&, const BoardSends&) = default;
};

struct BoardShape {
  BoardKind kind = BoardKind::transitions;
  BoardPaths paths;
  BoardFields fields;
  BoardSends sends;
  // What it calls the states; of labels: the label, and one that is empty has none (done and cancelled are
  // closed).
  std::map<BoardState, std::string> states;
  BoardState unlabelled = BoardState::backlog;  // an open issue without any of them
  std::string priority_label, profile_label;    // what stands before the value: "priority:", "profile:"
  std::map<std::string, std::string> headers;   // with every request
  friend bool operator==(const BoardShape&, const BoardShape&) = default;
};

// "holdfast", "labels".
const std::map<std::string_view, BoardShape>& known_board_shapes();

}  // namespace holdfast
