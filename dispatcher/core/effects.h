// What the core asks of the world. One effect is one port call with one change in the world; its answer comes
// back as an Answer, raw, and core/classify says what it means.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "dispatcher/core/attempt_sightings.h"
#include "dispatcher/core/board_ticket.h"
#include "dispatcher/core/branch_facts.h"
#include "dispatcher/core/certificate.h"
#include "dispatcher/core/ledger_rules.h"
#include "dispatcher/core/raw_reply.h"
#include "dispatcher/core/terminal_sightings.h"
#include "dispatcher/core/verdict.h"

namespace holdfast {

// Every kind of port call. core/classify has one table for each.
enum class Call {
  ledger_load,
  ledger_changes,
  ledger_write,
  board_changes,
  board_read,
  board_move,
  board_return,
  board_comment,
  spec_write,
  seal,
  go,
  post,
  look,
  record_list,
  server_start,
  spawn,
  server_list,
  session_end,
  notice,
  tree_end,
  pool_ensure,
  prepare,
  inspect,
  pin,
  salvage,
  release,
  land,
  push,
  traces,
};

// --- effects of one ticket; at most one of a ticket is in flight
// ---------------------------------------------------------

struct WriteLedger {
  LedgerWrite write;
};
struct ReadTicket {
  TicketId ticket;
};
struct MoveTicket {
  TicketId ticket;
  std::int64_t expected_version = 0;
  BoardState to = BoardState::in_progress;
  std::string reason, key;
};
struct ReturnToTodo {
  DeathCertificate certificate;
  std::int64_t expected_version = 0;
  std::string reason;
};
struct CommentTicket {
  TicketId ticket;
  std::string key, text;
};
struct PrepareWorktree {
  PrepareOrder order;
};
struct WriteSpec {
  RunnerSpec spec;
  std::string prompt_file;
};  // prompt_file: content of `prompt`, empty: none
struct SpawnSession {
  SpawnOrder order;
  AttemptId attempt;
};
struct Seal {
  AttemptId attempt;
  std::string why;
};
struct GiveGo {
  AttemptId attempt;
};
struct Post {
  AttemptId attempt;
  MessageId message;
  std::string text;
};
// Record, processes and the stream's new bytes: changes nothing.
struct Look {
  Containment containment;
  bool scan = false;
  std::int64_t stream_offset = 0;
  std::int64_t said_offset = 0;  // of what the worker's hook said
};
struct ListServer {
  int shard = 0;
  TicketId asked_by;
};  // asked_by empty: routine
struct EndTree {
  Containment containment;
  EndSignal signal = EndSignal::term;
};
struct EndSession {
  ServerIncarnation server;
  SessionName session;
  std::string session_id;
  AttemptId attempt;
};
struct GiveNotice {
  ServerIncarnation server;
  SessionName session;
  std::string text;
  AttemptId attempt;
};
struct InspectBranch {
  BranchOrder order;
};
struct PinBranch {
  BranchOrder order;
  PinWhen when = PinWhen::closing;
};
struct SalvageWorktree {
  BranchOrder order;
};
struct ReleaseSlot {
  SlotOrder order;
  CommitId expected_head;
  std::string start;
};
struct LandBranch {
  LandOrder order;
};
struct PushBranch {
  BranchOrder order;
};

// --- effects of the installation
// -------------------------------------------------------------------------------------

struct LoadLedger {};
struct ReadLedgerChanges {
  std::int64_t after = 0;
};
struct ReadBoard {
  std::int64_t cursor = 0;
};
struct StartServer {
  int shard = 0;
};
struct ListRecords {};
struct ListTraces {};
struct EnsurePool {
  int capacity = 0;
  std::string start;
};

using Effect =
    std::variant<WriteLedger, ReadTicket, MoveTicket, ReturnToTodo, CommentTicket, PrepareWorktree, WriteSpec,
                 SpawnSession, Seal, GiveGo, Post, Look, ListServer, EndTree, EndSession, GiveNotice,
                 InspectBranch, PinBranch, SalvageWorktree, ReleaseSlot, LandBranch, PushBranch, LoadLedger,
                 ReadLedgerChanges, ReadBoard, StartServer, ListRecords, ListTraces, EnsurePool>;

Call call_of(const Effect&);
TicketId ticket_of(const Effect&);    // empty: the installation's
AttemptId attempt_of(const Effect&);  // whom its answer is about; generation 0: a ticket, or the installation
const char* words_for(Call);
bool only_reads(Call);  // it changes nothing in the world, whatever comes of it
// Nobody waits for it and it waits for nobody: pinning what was just seen of an attempt that lives.
bool is_by_the_way(const Effect&);
std::string describe(const Effect&);  // one line, for plan and logs: "spawn session hf-T-1-g2"

// --- answers
// ---------------------------------------------------------------------------------------------------------

struct Looked {
  RecordSighting record;
  ProcessSighting process;
  std::string stream;  // new bytes from stream_offset
  std::int64_t stream_offset = 0;
  std::string said;  // new complete lines of the worker's hook, from said_offset
};

using AnswerValue =
    std::variant<std::monostate, LedgerDelta, LedgerContents, BoardChanges, BoardTicket, Prepared,
                 SpawnedPane, SealAnswer, Looked, ServerListing, ServerIncarnation, BranchFacts, Salvaged,
                 SlotSighting, std::vector<SlotSighting>, Landed, std::vector<AttemptId>>;

struct Answer {
  Effect effect;  // what was asked
  RawReply raw;
  AnswerValue value;  // means something only where the raw reply is classified as Done
  Instant at;         // when the answer came
  Instant
      asked_at;  // when the port call began: sightings count from here, since what they saw may be this old
};

}  // namespace holdfast
