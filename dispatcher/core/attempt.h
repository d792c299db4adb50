// What the ledger remembers: attempts, their leases and messages, and what a ticket has cost so far.
//
//   planned -> newborn -> ready -> running <-> waiting -> finished -> closed
//      \__________\_________\__________\___________\______-> lost --/
//
// A row that is not `closed` is open; one ticket has at most one open row. `closed` rows stay interesting
// until the board has been told (settled).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "dispatcher/core/ids.h"
#include "dispatcher/core/instant.h"

namespace holdfast {

// DO NOT REORDER: the numbers are in the ledger file.
enum class Phase {
  planned = 0,
  newborn = 1,
  ready = 2,
  running = 3,
  waiting = 4,
  finished = 5,
  lost = 6,
  closed = 7
};

// How far a planned attempt has come, durably. Nothing of it exists in tmux before `spawn_begun`.
enum class Step { claimed = 0, spawn_begun = 1 };

enum class Cause {
  none = 0,  // not dead
  never_came_to_be = 1,
  clean_exit = 2,
  exit_code = 3,
  signal = 4,
  oom_kill = 5,
  session_killed = 6,
  server_lost = 7,
  host_lost = 8,
  stopped_by_us = 9,
  stopped_by_operator = 10,
  provider_limit = 11,
  declared_dead = 12,
  unknown = 13,  // certainly dead, and nothing says how
};

// What a person (or the board, for a person) wants of a live attempt. An interrupt is no wish: it is typed.
enum class StopWish { none = 0, stop = 1, park = 2, cancel = 3 };
// How far the ending of a live tree has come, durably.
enum class Ending { none = 0, term_sent = 1, kill_sent = 2 };

// Where on its terminal a worker's word may stand.
enum class WordAt {
  first_column,  // nothing before it: what is printed for other reasons (a log, a list) is seldom there
  drawn,         // or behind what agents draw before their own text: a bullet, or an indentation of two
};

enum class Said { nothing = 0, done = 1, review = 2, question = 3 };

// DO NOT REORDER.
enum class BoardState {
  backlog = 0,
  todo = 1,
  in_progress = 2,
  in_review = 3,
  blocked = 4,
  done = 5,
  cancelled = 6
};

struct Attempt {
  AttemptId id;
  Phase phase = Phase::planned;
  Step step = Step::claimed;
  std::int64_t revision = 0;  // of this row; every write makes it larger

  SlotId slot;
  std::string token;    // unguessable; in the worker's environment
  std::string profile;  // worker profile by name
  BranchName branch;
  std::string start;  // ref or commit that the branch starts from
  CommitId base;
  std::string worktree;  // absolute path
  int shard = 0;
  SessionName session;
  ServerIncarnation server;
  std::string session_id, pane_id;

  ProcessIdentity runner, worker;  // copies of what the record folder says
  std::string cgroup;

  Instant claimed_at, spawned_at, ready_at, running_at, changed_at;

  Said said = Said::nothing;
  std::string said_text;
  std::int64_t said_offset = -1;  // where in the stream; markers up to here are old

  StopWish wish = StopWish::none;
  std::string wish_by;  // who, and why, in words
  Ending ending = Ending::none;
  Instant ending_at;

  Cause cause = Cause::none;  // set with the certificate
  int exit_code = -1;         // where the cause has one (signal: its number)
  std::string evidence;       // one line: what proved it
  Instant died_at;

  std::optional<BoardState>
      disposition;           // set at `closed`: what the board is to be told; nothing: leave it as it is
  std::string reason;        // of the disposition, in words for a person
  std::string last_words;    // last lines of the terminal
  std::string branch_facts;  // one line
  std::vector<std::string> salvage_refs;
  bool settled = false;   // the board knows
  std::string attention;  // what a person should know now; empty: nothing

  friend bool operator==(const Attempt&, const Attempt&) = default;
  [[nodiscard]] bool open() const { return phase != Phase::closed; }
};

enum class SlotState { free = 0, leased = 1, quarantined = 2 };
struct Slot {
  SlotId id;
  SlotState state = SlotState::free;
  AttemptId holder;  // of the lease; empty where free
  std::string path;
  std::string note;  // why quarantined
  friend bool operator==(const Slot&, const Slot&) = default;
};

enum class MessageKind { prompt = 0, answer = 1, note = 2 };
// queued: ours alone. posted: it may be in the runner's inbox. delivered: the worker read it.
// unverified: handed over, never seen to be read; a person decides. dropped: its attempt ended first.
enum class MessageState { queued = 0, posted = 1, delivered = 2, unverified = 3, dropped = 4 };
struct Message {
  MessageId id;
  AttemptId attempt;
  MessageKind kind = MessageKind::prompt;
  MessageState state = MessageState::queued;
  std::string text;
  std::string by;
  Instant queued_at, changed_at;
  int conflicts = 0;  // how often the runtime was not ready for it
  std::string why;    // the last refusal's words
  friend bool operator==(const Message&, const Message&) = default;
};

// What a ticket has cost. Causes are charged to the right budget; see core/budget.h.
struct Memory {
  TicketId ticket;
  Generation last;         // newest generation ever claimed
  int charged = 0;         // attempts that count against the ticket
  int free_deaths = 0;     // deaths that are nobody's fault; bounded too
  int setup_failures = 0;  // never came to be
  int server_losses = 0;
  bool alone = false;               // retried with no neighbour on its server
  Instant not_before;               // back-off
  BranchName continue_from;         // the next attempt starts from this branch
  std::vector<std::string> waived;  // branch names that a person gave up
  friend bool operator==(const Memory&, const Memory&) = default;
};

// One line of the append-only log: what changed, why, on which evidence.
struct LedgerEvent {
  std::int64_t seq = 0;  // given by the ledger
  Instant at;
  AttemptId attempt;  // generation 0: about the ticket or the installation
  std::string kind;   // "claimed", "newborn", "lost" ...
  std::string cause;
  std::string evidence;
  friend bool operator==(const LedgerEvent&, const LedgerEvent&) = default;
};

struct AccountPause {
  AccountName account;
  Instant until;
  std::string why;
  friend bool operator==(const AccountPause&, const AccountPause&) = default;
};

// Opens when attempts die young in a row, whoever they belong to.
struct Breaker {
  std::vector<Instant> young_deaths;  // within the window, oldest first
  Instant open_until;
  friend bool operator==(const Breaker&, const Breaker&) = default;
};

}  // namespace holdfast
