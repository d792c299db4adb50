#include "dispatcher/look/explain.h"

#include <nlohmann/json.hpp>

#include "dispatcher/core/names.h"
#include "dispatcher/core/verdict.h"
#include "dispatcher/core/words.h"
#include "dispatcher/look/plan.h"
#include "dispatcher/look/words.h"

namespace holdfast {
namespace {

constexpr int events_read = 100'000;
constexpr std::size_t events_shown = 8;

std::vector<NamedProbe> probes_of(const Attempt& a, const Knowledge& k, const Sightings& seen, Instant now) {
  const Evidence e = weigh(a, seen, now);
  std::string tmux = "not looked at", process = "not looked at", record = "not looked at", heartbeat, host;
  const auto shard = k.shards.find(a.shard);
  if (shard != k.shards.end() && !shard->second.trouble.empty())
    tmux = "asked, did not answer: " + shard->second.trouble;
  if (seen.pane) {
    const PaneView& view = seen.pane->what;
    tmux = !view.server.known() ? "no server listens"
           : !view.pane         ? "not in the listing of server " + std::to_string(view.server.pid)
           : view.pane->dead    ? "pane " + view.pane->pane_id + " is dead"
                                : "pane " + view.pane->pane_id + " is there";
    if (view.pane && view.pane->persons_attached > 0)
      tmux += ", persons attached: " + std::to_string(view.pane->persons_attached);
  }
  if (seen.process) {
    const ProcessSighting& p = seen.process->what;
    process = std::string("runner ") + words_of(p.runner) + ", worker " + words_of(p.worker) + ", cgroup " +
              words_of(p.cgroup) + ", descendants " + words_of(p.descendants) +
              (p.note.empty() ? "" : "; " + p.note);
    host = std::string(words_of(p.host));
  }
  if (seen.record) {
    const RecordSighting& r = seen.record->what;
    record = words_of(r.decision);
    if (r.gone_ahead) record += ", went ahead";
    if (r.worker_running) record += ", worker runs";
    if (r.ready) record += ", ready";
    if (r.end)
      record += std::string(", ended: ") +
                (r.end->exit_code ? "exit code " + std::to_string(*r.end->exit_code)
                 : r.end->signal  ? "signal " + std::to_string(*r.end->signal)
                                  : r.end->reason) +
                (r.end->tree_empty ? ", whole tree gone" : ", tree not seen empty");
    heartbeat =
        r.last_output_at.set() ? "last output " + span_words(now - r.last_output_at) + " ago" : "no output";
  }
  return {{"tmux", e.tmux, tmux},
          {"process", e.process, process},
          {"record", e.record, record},
          {"heartbeat", e.heartbeat, heartbeat},
          {"host", e.host, host}};
}

}  // namespace

std::optional<Explanation> explain(LookAround& look, const TicketId& id) {
  if (!look.brain.knowledge.tickets.contains(id) && look.world.ledger.attempts_of(id).value.empty())
    return std::nullopt;
  Explanation e;
  e.ticket = id;
  e.plan = look.plan_for(id);
  const TicketKnowledge& t = look.brain.knowledge.tickets[id];
  e.now = look.brain.knowledge.now;
  e.board = t.board;
  e.memory = t.memory;
  if (const Attempt* a = t.current()) {
    e.attempt = *a;
    e.verdict = verdict_for(t, e.now);
    e.probes = probes_of(*a, look.brain.knowledge, t.seen, e.now);
  }
  e.events = look.world.ledger.events_after(0, id, events_read).value;
  if (e.events.size() > events_shown)
    e.events.erase(e.events.begin(), e.events.end() - static_cast<std::ptrdiff_t>(events_shown));
  return e;
}

Json row_of(const Explanation& e, const LookAround& look) {
  const auto& a = e.attempt;
  Json j;
  j["ticket"] = e.ticket.value;
  j["state"] = e.board ? Json(words_for(e.board->state)) : Json(nullptr);
  j["runtime"] = a ? Json(attempt_key(a->id)) : Json(nullptr);
  j["phase"] = a ? Json(words_for(a->phase)) : Json(nullptr);
  j["verdict"] = a ? Json(words_of(e.verdict)) : Json(nullptr);
  j["evidence"] = Json::object();
  for (const NamedProbe& p : e.probes)
    j["evidence"][p.name] = {
        {"says", words_of(p.probe.says)}, {"fresh", p.probe.fresh}, {"detail", safe(p.detail)}};
  j["rule"] = words_for(e.plan.rule);
  j["reason"] = reason_for(e.plan.rule);
  j["waits_for"] = safe(e.plan.why);
  j["next_effect"] = e.plan.effect ? Json(safe(describe(*e.plan.effect), 300)) : Json(nullptr);
  j["wake_at"] = e.plan.wake_at.set() ? Json(e.plan.wake_at.ms) : Json(nullptr);
  j["budget"] = {{"charged", e.memory.charged},
                 {"attempts", look.brain.policy.attempts_max},
                 {"free_deaths", e.memory.free_deaths},
                 {"setup_failures", e.memory.setup_failures},
                 {"not_before", e.memory.not_before.set() ? Json(e.memory.not_before.ms) : Json(nullptr)}};
  j["attention"] = a ? Json(a->attention) : Json("");
  j["events"] = Json::array();
  for (const LedgerEvent& one : e.events) j["events"].push_back(row_of(one));
  j["not_seen"] = troubles_of(look);
  j["in_the_way"] = hindrances_of(look, e.ticket);
  return j;
}

}  // namespace holdfast
