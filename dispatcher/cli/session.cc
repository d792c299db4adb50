#include "dispatcher/cli/session.h"

#include <sqlite3.h>

#include <filesystem>

#include "dispatcher/core/names.h"
#include "dispatcher/core/words.h"

namespace holdfast::cli {
namespace {

std::unexpected<Trouble> trouble(Exit code, std::string words) {
  return std::unexpected(Trouble{code, std::move(words)});
}

}  // namespace

Or<Config> configuration(const Shell& shell) {
  const auto path = find_config(shell.config_file, shell.environment("HOLDFAST_CONFIG"), shell.folder);
  if (!path) return trouble(Exit::bad_input, path.error().words);
  const std::filesystem::path whole = std::filesystem::path(shell.folder) / *path;  // absolute stays absolute
  auto config = load_config(whole.string());
  if (!config) return trouble(Exit::bad_input, config.error().words);
  return std::move(*config);
}

Or<Books> open_books(const Shell& shell, LedgerMode mode) {
  auto config = configuration(shell);
  if (!config) return std::unexpected(config.error());
  const std::string path = places_of(*config).ledger;
  std::error_code none;
  if (!std::filesystem::exists(config->state, none))
    return trouble(Exit::bad_input, config->state + ": is not there; `holdfast init` makes it");
  if (!std::filesystem::exists(path, none))
    return trouble(Exit::bad_input,
                   path + ": is not there; `holdfast init` makes it, and so does `holdfast up`");
  auto ledger = open_ledger(path, mode);
  if (!ledger) return trouble(Exit::bad_input, ledger.error());
  auto desk = open_desk(path, mode);
  if (!desk) return trouble(Exit::bad_input, desk.error());
  return Books{std::move(*config), std::move(*ledger), std::move(*desk)};
}

Or<Books> open_tickets(const Shell& shell, LedgerMode mode) {
  auto books = open_books(shell, mode);
  if (books && !books->config.board.url.empty())
    return trouble(Exit::bad_input, "the tickets of this installation are on the board at " +
                                        books->config.board.url + "; they are made and moved there");
  return books;
}

Trouble trouble_of(const DeskError& error) {
  switch (error.status) {
    case 404: return {Exit::not_found, error.words};
    case 409: return {Exit::conflict, error.words};
    case 422:
    case 507: return {Exit::bad_input, error.words};  // 507: full or read-only; nothing was changed
    default: return {Exit::failure, error.words};
  }
}

Trouble trouble_of(const RawReply& raw) {
  if (raw.transport != Transport::answered)
    return {Exit::failure, raw.error.empty() ? "the ledger did not answer" : raw.error};
  switch (raw.code) {
    case ledger_conflict:
    case ledger_stale:
    case ledger_exhausted: return {Exit::conflict, raw.error};
    case ledger_invalid: return {Exit::bad_input, raw.error};
    default: break;
  }
  switch (raw.code & 0xff) {
    case SQLITE_FULL:
    case SQLITE_READONLY:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_CANTOPEN: return {Exit::bad_input, raw.error};
    default: return {Exit::failure, raw.error};
  }
}

Trouble trouble_of(const Refusal& refusal) {
  const std::string words = refusal.words;
  switch (refusal.status) {
    case 404: return {Exit::not_found, words};
    case 409: return {Exit::conflict, words};
    case 422:
    case 507: return {Exit::bad_input, words};
    default: return {Exit::failure, words};
  }
}

Or<TicketId> ticket_named(const std::string& word) {
  auto ticket = ticket_called(word);
  if (!ticket) return std::unexpected(trouble_of(ticket.error()));
  return std::move(*ticket);
}

Or<Attempt> attempt_named(Ledger& ledger, const std::string& word) {
  auto attempt = attempt_called(ledger, word);
  if (!attempt) return std::unexpected(trouble_of(attempt.error()));
  return std::move(*attempt);
}

Or<Attempt> open_attempt_named(Ledger& ledger, const std::string& word) {
  auto attempt = open_attempt_called(ledger, word);
  if (!attempt) return std::unexpected(trouble_of(attempt.error()));
  return std::move(*attempt);
}

Exit fail(const Shell& shell, const Refusal& refusal) {
  return shell.fail(trouble_of(refusal).code, refusal.words, refusal.runtime_status);
}

Hand hand_of(const Books& books, const Shell& shell) {
  return {*books.ledger, *books.desk, shell.person, shell.now()};
}

}  // namespace holdfast::cli
