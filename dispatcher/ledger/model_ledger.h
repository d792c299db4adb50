// A ledger of maps, for tests: core's rules and nothing else. What every real one must agree with.
#pragma once

#include <algorithm>
#include <map>
#include <mutex>
#include <set>

#include "dispatcher/ports/ledger.h"

namespace holdfast {

class ModelLedger final : public Ledger {
 public:
  Reply<LedgerContents> load() override {
    const std::scoped_lock lock(mutex_);
    LedgerContents contents = common();
    for (const TicketId& ticket : known_tickets())
      if (matters(ticket)) contents.tickets.push_back(ticket_ledger(ticket));
    return answered(contents);
  }

  Reply<LedgerContents> changes_after(std::int64_t seq) override {
    const std::scoped_lock lock(mutex_);
    LedgerContents contents = common();
    std::set<TicketId> touched;
    for (const LedgerEvent& event : events_)
      if (event.seq > seq && !event.attempt.ticket.empty()) touched.insert(event.attempt.ticket);
    for (const TicketId& ticket : touched) contents.tickets.push_back(ticket_ledger(ticket));
    return answered(contents);
  }

  Reply<LedgerDelta> write(const LedgerWrite& write, Instant now) override {
    const std::scoped_lock lock(mutex_);
    auto delta = apply(view_for(write), write, now);
    Reply<LedgerDelta> reply;
    reply.raw.transport = Transport::answered;
    if (!delta) {
      reply.raw.code = ledger_code(delta.error().why);
      reply.raw.error = delta.error().words;
      return reply;
    }
    store(*delta);
    reply.value = *delta;
    return reply;
  }

  Reply<std::vector<Attempt>> attempts_of(const TicketId& ticket) override {
    const std::scoped_lock lock(mutex_);
    std::vector<Attempt> found;
    for (const auto& [id, attempt] : attempts_)
      if (id.ticket == ticket) found.push_back(attempt);
    return answered(found);
  }

  Reply<std::vector<Attempt>> open_attempts() override {
    const std::scoped_lock lock(mutex_);
    std::vector<Attempt> found;
    for (const auto& [id, attempt] : attempts_)
      if (attempt.open()) found.push_back(attempt);
    return answered(found);
  }

  Reply<std::vector<Message>> messages_of(const AttemptId& attempt) override {
    const std::scoped_lock lock(mutex_);
    std::vector<Message> found;
    for (const Message& message : messages_)
      if (message.attempt == attempt) found.push_back(message);
    return answered(found);
  }

  Reply<std::vector<LedgerEvent>> events_after(std::int64_t seq, const std::optional<TicketId>& ticket,
                                               int at_most) override {
    const std::scoped_lock lock(mutex_);
    std::vector<LedgerEvent> found;
    for (const LedgerEvent& event : events_)
      if (event.seq > seq && (!ticket || event.attempt.ticket == *ticket) && std::ssize(found) < at_most)
        found.push_back(event);
    return answered(found);
  }

 private:
  template <class T>
  static Reply<T> answered(T value) {
    Reply<T> reply;
    reply.raw.transport = Transport::answered;
    reply.value = std::move(value);
    return reply;
  }

  [[nodiscard]] std::optional<Attempt> newest(const TicketId& ticket) const {
    std::optional<Attempt> found;
    for (const auto& [id, attempt] : attempts_)
      if (id.ticket == ticket) found = attempt;
    return found;
  }

  [[nodiscard]] Memory memory(const TicketId& ticket) const {
    if (const auto found = memories_.find(ticket); found != memories_.end()) return found->second;
    Memory fresh;
    fresh.ticket = ticket;
    return fresh;
  }

  [[nodiscard]] LedgerView view_for(const LedgerWrite& write) const {
    LedgerView view;
    const TicketId ticket = ticket_of(write);
    view.memory = memory(ticket);
    view.newest = newest(ticket);
    for (const auto& [id, slot] : slots_) {
      if (slot.state == SlotState::free && !view.first_free) view.first_free = slot;
      if (view.newest && slot.state == SlotState::leased && slot.holder == view.newest->id)
        view.leased = slot;
      if (const auto* w = std::get_if<StoreSlot>(&write); w != nullptr && w->slot.id == id) view.slot = slot;
    }
    for (const Message& message : messages_) {
      const auto* queue = std::get_if<QueueMessage>(&write);
      const auto* move = std::get_if<MoveMessage>(&write);
      if ((queue != nullptr && queue->message.id == message.id) ||
          (move != nullptr && move->id == message.id))
        view.message = message;
      if (view.newest && message.attempt == view.newest->id &&
          (message.state == MessageState::queued || message.state == MessageState::posted))
        view.undelivered.push_back(message);
    }
    return view;
  }

  void store(LedgerDelta& delta) {
    if (delta.attempt) attempts_[delta.attempt->id] = *delta.attempt;
    if (delta.memory) memories_[delta.memory->ticket] = *delta.memory;
    for (const Slot& slot : delta.slots) slots_[slot.id] = slot;
    for (const Message& message : delta.messages) {
      const auto there = std::ranges::find(messages_, message.id, &Message::id);
      if (there == messages_.end())
        messages_.push_back(message);
      else
        *there = message;
    }
    for (const AccountPause& pause : delta.pauses) pauses_[pause.account] = pause;
    if (delta.breaker) breaker_ = *delta.breaker;
    if (delta.server) servers_[delta.server->shard] = *delta.server;
    for (LedgerEvent& event : delta.events) {
      event.seq = std::ssize(events_) + 1;
      events_.push_back(event);
    }
  }

  [[nodiscard]] LedgerContents common() const {
    LedgerContents contents;
    contents.seq = std::ssize(events_);
    for (const auto& [id, slot] : slots_) contents.slots.push_back(slot);
    for (const auto& [account, pause] : pauses_) contents.pauses.push_back(pause);
    for (const auto& [shard, server] : servers_) contents.servers.push_back(server);
    contents.breaker = breaker_;
    return contents;
  }

  [[nodiscard]] std::set<TicketId> known_tickets() const {
    std::set<TicketId> tickets;
    for (const auto& [id, attempt] : attempts_) tickets.insert(id.ticket);
    for (const auto& [ticket, memory] : memories_) tickets.insert(ticket);
    return tickets;
  }

  [[nodiscard]] bool matters(const TicketId& ticket) const {
    if (const auto attempt = newest(ticket); attempt && (attempt->open() || !attempt->settled)) return true;
    Memory cost = memory(ticket);
    Memory fresh;
    fresh.ticket = ticket;
    cost.last = {};
    return cost != fresh;
  }

  [[nodiscard]] TicketLedger ticket_ledger(const TicketId& ticket) const {
    TicketLedger out{ticket, memory(ticket), newest(ticket), {}};
    for (const Message& message : messages_)
      if (out.newest && message.attempt == out.newest->id && message.state != MessageState::dropped)
        out.messages.push_back(message);
    return out;
  }

  std::mutex mutex_;
  std::map<AttemptId, Attempt> attempts_;
  std::map<TicketId, Memory> memories_;
  std::map<SlotId, Slot> slots_;
  std::vector<Message> messages_;
  std::map<AccountName, AccountPause> pauses_;
  std::map<int, ServerIncarnation> servers_;
  Breaker breaker_;
  std::vector<LedgerEvent> events_;
};

}  // namespace holdfast
