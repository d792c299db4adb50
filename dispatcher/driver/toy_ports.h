// The core's toy world behind real ports, for tests of the driver: every call from any thread becomes one
// step of the toy, under a lock; `before` and `after` see it outside the lock, and may hold it up or throw.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "dispatcher/core/toy_world.h"
#include "dispatcher/ports/world.h"

namespace holdfast {

class ToyPorts final : public Ledger,
                       public Board,
                       public Terminal,
                       public Records,
                       public Processes,
                       public Worktrees {
 public:
  explicit ToyPorts(int capacity) : toy_(capacity) {}

  std::function<void(const Effect&)> before, after;

  // Whatever a test wants to see or change, while no call runs.
  template <class Use>
  auto with(Use use) {
    const std::scoped_lock lock(mutex_);
    return use(toy_);
  }

  World world() {
    return World{
        *this,
        *this,
        *this,
        *this,
        *this,
        *this,
        [] {
          using namespace std::chrono;
          return Instant{duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count()};
        },
        [] { return std::string("token"); },
        [](const AttemptId& id) { return std::vector<std::string>{"runner", id.ticket.value}; }};
  }

  Reply<LedgerContents> load() override { return ask<LedgerContents>(LoadLedger{}); }
  Reply<LedgerContents> changes_after(std::int64_t seq) override {
    return ask<LedgerContents>(ReadLedgerChanges{seq});
  }
  Reply<LedgerDelta> write(const LedgerWrite& write, Instant) override {
    return ask<LedgerDelta>(WriteLedger{write});
  }
  Reply<std::vector<Attempt>> attempts_of(const TicketId&) override { return {}; }
  Reply<std::vector<Attempt>> open_attempts() override { return {}; }
  Reply<std::vector<Message>> messages_of(const AttemptId&) override { return {}; }
  Reply<std::vector<LedgerEvent>> events_after(std::int64_t, const std::optional<TicketId>&, int) override {
    return {};
  }

  Reply<BoardChanges> changes_after(std::int64_t cursor, int) override {
    return ask<BoardChanges>(ReadBoard{cursor});
  }
  Reply<BoardTicket> read(const TicketId& id) override { return ask<BoardTicket>(ReadTicket{id}); }
  Reply<BoardTicket> move(const BoardMove& m, Instant) override {
    return ask<BoardTicket>(MoveTicket{m.ticket, m.expected_version, m.to, m.reason, m.key});
  }
  Reply<BoardTicket> return_to_todo(const DeathCertificate& c, std::int64_t version,
                                    const std::string& reason, Instant) override {
    return ask<BoardTicket>(ReturnToTodo{c, version, reason});
  }
  Reply<Nothing> comment(const TicketId& id, const std::string& key, const std::string& text,
                         Instant) override {
    return ask<Nothing>(CommentTicket{id, key, text});
  }

  Reply<ServerIncarnation> start_server(int shard, Duration) override {
    return ask<ServerIncarnation>(StartServer{shard});
  }
  Reply<SpawnedPane> spawn(const SpawnOrder& order, Duration) override {
    return ask<SpawnedPane>(SpawnSession{order, attempt_of(order.session)});
  }
  Reply<ServerListing> list(int shard, Duration) override {
    return ask<ServerListing>(ListServer{shard, {}});
  }
  Reply<Nothing> end_session(const ServerIncarnation& server, const SessionName& name, const std::string& id,
                             Duration) override {
    return ask<Nothing>(EndSession{server, name, id, attempt_of(name)});
  }
  Reply<std::string> capture(const ServerIncarnation&, const std::string&, int, Duration) override {
    return {};
  }
  Reply<Nothing> notice(const ServerIncarnation& server, const SessionName& name, const std::string& text,
                        Duration) override {
    return ask<Nothing>(GiveNotice{server, name, text, attempt_of(name)});
  }
  [[nodiscard]] std::vector<std::string> attach_command(int, const SessionName&) const override { return {}; }

  Reply<Nothing> write_spec(const RunnerSpec& spec, const std::string& prompt) override {
    with([&](ToyWorld&) { attempts_[session_name(spec.attempt)] = spec.attempt; });
    return ask<Nothing>(WriteSpec{spec, prompt});
  }
  Reply<SealAnswer> seal(const AttemptId& id, const std::string& why) override {
    return ask<SealAnswer>(Seal{id, why});
  }
  Reply<Nothing> give_go(const AttemptId& id) override { return ask<Nothing>(GiveGo{id}); }
  Reply<Nothing> post_message(const AttemptId& id, const MessageId& message,
                              const std::string& text) override {
    return ask<Nothing>(Post{id, message, text});
  }
  // A look is several calls of the records and the processes; each takes its part of the toy's.
  Reply<RecordSighting> read(const AttemptId& id) override {
    Reply<Looked> all = look_at(id, 0, 0);
    return {all.raw, all.value.record};
  }
  Reply<std::string> read_stream(const AttemptId& id, std::int64_t offset, std::int64_t) override {
    Reply<Looked> all = look_at(id, offset, 0);
    return {all.raw, all.value.stream};
  }
  Reply<std::string> read_said(const AttemptId& id, std::int64_t offset) override {
    Reply<Looked> all = look_at(id, 0, offset);
    return {all.raw, all.value.said};
  }
  Reply<std::vector<AttemptId>> list() override { return ask<std::vector<AttemptId>>(ListRecords{}); }

  Reply<ProcessSighting> look(const Containment& whole, bool) override {
    Reply<Looked> all = look_at(whole.attempt, 0, 0);
    return {all.raw, all.value.process};
  }
  Reply<Nothing> end_tree(const Containment& whole, EndSignal signal) override {
    return ask<Nothing>(EndTree{whole, signal});
  }

  Reply<std::vector<SlotSighting>> ensure_pool(int capacity, const std::string& start, Duration) override {
    return ask<std::vector<SlotSighting>>(EnsurePool{capacity, start});
  }
  Reply<std::vector<SlotSighting>> look_at_pool(Duration) override { return {}; }
  Reply<Prepared> prepare(const PrepareOrder& order, Duration) override {
    return ask<Prepared>(PrepareWorktree{order});
  }
  Reply<BranchFacts> inspect(const BranchOrder& order, Duration) override {
    return ask<BranchFacts>(InspectBranch{order});
  }
  Reply<Salvaged> pin(const BranchOrder& order, PinWhen when, Duration) override {
    return ask<Salvaged>(PinBranch{order, when});
  }
  Reply<Salvaged> salvage(const BranchOrder& order, Duration) override {
    return ask<Salvaged>(SalvageWorktree{order});
  }
  Reply<SlotSighting> release(const SlotOrder& order, const CommitId& head, const std::string& start,
                              Duration) override {
    return ask<SlotSighting>(ReleaseSlot{order, head, start});
  }
  Reply<Landed> land(const LandOrder& order, Duration) override { return ask<Landed>(LandBranch{order}); }
  Reply<Nothing> push(const BranchOrder& order, Duration) override { return ask<Nothing>(PushBranch{order}); }
  Reply<std::vector<AttemptId>> traces(Duration) override {
    return ask<std::vector<AttemptId>>(ListTraces{});
  }

 private:
  template <class T>
  Reply<T> ask(const Effect& effect) {
    if (before) before(effect);
    Answer answer = with([&](ToyWorld& toy) {
      toy.now = world().now();
      return toy.perform(effect);
    });
    if (after) after(effect);
    Reply<T> reply{std::move(answer.raw), {}};
    if constexpr (!std::is_same_v<T, Nothing>)
      if (T* value = std::get_if<T>(&answer.value)) reply.value = std::move(*value);
    return reply;
  }

  Reply<Looked> look_at(const AttemptId& id, std::int64_t stream, std::int64_t said) {
    Look look;
    look.containment.attempt = id;
    look.stream_offset = stream;
    look.said_offset = said;
    return ask<Looked>(look);
  }

  AttemptId attempt_of(const SessionName& name) {
    return with([&](ToyWorld&) { return attempts_[name]; });
  }

  std::mutex mutex_;
  ToyWorld toy_;
  std::map<SessionName, AttemptId> attempts_;
};

}  // namespace holdfast
