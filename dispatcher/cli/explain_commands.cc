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
#include "dispatcher/core/words.h"
#include "dispatcher/look/explain.h"
#include "dispatcher/look/plan.h"
#include "dispatcher/system/file_records.h"
#include "dispatcher/system/process_identity.h"

namespace holdfast::cli {
namespace {

Exit explain(const Arguments& args, Shell& shell) {
  const auto id = ticket_named(*args.one("TICKET"));
  if (!id) return fail(shell, id.error());
  const auto config = configuration(shell);
  if (!config) return fail(shell, config.error());
  const auto opened = look_around(*config, false);
  if (!opened) return fail(shell, opened.error());
  OwnLook& look = **opened;
  const auto explained = holdfast::explain(look, *id);
  if (!explained) return shell.fail(Exit::not_found, "no ticket " + id->value);
  if (shell.json) {
    print(shell, row_of(*explained, look));
    return Exit::ok;
  }
  const Explanation& e = *explained;
  shell.out << shell.paint(bold, id->value) << "  "
            << (e.board ? words_for(e.board->state) : "not on the board")
            << (e.board ? "  " + safe(e.board->title) : "") << "\n";
  if (e.attempt) {
    const Attempt& a = *e.attempt;
    shell.out << "runtime     " << attempt_key(a.id) << ", " << words_for(a.phase) << " since "
              << clock_words(a.changed_at) << "\n"
              << "verdict     " << words_of(e.verdict) << "\n";
    for (const NamedProbe& p : e.probes) {
      const std::string head =
          "  " + std::string(p.name) + std::string(10 - std::string_view(p.name).size(), ' ');
      shell.out << head << words_of(p.probe.says) << (p.probe.fresh ? "" : " (stale)")
                << (p.detail.empty() ? "" : ": " + safe(p.detail)) << "\n";
    }
    if (!a.attention.empty()) shell.out << "attention   " << shell.paint(yellow, safe(a.attention)) << "\n";
  }
  const std::string effect = e.plan.effect ? safe(describe(*e.plan.effect), 300) : "";
  shell.out << "rule        " << words_for(e.plan.rule) << ": " << reason_for(e.plan.rule) << "\n"
            << "now         " << safe(e.plan.why) << "\n"
            << "next        " << (effect.empty() ? "nothing until there is news" : effect) << "\n";
  if (e.plan.wake_at.set())
    shell.out << "wake-up     " << clock_words(e.plan.wake_at) << ", in "
              << span_words(e.plan.wake_at - e.now) << "\n";
  shell.out << "budget      " << e.memory.charged << " of " << config->policy.attempts_max
            << " attempts charged\n";
  for (const Hindrance& one : look.hindrances)
    if (one.ticket.empty() || one.ticket == id->value)
      shell.out << "in the way  " << shell.paint(yellow, safe(describe(one), 400)) << "\n";
  for (const std::string& trouble : look.troubles)
    shell.out << shell.paint(yellow, "could not be seen: " + safe(trouble, 300)) << "\n";
  if (!e.events.empty()) shell.out << "events\n";
  for (const LedgerEvent& one : e.events)
    shell.out << "  " << clock_words(one.at) << "  "
              << (one.attempt.generation.value ? attempt_key(one.attempt) : "-") << "  " << safe(one.kind)
              << (one.cause.empty() ? "" : "  " + safe(one.cause))
              << (one.evidence.empty() ? "" : "  " + safe(one.evidence, 200)) << "\n";
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
