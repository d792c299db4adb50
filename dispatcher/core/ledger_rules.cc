#include "dispatcher/core/ledger_rules.h"

#include <algorithm>
#include <array>

#include "dispatcher/core/names.h"
#include "dispatcher/core/words.h"

namespace holdfast {
namespace {

using Result = std::expected<LedgerDelta, LedgerNo>;

std::unexpected<LedgerNo> no(LedgerRefusal why, std::string words) {
  return std::unexpected(LedgerNo{why, std::move(words)});
}

LedgerEvent event(const AttemptId& attempt, Instant now, std::string kind, std::string cause = {},
                  std::string evidence = {}) {
  return {0, now, attempt, std::move(kind), std::move(cause), std::move(evidence)};
}

// The fence: the write must be about the ticket's newest generation, and that one must still be open.
std::expected<Attempt, LedgerNo> fenced(const LedgerView& view, const AttemptId& id) {
  if (!view.newest) return no(LedgerRefusal::stale, "no attempt of " + id.ticket.value + " is recorded");
  if (view.newest->id != id)
    return no(LedgerRefusal::stale, "generation " + std::to_string(id.generation.value) +
                                        " is not the newest (" +
                                        std::to_string(view.newest->id.generation.value) + ")");
  if (!view.newest->open()) return no(LedgerRefusal::stale, attempt_key(id) + " is closed");
  return *view.newest;
}

// One row changed, one line in the log.
LedgerDelta changed(Attempt attempt, Instant now, LedgerEvent line) {
  attempt.revision += 1;
  attempt.changed_at = now;
  LedgerDelta delta;
  delta.attempt = std::move(attempt);
  delta.events.push_back(std::move(line));
  return delta;
}

bool one_of(Phase phase, std::initializer_list<Phase> allowed) {
  return std::ranges::find(allowed, phase) != allowed.end();
}

// A phase change that is only allowed from certain phases; repeating one that is done already is a conflict,
// which tells a dispatcher whose answer was lost to re-read.
std::expected<Attempt, LedgerNo> step(const LedgerView& view, const AttemptId& id,
                                      std::initializer_list<Phase> from, const char* what) {
  auto row = fenced(view, id);
  if (row && !one_of(row->phase, from))
    return no(LedgerRefusal::conflict, std::string(what) + " is not possible from " + words_for(row->phase));
  return row;
}

// Never twice on a guess: what was handed over (unverified), was read, or was dropped, is not queued again.
// `posted` goes back only because the runtime itself said that it did not take it.
bool may_move(MessageState from, MessageState to) {
  switch (from) {
    case MessageState::queued: return true;
    case MessageState::posted: return to != MessageState::posted;
    case MessageState::unverified: return to == MessageState::delivered || to == MessageState::dropped;
    case MessageState::delivered:
    case MessageState::dropped: return false;
  }
  __builtin_unreachable();
}

struct Rules {
  const LedgerView& view;
  Instant now;

  Result operator()(const Claim& w) const {
    if (what_is_wrong_with_ticket_id(w.ticket.value)) return no(LedgerRefusal::invalid, "not a ticket id");
    if (w.token.empty()) return no(LedgerRefusal::invalid, "a claim needs a token");
    if (view.newest && view.newest->open())
      return no(LedgerRefusal::conflict, attempt_key(view.newest->id) + " is open");
    if (view.newest && !view.newest->settled)
      return no(LedgerRefusal::conflict,
                attempt_key(view.newest->id) + " is closed, but the board does not know yet");
    if (!view.first_free) return no(LedgerRefusal::exhausted, "no free worktree in the pool");

    const Generation known =
        std::max({w.floor, view.memory.last, view.newest ? view.newest->id.generation : Generation{}});
    Attempt row;
    row.id = {w.ticket, known.next()};
    row.slot = view.first_free->id;
    row.worktree = view.first_free->path;
    row.token = w.token;
    row.profile = w.profile;
    row.branch = branch_name(row.id, w.title);
    row.start = w.start;
    row.shard = w.shard;
    row.session = session_name(row.id);
    row.claimed_at = now;

    Slot slot = *view.first_free;
    slot.state = SlotState::leased;
    slot.holder = row.id;

    Memory memory = view.memory;
    memory.ticket = w.ticket;
    memory.last = row.id.generation;

    LedgerDelta delta = changed(row, now, event(row.id, now, "claimed", "", "worktree " + slot.id.value));
    delta.memory = memory;
    delta.slots.push_back(slot);
    if (!w.prompt.empty()) {
      Message prompt;
      prompt.id = {attempt_key(row.id) + "-prompt"};
      prompt.attempt = row.id;
      prompt.text = w.prompt;
      prompt.by = "board";
      prompt.queued_at = prompt.changed_at = now;
      delta.messages.push_back(prompt);
    }
    return delta;
  }

