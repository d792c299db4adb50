// `events`: the ledger's append-only log, as it was and as it grows.
#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <nlohmann/json.hpp>
#include <ostream>

#include "dispatcher/cli/command.h"
#include "dispatcher/cli/print.h"
#include "dispatcher/cli/session.h"
#include "dispatcher/core/names.h"
#include "dispatcher/system/fd.h"

namespace holdfast::cli {
namespace {

constexpr int page = 1000;

void show(const Shell& shell, const LedgerEvent& e) {
  if (shell.json) return print_line(shell, row_of(e));
  const std::string who = e.attempt.generation.value != 0   ? attempt_key(e.attempt)
                          : !e.attempt.ticket.value.empty() ? e.attempt.ticket.value
                                                            : "-";
  shell.out << e.seq << "  " << clock_words(e.at) << "  " << who << "  " << shell.paint(bold, safe(e.kind))
            << (e.cause.empty() ? "" : "  " + safe(e.cause))
            << (e.evidence.empty() ? "" : "  " + safe(e.evidence, 400)) << "\n"
            << std::flush;
}

Exit events(const Arguments& args, Shell& shell) {
  std::int64_t after = 0;
  if (const auto word = args.one("after")) {
    const auto parsed = std::from_chars(word->data(), word->data() + word->size(), after);
    if (parsed.ec != std::errc{} || parsed.ptr != word->data() + word->size() || after < 0)
      return shell.fail(Exit::bad_input, "--after: expected the number of an event");
  }
  std::optional<TicketId> only;
  if (const auto word = args.one("ticket")) {
    const auto id = ticket_named(*word);
    if (!id) return fail(shell, id.error());
    only = *id;
  }
  auto books = open_books(shell, LedgerMode::read_only);
  if (!books) return fail(shell, books.error());

  // The log grows when the ledger's files do; the clock is only for a file system that cannot tell.
  const Fd watch(args.has("follow") ? ::inotify_init1(IN_CLOEXEC | IN_NONBLOCK) : -1);
  if (watch.open())
    ::inotify_add_watch(watch.get(), books->config.state.c_str(), IN_MODIFY | IN_CREATE | IN_MOVED_TO);
  for (;;) {
    const auto news = books->ledger->events_after(after, only, page);
    if (news.raw.transport != Transport::answered || news.raw.code != 0)
      return fail(shell, trouble_of(news.raw));
    for (const LedgerEvent& e : news.value) {
      show(shell, e);
      after = e.seq;
    }
    if (!shell.out) return Exit::ok;  // whoever read has gone
    if (news.value.size() == page) continue;
    if (!args.has("follow")) return Exit::ok;
    pollfd wait[] = {{watch.get(), POLLIN, 0}, {STDOUT_FILENO, 0, 0}};
    ::poll(wait, 2, 2000);
    if (shell.out_is_terminal && (wait[1].revents & (POLLERR | POLLHUP)) != 0) return Exit::ok;
    std::array<char, 4096> drop{};
    while (::read(watch.get(), drop.data(), drop.size()) > 0) {
    }
  }
}

}  // namespace

std::vector<Command> events_commands() {
  return {{{"events"},
           "Shows what has happened, from the ledger's append-only log.",
           "",
           {},
           {{"follow", "", "Go on as it grows.", 'f', false, Is::text},
            {"ticket", "TICKET", "Only about this ticket.", 't', false, Is::ticket},
            {"after", "SEQ", "Only events after this number.", 0, false, Is::text}},
           {{"holdfast events --follow", ""},
            {"holdfast events --ticket T-1 --json", "One object on each line."}},
           events}};
}

}  // namespace holdfast::cli
