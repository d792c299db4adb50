// The simulated record folders and the process table: the decisive file, go-ahead, inbox, and what a look
// sees. A look has two parts: the record is read first, the processes after it, and the world may move in
// between.
#include <algorithm>

#include "dispatcher/core/names.h"
#include "sim/world/ports.h"

namespace holdfast::sim {
namespace {

constexpr int esrch = 3, eagain = 11, enoent = 2;

std::string status_of(const RecordSighting& record) {
  if (record.decision != Decision::started) return "newborn";
  return record.worker_running ? "running" : "starting";
}

}  // namespace

bool perform(World& w, Flight&, const WriteSpec& e) {
  w.records[e.spec.attempt].spec = true;
  return true;
}

bool perform(World& w, Flight& f, const Seal& e) {
  Record& record = w.records[e.attempt];
  if (record.shown.decision == Decision::none) {
    record.shown.decision = Decision::sealed;
    record_changed(w, e.attempt);
  }
  f.value = record.shown.decision == Decision::sealed ? SealAnswer::sealed : SealAnswer::already_started;
  return true;
}

bool perform(World& w, Flight& f, const GiveGo& e) {
  const auto found = w.records.find(e.attempt);
  if (found == w.records.end()) {
    f.raw = answered(enoent, "no record folder");
    return true;
  }
  found->second.go = true;
  return true;
}

bool perform(World& w, Flight& f, const Post& e) {
  const auto found = w.records.find(e.attempt);
  if (found == w.records.end()) {
    f.raw = answered(enoent, "no record folder");
    return true;
  }
  Record& record = found->second;
  auto& messages = record.shown.messages;
  const auto known = std::ranges::find(messages, e.message, &MessageSighting::id);
  if (known != messages.end()) {
    if (w.setup->defects.inbox_without_ids) known->progress = MessageProgress::posted;
    return true;
  }
  if (record.shown.end || record.shown.decision == Decision::sealed) {
    f.raw = answered(esrch, "the runtime has ended");
    return true;
  }
  if (!record.shown.ready) {
    f.raw = answered(eagain, "runtime is not ready for input, status=" + status_of(record.shown));
    return true;
  }
  for (const Runtime& r : w.runtimes) {
    if (r.attempt != e.attempt) continue;
    const auto server = w.servers.find(r.shard);
    if (server == w.servers.end()) continue;
    for (const auto& [name, session] : server->second.sessions)
      if (session.id == r.session_id && long_attached(session, f)) {
        w.happened.typed.push_back({e.attempt});
        w.happened.anything = true;
      }
  }
  messages.push_back({e.message, MessageProgress::posted, ""});
  record.texts[e.message] = e.text;
  if (f.cell.effect == Happens::partly) record.deaf.push_back(e.message);
  record_changed(w, e.attempt);
  return true;
}

bool perform(World& w, Flight& f, const Look& e) {
  const AttemptId& id = e.containment.attempt;
  const auto found = w.records.find(id);
  if (found == w.records.end()) {
    f.raw = answered(enoent, "no record folder");
    return true;
  }
  const Record& record = found->second;
  if (f.part == 0) {
    Looked looked;
    looked.record = record.shown;
    f.value = std::move(looked);
    return false;
  }
  auto& looked = std::get<Looked>(f.value);
  if (looked.record.decision == Decision::started) {
    ProcessSighting& seen = looked.process;
    seen.host = Presence::present;
    seen.runner = seen.worker = Presence::gone;
    seen.cgroup = looked.record.cgroup.empty() ? Presence::unknown : Presence::gone;
    if (e.scan) seen.descendants = Presence::gone;
    seen.scanned = e.scan;
    for (const Runtime& r : w.runtimes) {
      if (r.attempt != id || r.pid != looked.record.runner.pid) continue;
      if (r.runner != RunnerStage::gone) seen.runner = Presence::present;
      if (r.worker_lives() && looked.record.worker.known()) seen.worker = Presence::present;
      const bool any = r.worker_lives() || r.child;
      if (any && !looked.record.cgroup.empty()) seen.cgroup = Presence::present;
      if (any && e.scan) seen.descendants = Presence::present;
    }
    if (!looked.record.worker.known()) seen.worker = Presence::unknown;
  }
  const auto from =
      std::min(record.stream.size(), static_cast<std::size_t>(std::max<std::int64_t>(0, e.stream_offset)));
  looked.stream_offset = e.stream_offset;
  looked.stream = record.stream.substr(from);
  const auto said_from = std::min(record.said.size(), static_cast<std::size_t>(e.said_offset));
  looked.said = record.said.substr(said_from);
  return true;
}

bool perform(World& w, Flight& f, const ListRecords&) {
  std::vector<AttemptId> all;
  for (const auto& [id, record] : w.records) all.push_back(id);
  f.value = std::move(all);
  return true;
}

bool perform(World& w, Flight& f, const EndTree& e) {
  const AttemptId& id = e.containment.attempt;
  const auto wish = w.ledger.tickets.find(id.ticket);
  bool asked_by_person = wish != w.ledger.tickets.end() && wish->second.newest &&
                         wish->second.newest->id == id && wish->second.newest->wish != StopWish::none;
  if (const auto ticket = w.board.tickets.find(id.ticket); ticket != w.board.tickets.end())
    asked_by_person = asked_by_person || ticket->second.moved_by.starts_with("person");
  for (Runtime& r : w.runtimes) {
    const bool named = r.pid == e.containment.runner.pid || r.pid + 1 == e.containment.worker.pid;
    if (!named && r.attempt != id) continue;
    if (r.pid_reused && r.worker == WorkerStage::gone) {
      if (w.setup->defects.kill_by_bare_pid && r.pid + 1 == e.containment.worker.pid) {
        w.happened.signalled.push_back({id, std::nullopt, f.dispatcher, false, asked_by_person});
        w.happened.anything = true;
      }
    }
    if (tree_is_empty(r)) continue;
    bool attached = false;
    if (const auto server = w.servers.find(r.shard); server != w.servers.end())
      for (const auto& [name, session] : server->second.sessions)
        attached = attached || (session.id == r.session_id && long_attached(session, f));
    w.happened.signalled.push_back({id, r.attempt, f.dispatcher, attached, asked_by_person});
    w.happened.anything = true;
    r.stopped = false;
    if (r.runner == RunnerStage::holding || r.runner == RunnerStage::minding) r.told = true;
    if (e.signal == EndSignal::term) {
      if (r.worker_lives()) r.term = true;
      if (r.runner == RunnerStage::gone && !w.setup->defects.ends_only_the_runner) r.child = false;
    } else {
      if (r.worker_lives()) r.kill = true;
      if (!w.setup->defects.ends_only_the_runner) r.child = false;
    }
    when_tree_ends(w, r);
  }
  return true;
}

}  // namespace holdfast::sim
