// The door by which everything that was learned comes in: which answers count, and what their outcome is.
#include "dispatcher/core/absorb.h"

#include "dispatcher/core/absorb_parts.h"
#include "dispatcher/core/classify.h"

namespace holdfast {

bool Knowledge::full_look_done(int shard_count) const {
  if (first_look_done) return true;
  if (!ledger_loaded || !records_listed || !traces_listed || !board_read || !pool_ready) return false;
  for (int shard = 0; shard < shard_count; ++shard) {
    const auto found = shards.find(shard);
    if (found == shards.end() || !found->second.reachable) return false;
  }
  return true;
}

// What becomes news from now on may come too late for this look: it asks for the next one.
void begun(Knowledge& k, const Effect& effect) {
  if (const auto* listing = std::get_if<ListServer>(&effect))
    k.shards[listing->shard].asked_by.insert(listing->asked_by);
  const auto t = k.tickets.find(ticket_of(effect));
  if (t == k.tickets.end()) return;
  if (std::holds_alternative<Look>(effect)) t->second.work.look_now = false;
  // Done or not, the next one comes with the next look.
  if (is_by_the_way(effect)) t->second.work.pin_due = false;
}

namespace {

// The ticket as it was before what was seen of it already: from a cache, or a replica that is behind.
bool is_stale(const Knowledge& k, const Answer& answer) {
  const auto* asked = std::get_if<ReadTicket>(&answer.effect);
  const auto* shown = std::get_if<BoardTicket>(&answer.value);
  if (asked == nullptr || shown == nullptr) return false;
  const auto t = k.tickets.find(asked->ticket);
  return t != k.tickets.end() && shown->version < t->second.board_version;
}

}  // namespace

std::set<TicketId> absorb(Knowledge& k, const Answer& answer, const Policy& policy) {
  std::set<TicketId> touched;
  if (const TicketId id = ticket_of(answer.effect); !id.empty()) touched.insert(id);
  // An answer about an attempt that is not the ticket's newest any more says nothing about the one that is.
  if (const AttemptId about = attempt_of(answer.effect); about.generation.value != 0) {
    const auto t = k.tickets.find(about.ticket);
    if (t == k.tickets.end() || !t->second.newest || t->second.newest->id != about) return touched;
  }
  const Outcome outcome = classify(call_of(answer.effect), answer.raw);
  if (std::holds_alternative<Done>(outcome) && is_stale(k, answer)) {
    absorb_trouble(k, answer, touched, "the board showed an earlier state of it", std::nullopt);
  } else if (std::holds_alternative<Done>(outcome)) {
    absorb_done(k, answer, policy, touched);
    // Progress: the next failure starts with a short wait again. A look, or what is done by the way, is not
    // progress of what is being tried.
    const bool reading = call_of(answer.effect) == Call::look ||
                         call_of(answer.effect) == Call::server_list || is_by_the_way(answer.effect);
    const bool held_by_answer = std::holds_alternative<LandBranch>(answer.effect);
    if (const TicketId id = ticket_of(answer.effect); !id.empty() && !reading && !held_by_answer) {
      TicketKnowledge& t = k.tickets[id];
      if (family_of(call_of(answer.effect)) != Family::board) {
        t.tries = 0;
        t.hold_until = {};
      } else {
        // A read is no progress of a move that goes wrong again and again.
        if (!std::holds_alternative<ReadTicket>(answer.effect)) t.board_tries = 0;
        t.board_hold_until = {};
      }
    }
  } else if (const auto* refused = std::get_if<Refused>(&outcome)) {
    absorb_trouble(k, answer, touched, refused->words(), refused->why());
  } else {
    absorb_trouble(k, answer, touched, std::get<Unknown>(outcome).words, std::nullopt);
  }
  if (const auto* listing = std::get_if<ListServer>(&answer.effect)) listing_is_over(k, *listing);
  return touched;
}

std::set<TicketId> absorb(Knowledge& k, const News& news) {
  struct Table {
    Knowledge& k;
    std::set<TicketId> operator()(const AttemptNews& n) const {
      const auto found = k.tickets.find(n.attempt.ticket);
      if (found == k.tickets.end() || !found->second.newest || found->second.newest->id != n.attempt)
        return {};
      found->second.work.look_now = true;
      if (found->second.hold_ends_with_news) found->second.hold_until = {};
      return {n.attempt.ticket};
    }
    std::set<TicketId> operator()(const ServerNews&) const { return {}; }
    std::set<TicketId> operator()(const LedgerNews&) const { return {}; }
    std::set<TicketId> operator()(const BoardNews&) const { return {}; }
  };
  return std::visit(Table{k}, news);
}

}  // namespace holdfast