  Result operator()(const BeginSpawn& w) const {
    auto row = step(view, w.attempt, {Phase::planned}, "spawning");
    if (!row) return std::unexpected(row.error());
    if (row->step != Step::claimed) return no(LedgerRefusal::conflict, "the spawn has begun already");
    row->step = Step::spawn_begun;
    row->base = w.base;
    row->worktree = w.worktree;
    row->spawned_at = now;
    return changed(*row, now, event(w.attempt, now, "spawn-begun", "", "base " + w.base.value));
  }

  Result operator()(const RecordNewborn& w) const {
    auto row = step(view, w.attempt, {Phase::planned}, "a newborn");
    if (!row) return std::unexpected(row.error());
    if (row->step != Step::spawn_begun) return no(LedgerRefusal::invalid, "no spawn was announced");
    row->phase = Phase::newborn;
    row->server = w.pane.server;
    row->session_id = w.pane.session_id;
    row->pane_id = w.pane.pane_id;
    return changed(*row, now,
                   event(w.attempt, now, "newborn", "",
                         w.pane.pane_id.empty() ? "its runner was found" : "pane " + w.pane.pane_id));
  }

  Result operator()(const RecordReady& w) const {
    auto row = step(view, w.attempt, {Phase::newborn}, "ready");
    if (!row) return std::unexpected(row.error());
    if (!w.runner.known()) return no(LedgerRefusal::invalid, "a ready runtime has a known runner");
    row->phase = Phase::ready;
    row->runner = w.runner;
    row->worker = w.worker;
    row->cgroup = w.cgroup;
    row->ready_at = now;
    return changed(*row, now,
                   event(w.attempt, now, "ready", "", "worker pid " + std::to_string(w.worker.pid)));
  }

  Result operator()(const RecordRunning& w) const {
    auto row = step(view, w.attempt, {Phase::ready, Phase::waiting}, "running");
    if (!row) return std::unexpected(row.error());
    row->phase = Phase::running;
    row->attention.clear();
    if (!row->running_at.set()) row->running_at = now;
    return changed(*row, now, event(w.attempt, now, "running"));
  }

  Result operator()(const RecordWaiting& w) const {
    auto row = step(view, w.attempt, {Phase::ready, Phase::running, Phase::waiting}, "waiting");
    if (!row) return std::unexpected(row.error());
    if (w.offset <= row->said_offset) return no(LedgerRefusal::conflict, "that was recorded already");
    row->phase = Phase::waiting;
    row->said = Said::question;
    row->said_text = w.question;
    row->said_offset = w.offset;
    row->attention = "QUESTION: " + w.question;
    return changed(*row, now, event(w.attempt, now, "question", "", w.question));
  }

  Result operator()(const RecordFinished& w) const {
    auto row =
        step(view, w.attempt, {Phase::newborn, Phase::ready, Phase::running, Phase::waiting}, "finished");
    if (!row) return std::unexpected(row.error());
    if (w.said != Said::done && w.said != Said::review)
      return no(LedgerRefusal::invalid, "finished needs a DONE or a REVIEW");
    row->phase = Phase::finished;
    row->said = w.said;
    row->said_text = w.text;
    row->said_offset = w.offset;
    row->attention.clear();
    return changed(*row, now,
                   event(w.attempt, now, "finished", w.said == Said::done ? "DONE" : "REVIEW", w.text));
  }

  Result operator()(const RecordLost& w) const {
    auto row = step(view, w.attempt,
                    {Phase::planned, Phase::newborn, Phase::ready, Phase::running, Phase::waiting}, "lost");
    if (!row) return std::unexpected(row.error());
    if (auto bad = certificate_mismatch(*row, w.certificate)) return *bad;
    if (w.certificate.unless_announced() && row->step != Step::claimed)
      return no(LedgerRefusal::conflict, "a spawn was announced since: look at what came of it");
    enter_death(*row, w.certificate);
    row->phase = Phase::lost;
    row->attention.clear();
    return changed(*row, now, event(w.attempt, now, "lost", words_for(row->cause), row->evidence));
  }

