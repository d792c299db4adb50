// What it means that an effect has happened: one table, a line for each kind of effect.
#include <algorithm>

#include "dispatcher/core/absorb_parts.h"
#include "dispatcher/core/budget.h"
#include "dispatcher/core/decide.h"
#include "dispatcher/core/names.h"

namespace holdfast {
namespace {

struct OnDone {
  Knowledge& k;
  const Answer& answer;
  const Policy& policy;
  std::set<TicketId>& touched;

  TicketKnowledge& ticket() const { return k.tickets[ticket_of(answer.effect)]; }
  template <class T>
  const T* value() const {
    return std::get_if<T>(&answer.value);
  }

  void operator()(const WriteLedger& e) const {
    if (const auto* delta = value<LedgerDelta>()) {
      take_delta(k, *delta, policy, touched);
      // It was so already, which we did not know: somebody else wrote it. What they wrote is read first.
      if (const TicketId id = ticket_of(e.write); !id.empty() && *delta == LedgerDelta{})
        k.tickets[id].ledger_unsure = true;
    }
    k.ledger_trouble.clear();
    if (std::holds_alternative<StoreBreaker>(e.write)) k.breaker_unsaved = false;
    if (const auto* stored = std::get_if<StoreServer>(&e.write))
      k.shards[stored->server.shard].unsaved = false;
    if (const auto* moved = std::get_if<MoveMessage>(&e.write); moved && moved->to == MessageState::delivered)
      for (const Message& m : ticket().messages)
        if (m.id == moved->id && m.kind != MessageKind::prompt) ticket().work.answered = true;
  }
  void operator()(const ReadTicket&) const { board_ticket(); }
  void operator()(const MoveTicket&) const { board_ticket(); }
  void operator()(const ReturnToTodo&) const { board_ticket(); }
  void operator()(const CommentTicket&) const { ticket().work.commented = true; }
  void operator()(const PrepareWorktree&) const {
    if (const auto* prepared = value<Prepared>()) ticket().work.prepared = *prepared;
  }
  void operator()(const WriteSpec&) const { ticket().work.spec_written = true; }
  void operator()(const SpawnSession&) const {
    TicketKnowledge& t = ticket();
    t.work.spawn_tried = true;
    const auto* pane = value<SpawnedPane>();
    if (pane == nullptr) return;
    t.work.pane = *pane;
    if (!pane->session_id.empty() && t.newest) see_spawned(k, t, *pane, asked_when(answer));
  }
  void operator()(const Seal&) const {
    TicketKnowledge& t = ticket();
    const auto* sealed = value<SealAnswer>();
    if (sealed == nullptr) return;
    switch (*sealed) {
      case SealAnswer::sealed: t.seen.sealed_at = answer.at; break;
      case SealAnswer::already_started:  // the runner was first, whoever spawned it: it is looked at and
                                         // adopted
        t.work.look_now = true;
        t.work.spawn_tried = true;
        break;
    }
  }
  void operator()(const GiveGo&) const { ticket().work.go_given = true; }
  void operator()(const Post&) const {
    ticket().work.look_now = true;
    ticket().work.post_refusal.clear();
  }
  void operator()(const Look&) const {
    TicketKnowledge& t = ticket();
    if (const auto* looked = value<Looked>(); looked && t.newest) take_look(k, t, *looked, answer);
  }
  void operator()(const ListServer& e) const {
    if (const auto* listing = value<ServerListing>())
      take_listing(k, *listing, e.asked_by, asked_when(answer), touched);
    if (e.asked_by.empty()) return;
    // A listing that tells nothing new about it (clocks that were moved make one look old) is a look in vain.
    TicketKnowledge& t = ticket();
    const bool told = t.seen.pane && t.seen.pane->at >= asked_when(answer);
    t.work.server_looks = told ? 0 : t.work.server_looks + 1;
  }
  void operator()(const EndTree& e) const {
    TicketKnowledge& t = ticket();
    (e.signal == EndSignal::term ? t.work.term_sent : t.work.kill_sent) = answer.at;
    t.work.look_now = true;
  }
  void operator()(const EndSession&) const { ticket().work.session_ended = true; }
  void operator()(const GiveNotice&) const { ticket().work.notice_given = true; }
  void operator()(const InspectBranch&) const {
    TicketKnowledge& t = ticket();
    if (const auto* facts = value<BranchFacts>()) t.work.facts = *facts;
    t.work.reviewed_at = answer.at;
  }
  void operator()(const PinBranch& e) const {
    switch (e.when) {
      case PinWhen::seen: return;
      case PinWhen::closing: break;
    }
    TicketKnowledge& t = ticket();
    t.work.pinned = true;
    // What it holds besides the branch's own tip, a stash say, was not known when the facts were read:
    // nothing is landed or called done by those.
    const auto* held = value<Salvaged>();
    if (held != nullptr && t.work.facts && std::ranges::any_of(held->commits, [&](const CommitId& commit) {
          return commit != t.work.facts->tip && commit != t.work.facts->head;
        }))
      t.work.facts.reset();
  }
  void operator()(const SalvageWorktree&) const {
    if (const auto* salvaged = value<Salvaged>()) ticket().work.salvaged = *salvaged;
  }
  void operator()(const ReleaseSlot&) const {
    if (const auto* slot = value<SlotSighting>()) ticket().work.released = *slot;
  }
  void operator()(const LandBranch&) const {
    TicketKnowledge& t = ticket();
    const auto* landed = value<Landed>();
    if (landed == nullptr) return;
    if (landed->answer == LandAnswer::moved && t.tries < 5)
      return hold(k, t, ticket_of(answer.effect), "the target moved", millis(50));
    t.work.landed = *landed;
    // What "landed" means is read from the branch again, not from the answer.
    if (landed->answer == LandAnswer::landed || landed->answer == LandAnswer::already_landed)
      t.work.facts.reset();
  }
  void operator()(const PushBranch&) const { ticket().work.pushed = true; }

