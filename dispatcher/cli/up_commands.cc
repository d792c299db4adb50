// `up`: the dispatcher in the foreground, until it is told to stop or nothing is left to do.
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "dispatcher/cli/command.h"
#include "dispatcher/cli/front_door.h"
#include "dispatcher/cli/idle.h"
#include "dispatcher/cli/notify_part.h"
#include "dispatcher/cli/progress.h"
#include "dispatcher/cli/session.h"
#include "dispatcher/cli/tickets_elsewhere.h"
#include "dispatcher/ledger/dispatcher_lock.h"
#include "dispatcher/look/hindrances.h"
#include "dispatcher/metrics/metrics.h"
#include "dispatcher/system/clocks.h"
#include "dispatcher/system/fd.h"
#include "dispatcher/system/file_records.h"
#include "dispatcher/system/left_cgroups.h"
#include "dispatcher/system/orphans.h"
#include "dispatcher/system/service_notify.h"
#include "dispatcher/worktree/git_process.h"

extern char** environ;

namespace holdfast::cli {
namespace {

// Signals that end the dispatcher, as a descriptor. They are blocked before any thread exists; children get a
// clean mask from whoever starts them.
Fd stop_signals() {
  sigset_t stop;
  sigemptyset(&stop);
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&stop, number);
  ::pthread_sigmask(SIG_BLOCK, &stop, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  return Fd(::signalfd(-1, &stop, SFD_CLOEXEC | SFD_NONBLOCK));
}

Fd ticker(int milliseconds) {
  Fd fd(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  itimerspec every{};
  every.it_interval.tv_nsec = every.it_value.tv_nsec = milliseconds * 1'000'000L;
  ::timerfd_settime(fd.get(), 0, &every, nullptr);
  return fd;
}

std::vector<std::string> own_environment() {
  std::vector<std::string> all;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) all.emplace_back(*entry);
  return all;
}

// For how long a loop may wait for an answer and be well: longer than any call is given.
Duration patience(const Deadlines& within, const Policy& policy) {
  return {std::max({within.call.ms, within.pool.ms, within.git.ms + policy.check_timeout.ms}) + 60'000};
}

std::string headline(const Brain& brain) {
  int live = 0, todo = 0, free = 0;
  for (const auto& [id, t] : brain.knowledge.tickets) {
    live += t.newest && t.newest->open() ? 1 : 0;
    todo += t.board && t.board->state == BoardState::todo ? 1 : 0;
  }
  for (const auto& [id, slot] : brain.knowledge.slots) free += slot.state == SlotState::free ? 1 : 0;
  return "holdfast: " + std::to_string(live) + " of " + std::to_string(brain.policy.capacity) + " live, " +
         std::to_string(todo) + " todo, " + std::to_string(free) + " worktrees free" +
         (brain.knowledge.full_look_done(brain.policy.shards) ? "" : "; taking a first look");
}

Exit up(const Arguments& args, Shell& shell) {
  auto config = configuration(shell);
  if (!config) return fail(shell, config.error());
  if (const auto fine = check_surroundings(*config); !fine) return fail(shell, fine.error());
  if (::access(config->state.c_str(), F_OK) != 0)
    return shell.fail(Exit::bad_input, config->state + ": is not there; `holdfast init` makes it");
  const auto lock = lock_dispatcher(config->state);
  if (!lock) return shell.fail(lock.error().held ? Exit::taken : Exit::bad_input, lock.error().words);

  // Their dispatcher is gone: we hold its lock.
  if (const int ended = end_orphaned_helpers(std::filesystem::weakly_canonical(config->state).string());
      ended > 0)
    shell.err << "ended " << ended << " helper" << (ended == 1 ? "" : "s")
              << " of a dispatcher that was killed\n";

  FileRecords records(places_of(*config).records);
  remove_left_cgroups(records);

  std::ofstream log_file;
  if (const auto path = args.one("log-file")) {
    log_file.open(*path, std::ios::app);
    if (!log_file) return shell.fail(Exit::bad_input, *path + ": cannot be written");
  }
  const bool json_log = args.has("log-json");
  const bool logging = json_log || args.has("verbose") || log_file.is_open();

  const ServiceNotify service = ServiceNotify::from_environment();
  const Fd signals = stop_signals();
  const Fd tick = ticker(500);
  auto opened = open_installation(*config, LedgerMode::dispatcher);
  if (!opened) return fail(shell, opened.error());
  Installation& parts = **opened;
  Metrics metrics(HOLDFAST_VERSION);
  TicketShelf shelf;
  const auto door =
      open_front_door(*config, [&metrics] { return metrics.text(); }, [&shelf] { return shelf.take(); });
  if (!door) return fail(shell, door.error());
  const auto notifications = open_notifications(*config);
  if (!notifications) return fail(shell, notifications.error());
  // Whatever secret was to be made is made.
  const Redactor redactor(secrets_of(*config));
  EffectLog log(log_file.is_open() ? static_cast<std::ostream&>(log_file) : shell.err, json_log, redactor);
  if (*door && !shell.json) shell.out << "listening on " << (*door)->address() << "\n" << std::flush;
  Policy policy = config->policy;
  policy.environment = own_environment();

  const bool until_idle = args.has("until-idle");
  const bool live = args.has("live") && shell.out_is_terminal;
  Progress progress;
  Hindrances hindrances;
  std::size_t told_hindrances = 0;
  std::string in_the_way;  // the newest, for the table that is painted
  write_hindrances(config->state, {});
  LivePainter painter(shell.out, shell);
  std::string idle_words;
  bool stopped = false;
  Instant painted;
  Driver* driver = nullptr;

  DriverOptions options;
  options.within = {policy.call_deadline, policy.git_deadline, config->pool_deadline};
  options.news = parts.news_sources();
  options.news.push_back({signals.get(), [&] {
                            signalfd_siginfo what{};
                            while (::read(signals.get(), &what, sizeof what) > 0) stopped = true;
                            if (stopped && driver != nullptr) driver->stop();
                            return std::vector<News>{};
                          }});
  LoopHealth health(patience(options.within, policy));
  bool said_to_be_ready = false;
  Duration said_to_be_well;
  if (live || service.watchdog() || *door)
    options.news.push_back({tick.get(), [&] {
                              std::uint64_t count = 0;
                              [[maybe_unused]] const auto got = ::read(tick.get(), &count, sizeof count);
                              return std::vector<News>{};
                            }});
  options.watch = [&](const AttemptId& attempt) { parts.watch(attempt); };
  options.unwatch = [&](const AttemptId& attempt) { parts.unwatch(attempt); };
  options.log = [&](const EffectLine& line) {
    if (logging) log.write(line, wall_clock());
    if (line.answer == nullptr) return;
    metrics.saw(*line.answer);
    if (*notifications) (*notifications)->saw(*line.answer);
    health.answered(SystemClock().monotonic());
    const auto lines = hindrances.take(*line.answer);
    const auto all = hindrances.all();
    if (!lines.empty() || all.size() != told_hindrances) write_hindrances(config->state, all);
    told_hindrances = all.size();
    in_the_way = all.empty() ? "" : "\n! " + safe(describe(all.front()), 300);
    if (!live)
      for (const std::string& words : lines)
        shell.out << shell.paint(yellow, "in the way: " + safe(redactor.redacted(words), 400)) << "\n"
                  << std::flush;
  };
  options.enough = [&](const Brain& brain) {
    metrics.saw(brain, wall_clock());
    if (!config->board.url.empty()) shelf.put(brain, wall_clock());
    if (!said_to_be_ready) service.ready(headline(brain));
    said_to_be_ready = true;
    if (const Duration now = SystemClock().monotonic();
        service.watchdog() && now.ms - said_to_be_well.ms >= service.watchdog()->ms / 4 &&
        health.well(brain.agenda.in_flight, now)) {
      said_to_be_well = now;
      service.alive();
    }
    if (live) {
      const Instant now = wall_clock();
      if (now - painted >= millis(100) || now < painted) {
        painter.paint(brain, headline(brain) + in_the_way);
        painted = now;
      }
    } else {
      for (const std::string& line : progress.changes(brain, shell)) shell.out << line << "\n" << std::flush;
      if (*notifications)
        for (const std::string& line : (*notifications)->said())
          shell.out << shell.paint(yellow, safe(redactor.redacted(line), 400)) << "\n" << std::flush;
    }
    if (!until_idle) return false;
    const auto words = idle(brain);
    if (!words) return false;
    idle_words = *words;
    if (live) painter.paint(brain, headline(brain) + in_the_way);
    return true;
  };

  bool drained = false;
  {
    Driver running(parts.world(), policy, options);
    driver = &running;
    drained = running.run(millis(500));
    service.stopping();
    // An effect may still wait for its answer, and waiting for it is not ours: its helpers are ended, as by a
    // crash. Whoever was told to stop does so at once: everything is written, and a good-bye to tmux servers
    // that do not answer takes a moment for each.
    if (!drained || stopped) {
      if (drained && !live && !shell.json) shell.out << "stopped; workers keep running\n";
      shell.out.flush();
      shell.err.flush();
      if (!drained) end_running_children();
      std::_Exit(stopped ? 0 : 1);
    }
  }
  // Whoever waits for the end of all work is there to be told of it; the rest is told by the next `up`.
  if (*notifications) (*notifications)->finish(seconds(10));
  if (!idle_words.empty()) return shell.fail(Exit::failure, idle_words);
  if (!live && !shell.json) shell.out << "nothing is left to do\n";
  return Exit::ok;
}

}  // namespace

std::vector<Command> up_commands() {
  return {
      {{"up"},
       "Runs the dispatcher in the foreground.",
       "It claims tickets, runs workers and accounts for how they end. SIGTERM and Ctrl-C stop it within a "
       "second; "
       "workers keep running, and the next `holdfast up` finds them again. One dispatcher runs on a ledger; "
       "a "
       "second one is refused (exit code 3).",
       {},
       {{"until-idle", "", "End when every ticket is settled, nothing is open and nothing can be claimed.", 0,
         false, Is::text},
        {"live", "", "On a terminal: one table that is painted again, instead of lines.", 'L', false,
         Is::text},
        {"verbose", "", "Log every effect and what came of it.", 'v', false, Is::text},
        {"log-json", "", "The same as JSON Lines: ticket, generation, effect, outcome.", 0, false, Is::text},
        {"log-file", "FILE", "Where the log goes, instead of the standard error.", 0, false, Is::file}},
       {{"holdfast up --live", ""},
        {"holdfast up --until-idle", "For scripts: returns when all work is done."},
        {"holdfast up --log-json --log-file /var/log/holdfast.jsonl", ""}},
       up}};
}

}  // namespace holdfast::cli
