// What it means that an effect was refused, or that nobody knows whether it happened: one table, a line for
// each kind of effect.
#include "dispatcher/core/absorb_parts.h"
#include "dispatcher/core/board_answers.h"
#include "dispatcher/core/decide.h"

namespace holdfast {
namespace {

// Refused and Unknown: what to try again, when, and what to look at first. Nothing here says that anybody is
// dead.
struct OnTrouble {
  Knowledge& k;
  const Answer& answer;
  std::set<TicketId>& touched;
  const std::string& words;
  std::optional<Why> refused;  // nothing: Unknown

  TicketKnowledge& ticket() const { return k.tickets[ticket_of(answer.effect)]; }
  void again(Duration first) const {
    if (const TicketId id = ticket_of(answer.effect); !id.empty())
      hold(k, k.tickets[id], id, words, first, call_of(answer.effect) == Call::post,
           refused && *refused == Why::busy);
  }

  void operator()(const WriteLedger&) const {
    const TicketId id = ticket_of(answer.effect);
    if (!refused || *refused == Why::conflict || *refused == Why::stale) {
      if (!id.empty()) k.tickets[id].ledger_unsure = true;  // read what is there before anything else
      if (refused) return;
    }
    if (!refused || *refused == Why::denied || *refused == Why::exhausted || *refused == Why::invalid)
      k.ledger_trouble = words;
    again(millis(200));
  }
  void operator()(const ReadTicket&) const { board_trouble(BoardMoment::look, millis(200)); }
  void operator()(const MoveTicket&) const { board_trouble(moment_of_move(ticket().newest), millis(100)); }
  void operator()(const ReturnToTodo&) const { board_trouble(moment_of_move(ticket().newest), millis(100)); }
  void operator()(const CommentTicket&) const { board_trouble(BoardMoment::comment, seconds(1)); }
  void operator()(const PrepareWorktree&) const {
    // Another dispatcher has prepared it and spawned: what makes the slot dirty is the worker's.
    if (const auto& newest = ticket().newest; newest && newest->step != Step::claimed) return;
    setup_trouble();
    // A slot that is not as it was left is not for anybody: it is kept for a person.
    if (refused && (*refused == Why::dirty || *refused == Why::stale)) {
      ticket().work.release_failure = words;
      ticket().work.setup_failures = setup_failures_max;
    }
  }
  void operator()(const WriteSpec&) const { setup_trouble(); }
  void operator()(const SpawnSession&) const {
    TicketKnowledge& t = ticket();
    // Nothing was sent: the same spawn may be tried again. Anything else may have happened: look.
    if (refused && *refused == Why::busy && t.tries < 5) return again(millis(100));
    t.work.spawn_tried = true;
    t.work.look_now = true;
  }
  void operator()(const Seal&) const { again(millis(200)); }
  void operator()(const GiveGo&) const { again(millis(100)); }
  void operator()(const Post&) const {
    // The runtime is not ready, or busy: it and the message are kept, it is looked at, and the message is
    // tried again.
    ticket().work.look_now = true;
    ticket().work.post_refusal = words;
    ticket().work.post_hopeless = refused && *refused == Why::invalid;
    again(millis(100));
  }
  void operator()(const Look&) const {
    TicketKnowledge& t = ticket();
    t.work.looked_at = k.now;
    if (!t.unknown_since.set()) t.unknown_since = k.now;
    again(millis(500));
    t.work.look_now = true;
  }
  void operator()(const ListServer& e) const {
    Shard& shard = k.shards[e.shard];
    shard.reachable = false;
    shard.trouble = words;
    if (!e.asked_by.empty()) {
      ticket().work.server_looks += 1;
      again(millis(200));
    }
  }
  void operator()(const EndTree&) const { again(millis(500)); }
  void operator()(const EndSession&) const {
    TicketKnowledge& t = ticket();
    // Nobody comes back for it: it is tried for a quarter of an hour and more. The worker is dead already,
    // and what stays is found by the doctor.
    if (t.tries >= 40)
      t.work.session_ended = true;
    else
      again(millis(500));
  }
  void operator()(const GiveNotice&) const { ticket().work.notice_given = true; }
  void operator()(const InspectBranch&) const {
    TicketKnowledge& t = ticket();
    again(millis(500));
    t.work.reviewed_at = k.now;
    if (t.tries >= 6 && t.newest && t.newest->open() && !t.work.facts) {
      BranchFacts none;
      none.note = words;
      t.work.facts = none;  // every fact unknown, which is never "safe"
      t.work.release_failure = "it could not be inspected: " + words;
    }
  }
  void operator()(const PinBranch& e) const {
    switch (e.when) {
      case PinWhen::seen:
        return;  // the log tells it; it is tried again after the next look, and holds nothing up
      case PinWhen::closing: break;
    }
    again(millis(500));
    if (ticket().tries >= 6) {
      ticket().work.pinned = true;
      ticket().work.release_failure = "its commits could not be pinned: " + words;
    }
  }
  void operator()(const SalvageWorktree&) const {
    again(millis(500));
    if (ticket().tries >= 6) ticket().work.salvage_failure = words;
  }
  void operator()(const ReleaseSlot&) const {
    TicketKnowledge& t = ticket();
    again(millis(500));
    if (refused && *refused == Why::dirty) {  // something appeared after the salvage: save that too
      t.work.facts.reset();
      t.work.salvaged.reset();
      t.work.release_tries += 1;
    }
    if (t.tries >= 6 || t.work.release_tries >= 3)
      t.work.release_failure = "it could not be given back: " + words;
  }
  void operator()(const LandBranch&) const {
    TicketKnowledge& t = ticket();
    again(seconds(1));
    if (t.tries >= 5) {
      Landed failed;
      failed.answer = LandAnswer::moved;
      failed.note = words;
      t.work.landed = failed;
    }
  }
  void operator()(const PushBranch&) const {
    again(seconds(1));
    if (ticket().tries >= 3 || (refused && *refused == Why::denied)) ticket().work.push_failure = words;
  }