  Result operator()(const RecordDeath& w) const {
    auto row = step(view, w.attempt, {Phase::finished}, "a death");
    if (!row) return std::unexpected(row.error());
    if (auto bad = certificate_mismatch(*row, w.certificate)) return *bad;
    if (row->cause != Cause::none) return no(LedgerRefusal::conflict, "its death is recorded already");
    enter_death(*row, w.certificate);
    return changed(*row, now, event(w.attempt, now, "died", words_for(row->cause), row->evidence));
  }

  Result operator()(const RecordWish& w) const {
    auto row = fenced(view, w.attempt);
    if (!row) return std::unexpected(row.error());
    row->wish = w.wish;
    row->wish_by = w.by;
    return changed(*row, now, event(w.attempt, now, "wish", words_for(w.wish), w.by));
  }

  Result operator()(const RecordEnding& w) const {
    auto row = fenced(view, w.attempt);
    if (!row) return std::unexpected(row.error());
    if (w.ending <= row->ending) return no(LedgerRefusal::conflict, "the ending is that far already");
    row->ending = w.ending;
    row->ending_at = now;
    return changed(*row, now, event(w.attempt, now, "ending", words_for(w.ending), row->wish_by));
  }

  Result operator()(const RecordAttention& w) const {
    auto row = fenced(view, w.attempt);
    if (!row) return std::unexpected(row.error());
    if (row->attention == w.text) return LedgerDelta{};  // nothing new: quiet (L8)
    row->attention = w.text;
    return changed(*row, now, event(w.attempt, now, "attention", "", w.text));
  }

  Result operator()(const DeclareDead& w) const {
    auto row = fenced(view, w.attempt);
    if (!row) return std::unexpected(row.error());
    if (row->cause != Cause::none) return no(LedgerRefusal::conflict, "its death is recorded already");
    if (w.by.empty() || w.evidence.empty())
      return no(LedgerRefusal::invalid, "declaring a death needs a name and the evidence");
    if (w.doubt.attempt() != w.attempt || w.doubt.at() > now || now - w.doubt.at() > doubt_lasts)
      return no(LedgerRefusal::invalid, "declaring a death needs a look of just now that could not tell");
    row->cause = Cause::declared_dead;
    row->evidence = "declared dead by " + w.by + ": " + w.evidence;
    row->died_at = now;
    if (row->phase != Phase::finished) row->phase = Phase::lost;
    return changed(*row, now, event(w.attempt, now, "declared-dead", words_for(row->cause), row->evidence));
  }

  Result operator()(const QueueMessage& w) const {
    auto row = fenced(view, w.message.attempt);
    if (!row) return std::unexpected(row.error());
    if (row->phase == Phase::lost || row->phase == Phase::finished)
      return no(LedgerRefusal::conflict, attempt_key(row->id) + " is " + words_for(row->phase));
    if (view.message) return no(LedgerRefusal::conflict, "a message of that id is queued already");
    LedgerDelta delta;
    Message message = w.message;
    message.state = MessageState::queued;
    message.queued_at = message.changed_at = now;
    delta.messages.push_back(message);
    delta.events.push_back(event(row->id, now, "message-queued", words_for(message.kind), message.id.value));
    return delta;
  }

  Result operator()(const MoveMessage& w) const {
    auto row = fenced(view, w.attempt);
    if (!row) return std::unexpected(row.error());
    if (!view.message || view.message->attempt != w.attempt)
      return no(LedgerRefusal::invalid, "no such message: " + w.id.value);
    Message message = *view.message;
    if (message.state == w.to && message.why == w.why) return LedgerDelta{};
    if (!may_move(message.state, w.to))
      return no(LedgerRefusal::conflict, std::string("message is ") + words_for(message.state) + " already");
    if (w.to == MessageState::queued) message.conflicts += 1;
    message.state = w.to;
    message.why = w.why;
    message.changed_at = now;
    LedgerDelta delta;
    delta.messages.push_back(message);
    delta.events.push_back(event(row->id, now, std::string("message-") + words_for(w.to), w.why, w.id.value));
    return delta;
  }

