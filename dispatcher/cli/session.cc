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

Or<TicketId> ticket_named(const std::string& word) {
  if (const auto wrong = what_is_wrong_with_ticket_id(word))
    return trouble(Exit::bad_input, "ticket id '" + safe(word, 80) + "' " + *wrong);
  return TicketId{word};
}

Or<Attempt> attempt_named(Ledger& ledger, const std::string& word) {
  const auto exact = parse_attempt_key(word);
  TicketId ticket;
  if (exact) {
    ticket = exact->ticket;
  } else {
    auto named = ticket_named(word);
    if (!named) return std::unexpected(named.error());
    ticket = *named;
  }
  auto attempts = ledger.attempts_of(ticket);
  if (attempts.raw.transport != Transport::answered || attempts.raw.code != 0)
    return std::unexpected(trouble_of(attempts.raw));
  for (auto one = attempts.value.rbegin(); one != attempts.value.rend(); ++one)
    if (!exact || one->id == *exact) return std::move(*one);
  return trouble(Exit::not_found, exact ? "no attempt " + word : ticket.value + " has no attempt");
}

Or<Attempt> open_attempt_named(Ledger& ledger, const std::string& word) {
  auto attempt = attempt_named(ledger, word);
  if (attempt && !attempt->open())
    return trouble(Exit::conflict, attempt_key(attempt->id) + " is closed: " + attempt->reason);
  return attempt;
}

}  // namespace holdfast::cli
