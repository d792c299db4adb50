// Runtimes: the live side of attempts. Looking, attaching, sending, ending.
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <nlohmann/json.hpp>
#include <ostream>

#include "dispatcher/cli/command.h"
#include "dispatcher/cli/look.h"
#include "dispatcher/cli/press_key.h"
#include "dispatcher/cli/print.h"
#include "dispatcher/cli/session.h"
#include "dispatcher/cli/text_input.h"
#include "dispatcher/core/names.h"
#include "dispatcher/core/verdict.h"
#include "dispatcher/core/words.h"
#include "dispatcher/system/durable_file.h"
#include "dispatcher/system/file_records.h"

namespace holdfast::cli {
namespace {

bool answered(const RawReply& raw) {
  return raw.transport == Transport::answered && raw.code == 0;
}

Exit list_runtimes(const Arguments& args, Shell& shell) {
  auto books = open_books(shell, LedgerMode::read_only);
  if (!books) return fail(shell, books.error());
  auto attempts = books->ledger->open_attempts();
  if (!answered(attempts.raw)) return fail(shell, trouble_of(attempts.raw));
  if (args.has("all")) {
    const auto tickets = books->desk->list({});
    if (!tickets) return fail(shell, trouble_of(tickets.error()));
    attempts.value.clear();
    for (const BoardTicket& t : *tickets) {
      auto of_one = books->ledger->attempts_of(t.id);
      if (!answered(of_one.raw)) return fail(shell, trouble_of(of_one.raw));
      for (Attempt& a : of_one.value) attempts.value.push_back(std::move(a));
    }
  }
  if (shell.json) {
    Json rows = Json::array();
    for (const Attempt& a : attempts.value) rows.push_back(row_of(a));
    print(shell, rows);
    return Exit::ok;
  }
  std::vector<std::vector<std::string>> rows;
  rows.reserve(attempts.value.size());
  for (const Attempt& a : attempts.value)
    rows.push_back({attempt_key(a.id), words_for(a.phase), span_words(shell.now() - a.changed_at),
                    a.worker.known() ? std::to_string(a.worker.pid) : "-", a.slot.value,
                    safe(a.branch.value, 60),
                    a.attention.empty() ? safe(a.open() ? a.said_text : a.reason, 100)
                                        : shell.paint(yellow, "! " + safe(a.attention, 200))});
  if (rows.empty())
    shell.out << "no runtime is open\n";
  else
    shell.out << table({"RUNTIME", "PHASE", "FOR", "PID", "SLOT", "BRANCH", "NOTE"}, rows, shell);
  return Exit::ok;
}

Exit show_runtime(const Arguments& args, Shell& shell) {
  auto books = open_books(shell, LedgerMode::read_only);
  if (!books) return fail(shell, books.error());
  const auto attempt = attempt_named(*books->ledger, *args.one("RUNTIME"));
  if (!attempt) return fail(shell, attempt.error());
  const auto messages = books->ledger->messages_of(attempt->id);
  FileRecords records(places_of(books->config).records);
  const auto record = records.read(attempt->id);
  const bool recorded = answered(record.raw);
  if (shell.json) {
    Json j = row_of(*attempt);
    j["record"] = recorded ? row_of(record.value) : Json(nullptr);
    j["record_folder"] = records.folder_of(attempt->id);
    j["messages"] = Json::array();
    for (const Message& m : messages.value) j["messages"].push_back(row_of(m));
    print(shell, j);
    return Exit::ok;
  }
  const Attempt& a = *attempt;
  const auto line = [&](const char* head, const std::string& words) {
    if (!words.empty()) shell.out << head << safe(words) << "\n";
  };
  shell.out << shell.paint(bold, attempt_key(a.id)) << "  " << words_for(a.phase) << " since "
            << clock_words(a.changed_at) << "\n";
  line("attention   ", a.attention);
  line("profile     ", a.profile);
  line("session     ", a.session.value + " on server " + std::to_string(a.shard));
  line("worktree    ", a.worktree.empty() ? a.slot.value : a.worktree);
  line("branch      ", a.branch.value);
  line("worker      ", a.worker.known() ? "pid " + std::to_string(a.worker.pid) : "");
  line("memory      ", recorded ? record.value.memory_ceiling : "");
  line("said        ", a.said == Said::nothing ? "" : std::string(words_for(a.said)) + ": " + a.said_text);
  line("wish        ", a.wish == StopWish::none ? "" : std::string(words_for(a.wish)) + " by " + a.wish_by);
  line("death       ", a.cause == Cause::none ? "" : sentence_for(a.cause, a.exit_code) + "; " + a.evidence);
  line("closed as   ", a.reason);
  line("facts       ", a.branch_facts);
  line("record      ", records.folder_of(a.id));
  for (const Message& m : messages.value)
    line("message     ", m.id.value + " " + words_for(m.kind) + ", " + words_for(m.state) +
                             (m.why.empty() ? "" : ": " + m.why));
  return Exit::ok;
}

Exit attach(const Arguments& args, Shell& shell) {
  const auto config = configuration(shell);
  if (!config) return fail(shell, config.error());
  const auto parts = open_installation(*config, LedgerMode::read_only);
  if (!parts) return fail(shell, parts.error());
  const auto attempt = open_attempt_named((*parts)->ledger(), *args.one("RUNTIME"));
  if (!attempt) return fail(shell, attempt.error());
  auto command = (*parts)->world().terminal.attach_command(attempt->shard, attempt->session);
  if (args.has("read-only")) command.push_back("-r");
  if (args.has("print") || shell.json) {
    if (shell.json) {
      print(shell, {{"runtime", attempt_key(attempt->id)}, {"argv", command}});
    } else {
      std::string line;
      for (const std::string& word : command) line += (line.empty() ? "" : " ") + safe(word);
      shell.out << line << "\n";
    }
    return Exit::ok;
  }
  std::vector<char*> argv;
  argv.reserve(command.size() + 1);
  for (std::string& word : command) argv.push_back(word.data());
  argv.push_back(nullptr);
  shell.out.flush();
  ::execvp(argv[0], argv.data());
  return shell.fail(Exit::failure, "tmux: " + errno_words(errno));
}

Exit send_message(const Arguments& args, Shell& shell) {
  const auto text = words_or_file(args, shell, "TEXT", "file");
  if (!text) return fail(shell, text.error());
  auto books = open_books(shell, LedgerMode::command_line);
  if (!books) return fail(shell, books.error());
  const auto attempt = open_attempt_named(*books->ledger, *args.one("RUNTIME"));
  if (!attempt) return fail(shell, attempt.error());
  if (args.has("if-ready")) {
    const auto messages = books->ledger->messages_of(attempt->id);
    FileRecords records(places_of(books->config).records);
    const auto record = records.read(attempt->id);
    if (const auto no = not_ready(*attempt, messages.value, answered(record.raw) ? &record.value : nullptr))
      return shell.fail(Exit::conflict, attempt_key(attempt->id) + ": " + no->words, no->runtime_status);
  }
  // Unguessable, so no two callers ever name the same message.
  const auto sent = send(hand_of(*books, shell), *attempt, *text, "m-" + random_token());
  if (!sent) return fail(shell, sent.error());
  wake_dispatcher(books->config);
  if (shell.json)
    print(shell, row_of(*sent));
  else
    shell.out << attempt_key(attempt->id) << "  queued as " << sent->id.value << "\n";
  return Exit::ok;
}

Exit interrupt(const Arguments& args, Shell& shell) {
  const auto config = configuration(shell);
  if (!config) return fail(shell, config.error());
  const std::string key = args.one("key").value_or("C-c");
  if (key != "C-c" && key != "Escape") return shell.fail(Exit::bad_input, "--key: expected C-c or Escape");
  const auto parts = open_installation(*config, LedgerMode::command_line);
  if (!parts) return fail(shell, parts.error());
  const auto attempt = open_attempt_named((*parts)->ledger(), *args.one("RUNTIME"));
  if (!attempt) return fail(shell, attempt.error());
  const std::string name = attempt_key(attempt->id);
  if (const auto sent = press_key((*parts)->world(), *attempt, key, config->policy.call_deadline); !sent) {
    if (sent.error().status == 409)
      return shell.fail(Exit::conflict, sent.error().words, sent.error().runtime_status);
    return shell.fail(Exit::failure, sent.error().words);
  }
  (*parts)->ledger().write(Note{attempt->id, "interrupted", shell.person, key}, shell.now());
  wake_dispatcher(*config);
  if (shell.json)
    print(shell, {{"runtime", name}, {"sent", key}});
  else
    shell.out << name << "  " << key << " sent\n";
  return Exit::ok;
}

Exit stop_runtime(const Arguments& args, Shell& shell) {
  auto books = open_books(shell, LedgerMode::command_line);
  if (!books) return fail(shell, books.error());
  const auto wished = stop(hand_of(*books, shell), *args.one("RUNTIME"), args.one("reason").value_or(""));
  if (!wished) return fail(shell, wished.error());
  wake_dispatcher(books->config);
  if (shell.json)
    print(shell, {{"runtime", attempt_key(*wished)}, {"did", "wish"}, {"wish", "stop"}});
  else
    shell.out << attempt_key(*wished) << "  is ended, its work saved, its ticket then blocked\n";
  return Exit::ok;
}

Exit declare_dead(const Arguments& args, Shell& shell) {
  const std::string evidence = args.one("evidence").value_or("");
  if (evidence.empty())
    return shell.fail(Exit::bad_input,
                      "--evidence is needed: how do you know that nothing of it runs any more?");
  const auto key = parse_attempt_key(*args.one("RUNTIME"));
  if (!key)
    return shell.fail(Exit::bad_input, "the runtime must be named with its generation, such as T-1-g2");
  auto books = open_books(shell, LedgerMode::command_line);
  if (!books) return fail(shell, books.error());
  const auto attempt = open_attempt_named(*books->ledger, *args.one("RUNTIME"));
  if (!attempt) return fail(shell, attempt.error());
  if (attempt->cause != Cause::none)
    return shell.fail(Exit::conflict, attempt_key(attempt->id) + " is dead already: " +
                                          sentence_for(attempt->cause, attempt->exit_code));
  // A person is believed where holdfast itself cannot tell, and only there.
  auto look = look_around(books->config, false);
  if (!look) return fail(shell, look.error());
  OwnLook& around = **look;
  around.plan_for(attempt->id.ticket);
  if (const TicketKnowledge& t = around.brain.knowledge.tickets[attempt->id.ticket]; t.current() != nullptr)
    around.perform_reading(look_at(t, true));
  const TicketKnowledge& t = around.brain.knowledge.tickets[attempt->id.ticket];
  const Instant now = around.brain.knowledge.now;
  const auto doubt = doubt_about(*attempt, t.seen, t.work.looked_at, now);
  if (!doubt)
    return shell.fail(Exit::conflict,
                      attempt_key(attempt->id) + " is not in doubt: " + describe(*attempt, t.seen, now) +
                          "; end what lives with: holdfast runtime stop " + attempt_key(attempt->id));
  const auto wrote = books->ledger->write(DeclareDead{attempt->id, *doubt, shell.person, evidence},
                                          std::max(now, shell.now()));
  if (!answered(wrote.raw)) return fail(shell, trouble_of(wrote.raw));
  wake_dispatcher(books->config);
  if (shell.json)
    print(shell, {{"runtime", attempt_key(attempt->id)}, {"did", "declared dead"}, {"by", shell.person}});
  else
    shell.out << attempt_key(attempt->id) << "  declared dead by " << safe(shell.person) << "\n";
  return Exit::ok;
}

const Positional a_runtime{"RUNTIME", "A ticket's id (its newest attempt), or an attempt such as T-1-g2.",
                           Is::attempt, true, false};

}  // namespace

std::vector<Command> runtime_commands() {
  return {
      {{"runtime", "list"},
       "Lists the open runtimes.",
       "",
       {},
       {{"all", "", "Closed ones too.", 'a', false, Is::text}},
       {{"holdfast runtime list", ""}, {"holdfast runtime list --json", ""}},
       list_runtimes},
      {{"runtime", "show"},
       "Shows one runtime: processes, session, worktree, record, messages.",
       "",
       {a_runtime},
       {},
       {{"holdfast runtime show T-1", ""}, {"holdfast runtime show T-1-g2 --json", ""}},
       show_runtime},
      {{"runtime", "attach"},
       "Attaches this terminal to a runtime's session.",
       "While you are attached nothing is typed into it and it is not ended, unless somebody asks for that. "
       "Detach "
       "with tmux's prefix and d.",
       {a_runtime},
       {{"read-only", "", "Only look.", 'r', false, Is::text},
        {"print", "", "Print the command instead of running it.", 0, false, Is::text}},
       {{"holdfast runtime attach T-1", ""}},
       attach},
      {{"runtime", "send"},
       "Sends a message into a live runtime.",
       "It is queued, and typed once the runtime takes input. With --if-ready it is refused where that is "
       "not now: "
       "exit code 4, `runtime is not ready for input, status=...`, and nothing is queued.",
       {a_runtime, {"TEXT", "The message; else from --file.", Is::text, false, false}},
       {{"file", "FILE", "The text from a file; - is the standard input.", 'F', false, Is::file},
        {"if-ready", "", "Refuse it where the runtime is not ready or busy.", 0, false, Is::text}},
       {{"holdfast runtime send T-1 'Please also update the manual.'", ""}},
       send_message},
      {{"runtime", "interrupt"},
       "Presses Ctrl-C (or Escape) in a runtime's terminal.",
       "Refused while a person is attached.",
       {a_runtime},
       {{"key", "KEY", "C-c or Escape.", 'k', false, Is::text}},
       {{"holdfast runtime interrupt T-1 --key Escape", "Most agents stop what they are doing on Escape."}},
       interrupt},
      {{"runtime", "stop"},
       "Ends a runtime; its work is saved and its ticket is blocked.",
       "TERM to the worker's whole tree, KILL after a grace, verified gone. `ticket cancel` and `ticket "
       "park` end it "
       "too, and leave the ticket cancelled or in the backlog.",
       {a_runtime},
       {{"reason", "TEXT", "Why, in words for others.", 'm', false, Is::text}},
       {{"holdfast runtime stop T-1 --reason 'it goes in circles'", ""}},
       stop_runtime},
      {{"runtime", "declare-dead"},
       "Declares a runtime dead that nobody can tell about. A person's word, with a name and evidence.",
       "Only where you know that nothing of it runs any more, say because its host was scrapped. If it "
       "lives, a second "
       "worker will be started on the same ticket.",
       {{"RUNTIME", "The attempt with its generation, such as T-1-g2.", Is::attempt, true, false}},
       {{"evidence", "TEXT", "How you know. Needed.", 'e', false, Is::text}},
       {{"holdfast runtime declare-dead T-1-g2 --evidence 'the machine was wiped'", ""}},
       declare_dead},
  };
}

}  // namespace holdfast::cli