  Result operator()(const Close& w) const {
    auto row = step(view, w.attempt, {Phase::finished, Phase::lost}, "closing");
    if (!row) return std::unexpected(row.error());
    if (row->cause == Cause::none) return no(LedgerRefusal::invalid, "closing needs a recorded death");
    if (w.slot_after == SlotState::leased) return no(LedgerRefusal::invalid, "closing ends the lease");
    if (!view.leased || view.leased->holder != w.attempt)
      return no(LedgerRefusal::stale, "the slot is not leased to " + attempt_key(w.attempt));
    row->phase = Phase::closed;
    row->disposition = w.disposition;
    row->reason = w.reason;
    row->last_words = w.last_words;
    row->branch_facts = w.branch_facts;
    row->salvage_refs = w.salvage_refs;
    // Also where nothing is to be told: whether a person has really moved the ticket is looked at once more.
    row->settled = false;
    Slot slot = *view.leased;
    slot.state = w.slot_after;
    slot.note = w.slot_note;
    if (slot.state == SlotState::free) slot.holder = {};
    LedgerDelta delta = changed(
        *row, now,
        event(w.attempt, now, "closed", w.disposition ? words_for(*w.disposition) : "unchanged", w.reason));
    delta.memory = w.memory;
    delta.memory->ticket = w.attempt.ticket;
    delta.memory->last = std::max(view.memory.last, w.attempt.generation);
    delta.memory->waived = view.memory.waived;  // a person's, perhaps written meanwhile
    delta.slots.push_back(slot);
    for (Message message : view.undelivered) {
      message.state = MessageState::dropped;
      message.why = "the attempt ended first";
      message.changed_at = now;
      delta.messages.push_back(message);
    }
    return delta;
  }

  Result operator()(const Settle& w) const {
    if (!view.newest || view.newest->id != w.attempt)
      return no(LedgerRefusal::stale, "not the newest attempt");
    Attempt row = *view.newest;
    if (row.phase != Phase::closed) return no(LedgerRefusal::invalid, "only a closed attempt is settled");
    if (row.settled) return LedgerDelta{};
    row.settled = true;
    return changed(
        row, now,
        event(w.attempt, now, "settled", row.disposition ? words_for(*row.disposition) : "unchanged"));
  }

  Result operator()(const StoreSlot& w) const {
    if (w.slot.id.empty()) return no(LedgerRefusal::invalid, "a slot needs a name");
    if (view.slot == w.slot) return LedgerDelta{};
    // What the writer knew may be older than a claim: freeing a leased slot would put two workers into it.
    if (view.slot && view.slot->state == SlotState::leased)
      return no(LedgerRefusal::conflict, w.slot.id.value + " is leased to " + attempt_key(view.slot->holder));
    if (w.slot.state == SlotState::leased)
      return no(LedgerRefusal::invalid, "a lease is made by a claim alone");
    LedgerDelta delta;
    delta.slots.push_back(w.slot);
    delta.events.push_back(
        event(w.slot.holder, now, "slot", words_for(w.slot.state), w.slot.id.value + " " + w.slot.note));
    return delta;
  }
  Result operator()(const StoreServer& w) const {
    LedgerDelta delta;
    delta.server = w.server;
    delta.events.push_back(
        event({}, now, "tmux-server", w.cause,
              "shard " + std::to_string(w.server.shard) + " pid " + std::to_string(w.server.pid)));
    return delta;
  }
  Result operator()(const holdfast::PauseAccount& w) const {
    LedgerDelta delta;
    delta.pauses.push_back(w.pause);
    delta.events.push_back(event(w.seen_by, now, "account-paused", w.pause.account.value, w.pause.why));
    return delta;
  }
  Result operator()(const StoreBreaker& w) const {
    LedgerDelta delta;
    delta.breaker = w.breaker;
    delta.events.push_back(event({}, now, "breaker", w.cause));
    return delta;
  }
  Result operator()(const Retry& w) const {
    if (what_is_wrong_with_ticket_id(w.ticket.value)) return no(LedgerRefusal::invalid, "not a ticket id");
    if (view.newest && view.newest->open())
      return no(LedgerRefusal::conflict, attempt_key(view.newest->id) + " is still open");
    Memory memory = view.memory;
    memory.ticket = w.ticket;
    memory.charged = memory.free_deaths = memory.setup_failures = memory.server_losses = 0;
    memory.alone = false;
    memory.not_before = {};
    LedgerDelta delta;
    delta.memory = memory;
    delta.events.push_back(event({w.ticket, {}}, now, "retry", w.by));
    return delta;
  }
  Result operator()(const Waive& w) const {
    if (what_is_wrong_with_ticket_id(w.ticket.value)) return no(LedgerRefusal::invalid, "not a ticket id");
    if (w.branch.empty()) return no(LedgerRefusal::invalid, "a waiver names a branch");
    Memory memory = view.memory;
    memory.ticket = w.ticket;
    if (std::ranges::find(memory.waived, w.branch) == memory.waived.end()) memory.waived.push_back(w.branch);
    LedgerDelta delta;
    delta.memory = memory;
    delta.events.push_back(event({w.ticket, {}}, now, "waived", w.by, w.branch));
    return delta;
  }
  Result operator()(const Note& w) const {
    LedgerDelta delta;
    delta.events.push_back(event(w.attempt, now, w.kind, w.cause, w.evidence));
    return delta;
  }

