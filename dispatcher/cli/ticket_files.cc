// Tickets out of the board and into it, as JSON Lines.
#include <fstream>
#include <nlohmann/json.hpp>
#include <ostream>

#include "dispatcher/cli/command.h"
#include "dispatcher/cli/print.h"
#include "dispatcher/cli/session.h"
#include "dispatcher/cli/text_input.h"

namespace holdfast::cli {
namespace {

Exit import_tickets(const Arguments& args, Shell& shell) {
  const auto text = read_input(*args.one("FILE"), shell, 256U << 20);
  if (!text) return fail(shell, text.error());
  auto books = open_tickets(shell, LedgerMode::command_line);
  if (!books) return fail(shell, books.error());
  const auto imported = books->desk->import_lines(*text, shell.person, shell.now());
  if (!imported) {
    const auto& wrong = imported.error();
    std::string words = words_for(wrong.front());
    if (wrong.size() > 1) words += " (and " + std::to_string(wrong.size() - 1) + " more)";
    return shell.fail(Exit::bad_input, words + "; nothing was imported");
  }
  wake_dispatcher(books->config);
  if (shell.json)
    print(shell, {{"imported", imported->tickets}, {"held", imported->held}});
  else if (imported->held > 0)
    shell.out << imported->tickets << " tickets imported, " << imported->held
              << " of them blocked: they were in progress where they come from\n";
  else
    shell.out << imported->tickets << " tickets imported\n";
  return Exit::ok;
}

Exit export_tickets(const Arguments& args, Shell& shell) {
  auto books = open_tickets(shell, LedgerMode::read_only);
  if (!books) return fail(shell, books.error());
  const auto lines = books->desk->export_lines();
  if (!lines) return fail(shell, trouble_of(lines.error()));
  const std::string path = args.one("FILE").value_or("-");
  if (path == "-") {
    shell.out << *lines;
    return Exit::ok;
  }
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << *lines;
  file.close();
  if (!file) return shell.fail(Exit::bad_input, safe(path) + ": cannot be written");
  return Exit::ok;
}

}  // namespace

std::vector<Command> ticket_file_commands() {
  return {
      {{"ticket", "import"},
       "Adds tickets from JSON Lines: all of them, or none.",
       "One object on each line; id and title are required, and the state is todo where the line names none. "
       "A ticket that was in progress elsewhere arrives blocked, with the reason: retry it once its worker "
       "there "
       "has ended. See `ticket export` for all the fields.",
       {{"FILE", "The file; - is the standard input.", Is::file, true, false}},
       {},
       {{"holdfast ticket import tickets.jsonl", ""},
        {"holdfast ticket export | ssh other holdfast ticket import -", ""}},
       import_tickets},
      {{"ticket", "export"},
       "Writes all tickets as JSON Lines.",
       "",
       {{"FILE", "Where to; else the standard output.", Is::file, false, false}},
       {},
       {{"holdfast ticket export backup.jsonl", ""}},
       export_tickets},
  };
}

}  // namespace holdfast::cli
