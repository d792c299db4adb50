// `serve`: the HTTP interface over the built-in board, with no dispatcher behind it: a board for dispatchers
// that work elsewhere.
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "dispatcher/cli/command.h"
#include "dispatcher/cli/front_door.h"
#include "dispatcher/cli/session.h"
#include "dispatcher/system/fd.h"

namespace holdfast::cli {
namespace {

Exit serve(const Arguments&, Shell& shell) {
  const auto config = configuration(shell);
  if (!config) return fail(shell, config.error());
  if (config->listen.empty() && config->unix_socket.empty())
    return shell.fail(Exit::bad_input,
                      "nowhere to listen: holdfast.json needs a /server/listen or a unix_socket");
  if (::access(config->state.c_str(), F_OK) != 0)
    return shell.fail(Exit::bad_input, config->state + ": is not there; `holdfast init` makes it");
  sigset_t stop;
  sigemptyset(&stop);
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&stop, number);
  ::pthread_sigmask(SIG_BLOCK, &stop, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  const Fd signals(::signalfd(-1, &stop, SFD_CLOEXEC));
  const auto door = open_front_door(*config, {});
  if (!door) return fail(shell, door.error());
  if (!shell.json) shell.out << "listening on " << (*door)->address() << "\n" << std::flush;
  pollfd waited{signals.get(), POLLIN, 0};
  while (::poll(&waited, 1, -1) <= 0) {
  }
  return Exit::ok;
}

}  // namespace

std::vector<Command> serve_commands() {
  return {{{"serve"},
           "Serves the board over HTTP, and dispatches nothing.",
           "The HTTP interface over this installation's own tickets, for dispatchers that work elsewhere: in "
           "their holdfast.json its address stands at /board/url. It listens where /server says. SIGTERM and "
           "Ctrl-C end it.",
           {},
           {},
           {{"holdfast serve", ""}},
           serve}};
}

}  // namespace holdfast::cli