  void operator()(const LoadLedger&) const {
    contents();
    k.ledger_loaded = true;
  }
  void operator()(const ReadLedgerChanges&) const { contents(); }
  void operator()(const ReadBoard&) const {
    if (const auto* news = value<BoardChanges>()) {
      for (const BoardTicket& ticket : news->tickets) take_board_ticket(k, ticket, touched);
      if (news->complete) k.board_read = true;
    }
    for (auto& [id, t] : k.tickets) {
      if (t.work.board_gone == BoardGone::said) t.work.board_gone = BoardGone::listed;
      if (t.work.board_gone == BoardGone::listed) touched.insert(id);
      if (!k.board_away) continue;  // else it is back, and may be asked at once
      t.board_tries = 0;
      t.board_hold_until = {};
      touched.insert(id);
    }
    k.board_away = false;
  }
  void operator()(const StartServer& e) const {
    const auto* server = value<ServerIncarnation>();
    if (server == nullptr) return;
    Shard& shard = k.shards[e.shard];
    if (shard.server != *server) shard = {*server, {}, false, {}, {}, true, std::move(shard.asked_by)};
    for (auto& [id, t] : k.tickets)
      if (t.current() && t.current()->shard == e.shard) touched.insert(id);
  }
  void operator()(const ListRecords&) const {
    traces();
    k.records_listed = true;
  }
  void operator()(const ListTraces&) const {
    traces();
    k.traces_listed = true;
  }
  void operator()(const EnsurePool&) const { k.pool_ready = true; }

 private:
  void board_ticket() const {
    const auto* shown = value<BoardTicket>();
    if (shown == nullptr) return;
    take_board_ticket(k, *shown, touched);
    TicketKnowledge& t = ticket();
    t.work.board_read = t.newest && !t.newest->open();
  }
  void contents() const {
    if (const auto* news = value<LedgerContents>()) take_contents(k, *news, policy, touched);
    k.ledger_trouble.clear();
  }
  void traces() const {
    const auto* found = value<std::vector<AttemptId>>();
    if (found == nullptr) return;
    for (const AttemptId& id : *found) {
      k.traces.insert(id);
      Generation& floor = k.floors[id.ticket];
      floor = std::max(floor, id.generation);
    }
  }
};

}  // namespace

void absorb_done(Knowledge& k, const Answer& answer, const Policy& policy, std::set<TicketId>& touched) {
  std::visit(OnDone{k, answer, policy, touched}, answer.effect);
}

}  // namespace holdfast
