// `top`: who needs a person, in a terminal. One thread looks, the other one draws and is told what to do.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <nlohmann/json.hpp>
#include <ostream>
#include <thread>

#include "dispatcher/cli/command.h"
#include "dispatcher/cli/look.h"
#include "dispatcher/cli/print.h"
#include "dispatcher/cli/session.h"
#include "dispatcher/cli/top_terminal.h"
#include "dispatcher/cli/top_view.h"
#include "dispatcher/config/quantities.h"
#include "dispatcher/core/names.h"
#include "dispatcher/look/screen.h"
#include "dispatcher/system/durable_file.h"
#include "dispatcher/system/fd.h"
#include "dispatcher/system/file_records.h"

namespace holdfast::cli {
namespace {

constexpr int screen_every_ms = 500;
constexpr std::size_t screen_lines = 12;

// Takes a look every now and then, and says so on a descriptor. Never waited for: a tmux server that does not
// answer costs it seconds.
class Looker {
 public:
  Looker(Config config, bool all, Duration every)
      : config_(std::move(config)),
        all_(all),
        every_(every),
        news_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    thread_ = std::thread([this] { run(); });
  }
  // Whoever quits ends the process: a look only reads.
  void abandon() { thread_.detach(); }

  [[nodiscard]] int news() const { return news_.get(); }
  void look_now() {
    {
      const std::lock_guard lock(mutex_);
      now_ = true;
    }
    changed_.notify_all();
  }
  // The newest; nothing where it was taken before.
  std::optional<Or<Overview>> take() {
    std::uint64_t count = 0;
    [[maybe_unused]] const auto got = ::read(news_.get(), &count, sizeof count);
    const std::lock_guard lock(mutex_);
    return std::exchange(newest_, std::nullopt);
  }

 private:
  void run() {
    for (;;) {
      Or<Overview> seen = [&]() -> Or<Overview> {
        const auto look = look_around(config_, false);
        if (!look) return std::unexpected(look.error());
        return overview_of(**look, all_);
      }();
      std::unique_lock lock(mutex_);
      newest_.emplace(std::move(seen));
      constexpr std::uint64_t one = 1;
      [[maybe_unused]] const auto written = ::write(news_.get(), &one, sizeof one);
      changed_.wait_for(lock, std::chrono::milliseconds(every_.ms), [this] { return now_; });
      now_ = false;
    }
  }

  Config config_;
  bool all_;
  Duration every_;
  Fd news_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool now_ = false;
  std::optional<Or<Overview>> newest_;
  std::thread thread_;
};

// Waits for it in the foreground. Empty, or what went wrong.
std::string run_in_the_foreground(std::vector<std::string> command) {
  std::vector<char*> argv;
  for (std::string& word : command) argv.push_back(word.data());
  argv.push_back(nullptr);
  const pid_t pid = ::fork();
  if (pid == 0) {
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::execvp(argv[0], argv.data());
    ::_exit(127);
  }
  if (pid < 0) return errno_words(errno);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return "";
  return WIFEXITED(status) ? "tmux ended with " + std::to_string(WEXITSTATUS(status)) : "tmux was killed";
}

// Signals as a descriptor, so that none of them ends this process before its terminal is given back. Blocked
// before any other thread exists.
Fd signals_to_read() {
  sigset_t taken;
  sigemptyset(&taken);
  for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT, SIGWINCH})
    sigaddset(&taken, number);
  ::pthread_sigmask(SIG_BLOCK, &taken, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  return Fd(::signalfd(-1, &taken, SFD_CLOEXEC | SFD_NONBLOCK));
}

class Session {
 public:
  Session(Config config, Shell& shell, bool all, Duration every)
      : config_(std::move(config)),
        shell_(shell),
        records_(places_of(config_).records),
        signals_(signals_to_read()),
        looker_(config_, all, every) {}

