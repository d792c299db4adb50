// How effects take hold in the simulated world, port by port. Answers are raw replies in the words and codes
// of the real adapters; what they mean is for core/classify.
#pragma once

#include <string>

#include "sim/world/world.h"

namespace holdfast::sim {

// The next part of the flight's effect happens. True: that was the last part, and raw and value are set.
bool perform_part(World&, Flight&);

// By port. `f.part` says which part.
bool perform(World&, Flight&, const WriteLedger&);
bool perform(World&, Flight&, const LoadLedger&);
bool perform(World&, Flight&, const ReadLedgerChanges&);
bool perform(World&, Flight&, const ReadTicket&);
bool perform(World&, Flight&, const MoveTicket&);
bool perform(World&, Flight&, const ReturnToTodo&);
bool perform(World&, Flight&, const CommentTicket&);
bool perform(World&, Flight&, const ReadBoard&);
bool perform(World&, Flight&, const WriteSpec&);
bool perform(World&, Flight&, const Seal&);
bool perform(World&, Flight&, const GiveGo&);
bool perform(World&, Flight&, const Post&);
bool perform(World&, Flight&, const Look&);
bool perform(World&, Flight&, const ListRecords&);
bool perform(World&, Flight&, const EndTree&);
bool perform(World&, Flight&, const StartServer&);
bool perform(World&, Flight&, const SpawnSession&);
bool perform(World&, Flight&, const ListServer&);
bool perform(World&, Flight&, const EndSession&);
bool perform(World&, Flight&, const GiveNotice&);
bool perform(World&, Flight&, const PrepareWorktree&);
bool perform(World&, Flight&, const InspectBranch&);
bool perform(World&, Flight&, const PinBranch&);
bool perform(World&, Flight&, const SalvageWorktree&);
bool perform(World&, Flight&, const ReleaseSlot&);
bool perform(World&, Flight&, const LandBranch&);
bool perform(World&, Flight&, const PushBranch&);
bool perform(World&, Flight&, const ListTraces&);
bool perform(World&, Flight&, const EnsurePool&);

// --- shared by the ports

RawReply answered(int code = 0, std::string error = {});
Instant clock_of(const World&, int dispatcher);  // a dispatcher's wall clock; the host's for by < 0

// A ledger write by whomever; the reply, and the delta where it was stored.
RawReply write_ledger(World&, const LedgerWrite&, int by, std::optional<LedgerDelta>& delta);
// A board ticket in a new state.
void move_ticket(World&, const TicketId&, BoardState to, int by, const std::string& reason,
                 const std::string& key);

// Had a person been in it for so long, when this was asked for, that whoever lists it now and then knew?
bool long_attached(const Session&, const Flight&);

// --- news

void record_changed(World&, const AttemptId&);
void server_changed(World&, int shard);
void ledger_changed(World&, int by);
void board_changed(World&);

// --- processes

void write_end(World&, Runtime&, std::string reason);
void runner_is_gone(World&, Runtime&, std::optional<int> status, std::optional<int> signal);
void hang_up(World&, Runtime&);
bool tree_is_empty(const Runtime&);
void when_tree_ends(World&, const Runtime&);  // call after anything that may have ended the last process

// --- git

Worktree* worktree_of(World&, const Runtime&);
// What a slot holds that is saved nowhere.
std::vector<int> unsaved_changes(const World&, const Worktree&);
void set_ref(World&, const std::string& ref, CommitNo to, int by, bool forced = false);
// Pins of attempts that are over, where they hold nothing that is not held anyway: by the target, or by the
// pin of its branch. For `prove`: worlds that differ in them alone have the same future.
void forget_idle_pins(World&);

}  // namespace holdfast::sim