  void operator()(const LoadLedger&) const { k.ledger_trouble = words; }
  void operator()(const ReadLedgerChanges&) const { k.ledger_trouble = words; }
  void operator()(const ReadBoard&) const {
    k.board_away = true;
    for (auto& [id, t] : k.tickets)
      if (t.work.board_gone == BoardGone::listed) t.work.board_gone = BoardGone::said;
  }
  void operator()(const StartServer& e) const {
    Shard& shard = k.shards[e.shard];
    shard.server = {};
    shard.trouble = words;
  }
  void operator()(const ListRecords&) const {}
  void operator()(const ListTraces&) const {}
  void operator()(const EnsurePool&) const {}

 private:
  void setup_trouble() const {
    again(millis(200));
    ticket().work.setup_failures += 1;
    ticket().work.setup_trouble = words;
  }
  // By the table of core/board_answers.
  void board_trouble(BoardMoment moment, Duration first) const {
    const TicketId id = ticket_of(answer.effect);
    TicketKnowledge& t = k.tickets[id];
    const BoardSaid said = board_said(answer.raw);
    // An old view, said in good order: as if nobody had answered.
    switch (said == BoardSaid::yes ? BoardNext::same_again : next_after(said, moment)) {
      case BoardNext::go_on:
      case BoardNext::same_again: break;
      case BoardNext::let_it_be: t.work.commented = true; return;
      case BoardNext::take_their_view: {
        const auto* now = std::get_if<BoardTicket>(&answer.value);
        if (now != nullptr && now->version != 0)
          take_board_ticket(k, *now, touched);
        else
          forget_board(t);
        break;
      }
      case BoardNext::read_first: forget_board(t); break;
      case BoardNext::is_it_gone:
        forget_board(t);
        if (moment != BoardMoment::look) break;  // the look that follows says it of the ticket itself
        t.work.board_gone = t.work.board_gone == BoardGone::listed ? BoardGone::sure : BoardGone::said;
        if (t.work.board_gone == BoardGone::sure) t.board_version = 0;
        return;
    }
    hold_board(k, t, id, words, first);
  }
};

}  // namespace

void absorb_trouble(Knowledge& k, const Answer& answer, std::set<TicketId>& touched, const std::string& words,
                    std::optional<Why> refused) {
  std::visit(OnTrouble{k, answer, touched, words, refused}, answer.effect);
}

}  // namespace holdfast