  Exit run() {
    terminal_.enter();
    resize();
    while (!over_) {
      top_.now = shell_.now();
      if (!terminal_.show(draw(top_, shell_.color))) break;
      std::array<pollfd, 3> waited{
          {{STDIN_FILENO, POLLIN, 0}, {signals_.get(), POLLIN, 0}, {looker_.news(), POLLIN, 0}}};
      const bool escape_begun = !typed_.empty();
      const int ready = ::poll(waited.data(), waited.size(), escape_begun ? 50 : screen_every_ms);
      if (ready < 0 && errno != EINTR) break;
      if ((waited[1].revents & POLLIN) != 0) take_signals();
      if ((waited[2].revents & POLLIN) != 0) take_look();
      if ((waited[0].revents & POLLIN) != 0) {
        char block[4096];
        const ssize_t n = ::read(STDIN_FILENO, block, sizeof block);
        if (n <= 0) break;  // the terminal is gone
        typed_.append(block, static_cast<std::size_t>(n));
      } else if ((waited[0].revents & (POLLHUP | POLLERR | POLLNVAL)) != 0) {
        break;
      }
      take_keys(ready == 0 && escape_begun);
      read_the_screen();
    }
    terminal_.leave();
    looker_.abandon();
    return ended_by_ == 0 ? Exit::ok : Exit::failure;
  }
  [[nodiscard]] int ended_by() const { return ended_by_; }

 private:
  void resize() {
    const auto size = TopTerminal::size();
    top_.rows = size.rows;
    top_.columns = size.columns;
    terminal_.forget();
    settle(top_);
  }

  void take_signals() {
    signalfd_siginfo what{};
    while (::read(signals_.get(), &what, sizeof what) == static_cast<ssize_t>(sizeof what)) {
      const int number = static_cast<int>(what.ssi_signo);
      if (number == SIGWINCH) {
        resize();
      } else if (number == SIGTSTP) {
        terminal_.leave();
        ::raise(SIGSTOP);
        terminal_.enter();
        resize();
      } else if (number != SIGCONT) {
        over_ = true;
        ended_by_ = number;
      }
    }
  }

  void take_look() {
    auto seen = looker_.take();
    if (!seen) return;
    if (!*seen) {
      top_.message = "cannot look: " + seen->error().words;
      return;
    }
    top_.seen = std::move(**seen);
    top_.looked = true;
    settle(top_);
  }

  void take_keys(bool all) {
    while (!over_) {
      const auto key = take_key(typed_, all);
      if (!key) return;
      const Wanted wanted = press(top_, *key);
      switch (wanted.what) {
        case Wanted::What::nothing: break;
        case Wanted::What::quit: over_ = true; break;
        case Wanted::What::look: looker_.look_now(); break;
        case Wanted::What::attach: attach(wanted.runtime); break;
        case Wanted::What::answer: answer_it(wanted); break;
        case Wanted::What::stop: stop_it(wanted.runtime); break;
      }
    }
  }

  void attach(const std::string& runtime) {
    const auto parts = open_installation(config_, LedgerMode::read_only);
    if (!parts) return say(parts.error().words);
    const auto attempt = open_attempt_named((*parts)->ledger(), runtime);
    if (!attempt) return say(attempt.error().words);
    const auto command = (*parts)->world().terminal.attach_command(attempt->shard, attempt->session);
    terminal_.leave();
    say(run_in_the_foreground(command));
    terminal_.enter();
    resize();
    looker_.look_now();
  }

  void answer_it(const Wanted& wanted) {
    auto books = open_books(shell_, LedgerMode::command_line);
    if (!books) return say(books.error().words);
    const auto id = parse_attempt_key(wanted.runtime);
    const auto sent = answer(hand_of(*books, shell_), id ? id->ticket : TicketId{}, wanted.text);
    if (!sent) return say(sent.error().words);
    wake_dispatcher(config_);
    looker_.look_now();
    say(wanted.runtime + " gets the answer");
  }

  void stop_it(const std::string& runtime) {
    auto books = open_books(shell_, LedgerMode::command_line);
    if (!books) return say(books.error().words);
    const auto wished = stop(hand_of(*books, shell_), runtime, "");
    if (!wished) return say(wished.error().words);
    wake_dispatcher(config_);
    looker_.look_now();
    say(runtime + " is ended");
  }

