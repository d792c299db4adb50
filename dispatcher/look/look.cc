#include "dispatcher/look/look.h"

#include <algorithm>
#include <thread>

#include "dispatcher/core/classify.h"

namespace holdfast {
namespace {

constexpr int looks_per_ticket = 12;

// Why nobody at all can be claimed now; empty: somebody can, or nothing is known of the pool.
std::string no_room(const Knowledge& k, const Policy& policy) {
  int open = 0, free = 0, set_apart = 0;
  for (const auto& [id, t] : k.tickets) open += t.newest && t.newest->open() ? 1 : 0;
  for (const auto& [id, slot] : k.slots) {
    free += slot.state == SlotState::free ? 1 : 0;
    set_apart += slot.state == SlotState::quarantined ? 1 : 0;
  }
  if (open >= policy.capacity) return "it waits for room: all places are taken";
  if (k.slots.empty() || free > 0) return "";
  return "no worktree of the pool is free" +
         (set_apart > 0 ? ": " + std::to_string(set_apart) +
                              " set apart with what nobody has saved; see `holdfast pool status`"
                        : std::string());
}

bool is_a_claim(const Plan& plan) {
  const auto* write = plan.effect ? std::get_if<WriteLedger>(&*plan.effect) : nullptr;
  return write != nullptr && std::holds_alternative<Claim>(write->write);
}

}  // namespace

Verdict verdict_for(const TicketKnowledge& t, Instant now) {
  const Attempt* a = t.current();
  if (a == nullptr) return Verdict::unknown;
  return a->cause != Cause::none ? Verdict::dead : verdict_of(*a, t.seen, now);
}

bool LookAround::is_on_the_board(const CommentTicket& comment) {
  const auto page = desk.show(comment.ticket);
  return page && std::ranges::any_of(page->comments, [&](const auto& c) { return c.key == comment.key; });
}

void LookAround::perform_reading(const Effect& effect) {
  begun(brain.knowledge, effect);
  const auto* listing = std::get_if<ListServer>(&effect);
  if (const auto known = listing != nullptr ? silent.find(listing->shard) : silent.end();
      known != silent.end()) {
    const Instant now = world.now();
    absorb(brain.knowledge, Answer{effect, known->second, {}, now, now}, brain.policy);
    return;
  }
  const Answer answer = perform(effect, world, within);
  brain.knowledge.now = std::max(brain.knowledge.now, answer.at);
  absorb(brain.knowledge, answer, brain.policy);
  if (!is_done(classify(call_of(effect), answer.raw)))
    troubles.push_back(describe(effect) + ": " + (answer.raw.error.empty() ? "no answer" : answer.raw.error));
}

Plan LookAround::plan_for(const TicketId& id) {
  for (int n = 0;; ++n) {
    brain.knowledge.now = std::max(brain.knowledge.now, world.now());
    Plan plan = decide(brain.knowledge, id, brain.policy);
    // Only whoever wrote a comment remembers that it did; the board shows it.
    if (const auto* comment = plan.effect ? std::get_if<CommentTicket>(&*plan.effect) : nullptr;
        comment != nullptr && n < looks_per_ticket && is_on_the_board(*comment)) {
      brain.knowledge.tickets[id].work.commented = true;
      continue;
    }
    if (is_a_claim(plan))
      if (std::string why = no_room(brain.knowledge, brain.policy); !why.empty())
        return {plan.rule, std::move(why), std::nullopt, {}};
    if (plan.effect && is_by_the_way(*plan.effect)) plan.effect.reset();  // due by this very look alone
    if (!plan.effect || !only_reads(call_of(*plan.effect)) || n >= looks_per_ticket) return plan;
    perform_reading(*plan.effect);
    TicketKnowledge& t = brain.knowledge.tickets[id];
    if (std::max(t.hold_until, t.board_hold_until) > brain.knowledge.now && n > 2)
      return decide(brain.knowledge, id, brain.policy);
  }
}

void LookAround::look(bool worktrees) {
  Knowledge& k = brain.knowledge;
  k.now = world.now();
  perform_reading(LoadLedger{});
  for (bool more = true; more;) {  // the board, page by page
    const std::int64_t cursor = brain.agenda.board_cursor;
    const Answer page = perform(ReadBoard{cursor}, world, within);
    absorb(k, page, brain.policy);
    const auto* news = std::get_if<BoardChanges>(&page.value);
    more = news != nullptr && !news->complete && news->cursor > cursor;
    if (news != nullptr) brain.agenda.board_cursor = news->cursor;
    if (!is_done(classify(Call::board_changes, page.raw))) {
      troubles.push_back("the board: " + page.raw.error);
      more = false;
    }
  }
  perform_reading(ListRecords{});
  // All servers at once: one that is stopped costs its deadline, not each of them.
  std::vector<Answer> listings(static_cast<std::size_t>(brain.policy.shards) + 1);
  {
    std::vector<std::jthread> askers;
    for (std::size_t shard = 0; shard < listings.size(); ++shard)
      askers.emplace_back(
          [&, shard] { listings[shard] = perform(ListServer{static_cast<int>(shard), {}}, world, within); });
  }
  for (std::size_t shard = 0; shard < listings.size(); ++shard) {
    const Answer& listing = listings[shard];
    absorb(k, listing, brain.policy);
    if (is_done(classify(Call::server_list, listing.raw))) continue;
    silent[static_cast<int>(shard)] = listing.raw;
    troubles.push_back("tmux server " + std::to_string(shard) +
                       " was asked and did not answer: " + listing.raw.error);
  }
  if (!worktrees) return;
  perform_reading(ListTraces{});
  auto pool = world.worktrees.look_at_pool(within.git);
  if (is_done(classify(Call::traces, pool.raw)))
    slots = std::move(pool.value);
  else
    troubles.push_back("the pool: " + pool.raw.error);
}

}  // namespace holdfast
