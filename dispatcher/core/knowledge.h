// Everything the dispatcher knows: what the ledger says, what the board says, what was seen, and how far the
// work of this moment has come. A plain value: no pointers out, no clock, no randomness, no unordered
// iteration.
//
// What is durable in it comes from the ledger. `Work` and `Sightings` are volatile: a restarted dispatcher
// starts with empty ones and learns the same again by looking.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "dispatcher/core/board_ticket.h"
#include "dispatcher/core/branch_facts.h"
#include "dispatcher/core/effects.h"
#include "dispatcher/core/markers.h"
#include "dispatcher/core/policy.h"
#include "dispatcher/core/verdict.h"

namespace holdfast {

// One 404 does not make a ticket gone: a board that has forgotten who asks says 404 of everything. It is gone
// where the board says so, shows its list after that, and then says so again.
enum class BoardGone { no = 0, said = 1, listed = 2, sure = 3 };

// How far the effects of this attempt have come, in this life of the dispatcher.
struct Work {
  // picking up
  std::optional<Prepared> prepared;
  bool spec_written = false;
  int setup_failures = 0;
  std::string setup_trouble;
  bool spawn_tried = false;
  std::optional<SpawnedPane> pane;
  bool go_given = false;
  // ending
  bool notice_given = false;
  std::optional<Instant> term_sent, kill_sent;
  // closing
  std::optional<BranchFacts> facts;
  bool pinned = false;
  std::optional<Salvaged> salvaged;
  std::string salvage_failure;  // it could not be saved: the worktree is kept as it is
  std::optional<Landed> landed;
  bool pushed = false;
  std::string push_failure;
  bool session_ended = false;
  std::optional<SlotSighting> released;
  std::string release_failure;  // quarantine, with this note
  int release_tries = 0;
  bool commented = false;
  bool board_read = false;  // the board's ticket was seen by us since the attempt was closed
  BoardGone board_gone = BoardGone::no;
  // looking
  bool look_now = true;
  bool scan_next = false;
  bool pin_due = false;  // what that look stood before is not pinned yet
  Instant looked_at;
  int server_looks = 0;      // listings of its server in a row that failed
  std::string post_refusal;  // why the runtime did not take its message; kept for the message's row
  bool post_hopeless = false;
  bool answered = false;  // a message was delivered since the question
  // tickets in review
  Instant reviewed_at;

  friend bool operator==(const Work&, const Work&) = default;
};

// What a ticket says, which its worker may draw on its terminal.
struct TicketText {
  std::string title, body;
  friend bool operator==(const TicketText&, const TicketText&) = default;
};

struct TicketKnowledge {
  std::optional<BoardTicket> board;       // as last read; nothing: it is to be read before it is gone by
  std::optional<TicketText> text_before;  // of the view that was given up
  std::int64_t board_version =
      0;  // the newest ever seen: what is older is a stale answer, also to a new question
  Memory memory;
  std::optional<Attempt> newest;
  std::vector<Message> messages;
  Sightings seen;
  std::set<TicketId> listings_too_old;  // on their way (by whom they were asked), and asked before what they
                                        // would be held against
  MarkerReader reader;
  bool stream_finished = false;
  std::string hook_said;  // what the worker's own hook said: whole lines
  Work work;
  bool ledger_unsure = false;  // a write's answer was lost: nothing is done before the ledger was read again
  int tries = 0;               // of the same effect, failing
  Instant hold_until;
  std::string trouble;               // why it is held, in words
  bool hold_ends_with_news = false;  // the runtime itself was not ready: its news end the wait
  // The board's own: what it does not answer holds up nothing else.
  int board_tries = 0;
  Instant board_hold_until;
  std::string board_trouble;
  Instant unknown_since;  // first look that could not tell

  // The attempt that still needs something: open, or closed and unsettled.
  [[nodiscard]] const Attempt* current() const {
    return newest && (newest->open() || !newest->settled) ? &*newest : nullptr;
  }
};

struct Shard {
  ServerIncarnation server;  // as last seen; unknown: none runs
  Instant listed_at;
  bool reachable = false;
  std::string trouble;
  std::vector<PaneSighting> panes;
  bool unsaved = false;         // this incarnation is not in the ledger yet
  std::set<TicketId> asked_by;  // whose listings of it are on their way; an empty name: the routine one
  friend bool operator==(const Shard&, const Shard&) = default;
};

struct Knowledge {
  Instant now;
  bool ledger_loaded = false;
  bool records_listed = false, traces_listed = false, pool_ready = false, board_read = false;
  // Its list could not be read when it was last asked for. Until it can, the board is asked for nothing else:
  // one who asks finds out as well as a hundred.
  bool board_away = false;
  std::string ledger_trouble;  // why nothing can be recorded; empty: it works
  std::map<TicketId, TicketKnowledge> tickets;
  std::map<SlotId, Slot> slots;
  std::map<int, Shard> shards;
  std::map<AccountName, AccountPause> pauses;
  std::map<TicketId, Generation>
      floors;                  // largest generation seen in branches, refs, sessions and record folders
  std::set<AttemptId> traces;  // record folders and refs, for strays
  Breaker breaker;
  bool breaker_unsaved = false;

  bool first_look_done = false;  // sticky: a server that does not answer later stops nobody else

  // Nothing is claimed before everything was looked at once.
  [[nodiscard]] bool full_look_done(int shard_count) const;
};

}  // namespace holdfast
