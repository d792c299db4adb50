// A person's hand on tickets: cancel, park, retry, answer, waive. Where an attempt is open they are wishes in
// the ledger, which the dispatcher obeys; else they are moves on the board.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>

#include "dispatcher/cli/command.h"
#include "dispatcher/cli/git_part.h"
#include "dispatcher/cli/messages.h"
#include "dispatcher/cli/rows.h"
#include "dispatcher/cli/session.h"
#include "dispatcher/cli/text_input.h"
#include "dispatcher/core/decide.h"
#include "dispatcher/core/names.h"
#include "dispatcher/core/words.h"

namespace holdfast::cli {
namespace {

std::string by_and_why(const Arguments& args, const Shell& shell) {
  const auto reason = args.one("reason");
  return reason && !reason->empty() ? shell.person + ": " + *reason : shell.person;
}

struct Named {
  Books books;
  TicketId ticket;
  std::optional<Attempt> newest;
};

// The ticket must be on the board.
Or<Named> named_ticket(const Arguments& args, const Shell& shell) {
  const auto id = ticket_named(*args.one("TICKET"));
  if (!id) return std::unexpected(id.error());
  auto books = open_books(shell, LedgerMode::command_line);
  if (!books) return std::unexpected(books.error());
  const auto page = books->desk->show(*id);
  if (!page) return std::unexpected(trouble_of(page.error()));
  auto attempts = books->ledger->attempts_of(*id);
  if (attempts.raw.transport != Transport::answered || attempts.raw.code != 0)
    return std::unexpected(trouble_of(attempts.raw));
  Named named{std::move(*books), *id, {}};
  if (!attempts.value.empty()) named.newest = std::move(attempts.value.back());
  return named;
}

Exit say(Shell& shell, const TicketId& ticket, const std::string& done, const std::string& words) {
  if (shell.json)
    print(shell, {{"ticket", ticket.value}, {"did", done}, {"message", words}});
  else
    shell.out << ticket.value << "  " << safe(words) << "\n";
  return Exit::ok;
}

Exit end_ticket(const Arguments& args, Shell& shell, StopWish wish, BoardState otherwise) {
  auto named = named_ticket(args, shell);
  if (!named) return fail(shell, named.error());
  const std::string why = by_and_why(args, shell);
  if (named->newest && named->newest->open()) {
    const auto wrote = named->books.ledger->write(RecordWish{named->newest->id, wish, why}, shell.now());
    if (wrote.raw.code != 0 || wrote.raw.transport != Transport::answered)
      return fail(shell, trouble_of(wrote.raw));
    wake_dispatcher(named->books.config);
    return say(shell, named->ticket, "wish",
               "wish recorded; " + attempt_key(named->newest->id) +
                   " is ended, its work saved, then the ticket is " + words_for(otherwise));
  }
  const auto now = named->books.desk->move(named->ticket, otherwise, args.one("reason").value_or(""),
                                           shell.person, shell.now());
  if (!now) return fail(shell, trouble_of(now.error()));
  wake_dispatcher(named->books.config);
  return say(shell, named->ticket, "moved", std::string("is ") + words_for(otherwise));
}

Exit cancel(const Arguments& args, Shell& shell) {
  return end_ticket(args, shell, StopWish::cancel, BoardState::cancelled);
}
Exit park(const Arguments& args, Shell& shell) {
  return end_ticket(args, shell, StopWish::park, BoardState::backlog);
}

Exit retry(const Arguments& args, Shell& shell) {
  auto named = named_ticket(args, shell);
  if (!named) return fail(shell, named.error());
  const auto wrote = named->books.ledger->write(Retry{named->ticket, by_and_why(args, shell)}, shell.now());
  if (wrote.raw.code != 0 || wrote.raw.transport != Transport::answered)
    return fail(shell, trouble_of(wrote.raw));
  const auto now = named->books.desk->move(
      named->ticket, BoardState::todo, args.one("reason").value_or("tried again"), shell.person, shell.now());
  if (!now) return fail(shell, trouble_of(now.error()));
  wake_dispatcher(named->books.config);
  return say(shell, named->ticket, "retried", "is todo again; its budgets begin anew");
}

std::string short_ref(const std::string& ref) {
  constexpr std::string_view heads = "refs/heads/";
  return ref.starts_with(heads) ? ref.substr(heads.size()) : ref;
}

// The branches and salvages of a ticket's attempts, and what git has of them that is on no target.
std::vector<std::string> waivable(const Named& named) {
  std::vector<std::string> names;
  const auto add = [&names](const std::string& name) {
    if (!name.empty() && std::ranges::find(names, name) == names.end()) names.push_back(name);
  };
  const auto attempts = named.books.ledger->attempts_of(named.ticket);
  for (const Attempt& a : attempts.value) {
    add(a.branch.value);
    for (const std::string& ref : a.salvage_refs) add(ref);
  }
  if (attempts.value.empty()) return names;
  const Policy& policy = named.books.config.policy;
  const auto facts = make_worktrees(named.books.config, false)
                         ->inspect(branch_order(attempts.value.back(), policy, false), policy.git_deadline);
  for (const Stranded& one : facts.value.stranded) add(one.ref);
  return names;
}

Exit waive(const Arguments& args, Shell& shell) {
  auto named = named_ticket(args, shell);
  if (!named) return fail(shell, named.error());
  const std::string branch = *args.one("BRANCH");
  const auto names = waivable(*named);
  const auto is_it = [&](const std::string& name) { return short_ref(name) == short_ref(branch); };
  if (std::ranges::none_of(names, is_it)) {
    std::string all;
    for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
    return shell.fail(Exit::conflict,
                      named->ticket.value + " does not wait for '" + safe(branch, 120) + "'; " +
                          (all.empty() ? "no attempt of it has a branch" : "it has: " + safe(all)));
  }
  const auto wrote =
      named->books.ledger->write(Waive{named->ticket, branch, by_and_why(args, shell)}, shell.now());
  if (wrote.raw.code != 0 || wrote.raw.transport != Transport::answered)
    return fail(shell, trouble_of(wrote.raw));
  wake_dispatcher(named->books.config);
  return say(shell, named->ticket, "waived",
             "does not wait for " + branch + " any more; its commits stay where they are");
}

Exit answer(const Arguments& args, Shell& shell) {
  const auto text = words_or_file(args, shell, "TEXT", "file");
  if (!text) return fail(shell, text.error());
  auto named = named_ticket(args, shell);
  if (!named) return fail(shell, named.error());
  if (!named->newest || !named->newest->open())
    return shell.fail(Exit::conflict, named->ticket.value + " has no runtime that could be answered",
                      "closed");
  const Attempt& a = *named->newest;
  if (a.phase != Phase::waiting)
    return shell.fail(Exit::conflict,
                      attempt_key(a.id) + " has not asked anything, status=" + words_for(a.phase) +
                          "; `holdfast runtime send` sends a note all the same",
                      words_for(a.phase));
  // One answer to a question: it is named after the place of its question, and the ledger takes a name once.
  // One that was given up may be said again.
  const auto messages = named->books.ledger->messages_of(a.id);
  if (messages.raw.transport != Transport::answered || messages.raw.code != 0)
    return fail(shell, trouble_of(messages.raw));
  std::string name = attempt_key(a.id) + "-answer-" + std::to_string(a.said_offset);
  for (auto same = messages.value.begin(); same != messages.value.end();) {
    if (same->id.value != name) {
      ++same;
      continue;
    }
    if (same->state != MessageState::dropped)
      return shell.fail(Exit::conflict,
                        attempt_key(a.id) + ": its question is already answered, by " + safe(same->by, 80),
                        words_for(same->state));
    name += "-again";
    same = messages.value.begin();
  }
  const auto sent = queue_message(*named->books.ledger, a, MessageKind::answer, *text, shell, name);
  if (!sent && sent.error().code == Exit::conflict)
    return shell.fail(Exit::conflict,
                      attempt_key(a.id) + ": its question is already answered, or it has ended", "answered");
  if (!sent) return fail(shell, sent.error());
  wake_dispatcher(named->books.config);
  if (shell.json)
    print(shell, row_of(*sent));
  else
    shell.out << attempt_key(a.id) << "  answer queued as " << sent->id.value << "\n";
  return Exit::ok;
}

const Option reason{"reason", "TEXT", "Why, in words for others.", 'm', false, Is::text};

}  // namespace

std::vector<Command> wish_commands() {
  return {
      {{"ticket", "cancel"},
       "Cancels a ticket; a live worker is ended first.",
       "TERM to the worker's whole tree, KILL after a grace, verified gone, its work saved; then the ticket "
       "is "
       "cancelled. What is cancelled is never overwritten.",
       {a_ticket},
       {reason},
       {{"holdfast ticket cancel T-1 --reason 'not needed any more'", ""}},
       cancel},
      {{"ticket", "park"},
       "Sends a ticket back to the backlog; a live worker is ended first.",
       "",
       {a_ticket},
       {reason},
       {{"holdfast ticket park T-1", ""}},
       park},
      {{"ticket", "retry"},
       "Gives a ticket another try, with fresh budgets and no waiting.",
       "Refused while an attempt of it is open.",
       {a_ticket},
       {reason},
       {{"holdfast ticket retry T-1", ""}},
       retry},
      {{"ticket", "answer"},
       "Answers the question that a worker has asked; it goes into the same live runtime.",
       "Exit code 4 where it has not asked anything, or its question is answered already; the message says "
       "how "
       "it is.",
       {a_ticket, {"TEXT", "The answer; else from --file.", Is::text, false, false}},
       {{"file", "FILE", "The text from a file; - is the standard input.", 'F', false, Is::file}},
       {{"holdfast ticket answer T-1 'Use the second one.'", ""}},
       answer},
      {{"ticket", "waive"},
       "Gives up a stranded branch, so that it keeps the ticket from being done no longer.",
       "Nothing is deleted; the ticket only stops waiting for these commits. Exit code 4, with the names "
       "that "
       "there are, where no attempt of the ticket has such a branch.",
       {a_ticket, {"BRANCH", "The branch or ref, as `holdfast doctor` names it.", Is::text, true, false}},
       {reason},
       {{"holdfast ticket waive T-1 hf/T-1-fix.it-g1", ""}},
       waive},
  };
}

}  // namespace holdfast::cli