 private:
  static std::optional<Result> certificate_mismatch(const Attempt& row, const DeathCertificate& certificate) {
    if (certificate.attempt() == row.id) return std::nullopt;
    return Result(no(LedgerRefusal::stale, "the certificate is about " + attempt_key(certificate.attempt())));
  }
  static void enter_death(Attempt& row, const DeathCertificate& certificate) {
    row.cause = certificate.cause();
    row.exit_code = certificate.code();
    row.evidence = certificate.evidence();
    row.died_at = certificate.at();
  }
};

template <class T>
concept AboutAttempt = requires(const T& w) { w.attempt.ticket; };

}  // namespace

std::expected<LedgerDelta, LedgerNo> apply(const LedgerView& view, const LedgerWrite& write, Instant now) {
  return std::visit(Rules{view, now}, write);
}

TicketId ticket_of(const LedgerWrite& write) {
  return std::visit(
      [](const auto& w) -> TicketId {
        using W = std::decay_t<decltype(w)>;
        if constexpr (std::is_same_v<W, Claim> || std::is_same_v<W, Retry> || std::is_same_v<W, Waive>)
          return w.ticket;
        else if constexpr (std::is_same_v<W, holdfast::PauseAccount>)
          return w.seen_by.ticket;
        else if constexpr (std::is_same_v<W, QueueMessage>)
          return w.message.attempt.ticket;
        else if constexpr (AboutAttempt<W>)
          return w.attempt.ticket;
        else
          return {};
      },
      write);
}

Durability durability_of(const LedgerWrite& write) {
  struct Table {
    Durability operator()(const Claim&) const { return Durability::fsynced; }
    Durability operator()(const BeginSpawn&) const { return Durability::fsynced; }
    Durability operator()(const RecordNewborn&) const { return Durability::survives_crash; }
    Durability operator()(const RecordReady&) const { return Durability::survives_crash; }
    Durability operator()(const RecordRunning&) const { return Durability::survives_crash; }
    Durability operator()(const RecordWaiting&) const { return Durability::survives_crash; }
    Durability operator()(const RecordFinished&) const { return Durability::survives_crash; }
    Durability operator()(const RecordLost&) const { return Durability::fsynced; }
    Durability operator()(const RecordDeath&) const { return Durability::fsynced; }
    Durability operator()(const RecordWish&) const { return Durability::fsynced; }
    Durability operator()(const RecordEnding&) const { return Durability::fsynced; }
    Durability operator()(const RecordAttention&) const { return Durability::survives_crash; }
    Durability operator()(const DeclareDead&) const { return Durability::fsynced; }
    Durability operator()(const QueueMessage&) const { return Durability::fsynced; }
    Durability operator()(const MoveMessage&) const { return Durability::survives_crash; }
    Durability operator()(const Close&) const { return Durability::fsynced; }
    Durability operator()(const Settle&) const { return Durability::survives_crash; }
    Durability operator()(const StoreSlot&) const { return Durability::fsynced; }
    Durability operator()(const StoreServer&) const { return Durability::survives_crash; }
    Durability operator()(const holdfast::PauseAccount&) const { return Durability::survives_crash; }
    Durability operator()(const StoreBreaker&) const { return Durability::survives_crash; }
    Durability operator()(const Retry&) const { return Durability::fsynced; }
    Durability operator()(const Waive&) const { return Durability::fsynced; }
    Durability operator()(const Note&) const { return Durability::survives_crash; }
  };
  return std::visit(Table{}, write);
}

}  // namespace holdfast