  void say(std::string words) { top_.message = std::move(words); }

  // Of the chosen runtime: drawn anew where it wrote something.
  void read_the_screen() {
    const OverviewLine* line = nullptr;
    for (const OverviewLine& one : top_.seen.lines)
      if (one.ticket == top_.chosen) line = &one;
    if (line == nullptr || !line->runtime) {
      if (!top_.screen.empty()) {
        top_.screen.clear();
        settle(top_);
      }
      drawn_ = {};
      return;
    }
    const auto record = records_.read(*line->runtime);
    const bool recorded = record.raw.transport == Transport::answered && record.raw.code == 0;
    const std::int64_t bytes = recorded ? record.value.stream_bytes : 0;
    if (drawn_ == *line->runtime && bytes == drawn_bytes_) return;
    const auto screen = read_screen(records_, *line->runtime, record.value,
                                    {screen_lines, config_.policy.columns, config_.policy.rows});
    drawn_ = *line->runtime;
    drawn_bytes_ = bytes;
    top_.screen = screen.value.lines;
    settle(top_);
  }

  Config config_;
  Shell& shell_;
  FileRecords records_;
  Fd signals_;
  Looker looker_;
  TopTerminal terminal_;
  Top top_;
  std::string typed_;
  AttemptId drawn_;
  std::int64_t drawn_bytes_ = -1;
  bool over_ = false;
  int ended_by_ = 0;
};

Exit top(const Arguments& args, Shell& shell) {
  const auto config = configuration(shell);
  if (!config) return fail(shell, config.error());
  Duration every = seconds(2);
  if (const auto given = args.one("every")) {
    const auto read = duration_from(*given);
    if (!read || *read < millis(100))
      return shell.fail(Exit::bad_input, "--every: expected a time such as 2s");
    every = *read;
  }
  if (args.has("once") || shell.json) {
    const auto look = look_around(*config, false);
    if (!look) return fail(shell, look.error());
    const Overview seen = overview_of(**look, args.has("all"));
    if (shell.json)
      print(shell, row_of(seen));
    else
      shell.out << plain(seen, shell.now());
    return Exit::ok;
  }
  if (!shell.out_is_terminal || ::isatty(STDIN_FILENO) != 1)
    return shell.fail(Exit::bad_input, "top needs a terminal; --once prints the same once");
  if (const auto books = open_books(shell, LedgerMode::read_only); !books) return fail(shell, books.error());
  Exit code = Exit::ok;
  int ended_by = 0;
  {
    auto session = std::make_unique<Session>(*config, shell, args.has("all"), every);
    code = session->run();
    ended_by = session->ended_by();
    // Its other thread may still look.
    [[maybe_unused]] const Session* left = session.release();
  }
  shell.out.flush();
  shell.err.flush();
  if (ended_by != 0) {
    sigset_t none;
    sigemptyset(&none);
    ::signal(ended_by, SIG_DFL);
    ::pthread_sigmask(SIG_SETMASK, &none, nullptr);
    ::raise(ended_by);
  }
  std::_Exit(static_cast<int>(code));
}

}  // namespace

std::vector<Command> top_commands() {
  return {
      {{"top"},
       "Shows in a terminal who needs a person, and lets you attach, answer and stop.",
       "Questions first, then what is to be looked at, in review and blocked; then who is at work. Below are "
       "the last lines of the chosen one's terminal. Keys: j k move, a attach, r reply, s stop (asks "
       "first), ? help, q quit.",
       {},
       {{"once", "", "Print it once, as text.", '1', false, Is::text},
        {"all", "", "Also tickets that rest: backlog, done, cancelled.", 'a', false, Is::text},
        {"every", "TIME", "How often it looks; 2s.", 0, false, Is::text}},
       {{"holdfast top", ""}, {"holdfast top --once", ""}, {"holdfast top --once --json", ""}},
       top}};
}

}  // namespace holdfast::cli
