#include "dispatcher/runner/shift.h"

#include <poll.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>

#include "dispatcher/runner/cgroup_places.h"
#include "dispatcher/runner/worker_environment.h"
#include "dispatcher/system/durable_file.h"
#include "dispatcher/system/process_identity.h"

namespace holdfast {
namespace {

constexpr int exit_without_worker = 75;
constexpr std::int64_t linger_ms = 100;  // tmux draws what it has read only now and then
constexpr std::int64_t first_press_ms = 20, slowest_press_ms = 1000;
constexpr std::int64_t look_again_ms = 50;  // while the tree is being ended
constexpr int end_write_attempts = 20;
constexpr std::size_t most_keys_waiting = 64 << 10;

}  // namespace

Shift::Shift(Journal& journal, RunnerSpec spec)
    : journal_(journal),
      spec_(std::move(spec)),
      inbox_(journal_, inner_, spec_.enter_delay),
      stream_(journal_.folder(), spec_.stream_limit_bytes),
      pattern_(spec_.ready_by == ReadyBy::pattern ? spec_.ready_pattern : std::string{}) {}

int Shift::run() {
  open_ears();
  go_by_ms_ = now_ms() + spec_.go_ahead_within.ms;
  make_ready();
  hear_folder();
  while (phase_ != Phase::over) {
    const auto now = now_ms();
    if (phase_ == Phase::waiting_for_go && now >= go_by_ms_) end_because("no-go-ahead");
    if (phase_ == Phase::ending) press_on(now);
    if (phase_ == Phase::over) break;
    if (ready_ && phase_ == Phase::working) inbox_.turn(now, screen_.bracketed_paste());
    listen(wake_at(now));
  }
  linger();
  if (!worker_end_ || !released_) return exit_without_worker;
  return WIFEXITED(worker_end_->status) ? WEXITSTATUS(worker_end_->status)
                                        : 128 + WTERMSIG(worker_end_->status);
}

void Shift::open_ears() {
  sigset_t heard;
  ::sigemptyset(&heard);
  for (const int signal : {SIGCHLD, SIGHUP, SIGTERM, SIGWINCH}) ::sigaddset(&heard, signal);
  ::sigprocmask(SIG_BLOCK, &heard, nullptr);
  signals_ = Fd{::signalfd(-1, &heard, SFD_CLOEXEC | SFD_NONBLOCK)};
  folder_news_ = Fd{::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)};
  constexpr unsigned news = IN_CREATE | IN_MOVED_TO;
  ::inotify_add_watch(folder_news_.get(), journal_.folder().c_str(), news);
  make_folder(journal_.folder() + "/inbox");
  inbox_watch_ = ::inotify_add_watch(folder_news_.get(), (journal_.folder() + "/inbox").c_str(), news);
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
}

