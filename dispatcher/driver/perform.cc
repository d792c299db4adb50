#include "dispatcher/driver/perform.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <exception>

#include "dispatcher/core/classify.h"

namespace holdfast {
namespace {

constexpr std::int64_t stream_chunk = 256 << 10;
constexpr int board_page = 500;

struct Performer {
  World& world;
  const Deadlines& within;
  Answer& answer;

  template <class T>
  void take(Reply<T> reply) const {
    answer.raw = std::move(reply.raw);
    if constexpr (!std::is_same_v<T, Nothing>) answer.value = std::move(reply.value);
  }

  void operator()(const WriteLedger& e) const {
    if (const auto* claim = std::get_if<Claim>(&e.write)) {
      Claim stamped = *claim;
      stamped.token = world.token();
      return take(world.ledger.write(stamped, world.now()));
    }
    take(world.ledger.write(e.write, world.now()));
  }
  void operator()(const ReadTicket& e) const { take(world.board.read(e.ticket)); }
  void operator()(const MoveTicket& e) const {
    take(world.board.move({e.ticket, e.expected_version, e.to, e.reason, e.key}, world.now()));
  }
  void operator()(const ReturnToTodo& e) const {
    take(world.board.return_to_todo(e.certificate, e.expected_version, e.reason, world.now()));
  }
  void operator()(const CommentTicket& e) const {
    take(world.board.comment(e.ticket, e.key, e.text, world.now()));
  }

  void operator()(const PrepareWorktree& e) const { take(world.worktrees.prepare(e.order, within.git)); }
  void operator()(const WriteSpec& e) const { take(world.records.write_spec(e.spec, e.prompt_file)); }
  void operator()(const SpawnSession& e) const {
    SpawnOrder order = e.order;
    order.argv = world.runner_command(e.attempt);
    take(world.terminal.spawn(order, within.call));
  }
  void operator()(const Seal& e) const { take(world.records.seal(e.attempt, e.why)); }
  void operator()(const GiveGo& e) const { take(world.records.give_go(e.attempt)); }
  void operator()(const Post& e) const { take(world.records.post_message(e.attempt, e.message, e.text)); }

  // Record first, then the processes that it names, then the bytes: what is read later may only be newer.
  void operator()(const Look& e) const {
    auto record = world.records.read(e.containment.attempt);
    answer.raw = record.raw;
    if (!is_done(classify(Call::look, record.raw))) return;
    Looked looked;
    looked.record = std::move(record.value);
    Containment whole = e.containment;
    if (looked.record.runner.known()) whole.runner = looked.record.runner;
    if (looked.record.worker.known()) whole.worker = looked.record.worker;
    if (!looked.record.cgroup.empty()) whole.cgroup = looked.record.cgroup;
    if (looked.record.decision == Decision::started) {
      auto processes = world.processes.look(whole, e.scan);
      if (is_done(classify(Call::look, processes.raw)))
        looked.process = std::move(processes.value);
      else
        looked.process.note = processes.raw.error;
    }
    looked.stream_offset = e.stream_offset;
    auto bytes = world.records.read_stream(e.containment.attempt, looked.stream_offset, stream_chunk);
    if (bytes.raw.code == ENODATA) {  // dropped in between: go on where something is kept
      looked.stream_offset = std::strtoll(bytes.raw.text.c_str(), nullptr, 10);
      bytes = world.records.read_stream(e.containment.attempt, looked.stream_offset, stream_chunk);
    }
    if (is_done(classify(Call::look, bytes.raw))) looked.stream = std::move(bytes.value);
    auto said = world.records.read_said(e.containment.attempt, e.said_offset);
    if (is_done(classify(Call::look, said.raw))) looked.said = std::move(said.value);
    answer.value = std::move(looked);
  }
  void operator()(const ListServer& e) const { take(world.terminal.list(e.shard, within.call)); }
  void operator()(const EndTree& e) const { take(world.processes.end_tree(e.containment, e.signal)); }
  void operator()(const EndSession& e) const {
    take(world.terminal.end_session(e.server, e.session, e.session_id, within.call));
  }
  void operator()(const GiveNotice& e) const {
    take(world.terminal.notice(e.server, e.session, e.text, within.call));
  }

  void operator()(const InspectBranch& e) const { take(world.worktrees.inspect(e.order, within.git)); }
  void operator()(const PinBranch& e) const {
    // What is done by the way keeps its ticket from nothing for long.
    const bool by_the_way = e.when == PinWhen::seen;
    take(world.worktrees.pin(e.order, e.when, by_the_way ? std::min(within.call, within.git) : within.git));
  }
  // What a worker has left may be large, and what is cut off begins again from nothing.
  void operator()(const SalvageWorktree& e) const {
    take(world.worktrees.salvage(e.order, std::max(within.git, within.pool)));
  }
  void operator()(const ReleaseSlot& e) const {
    take(world.worktrees.release(e.order, e.expected_head, e.start, std::max(within.git, within.pool)));
  }
  void operator()(const LandBranch& e) const {
    take(world.worktrees.land(e.order, Duration{within.git.ms + e.order.check_timeout.ms}));
  }
  void operator()(const PushBranch& e) const { take(world.worktrees.push(e.order, within.git)); }

  void operator()(const LoadLedger&) const { take(world.ledger.load()); }
  void operator()(const ReadLedgerChanges& e) const { take(world.ledger.changes_after(e.after)); }
  void operator()(const ReadBoard& e) const { take(world.board.changes_after(e.cursor, board_page)); }
  void operator()(const StartServer& e) const { take(world.terminal.start_server(e.shard, within.call)); }
  void operator()(const ListRecords&) const { take(world.records.list()); }
  void operator()(const ListTraces&) const { take(world.worktrees.traces(within.git)); }
  void operator()(const EnsurePool& e) const {
    take(world.worktrees.ensure_pool(e.capacity, e.start, within.pool));
  }
};

}  // namespace

Answer perform(const Effect& effect, World& world, const Deadlines& within) {
  Answer answer{effect, {}, {}, {}, world.now()};
  // An adapter answers, it does not throw. Where one does all the same (out of memory, a defect), what it had
  // done until then is not known, and that is what is said: nothing here may end the dispatcher or pass for a
  // refusal.
  const auto threw = [&](const std::string& what) {
    answer.raw = {Transport::cut, 0, {}, "the adapter threw: " + what};
    answer.value = {};
  };
  try {
    std::visit(Performer{world, within, answer}, effect);
  } catch (const std::exception& e) {
    threw(e.what());
  } catch (...) {
    threw("something without words");
  }
  answer.at = world.now();
  return answer;
}

}  // namespace holdfast
