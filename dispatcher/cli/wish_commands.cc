// A person's hand on tickets: cancel, park, retry, answer, waive. Where an attempt is open they are wishes in
// the ledger, which the dispatcher obeys; else they are moves on the board.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>

#include "dispatcher/cli/board_part.h"
#include "dispatcher/cli/command.h"
#include "dispatcher/cli/git_part.h"
#include "dispatcher/cli/print.h"
#include "dispatcher/cli/session.h"
#include "dispatcher/cli/text_input.h"
#include "dispatcher/core/decide.h"
#include "dispatcher/core/names.h"
#include "dispatcher/core/words.h"
#include "dispatcher/hand/approve.h"
#include "dispatcher/hand/retry_elsewhere.h"

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

Exit end_ticket(const Arguments& args, Shell& shell,
                Taken<Ended> (*end)(const Hand&, const TicketId&, const std::string&)) {
  const auto id = ticket_named(*args.one("TICKET"));
  if (!id) return fail(shell, id.error());
  auto books = open_books(shell, LedgerMode::command_line);
  if (!books) return fail(shell, books.error());
  const auto ended = end(hand_of(*books, shell), *id, args.one("reason").value_or(""));
  if (!ended) return fail(shell, ended.error());
  wake_dispatcher(books->config);
  if (ended->wished)
    return say(shell, *id, "wish",
               "wish recorded; " + attempt_key(*ended->wished) +
                   " is ended, its work saved, then the ticket is " + words_for(ended->state));
  return say(shell, *id, "moved", std::string("is ") + words_for(ended->state));
}

Exit cancel_ticket(const Arguments& args, Shell& shell) {
  return end_ticket(args, shell, cancel);
}
Exit park_ticket(const Arguments& args, Shell& shell) {
  return end_ticket(args, shell, park);
}

Exit retry_ticket(const Arguments& args, Shell& shell) {
  const auto id = ticket_named(*args.one("TICKET"));
  if (!id) return fail(shell, id.error());
  auto books = open_books(shell, LedgerMode::command_line);
  if (!books) return fail(shell, books.error());
  const std::string why = args.one("reason").value_or("");
  Taken<BoardTicket> again = std::unexpected(Refusal{});
  if (books->config.board.url.empty()) {
    again = retry(hand_of(*books, shell), *id, why);
  } else {
    const auto board = make_board(books->config, LedgerMode::command_line);
    if (!board) return fail(shell, board.error());
    again = retry_elsewhere(hand_of(*books, shell), **board, *id, why);
  }
  if (!again) return fail(shell, again.error());
  wake_dispatcher(books->config);
  return say(shell, *id, "retried", "is todo again; its budgets begin anew");
}

Exit approve_ticket(const Arguments& args, Shell& shell) {
  const auto id = ticket_named(*args.one("TICKET"));
  if (!id) return fail(shell, id.error());
  auto books = open_books(shell, LedgerMode::command_line);
  if (!books) return fail(shell, books.error());
  const auto worktrees = make_worktrees(books->config, true);
  const auto approved =
      approve(hand_of(*books, shell), *worktrees, books->config.policy, *id, args.one("reason").value_or(""));
  if (!approved) return fail(shell, approved.error());
  wake_dispatcher(books->config);
  return say(shell, *id, "approved", "is done: " + approved->how);
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
  return say(
      shell, named->ticket, "waived",
      "does not wait for " + branch +
          " any more; its commits stay where they are. What is left is seen landed by itself, or landed by "
          "`holdfast ticket approve " +
          named->ticket.value + "`");
}

Exit answer_question(const Arguments& args, Shell& shell) {
  const auto text = words_or_file(args, shell, "TEXT", "file");
  if (!text) return fail(shell, text.error());
  const auto id = ticket_named(*args.one("TICKET"));
  if (!id) return fail(shell, id.error());
  auto books = open_books(shell, LedgerMode::command_line);
  if (!books) return fail(shell, books.error());
  const auto sent = answer(hand_of(*books, shell), *id, *text);
  if (!sent) return fail(shell, sent.error());
  wake_dispatcher(books->config);
  if (shell.json)
    print(shell, row_of(*sent));
  else
    shell.out << attempt_key(sent->attempt) << "  answer queued as " << sent->id.value << "\n";
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
       cancel_ticket},
      {{"ticket", "park"},
       "Sends a ticket back to the backlog; a live worker is ended first.",
       "",
       {a_ticket},
       {reason},
       {{"holdfast ticket park T-1", ""}},
       park_ticket},
      {{"ticket", "retry"},
       "Gives a ticket another try, with fresh budgets and no waiting.",
       "Refused while an attempt of it is open.",
       {a_ticket},
       {reason},
       {{"holdfast ticket retry T-1", ""}},
       retry_ticket},
      {{"ticket", "approve"},
       "Says that what is in review is good: its branch is landed, and the ticket is done.",
       "As the policy `land` would do it: the check runs, then the target is moved by compare-and-swap. "
       "Where that "
       "cannot be the ticket stays where it is, with exit code 4. One that is blocked because it could not "
       "be landed is "
       "approved in the same way, once its branch is mended. Where the target is checked out somewhere "
       "the message "
       "holds the one command that is left to you.",
       {a_ticket},
       {reason},
       {{"holdfast ticket approve T-1 --reason 'read and tried'", ""}},
       approve_ticket},
      {{"ticket", "answer"},
       "Answers the question that a worker has asked; it goes into the same live runtime.",
       "Exit code 4 where it has not asked anything, or its question is answered already; the message says "
       "how "
       "it is.",
       {a_ticket, {"TEXT", "The answer; else from --file.", Is::text, false, false}},
       {{"file", "FILE", "The text from a file; - is the standard input.", 'F', false, Is::file}},
       {{"holdfast ticket answer T-1 'Use the second one.'", ""}},
       answer_question},
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
