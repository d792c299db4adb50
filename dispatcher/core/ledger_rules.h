// The ledger's rules, in one place: what each write needs, what it changes, what it appends to the log.
//
// apply() is pure. SQLite, PostgreSQL and the simulated ledger all do the same around it, in one transaction:
// read the view, apply, store the delta; and are tested against it row by row. The database's own constraints
// (one open runtime per ticket, no `todo` beside one) are a second net, for people with a SQL prompt.
//
// Every write about an attempt names its generation. One that is not the ticket's newest, or whose row is
// closed, is refused as stale and changes nothing: that is the fence.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "dispatcher/core/attempt.h"
#include "dispatcher/core/attempt_sightings.h"
#include "dispatcher/core/certificate.h"
#include "dispatcher/core/terminal_sightings.h"

namespace holdfast {

// --- the writes
// -----------------------------------------------------------------------------------------------------

// A new generation, a row in `planned`, a lease on the first free slot, the prompt in the outbox: one
// transaction, fsynced. Refused: an open row exists (conflict), no slot is free (exhausted).
struct Claim {
  TicketId ticket;
  std::string title;
  std::string profile;
  std::string prompt;  // empty: given by argument or file, nothing goes through the outbox
  std::string start;   // where the branch starts
  Generation floor;    // largest generation seen anywhere in the world
  int shard = 0;
  std::string token;  // stamped by the driver
};
struct BeginSpawn {  // intent before effect: after this a session may exist
  AttemptId attempt;
  CommitId base;
  std::string worktree;
};
struct RecordNewborn {  // the pane exists, or its runner was found
  AttemptId attempt;
  SpawnedPane pane;  // empty ids where only the runner was found
};
struct RecordReady {
  AttemptId attempt;
  ProcessIdentity runner, worker;
  std::string cgroup;
};
struct RecordRunning {
  AttemptId attempt;
};  // from ready, or from waiting (answered)
struct RecordWaiting {
  AttemptId attempt;
  std::string question;
  std::int64_t offset = 0;
};
struct RecordFinished {
  AttemptId attempt;
  Said said = Said::done;
  std::string text;
  std::int64_t offset = 0;
};
struct RecordLost {
  AttemptId attempt;
  DeathCertificate certificate;
};  // not finished, and dead
struct RecordDeath {
  AttemptId attempt;
  DeathCertificate certificate;
};  // finished (or closing), and now dead too
struct RecordWish {
  AttemptId attempt;
  StopWish wish = StopWish::none;
  std::string by;
};
struct RecordEnding {
  AttemptId attempt;
  Ending ending = Ending::none;
};
struct RecordAttention {
  AttemptId attempt;
  std::string text;
};  // empty text: cleared
// A person's word where nobody can tell. Refused where the doubt is of another attempt, or old.
struct DeclareDead {
  AttemptId attempt;
  Doubt doubt;
  std::string by;
  std::string evidence;
};

struct QueueMessage {
  Message message;
};  // state queued
struct MoveMessage {
  AttemptId attempt;
  MessageId id;
  MessageState to = MessageState::queued;
  std::string why;
};

// Ends the attempt: needs its death on the row. The slot becomes free or quarantined in the same transaction.
struct Close {
  AttemptId attempt;
  std::optional<BoardState> disposition;
  std::string reason;
  std::string last_words;
  std::string branch_facts;
  std::vector<std::string> salvage_refs;
  SlotState slot_after = SlotState::free;
  std::string slot_note;
  Memory memory;  // the ticket's new memory (budget, back-off)
};
struct Settle {
  AttemptId attempt;
};  // the board knows

struct StoreSlot {
  Slot slot;
};  // pool set-up, quarantine, return. A lease is made by Claim and ended by Close, never by this
struct StoreServer {
  ServerIncarnation server;
  std::string cause;
};
struct PauseAccount {
  AccountPause pause;
  AttemptId seen_by;
};
struct StoreBreaker {
  Breaker breaker;
  std::string cause;
};
struct Retry {
  TicketId ticket;
  std::string by;
};  // a person's: budgets and back-off start afresh
struct Waive {
  TicketId ticket;
  std::string branch;
  std::string by;
};
struct Note {
  AttemptId attempt;
  std::string kind, cause, evidence;
};  // an event alone

using LedgerWrite = std::variant<Claim, BeginSpawn, RecordNewborn, RecordReady, RecordRunning, RecordWaiting,
                                 RecordFinished, RecordLost, RecordDeath, RecordWish, RecordEnding,
                                 RecordAttention, DeclareDead, QueueMessage, MoveMessage, Close, Settle,
                                 StoreSlot, StoreServer, PauseAccount, StoreBreaker, Retry, Waive, Note>;

// Which ticket's rows a write reads; empty for installation-wide writes.
TicketId ticket_of(const LedgerWrite&);

// May the last commits be lost on power failure? Claims, closes, endings and certificates are fsynced; what
// can be learned again by looking is not.
enum class Durability { fsynced, survives_crash };
Durability durability_of(const LedgerWrite&);

// --- the rules
// ------------------------------------------------------------------------------------------------------

// What a write may read. The adapter fills it inside the transaction.
struct LedgerView {
  Memory memory;                     // of ticket_of(write); default where the ticket is new
  std::optional<Attempt> newest;     // the ticket's newest attempt, open or closed
  std::optional<Slot> first_free;    // for Claim: the free slot with the smallest id
  std::optional<Slot> leased;        // the slot that `newest` holds
  std::optional<Slot> slot;          // StoreSlot: the row of that id, if there
  std::optional<Message> message;    // MoveMessage, QueueMessage: the row of that id, if there
  std::vector<Message> undelivered;  // of `newest`: queued or posted
};

struct LedgerDelta {
  std::optional<Attempt> attempt;  // insert or replace (by ticket and generation)
  std::optional<Memory> memory;
  std::vector<Slot> slots;
  std::vector<Message> messages;
  std::vector<AccountPause> pauses;
  std::optional<Breaker> breaker;
  std::optional<ServerIncarnation> server;
  std::vector<LedgerEvent> events;  // seq is given by the ledger
  friend bool operator==(const LedgerDelta&, const LedgerDelta&) = default;
};

enum class LedgerRefusal { conflict, stale, exhausted, invalid };
struct LedgerNo {
  LedgerRefusal why = LedgerRefusal::invalid;
  std::string words;
};

std::expected<LedgerDelta, LedgerNo> apply(const LedgerView&, const LedgerWrite&, Instant now);

// --- reading
// -------------------------------------------------------------------------------------------------------

// Everything about one ticket that a dispatcher needs: newest attempt (open, or closed), memory, undelivered
// messages.
struct TicketLedger {
  TicketId ticket;
  Memory memory;
  std::optional<Attempt> newest;
  std::vector<Message>
      messages;  // of `newest`: queued, posted, unverified; and delivered ones (for the marker reader)
  friend bool operator==(const TicketLedger&, const TicketLedger&) = default;
};

struct LedgerContents {
  std::int64_t seq = 0;  // newest event contained
  std::vector<TicketLedger>
      tickets;  // load(): those with an open or unsettled attempt, or a memory that still matters
  std::vector<Slot> slots;
  std::vector<AccountPause> pauses;
  std::vector<ServerIncarnation> servers;
  Breaker breaker;
  friend bool operator==(const LedgerContents&, const LedgerContents&) = default;
};

}  // namespace holdfast
