#include "dispatcher/rows/rows.h"

#include <nlohmann/json.hpp>

#include "dispatcher/core/names.h"
#include "dispatcher/core/words.h"

namespace holdfast {
namespace {

Json at(Instant instant) {
  return instant.set() ? Json(instant.ms) : Json(nullptr);
}

template <class Id>
Json names(const std::vector<Id>& ids) {
  Json list = Json::array();
  for (const Id& id : ids) list.push_back(id.value);
  return list;
}

Json attempt_names(const AttemptId& id) {
  Json j;
  j["ticket"] = id.ticket.value;
  j["generation"] = id.generation.value;
  j["runtime"] = id.generation.value == 0 ? Json(nullptr) : Json(attempt_key(id));
  return j;
}

}  // namespace

const char* words_of(Presence presence) {
  switch (presence) {
    case Presence::present: return "present";
    case Presence::gone: return "gone";
    case Presence::unknown: return "unknown";
  }
  __builtin_unreachable();
}

const char* words_of(Decision decision) {
  switch (decision) {
    case Decision::none: return "none";
    case Decision::started: return "started";
    case Decision::sealed: return "sealed";
    case Decision::unreadable: return "unreadable";
  }
  __builtin_unreachable();
}

Json row_of(const BoardTicket& t, bool with_body) {
  Json j;
  j["id"] = t.id.value;
  j["title"] = t.title;
  if (with_body) j["body"] = t.body;
  j["state"] = words_for(t.state);
  j["priority"] = t.priority;
  j["profile"] = t.profile;
  j["labels"] = t.labels;
  j["depends_on"] = names(t.depends_on);
  j["version"] = t.version;
  j["created_at"] = at(t.created_at);
  j["changed_at"] = at(t.changed_at);
  j["reason"] = t.reason;
  j["moved_by"] = t.moved_by;
  return j;
}

Json row_of(const TicketPage& page) {
  Json j = row_of(page.ticket, true);
  j["dependents"] = names(page.dependents);
  j["waits_for"] = Json::array();
  for (const BoardTicket& other : page.depends_on)
    if (other.state != BoardState::done)
      j["waits_for"].push_back({{"id", other.id.value}, {"state", words_for(other.state)}});
  j["comments"] = Json::array();
  for (const auto& c : page.comments)
    j["comments"].push_back({{"key", c.key}, {"at", at(c.at)}, {"author", c.author}, {"text", c.text}});
  j["history"] = Json::array();
  for (const TicketMove& move : page.history)
    j["history"].push_back({{"at", at(move.at)},
                            {"from", move.from ? Json(words_for(*move.from)) : Json(nullptr)},
                            {"to", words_for(move.to)},
                            {"moved_by", move.moved_by},
                            {"reason", move.reason}});
  return j;
}

Json row_of(const ProcessIdentity& p) {
  if (!p.known()) return nullptr;
  return {{"pid", p.pid},
          {"start_ticks", p.start_ticks},
          {"boot_id", p.boot_id},
          {"pid_namespace", p.pid_namespace}};
}

Json row_of(const Attempt& a) {
  Json j = attempt_names(a.id);
  j["phase"] = words_for(a.phase);
  j["open"] = a.open();
  j["spawn_begun"] = a.step == Step::spawn_begun;
  j["slot"] = a.slot.value;
  j["profile"] = a.profile;
  j["branch"] = a.branch.value;
  j["base"] = a.base.value;
  j["worktree"] = a.worktree;
  j["shard"] = a.shard;
  j["session"] = a.session.value;
  j["session_id"] = a.session_id;
  j["pane_id"] = a.pane_id;
  j["server_pid"] = a.server.known() ? Json(a.server.pid) : Json(nullptr);
  j["runner"] = row_of(a.runner);
  j["worker"] = row_of(a.worker);
  j["cgroup"] = a.cgroup;
  j["claimed_at"] = at(a.claimed_at);
  j["spawned_at"] = at(a.spawned_at);
  j["ready_at"] = at(a.ready_at);
  j["running_at"] = at(a.running_at);
  j["changed_at"] = at(a.changed_at);
  j["said"] = words_for(a.said);
  j["said_text"] = a.said_text;
  j["wish"] = words_for(a.wish);
  j["wish_by"] = a.wish_by;
  j["ending"] = words_for(a.ending);
  j["cause"] = words_for(a.cause);
  j["code"] = a.exit_code >= 0 ? Json(a.exit_code) : Json(nullptr);
  j["evidence"] = a.evidence;
  j["died_at"] = at(a.died_at);
  j["disposition"] = a.disposition ? Json(words_for(*a.disposition)) : Json(nullptr);
  j["reason"] = a.reason;
  j["last_words"] = a.last_words;
  j["branch_facts"] = a.branch_facts;
  j["salvage_refs"] = a.salvage_refs;
  j["settled"] = a.settled;
  j["attention"] = a.attention;
  return j;
}

Json row_of(const Message& m) {
  Json j = attempt_names(m.attempt);
  j["id"] = m.id.value;
  j["kind"] = words_for(m.kind);
  j["state"] = words_for(m.state);
  j["text"] = m.text;
  j["by"] = m.by;
  j["queued_at"] = at(m.queued_at);
  j["changed_at"] = at(m.changed_at);
  j["conflicts"] = m.conflicts;
  j["why"] = m.why;
  return j;
}

Json row_of(const LedgerEvent& e) {
  Json j;
  j["seq"] = e.seq;
  j["at"] = at(e.at);
  j.update(attempt_names(e.attempt));
  j["kind"] = e.kind;
  j["cause"] = e.cause;
  j["evidence"] = e.evidence;
  return j;
}

Json row_of(const Slot& slot, const SlotSighting* seen) {
  Json j;
  j["slot"] = slot.id.value;
  j["state"] = words_for(slot.state);
  j["holder"] = slot.holder.generation.value == 0 ? Json(nullptr) : Json(attempt_key(slot.holder));
  j["path"] = slot.path;
  j["note"] = slot.note;
  if (seen != nullptr) {
    j["registered"] = words_for(seen->registered);
    j["clean"] = words_for(seen->clean);
    j["locked"] = words_for(seen->locked);
    j["head"] = seen->head.value;
    j["branch"] = seen->branch.value;
  }
  return j;
}

Json row_of(const RecordSighting& r) {
  Json j;
  j["decision"] = words_of(r.decision);
  j["runner"] = row_of(r.runner);
  j["worker"] = row_of(r.worker);
  j["cgroup"] = r.cgroup;
  j["memory_ceiling"] = r.memory_ceiling;
  j["gone_ahead"] = r.gone_ahead;
  j["worker_running"] = r.worker_running;
  j["ready"] = r.ready;
  j["started_at"] = at(r.started_at);
  j["last_output_at"] = at(r.last_output_at);
  j["stream_bytes"] = r.stream_bytes;
  j["end"] = nullptr;
  if (r.end) {
    const WorkerEnd& e = *r.end;
    j["end"] = {{"exit_code", e.exit_code ? Json(*e.exit_code) : Json(nullptr)},
                {"signal", e.signal ? Json(*e.signal) : Json(nullptr)},
                {"core_dumped", e.core_dumped},
                {"oom", words_for(e.oom)},
                {"oom_evidence", e.oom_evidence},
                {"reason", e.reason},
                {"tree_empty", e.tree_empty},
                {"user_ms", e.user_ms},
                {"system_ms", e.system_ms},
                {"peak_rss_kib", e.peak_rss_kib}};
  }
  return j;
}

}  // namespace holdfast