std::int64_t Shift::wake_at(std::int64_t now) const {
  // Where the kernel has no inotify to give, looking twice a second has to do.
  std::int64_t at = now + (inbox_watch_ >= 0 ? 60'000 : 500);
  if (phase_ == Phase::waiting_for_go) at = std::min(at, go_by_ms_);
  if (phase_ == Phase::ending) at = std::min(at, now + look_again_ms);
  if (outer_.wants_pause(now)) at = std::min(at, now + 100);
  if (ready_ && phase_ == Phase::working && inbox_.wake_at()) at = std::min(at, *inbox_.wake_at());
  return at;
}

void Shift::listen(std::int64_t until_ms) {
  const auto now = now_ms();
  const bool worker_may_write = inner_.master() >= 0 && !outer_.wants_pause(now);
  const bool keys_may_come = outer_.readable() && inner_.pending() < most_keys_waiting;
  const auto ear = [](int fd, bool in, bool out) {
    const auto events = static_cast<short>((in ? POLLIN : 0) | (out ? POLLOUT : 0));
    return pollfd{events != 0 ? fd : -1, events, 0};
  };
  std::array<pollfd, 6> ears{
      ear(signals_.get(), true, false),
      ear(folder_news_.get(), true, false),
      ear(STDIN_FILENO, keys_may_come, false),
      ear(STDOUT_FILENO, false, outer_.pending()),
      ear(inner_.master(), worker_may_write, inner_.pending() > 0),
      ear(worker_.report_fd(), true, false),
  };
  const auto wait = static_cast<int>(std::clamp<std::int64_t>(until_ms - now, 0, 60'000));
  if (::poll(ears.data(), ears.size(), wait) < 0) return;
  if (ears[5].revents != 0) hear_exec();
  if (ears[4].revents != 0) {
    inner_.flush();
    if ((ears[4].revents & (POLLIN | POLLHUP | POLLERR)) != 0) hear_worker();
  }
  if (ears[3].revents != 0) outer_.flush(now_ms());
  if (ears[2].revents != 0) hear_person();
  if (ears[0].revents != 0) hear_signals();
  if (ears[1].revents != 0 || inbox_watch_ < 0) hear_folder();
}

void Shift::hear_signals() {
  signalfd_siginfo heard{};
  while (::read(signals_.get(), &heard, sizeof heard) == sizeof heard) {
    const auto signal = static_cast<int>(heard.ssi_signo);
    if (signal == SIGHUP) end_because("hangup");
    if (signal == SIGTERM) end_because("term");
    if (signal == SIGWINCH) {
      const auto size = outer_.size();
      inner_.resize(size.columns, size.rows);
    }
  }
  meet_children();
}

void Shift::hear_folder() {
  std::array<char, 8192> news;
  while (::read(folder_news_.get(), news.data(), news.size()) > 0) {
  }
  if (phase_ == Phase::waiting_for_go && exists("go")) start();
  if (phase_ == Phase::starting || phase_ == Phase::working) inbox_.look();
  if (phase_ == Phase::working && spec_.ready_by == ReadyBy::hook_file)
    ready_when(exists("ready"), "hook-file");
}

void Shift::hear_person() {
  std::string keys;
  switch (outer_.read(keys)) {
    case OuterTerminal::Read::some:
      if (inner_.master() < 0) return;
      inner_.queue(keys);
      inner_.flush();
      return;
    case OuterTerminal::Read::hung_up: end_because("hangup"); return;
    case OuterTerminal::Read::nothing_now:
    case OuterTerminal::Read::ended: return;
  }
}

void Shift::hear_worker() {
  std::string bytes;
  switch (inner_.read(bytes)) {
    case InnerPty::Read::some: break;
    case InnerPty::Read::nothing_now: return;
    case InnerPty::Read::closed: return;  // the keeper is gone too
  }
  stream_.append(bytes);
  outer_.show(bytes, now_ms());
  pattern_.read(screen_.read(bytes));
  if (phase_ == Phase::working && spec_.ready_by == ReadyBy::pattern) ready_when(pattern_.seen(), "pattern");
}

void Shift::hear_exec() {
  if (exec_known_) return;
  const auto report = worker_.exec_report();
  switch (report.exec) {
    case Worker::Exec::pending: return;
    case Worker::Exec::succeeded:
      journal_.write("running");
      if (phase_ == Phase::starting) {
        phase_ = Phase::working;
        ready_when(spec_.ready_by == ReadyBy::started, "started");
        ready_when(spec_.ready_by == ReadyBy::hook_file && exists("ready"), "hook-file");
        ready_when(spec_.ready_by == ReadyBy::pattern && pattern_.seen(), "pattern");
      }
      break;
    case Worker::Exec::failed:
      reason_ = "exec-failed: " + report.why;
      outer_.show("[holdfast: " + reason_ + "]\r\n", now_ms());
      break;
    case Worker::Exec::died_before:
      if (reason_.empty()) reason_ = "exec-failed: the child was killed before its exec";
      break;
  }
  exec_known_ = true;
}

void Shift::ready_when(bool condition, const char* by) {
  if (!condition || ready_) return;
  ready_ = journal_.write("ready", {{"by", by}}) == 0;
  inbox_.look();
}

// While the go-ahead is on its way: a terminal, a cgroup, and the child at its gate inside them. Moving a
// process into a cgroup takes the kernel some milliseconds, which would otherwise stand between the go-ahead
// and the worker. The child has run nothing of the worker's, and ends when the gate closes.
void Shift::make_ready() {
  const auto fail = [this](const std::string& what, int error) {
    worker_.abandon();
    not_made_ = what + ": " + errno_words(error);
  };
  const auto size = outer_.size();
  const bool sized = size.columns > 0 && size.rows > 0;
  if (const int error = inner_.open(sized ? size.columns : spec_.columns, sized ? size.rows : spec_.rows);
      error != 0)
    return fail("terminal", error);
  home_ = CgroupHome::make(
      {spec_.cgroup_parent, cgroup_name(spec_.attempt, spec_.token), spec_.memory_limit_bytes});
  const WorkerOrder order{spec_.argv, worker_environment(spec_, journal_.folder()), spec_.working_directory,
                          inner_.slave()};
  if (const int error = worker_.fork(order); error != 0) return fail("fork", error);
  inner_.drop_slave();
  const auto ceiling = settle_worker();
  worker_identity_ = identify(worker_.pid());
  oom_before_ = home_.oom_kills();
  if (const int error = journal_.write("containment", {{"cgroup", home_.folder()}, {"ceiling", ceiling}});
      error != 0)
    return fail("record", error);
}

// Everything is on disk before the gate opens: whoever reads the record knows each process that may have run.
void Shift::start() {
  const auto fail = [this](const std::string& why) {
    worker_.abandon();
    reason_ = "exec-failed: " + why;
    outer_.show("[holdfast: " + reason_ + "]\r\n", now_ms());
    phase_ = Phase::ending;
  };
  if (worker_end_ && not_made_.empty()) not_made_ = "the child was killed before its exec";
  const std::array lines{JournalLine{"gone-ahead"}, JournalLine{"worker", identity_fields(worker_identity_)}};
  const std::size_t known = not_made_.empty() ? lines.size() : 1;
  if (const int error = journal_.write(std::span(lines).first(known)); error != 0)
    return fail("record: " + errno_words(error));
  if (!not_made_.empty()) return fail(not_made_);
  phase_ = Phase::starting;
  released_ = true;
  worker_.release();
}

// Puts the waiting child where it will live; answers what holds its memory.
std::string Shift::settle_worker() {
  if (const int error = home_.put(worker_.pid()); error != 0) {
    home_.give_up("the cgroup cannot be entered: " + errno_words(error));
  }
  if (home_.limits_memory() || spec_.memory_limit_bytes <= 0) return home_.ceiling();
  const auto bytes = static_cast<rlim_t>(spec_.memory_limit_bytes);
  const rlimit limit{bytes, bytes};
  const auto pid = static_cast<pid_t>(worker_.pid());
  return ::prlimit(pid, RLIMIT_AS, &limit, nullptr) == 0 ? "rlimit" : home_.ceiling();
}

bool Shift::meet_children() {
  // The worker's zombie still tells whether it ever ran; once it is reaped, nothing does.
  if (!exec_known_ && worker_.pid() != 0 && peek_ended_child() != 0) hear_exec();
  const auto reaping = reap_children();
  for (const auto& one : reaping.ended) {
    if (one.pid == worker_.pid()) worker_end_ = one;
    if (one.pid == worker_.keeper()) worker_.keeper_was_reaped();
  }
  if (worker_end_ && (phase_ == Phase::starting || phase_ == Phase::working)) phase_ = Phase::ending;
  return reaping.any_left;
}

void Shift::end_because(const std::string& reason) {
  switch (phase_) {
    case Phase::waiting_for_go:
    case Phase::starting:
    case Phase::working:
      if (!released_) worker_.abandon();
      reason_ = reason;
      outer_.show("[holdfast: ended by " + reason + "]\r\n", now_ms());
      phase_ = Phase::ending;
      return;
    case Phase::ending:
      if (asked_to_go_) press_at_ms_ = 0;  // asked again: no more patience
      return;
    case Phase::over: return;
  }
}

// TERM once, KILL after the grace, again and again with growing pauses: a process in uninterruptible sleep
// outlives any number of them, and the end is written when it is true, not when it is due.
void Shift::press_on(std::int64_t now) {
  const auto others = others_than(worker_.keeper(), home_);
  if (others != Presence::present && (worker_end_ || worker_.pid() == 0)) {
    // The last words come out while the keeper still holds the terminal; then it may go.
    drain();
    if (worker_.keeper() != 0)
      ::kill(static_cast<pid_t>(worker_.keeper()), SIGKILL);  // our unreaped child: not reused
    if (!meet_children()) return finish();
    if (worker_.keeper() != 0) return;  // it is about to end; somebody else may show up as our child then
  }
  if (!asked_to_go_) {
    asked_to_go_ = true;
    press_at_ms_ = now + spec_.term_grace.ms;
    press_every_ms_ = first_press_ms;
    signal_family(home_, worker_.keeper(), SIGTERM);
    signal_family(home_, worker_.keeper(), SIGCONT);
  } else if (now >= press_at_ms_) {
    signal_family(home_, worker_.keeper(), SIGKILL);
    press_at_ms_ = now + press_every_ms_;
    press_every_ms_ = std::min(press_every_ms_ * 2, slowest_press_ms);
  }
}

WorkerEnd Shift::how_it_ended() {
  WorkerEnd end;
  end.reason = reason_;
  end.tree_empty = home_.members().inhabited == Presence::gone;  // no child was left, or we would not be here
  if (worker_end_ && released_ && !reason_.starts_with("exec-failed")) {
    const int status = worker_end_->status;
    if (WIFEXITED(status)) end.exit_code = WEXITSTATUS(status);
    if (WIFSIGNALED(status)) {
      end.signal = WTERMSIG(status);
      end.core_dumped = WCOREDUMP(status);
    }
    const auto& usage = worker_end_->usage;
    const auto ms = [](const timeval& t) {
      return static_cast<std::int64_t>(t.tv_sec) * 1000 + t.tv_usec / 1000;
    };
    end.user_ms = ms(usage.ru_utime);
    end.system_ms = ms(usage.ru_stime);
    end.peak_rss_kib = usage.ru_maxrss;
  }
  const auto oom_after = home_.oom_kills();
  end.oom_evidence = home_.oom_counter_name();
  if (oom_before_ && oom_after) {
    end.oom = *oom_after > *oom_before_ ? OomEvidence::killed : OomEvidence::none_seen;
    end.oom_evidence += " " + std::to_string(*oom_before_) + " -> " + std::to_string(*oom_after);
  }
  return end;
}

// With all writers gone, a read that finds nothing has found the end: the kernel pushes what is on its way
// first.
void Shift::drain() {
  std::string bytes;
  while (inner_.read(bytes) == InnerPty::Read::some) {
    stream_.append(bytes);
    outer_.show(bytes, now_ms());
  }
}

void Shift::finish() {
  stream_.sync();
  const auto end = how_it_ended();
  leave_worktree();  // before the end can be read: who reads it takes the worktree back at once
  for (int attempt = 0; attempt < end_write_attempts && !write_end(end); ++attempt) {
    ::poll(nullptr, 0, 1000);  // a full disk may get room again
  }
  home_.remove();
  phase_ = Phase::over;
}

bool Shift::write_end(const WorkerEnd& end) {
  return journal_.write("end", end_fields(end)) == 0;
}

// The end is written, so a hangup only says that nobody looks at the terminal any more.
void Shift::linger() {
  const Deadline until{{linger_ms}};
  while (!until.passed()) {
    std::array<pollfd, 2> ears{pollfd{outer_.pending() ? STDOUT_FILENO : -1, POLLOUT, 0},
                               pollfd{signals_.get(), POLLIN, 0}};
    ::poll(ears.data(), ears.size(), until.left_for_poll());
    signalfd_siginfo heard{};
    while (::read(signals_.get(), &heard, sizeof heard) == sizeof heard)
      if (heard.ssi_signo == SIGHUP || heard.ssi_signo == SIGTERM) return;
    outer_.flush(now_ms());
  }
}

void Shift::leave_worktree() {
  // Where even that fails, giving the worktree back waits until this process has ended.
  static_cast<void>(::chdir("/") == 0);
}

bool Shift::exists(const char* name) const {
  return ::access((journal_.folder() + "/" + name).c_str(), F_OK) == 0;
}

}  // namespace holdfast
