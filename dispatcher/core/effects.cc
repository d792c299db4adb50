#include "dispatcher/core/effects.h"

#include <array>

#include "dispatcher/core/names.h"
#include "dispatcher/core/words.h"

namespace holdfast {

Call call_of(const Effect& effect) {
  struct Table {
    Call operator()(const WriteLedger&) const { return Call::ledger_write; }
    Call operator()(const ReadTicket&) const { return Call::board_read; }
    Call operator()(const MoveTicket&) const { return Call::board_move; }
    Call operator()(const ReturnToTodo&) const { return Call::board_return; }
    Call operator()(const CommentTicket&) const { return Call::board_comment; }
    Call operator()(const PrepareWorktree&) const { return Call::prepare; }
    Call operator()(const WriteSpec&) const { return Call::spec_write; }
    Call operator()(const SpawnSession&) const { return Call::spawn; }
    Call operator()(const Seal&) const { return Call::seal; }
    Call operator()(const GiveGo&) const { return Call::go; }
    Call operator()(const Post&) const { return Call::post; }
    Call operator()(const Look&) const { return Call::look; }
    Call operator()(const ListServer&) const { return Call::server_list; }
    Call operator()(const EndTree&) const { return Call::tree_end; }
    Call operator()(const EndSession&) const { return Call::session_end; }
    Call operator()(const GiveNotice&) const { return Call::notice; }
    Call operator()(const InspectBranch&) const { return Call::inspect; }
    Call operator()(const PinBranch&) const { return Call::pin; }
    Call operator()(const SalvageWorktree&) const { return Call::salvage; }
    Call operator()(const ReleaseSlot&) const { return Call::release; }
    Call operator()(const LandBranch&) const { return Call::land; }
    Call operator()(const PushBranch&) const { return Call::push; }
    Call operator()(const LoadLedger&) const { return Call::ledger_load; }
    Call operator()(const ReadLedgerChanges&) const { return Call::ledger_changes; }
    Call operator()(const ReadBoard&) const { return Call::board_changes; }
    Call operator()(const StartServer&) const { return Call::server_start; }
    Call operator()(const ListRecords&) const { return Call::record_list; }
    Call operator()(const ListTraces&) const { return Call::traces; }
    Call operator()(const EnsurePool&) const { return Call::pool_ensure; }
  };
  return std::visit(Table{}, effect);
}

TicketId ticket_of(const Effect& effect) {
  struct Table {
    TicketId operator()(const WriteLedger& e) const { return ticket_of(e.write); }
    TicketId operator()(const ReadTicket& e) const { return e.ticket; }
    TicketId operator()(const MoveTicket& e) const { return e.ticket; }
    TicketId operator()(const ReturnToTodo& e) const { return e.certificate.attempt().ticket; }
    TicketId operator()(const CommentTicket& e) const { return e.ticket; }
    TicketId operator()(const PrepareWorktree& e) const { return e.order.attempt.ticket; }
    TicketId operator()(const WriteSpec& e) const { return e.spec.attempt.ticket; }
    TicketId operator()(const SpawnSession& e) const { return e.attempt.ticket; }
    TicketId operator()(const Seal& e) const { return e.attempt.ticket; }
    TicketId operator()(const GiveGo& e) const { return e.attempt.ticket; }
    TicketId operator()(const Post& e) const { return e.attempt.ticket; }
    TicketId operator()(const Look& e) const { return e.containment.attempt.ticket; }
    TicketId operator()(const ListServer& e) const { return e.asked_by; }
    TicketId operator()(const EndTree& e) const { return e.containment.attempt.ticket; }
    TicketId operator()(const EndSession& e) const { return e.attempt.ticket; }
    TicketId operator()(const GiveNotice& e) const { return e.attempt.ticket; }
    TicketId operator()(const InspectBranch& e) const { return e.order.attempt.ticket; }
    TicketId operator()(const PinBranch& e) const { return e.order.attempt.ticket; }
    TicketId operator()(const SalvageWorktree& e) const { return e.order.attempt.ticket; }
    TicketId operator()(const ReleaseSlot& e) const { return e.order.attempt.ticket; }
    TicketId operator()(const LandBranch& e) const { return e.order.attempt.ticket; }
    TicketId operator()(const PushBranch& e) const { return e.order.attempt.ticket; }
    TicketId operator()(const LoadLedger&) const { return {}; }
    TicketId operator()(const ReadLedgerChanges&) const { return {}; }
    TicketId operator()(const ReadBoard&) const { return {}; }
    TicketId operator()(const StartServer&) const { return {}; }
    TicketId operator()(const ListRecords&) const { return {}; }
    TicketId operator()(const ListTraces&) const { return {}; }
    TicketId operator()(const EnsurePool&) const { return {}; }
  };
  return std::visit(Table{}, effect);
}

AttemptId attempt_of(const Effect& effect) {
  struct Table {
    AttemptId operator()(const PrepareWorktree& e) const { return e.order.attempt; }
    AttemptId operator()(const WriteSpec& e) const { return e.spec.attempt; }
    AttemptId operator()(const SpawnSession& e) const { return e.attempt; }
    AttemptId operator()(const Seal& e) const { return e.attempt; }
    AttemptId operator()(const GiveGo& e) const { return e.attempt; }
    AttemptId operator()(const Post& e) const { return e.attempt; }
    AttemptId operator()(const Look& e) const { return e.containment.attempt; }
    AttemptId operator()(const EndTree& e) const { return e.containment.attempt; }
    AttemptId operator()(const EndSession& e) const { return e.attempt; }
    AttemptId operator()(const GiveNotice& e) const { return e.attempt; }
    AttemptId operator()(const InspectBranch& e) const { return e.order.attempt; }
    AttemptId operator()(const PinBranch& e) const { return e.order.attempt; }
    AttemptId operator()(const SalvageWorktree& e) const { return e.order.attempt; }
    AttemptId operator()(const ReleaseSlot& e) const { return e.order.attempt; }
    AttemptId operator()(const LandBranch& e) const { return e.order.attempt; }
    AttemptId operator()(const PushBranch& e) const { return e.order.attempt; }
    AttemptId operator()(const WriteLedger&) const { return {}; }
    AttemptId operator()(const ReadTicket&) const { return {}; }
    AttemptId operator()(const MoveTicket&) const { return {}; }
    AttemptId operator()(const ReturnToTodo&) const { return {}; }
    AttemptId operator()(const CommentTicket&) const { return {}; }
    AttemptId operator()(const ListServer&) const { return {}; }
    AttemptId operator()(const LoadLedger&) const { return {}; }
    AttemptId operator()(const ReadLedgerChanges&) const { return {}; }
    AttemptId operator()(const ReadBoard&) const { return {}; }
    AttemptId operator()(const StartServer&) const { return {}; }
    AttemptId operator()(const ListRecords&) const { return {}; }
    AttemptId operator()(const ListTraces&) const { return {}; }
    AttemptId operator()(const EnsurePool&) const { return {}; }
  };
  return std::visit(Table{}, effect);
}

const char* words_for(Call call) {
  switch (call) {
    case Call::ledger_load: return "load the ledger";
    case Call::ledger_changes: return "read ledger changes";
    case Call::ledger_write: return "write the ledger";
    case Call::board_changes: return "read the board";
    case Call::board_read: return "read the ticket";
    case Call::board_move: return "move the ticket";
    case Call::board_return: return "return the ticket to todo";
    case Call::board_comment: return "comment on the ticket";
    case Call::spec_write: return "write the runner's orders";
    case Call::seal: return "seal the attempt";
    case Call::go: return "give the go-ahead";
    case Call::post: return "post a message";
    case Call::look: return "look at the runtime";
    case Call::record_list: return "list record folders";
    case Call::server_start: return "start a tmux server";
    case Call::spawn: return "spawn the session";
    case Call::server_list: return "list a tmux server";
    case Call::session_end: return "end the session";
    case Call::notice: return "show a notice";
    case Call::tree_end: return "end the worker's tree";
    case Call::pool_ensure: return "prepare the pool";
    case Call::prepare: return "prepare the worktree";
    case Call::inspect: return "inspect the branch";
    case Call::pin: return "pin what was seen";
    case Call::salvage: return "salvage the worktree";
    case Call::release: return "release the worktree";
    case Call::land: return "land the branch";
    case Call::push: return "push the branch";
    case Call::traces: return "list refs of earlier attempts";
  }
  __builtin_unreachable();
}

bool is_by_the_way(const Effect& effect) {
  const auto* pin = std::get_if<PinBranch>(&effect);
  if (pin == nullptr) return false;
  switch (pin->when) {
    case PinWhen::seen: return true;
    case PinWhen::closing: return false;
  }
  __builtin_unreachable();
}

namespace {

const char* name_of(const LedgerWrite& write) {
  constexpr std::array<const char*, std::variant_size_v<LedgerWrite>> names{
      "claim",         "begin spawn",   "newborn",       "ready", "running", "waiting",
      "finished",      "lost",          "death",         "wish",  "ending",  "attention",
      "declared dead", "queue message", "message state", "close", "settle",  "slot",
      "tmux server",   "account pause", "breaker",       "retry", "waive",   "note"};
  return names.at(write.index());
}

}  // namespace

std::string describe(const Effect& effect) {
  std::string line = words_for(call_of(effect));
  if (const auto* write = std::get_if<WriteLedger>(&effect))
    line = std::string("record: ") + name_of(write->write);
  if (const auto* move = std::get_if<MoveTicket>(&effect)) line += std::string(" to ") + words_for(move->to);
  if (const auto* spawn = std::get_if<SpawnSession>(&effect)) line += " " + spawn->order.session.value;
  if (const auto* prepare = std::get_if<PrepareWorktree>(&effect))
    line += " " + prepare->order.slot.value + " on " + prepare->order.branch.value;
  if (const auto* end = std::get_if<EndTree>(&effect))
    line += end->signal == EndSignal::term ? " (TERM)" : " (KILL)";
  if (const auto* pin = std::get_if<PinBranch>(&effect)) switch (pin->when) {
      case PinWhen::seen: line += " while it lives"; break;
      case PinWhen::closing: line += ", closing"; break;
    }
  if (const auto* list = std::get_if<ListServer>(&effect))
    line += " (shard " + std::to_string(list->shard) + ")";
  return line;
}

bool only_reads(Call call) {
  switch (call) {
    case Call::ledger_load:
    case Call::ledger_changes:
    case Call::board_changes:
    case Call::board_read:
    case Call::look:
    case Call::record_list:
    case Call::server_list:
    case Call::inspect:
    case Call::traces: return true;
    case Call::ledger_write:
    case Call::board_move:
    case Call::board_return:
    case Call::board_comment:
    case Call::spec_write:
    case Call::seal:
    case Call::go:
    case Call::post:
    case Call::server_start:
    case Call::spawn:
    case Call::session_end:
    case Call::notice:
    case Call::tree_end:
    case Call::pool_ensure:
    case Call::prepare:
    case Call::pin:
    case Call::salvage:
    case Call::release:
    case Call::land:
    case Call::push: return false;
  }
  __builtin_unreachable();
}

}  // namespace holdfast
