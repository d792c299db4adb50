// What people do with tickets themselves: add, look, change, move and comment.
#include <charconv>
#include <nlohmann/json.hpp>
#include <ostream>

#include "dispatcher/cli/command.h"
#include "dispatcher/cli/print.h"
#include "dispatcher/cli/session.h"
#include "dispatcher/cli/text_input.h"
#include "dispatcher/core/decide.h"
#include "dispatcher/core/words.h"

namespace holdfast::cli {
namespace {

// A profile that does not exist is somebody else's to complain about.
std::optional<std::string> too_long(const Books& books, const BoardTicket& ticket,
                                    const std::string& profile) {
  const Profile* known = profile_of(books.config.policy, profile);
  return known == nullptr ? std::nullopt : too_long_to_give(ticket, *known);
}

std::string colored(const Shell& shell, BoardState state) {
  const char* word = words_for(state);
  switch (state) {
    case BoardState::backlog: return shell.paint(dim, word);
    case BoardState::todo: return shell.paint(blue, word);
    case BoardState::in_progress: return shell.paint(cyan, word);
    case BoardState::in_review: return shell.paint(yellow, word);
    case BoardState::blocked: return shell.paint(red, word);
    case BoardState::done: return shell.paint(green, word);
    case BoardState::cancelled: return shell.paint(dim, word);
  }
  __builtin_unreachable();
}

Or<BoardState> state_named(const std::string& word) {
  if (const auto state = board_state_from(word)) return *state;
  return std::unexpected(
      Trouble{Exit::bad_input, "'" + safe(word, 40) +
                                   "' is not a state; there are backlog, todo, in_progress, "
                                   "in_review, blocked, done and cancelled"});
}

Or<int> number_named(const std::string& what, const std::string& word) {
  int number = 0;
  const auto parsed = std::from_chars(word.data(), word.data() + word.size(), number);
  if (parsed.ec != std::errc{} || parsed.ptr != word.data() + word.size())
    return std::unexpected(
        Trouble{Exit::bad_input, what + ": expected a whole number, not '" + safe(word, 40) + "'"});
  return number;
}

std::vector<TicketId> ids_from(const std::vector<std::string>& words) {
  std::vector<TicketId> ids;
  for (const std::string& word : words)
    if (!word.empty()) ids.push_back({word});
  return ids;
}

Exit add(const Arguments& args, Shell& shell) {
  NewTicket ticket;
  ticket.id = {args.one("id").value_or("")};
  ticket.title = *args.one("TITLE");
  if (ticket.id.empty() && args.has("id")) return shell.fail(Exit::bad_input, "ticket id is empty");
  auto body = text_from(args, shell, "body");
  if (!body) return fail(shell, body.error());
  ticket.body = body->value_or("");
  if (const auto word = args.one("state")) {
    const auto state = state_named(*word);
    if (!state) return fail(shell, state.error());
    ticket.state = *state;
  }
  if (const auto word = args.one("priority")) {
    const auto number = number_named("priority", *word);
    if (!number) return fail(shell, number.error());
    ticket.priority = *number;
  }
  ticket.profile = args.one("profile").value_or("");
  ticket.labels = args.many("label");
  ticket.depends_on = ids_from(args.many("depends-on"));

  auto books = open_tickets(shell, LedgerMode::command_line);
  if (!books) return fail(shell, books.error());
  if (!ticket.profile.empty() && !books->config.policy.profiles.contains(ticket.profile))
    return shell.fail(Exit::bad_input, "there is no worker profile '" + safe(ticket.profile, 80) + "' in " +
                                           books->config.file);
  BoardTicket asked;
  asked.title = ticket.title;
  asked.body = ticket.body;
  if (const auto wrong = too_long(*books, asked, ticket.profile)) return shell.fail(Exit::bad_input, *wrong);
  const auto made = books->desk->add(ticket, shell.person, shell.now());
  if (!made) {  // an id that is there already is the caller's mistake; nothing was changed meanwhile
    const Trouble trouble = trouble_of(made.error());
    return shell.fail(
        trouble.code == Exit::conflict || trouble.code == Exit::not_found ? Exit::bad_input : trouble.code,
        trouble.words);
  }
  wake_dispatcher(books->config);
  if (shell.json)
    print(shell, row_of(*made, false));
  else
    shell.out << made->id.value << "  " << colored(shell, made->state) << "  " << safe(made->title) << "\n";
  return Exit::ok;
}

Exit edit(const Arguments& args, Shell& shell) {
  const auto id = ticket_named(*args.one("TICKET"));
  if (!id) return fail(shell, id.error());
  TicketEdit change;
  change.title = args.one("title");
  auto body = text_from(args, shell, "body");
  if (!body) return fail(shell, body.error());
  change.body = *body;
  change.profile = args.one("profile");
  if (const auto word = args.one("priority")) {
    const auto number = number_named("priority", *word);
    if (!number) return fail(shell, number.error());
    change.priority = *number;
  }
  if (args.has("label")) {
    change.labels = args.many("label");
    std::erase(*change.labels, "");
  }
  if (args.has("depends-on")) change.depends_on = ids_from(args.many("depends-on"));
  auto books = open_tickets(shell, LedgerMode::command_line);
  if (!books) return fail(shell, books.error());
  if (const auto before = books->desk->show(*id)) {
    BoardTicket asked = before->ticket;
    asked.title = change.title.value_or(asked.title);
    asked.body = change.body.value_or(asked.body);
    if (const auto wrong = too_long(*books, asked, change.profile.value_or(asked.profile)))
      return shell.fail(Exit::bad_input, *wrong);
  }
  const auto now = books->desk->edit(*id, change, shell.now());
  if (!now) return fail(shell, trouble_of(now.error()));
  wake_dispatcher(books->config);
  if (shell.json)
    print(shell, row_of(*now, false));
  else
    shell.out << now->id.value << "  " << colored(shell, now->state) << "  " << safe(now->title) << "\n";
  return Exit::ok;
}

Exit list_tickets(const Arguments& args, Shell& shell) {
  TicketFilter filter;
  for (const std::string& word : args.many("state")) {
    const auto state = state_named(word);
    if (!state) return fail(shell, state.error());
    filter.states.insert(*state);
  }
  filter.labels = args.many("label");
  filter.text = args.one("text").value_or("");
  auto books = open_tickets(shell, LedgerMode::read_only);
  if (!books) return fail(shell, books.error());
  const auto tickets = books->desk->list(filter);
  if (!tickets) return fail(shell, trouble_of(tickets.error()));
  if (shell.json) {
    Json rows = Json::array();
    for (const BoardTicket& t : *tickets) rows.push_back(row_of(t, false));
    print(shell, rows);
    return Exit::ok;
  }
  std::vector<std::vector<std::string>> rows;
  for (const BoardTicket& t : *tickets)
    rows.push_back({t.id.value, colored(shell, t.state), std::to_string(t.priority), safe(t.title, 70),
                    safe(t.reason, 100)});
  if (rows.empty())
    shell.out << "no tickets\n";
  else
    shell.out << table({"TICKET", "STATE", "PRIO", "TITLE", "REASON"}, rows, shell);
  return Exit::ok;
}

Exit show_ticket(const Arguments& args, Shell& shell) {
  const auto id = ticket_named(*args.one("TICKET"));
  if (!id) return fail(shell, id.error());
  auto books = open_tickets(shell, LedgerMode::read_only);
  if (!books) return fail(shell, books.error());
  const auto page = books->desk->show(*id);
  if (!page) return fail(shell, trouble_of(page.error()));
  const auto attempts = books->ledger->attempts_of(*id);
  if (shell.json) {
    Json j = row_of(*page);
    j["attempts"] = Json::array();
    for (const Attempt& a : attempts.value) j["attempts"].push_back(row_of(a));
    print(shell, j);
    return Exit::ok;
  }
  const BoardTicket& t = page->ticket;
  shell.out << shell.paint(bold, t.id.value + "  " + safe(t.title)) << "\n"
            << "state       " << colored(shell, t.state) << (t.reason.empty() ? "" : ": " + safe(t.reason))
            << "\n"
            << "priority    " << t.priority << "\n";
  if (!t.profile.empty()) shell.out << "profile     " << safe(t.profile) << "\n";
  const auto words = [&](const char* head, const auto& items, auto word) {
    std::string line;
    for (const auto& item : items) line += (line.empty() ? "" : ", ") + safe(word(item));
    if (!line.empty()) shell.out << head << line << "\n";
  };
  words("labels      ", t.labels, [](const std::string& l) { return l; });
  words("depends on  ", page->depends_on,
        [](const BoardTicket& other) { return other.id.value + " (" + words_for(other.state) + ")"; });
  words("needed by   ", page->dependents, [](const TicketId& other) { return other.value; });
  shell.out << "made        " << clock_words(t.created_at) << ", changed " << clock_words(t.changed_at)
            << "\n";
  for (const Attempt& a : attempts.value)
    shell.out << "attempt     g" << a.id.generation.value << " " << words_for(a.phase) << ", branch "
              << safe(a.branch.value) << (a.evidence.empty() ? "" : ", " + safe(a.evidence)) << "\n";
  if (!t.body.empty()) shell.out << "\n" << safe_lines(t.body, "  ");
  for (const auto& c : page->comments)
    shell.out << "\n"
              << shell.paint(dim, clock_words(c.at) + "  " + safe(c.author)) << "\n"
              << safe_lines(c.text, "  ");
  return Exit::ok;
}

Exit move(const Arguments& args, Shell& shell) {
  const auto id = ticket_named(*args.one("TICKET"));
  if (!id) return fail(shell, id.error());
  const auto to = state_named(*args.one("STATE"));
  if (!to) return fail(shell, to.error());
  auto books = open_tickets(shell, LedgerMode::command_line);
  if (!books) return fail(shell, books.error());
  const auto now = books->desk->move(*id, *to, args.one("reason").value_or(""), shell.person, shell.now());
  if (!now) return fail(shell, trouble_of(now.error()));
  wake_dispatcher(books->config);
  if (shell.json)
    print(shell, row_of(*now, false));
  else
    shell.out << now->id.value << "  " << colored(shell, now->state) << "\n";
  return Exit::ok;
}

Exit comment(const Arguments& args, Shell& shell) {
  const auto id = ticket_named(*args.one("TICKET"));
  if (!id) return fail(shell, id.error());
  const auto text = words_or_file(args, shell, "TEXT", "file");
  if (!text) return fail(shell, text.error());
  auto books = open_tickets(shell, LedgerMode::command_line);
  if (!books) return fail(shell, books.error());
  const auto made = books->desk->comment(*id, *text, shell.person, shell.now());
  if (!made) return fail(shell, trouble_of(made.error()));
  if (shell.json)
    print(shell, {{"ticket", id->value}, {"key", made->key}, {"author", made->author}, {"text", made->text}});
  else
    shell.out << id->value << "  commented\n";
  return Exit::ok;
}

const Option body{"body", "TEXT", "What is to be done: the worker's prompt.", 'b', false, Is::text};
const Option body_file{"body-file", "FILE", "The same from a file; - is the standard input.",
                       'F',         false,  Is::file};
const Option priority{"priority", "N", "Smaller is sooner; 100 is usual.", 'p', false, Is::text};
const Option profile{"profile", "NAME", "The worker profile; else the installation's default.",
                     0,         false,  Is::profile};
const Option label{"label", "LABEL", "A label; may be repeated.", 'l', true, Is::text};
const Option depends{"depends-on", "TICKET", "A ticket that must be done first; may be repeated.",
                     'd',          true,     Is::ticket};

}  // namespace

std::vector<Command> ticket_commands() {
  return {
      {{"ticket", "add"},
       "Puts a ticket on the board.",
       "",
       {{"TITLE", "What it is about, in one line.", Is::text, true, false}},
       {body,
        body_file,
        {"id", "ID", "Its id; else the next free T-<number>.", 0, false, Is::text},
        {"state", "STATE", "Where it begins; todo, unless said otherwise.", 's', false, Is::state},
        priority,
        profile,
        label,
        depends},
       {{"holdfast ticket add 'Fix the parser' --body 'It fails on an empty file.'", ""},
        {"holdfast ticket add 'Write the release notes' -F notes.md -l docs -d T-1",
         "Waits until T-1 is done."},
        {"git log -1 | holdfast ticket add 'Explain this commit' -F -", ""}},
       add},
      {{"ticket", "edit"},
       "Changes a ticket's title, body, priority, profile, labels or dependencies.",
       "What is not named stays. --label '' and --depends-on '' remove all. A worker that has its prompt "
       "already is "
       "not told.",
       {a_ticket},
       {{"title", "TEXT", "The new title.", 't', false, Is::text},
        body,
        body_file,
        priority,
        profile,
        label,
        depends},
       {{"holdfast ticket edit T-1 --priority 10 --label urgent", ""}},
       edit},
      {{"ticket", "list"},
       "Lists tickets by priority, then age.",
       "",
       {},
       {{"state", "STATE", "Only this state; may be repeated.", 's', true, Is::state},
        label,
        {"text", "TEXT", "Only with this text in id, title or body.", 0, false, Is::text}},
       {{"holdfast ticket list -s todo -s in_progress", ""}, {"holdfast ticket list --json", ""}},
       list_tickets},
      {{"ticket", "show"},
       "Shows a ticket with its comments, history and attempts.",
       "",
       {a_ticket},
       {},
       {{"holdfast ticket show T-1", ""}},
       show_ticket},
      {{"ticket", "move"},
       "Moves a ticket to another state.",
       "A person may move a ticket anywhere, but not to todo while a runtime of it is open. Moving it to "
       "backlog, done "
       "or cancelled ends its worker; to blocked or in_review does not.",
       {a_ticket, {"STATE", "Where to.", Is::state, true, false}},
       {{"reason", "TEXT", "Why, in words for others.", 'm', false, Is::text}},
       {{"holdfast ticket move T-1 done --reason 'merged by hand'", ""}},
       move},
      {{"ticket", "comment"},
       "Adds a comment.",
       "",
       {a_ticket, {"TEXT", "The comment; else from --file.", Is::text, false, false}},
       {{"file", "FILE", "The text from a file; - is the standard input.", 'F', false, Is::file}},
       {{"holdfast ticket comment T-1 'The customer says it is urgent.'", ""}},
       comment},
  };
}

}  // namespace holdfast::cli
