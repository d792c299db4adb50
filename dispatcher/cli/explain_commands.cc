// `explain`: the evidence, the rule that won, what comes next. `deaths`: how each attempt ended, and on what
// evidence.
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>
#include <ostream>
#include <string_view>

#include "dispatcher/cli/command.h"
#include "dispatcher/cli/look.h"
#include "dispatcher/cli/print.h"
#include "dispatcher/cli/session.h"
#include "dispatcher/core/names.h"
#include "dispatcher/core/verdict.h"
#include "dispatcher/core/words.h"
#include "dispatcher/system/file_records.h"
#include "dispatcher/system/process_identity.h"

namespace holdfast::cli {
namespace {

const char* words_of(Life life) {
  switch (life) {
    case Life::alive: return "alive";
    case Life::dead: return "dead";
    case Life::unknown: return "unknown";
  }
  __builtin_unreachable();
}

struct NamedProbe {
  const char* name;
  Probe probe;
  std::string detail;
};

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
    process = std::string("runner ") + cli::words_of(p.runner) + ", worker " + cli::words_of(p.worker) +
              ", cgroup " + cli::words_of(p.cgroup) + ", descendants " + cli::words_of(p.descendants) +
              (p.note.empty() ? "" : "; " + p.note);
    host = std::string(cli::words_of(p.host));
  }
  if (seen.record) {
    const RecordSighting& r = seen.record->what;
    record = cli::words_of(r.decision);
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

Exit explain(const Arguments& args, Shell& shell) {
  const auto id = ticket_named(*args.one("TICKET"));
  if (!id) return fail(shell, id.error());
  const auto config = configuration(shell);
  if (!config) return fail(shell, config.error());
  const auto opened = look_around(*config, false);
  if (!opened) return fail(shell, opened.error());
  LookAround& look = **opened;
  if (!look.brain.knowledge.tickets.contains(*id)) {
    auto known = look.parts->ledger().attempts_of(*id);
    if (known.value.empty()) return shell.fail(Exit::not_found, "no ticket " + id->value);
  }
  const Plan plan = look.plan_for(*id);
  const TicketKnowledge& t = look.brain.knowledge.tickets[*id];
  const Instant now = look.brain.knowledge.now;
  const Attempt* a = t.current();
  const Verdict verdict = a == nullptr              ? Verdict::unknown
                          : a->cause != Cause::none ? Verdict::dead
                                                    : verdict_of(*a, t.seen, now);
  const std::string effect = plan.effect ? safe(describe(*plan.effect), 300) : "";
  const auto events = look.parts->ledger().events_after(0, *id, 100'000);
  const std::size_t shown = 8;
  const std::size_t skipped = events.value.size() > shown ? events.value.size() - shown : 0;

  if (shell.json) {
    Json j;
    j["ticket"] = id->value;
    j["state"] = t.board ? Json(words_for(t.board->state)) : Json(nullptr);
    j["runtime"] = a ? Json(attempt_key(a->id)) : Json(nullptr);
    j["phase"] = a ? Json(words_for(a->phase)) : Json(nullptr);
    j["verdict"] = a ? Json(words_of(verdict)) : Json(nullptr);
    j["evidence"] = Json::object();
    if (a)
      for (const NamedProbe& p : probes_of(*a, look.brain.knowledge, t.seen, now))
        j["evidence"][p.name] = {
            {"says", words_of(p.probe.says)}, {"fresh", p.probe.fresh}, {"detail", p.detail}};
    j["rule"] = words_for(plan.rule);
    j["reason"] = reason_for(plan.rule);
    j["waits_for"] = safe(plan.why);
    j["next_effect"] = plan.effect ? Json(effect) : Json(nullptr);
    j["wake_at"] = plan.wake_at.set() ? Json(plan.wake_at.ms) : Json(nullptr);
    j["budget"] = {{"charged", t.memory.charged},
                   {"attempts", config->policy.attempts_max},
                   {"free_deaths", t.memory.free_deaths},
                   {"setup_failures", t.memory.setup_failures},
                   {"not_before", t.memory.not_before.set() ? Json(t.memory.not_before.ms) : Json(nullptr)}};
    j["attention"] = a ? Json(a->attention) : Json("");
    j["events"] = Json::array();
    for (std::size_t n = skipped; n < events.value.size(); ++n)
      j["events"].push_back(row_of(events.value[n]));
    j["not_seen"] = look.troubles;
    j["in_the_way"] = Json::array();
    for (const Hindrance& one : look.hindrances)
      if (one.ticket.empty() || one.ticket == id->value) j["in_the_way"].push_back(safe(describe(one)));
    print(shell, j);
    return Exit::ok;
  }
  shell.out << shell.paint(bold, id->value) << "  "
            << (t.board ? words_for(t.board->state) : "not on the board")
            << (t.board ? "  " + safe(t.board->title) : "") << "\n";
  if (a) {
    shell.out << "runtime     " << attempt_key(a->id) << ", " << words_for(a->phase) << " since "
              << clock_words(a->changed_at) << "\n"
              << "verdict     " << words_of(verdict) << "\n";
    for (const NamedProbe& p : probes_of(*a, look.brain.knowledge, t.seen, now)) {
      const std::string head =
          "  " + std::string(p.name) + std::string(10 - std::string_view(p.name).size(), ' ');
      shell.out << head << words_of(p.probe.says) << (p.probe.fresh ? "" : " (stale)")
                << (p.detail.empty() ? "" : ": " + safe(p.detail)) << "\n";
    }
    if (!a->attention.empty()) shell.out << "attention   " << shell.paint(yellow, safe(a->attention)) << "\n";
  }
  shell.out << "rule        " << words_for(plan.rule) << ": " << reason_for(plan.rule) << "\n"
            << "now         " << safe(plan.why) << "\n"
            << "next        " << (effect.empty() ? "nothing until there is news" : effect) << "\n";
  if (plan.wake_at.set())
    shell.out << "wake-up     " << clock_words(plan.wake_at) << ", in " << span_words(plan.wake_at - now)
              << "\n";
  shell.out << "budget      " << t.memory.charged << " of " << config->policy.attempts_max
            << " attempts charged\n";
  for (const Hindrance& one : look.hindrances)
    if (one.ticket.empty() || one.ticket == id->value)
      shell.out << "in the way  " << shell.paint(yellow, safe(describe(one), 400)) << "\n";
  for (const std::string& trouble : look.troubles)
    shell.out << shell.paint(yellow, "could not be seen: " + safe(trouble, 300)) << "\n";
  if (!events.value.empty()) shell.out << "events\n";
  for (std::size_t n = skipped; n < events.value.size(); ++n) {
    const LedgerEvent& e = events.value[n];
    shell.out << "  " << clock_words(e.at) << "  "
              << (e.attempt.generation.value ? attempt_key(e.attempt) : "-") << "  " << safe(e.kind)
              << (e.cause.empty() ? "" : "  " + safe(e.cause))
              << (e.evidence.empty() ? "" : "  " + safe(e.evidence, 200)) << "\n";
  }
  return Exit::ok;
}

// --- deaths

// Nobody has recorded an end: neither the ledger nor its runner. (`explain` looks whether that is still so.)
bool lives(const Attempt& a, const RecordSighting* record) {
  return a.open() && a.cause == Cause::none && (record == nullptr || !record->end);
}

// Where the runner did not live to write its end, whoever found it dead has read the kernel's count; it
// stands in the evidence (core/verdict.cc). A cgroup is made anew for each attempt, so it began with zero.
std::optional<std::int64_t> oom_kills_told(const std::string& evidence) {
  constexpr std::string_view before = "the kernel counted oom_kill ", after = " in its cgroup";
  const auto at = evidence.find(before);
  if (at == std::string::npos) return std::nullopt;
  std::int64_t count = 0;
  const char* const end = evidence.data() + evidence.size();
  const auto [rest, error] = std::from_chars(evidence.data() + at + before.size(), end, count);
  if (error != std::errc{} || !std::string_view(rest, end).starts_with(after)) return std::nullopt;
  return count;
}

Json death_row(const Attempt& a, const RecordSighting* record) {
  Json j;
  j["ticket"] = a.id.ticket.value;
  j["generation"] = a.id.generation.value;
  j["runtime"] = attempt_key(a.id);
  j["phase"] = words_for(a.phase);
  const ProcessIdentity& worker = record != nullptr && record->worker.known() ? record->worker : a.worker;
  const ProcessIdentity& runner = record != nullptr && record->runner.known() ? record->runner : a.runner;
  j["pid"] = worker.known() ? Json(worker.pid) : Json(nullptr);
  j["runner_pid"] = runner.known() ? Json(runner.pid) : Json(nullptr);
  const WorkerEnd* end = record != nullptr && record->end ? &*record->end : nullptr;
  j["exit_code"] = end != nullptr && end->exit_code ? Json(*end->exit_code) : Json(nullptr);
  j["signal"] = end != nullptr && end->signal ? Json(*end->signal) : Json(nullptr);
  j["core_dumped"] = end != nullptr ? Json(end->core_dumped) : Json(nullptr);
  j["oom"] = end != nullptr ? words_for(end->oom) : "unknown";
  j["oom_evidence"] = end != nullptr            ? end->oom_evidence
                      : record == nullptr       ? "there is no record of it"
                      : !record->worker_running ? "no worker of it ever ran"
                                                : "its runner did not live to write its end";
  if (end == nullptr && record != nullptr && !record->worker_running) j["oom"] = "no";
  if (const auto counted = oom_kills_told(a.evidence); counted && end == nullptr) {
    j["oom"] = words_for(*counted > 0 ? OomEvidence::killed : OomEvidence::none_seen);
    j["oom_evidence"] = "oom_kill 0 -> " + std::to_string(*counted) + " in cgroup" +
                        (record == nullptr || record->cgroup.empty() ? "" : " " + record->cgroup);
  }
  if (lives(a, record)) {  // there is no death of it to tell facts about
    j["oom"] = nullptr;
    j["oom_evidence"] = "";
  }
  j["ended_because"] = end != nullptr ? end->reason : "";
  j["cause"] = words_for(a.cause);
  const bool gone = worker.known() && presence_of(worker) == Presence::gone;
  j["sentence"] = a.cause != Cause::none ? sentence_for(a.cause, a.exit_code)
                  : !lives(a, record)    ? "ended, and not accounted for yet"
                  : gone
                      ? "its worker is not there, and no end of it is recorded yet; `holdfast explain` looks"
                      : "alive";
  j["evidence"] = a.evidence;
  j["spawned_at"] = a.spawned_at.set() ? Json(a.spawned_at.ms) : Json(nullptr);
  j["died_at"] = a.died_at.set() ? Json(a.died_at.ms) : Json(nullptr);
  j["last_words"] = a.last_words;
  j["branch"] = a.branch.value;
  j["branch_facts"] = a.branch_facts;
  j["salvage_refs"] = a.salvage_refs;
  j["became"] = a.disposition ? Json(words_for(*a.disposition)) : Json(nullptr);
  j["reason"] = a.reason;
  return j;
}

Exit deaths(const Arguments& args, Shell& shell) {
  const auto id = ticket_named(*args.one("TICKET"));
  if (!id) return fail(shell, id.error());
  auto books = open_books(shell, LedgerMode::read_only);
  if (!books) return fail(shell, books.error());
  const auto attempts = books->ledger->attempts_of(*id);
  if (attempts.raw.code != 0) return fail(shell, trouble_of(attempts.raw));
  if (attempts.value.empty())
    if (const auto page = books->desk->show(*id); !page) return fail(shell, trouble_of(page.error()));
  FileRecords records(places_of(books->config).records);
  Json rows = Json::array();
  for (const Attempt& a : attempts.value) {
    const auto record = records.read(a.id);
    const Json row = death_row(a, record.raw.code == 0 ? &record.value : nullptr);
    if (shell.json) {
      rows.push_back(row);
      continue;
    }
    const auto text = [&](const char* key) {
      return row[key].is_string() ? row[key].get<std::string>() : row[key].dump();
    };
    const auto line = [&](const std::string& head, const std::string& words) {
      if (!words.empty())
        shell.out << "  " << head << std::string(14 - head.size(), ' ') << safe(words) << "\n";
    };
    shell.out << shell.paint(bold, attempt_key(a.id)) << "  " << safe(text("sentence"))
              << (a.died_at.set() ? ", " + clock_words(a.died_at) : "") << "\n";
    const bool alive = row["oom"].is_null();
    line("pid",
         row["pid"].is_null() ? alive ? "none yet" : "none: no worker of it is recorded" : text("pid"));
    line("exit", alive                         ? ""
                 : !row["exit_code"].is_null() ? "code " + text("exit_code")
                 : !row["signal"].is_null()
                     ? "signal " + text("signal") + (row["core_dumped"] == true ? ", core dumped" : "")
                     : "not recorded");
    line("oom",
         alive ? "" : text("oom") + (text("oom_evidence").empty() ? "" : " (" + text("oom_evidence") + ")"));
    line("ended because", text("ended_because"));
    line("evidence", a.evidence);
    line("branch", a.branch.value + (a.branch_facts.empty() ? "" : ": " + a.branch_facts));
    for (const std::string& ref : a.salvage_refs) line("saved", ref);
    line("became",
         (a.disposition ? std::string(words_for(*a.disposition)) + ": " : std::string()) + a.reason);
    if (!a.last_words.empty()) shell.out << "  last words\n" << safe_lines(a.last_words, "    ");
  }
  if (shell.json)
    print(shell, rows);
  else if (attempts.value.empty())
    shell.out << id->value << " has had no attempt\n";
  return Exit::ok;
}

}  // namespace

std::vector<Command> explain_commands() {
  return {
      {{"explain"},
       "Says why a ticket is as it is: the evidence of each probe, the rule that won, and what comes next.",
       "",
       {a_ticket},
       {},
       {{"holdfast explain T-1", ""}, {"holdfast explain T-1 --json", ""}},
       explain},
      {{"deaths"},
       "Reports how each attempt of a ticket ended, and on what evidence.",
       "Process, exit code or signal, whether it was killed for memory and how that is known, its last "
       "words, and "
       "the facts about its branch.",
       {a_ticket},
       {},
       {{"holdfast deaths T-1", ""}},
       deaths}};
}

}  // namespace holdfast::cli
