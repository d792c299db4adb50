#include "dispatcher/terminal/control_client.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>

#include "dispatcher/system/durable_file.h"
#include "dispatcher/system/no_pipe_signal.h"
#include "dispatcher/system/spawned_process.h"

namespace holdfast {
namespace {

constexpr std::size_t most_words = 4096;
constexpr int patience_with_the_polite_ms = 200, patience_with_the_killed_ms = 1000;

std::chrono::milliseconds left(const Deadline& deadline) {
  return std::chrono::milliseconds{deadline.left().ms};
}

}  // namespace

struct ControlClient::Inlet {
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<ControlBlock> answers;  // blocks of ours
  bool attached = false;             // the first block, which is the attach's own
  bool ended = false;                // end of file or %exit
  std::string words;                 // error output, and a failed attach's answer
  Fd from, errors;
  Pipe stop = make_pipe();
  int process = -1;  // pidfd
  int news = -1;

  // To be called with the mutex held.
  [[nodiscard]] bool complete(std::size_t commands) const {
    return answers.size() >= commands || (!answers.empty() && answers.back().failed);
  }

  void run();
  void read_errors(std::array<char, 65536>& block);
  void take(ControlEvent& event);
  void say_news() const {
    const std::uint64_t one = 1;
    if (news >= 0) [[maybe_unused]]
      const auto wrote = ::write(news, &one, sizeof one);
  }
};

void ControlClient::Inlet::take(ControlEvent& event) {
  if (auto* const block = std::get_if<ControlBlock>(&event)) {
    const std::lock_guard hold{mutex};
    if (block->ours) {
      answers.push_back(std::move(*block));
    } else if (block->failed) {
      for (const auto& line : block->lines) words += line + "\n";
    } else {
      attached = true;
    }
    return;
  }
  const auto& notice = std::get<ControlNotice>(event);
  if (notice.name == "exit") {
    const std::lock_guard hold{mutex};
    ended = true;
    words += notice.rest;
  }
  say_news();
}

// Ends when it is told to stop, when the pipe ends, or when the child has ended: the server holds the other
// end of the pipe too, and a server that is stopped closes nothing.
void ControlClient::Inlet::run() {
  ControlStream stream;
  std::array<char, 65536> block;
  bool stopping = false;
  while (from.open() && !stopping) {
    std::array<pollfd, 4> ears{pollfd{from.get(), POLLIN, 0}, pollfd{errors.get(), POLLIN, 0},
                               pollfd{process, POLLIN, 0}, pollfd{stop.read_end.get(), POLLIN, 0}};
    if (::poll(ears.data(), ears.size(), -1) < 0) continue;
    if (ears[1].revents != 0) read_errors(block);
    if (ears[0].revents != 0) {
      const ssize_t got = ::read(from.get(), block.data(), block.size());
      if (got <= 0 || stream.overflowed()) from.reset();
      if (got > 0) {
        for (auto& event : stream.read({block.data(), static_cast<std::size_t>(got)})) take(event);
      }
    } else {
      stopping = ears[2].revents != 0 || ears[3].revents != 0;
    }
    changed.notify_all();
  }
  // Why it ended may still lie in the other pipe, or be just being said.
  const Deadline patience{{patience_with_the_killed_ms}};
  while (errors.open() && !patience.passed()) {
    std::array<pollfd, 2> ears{pollfd{errors.get(), POLLIN, 0}, pollfd{stop.read_end.get(), POLLIN, 0}};
    ::poll(ears.data(), ears.size(), patience.left_for_poll());
    if (ears[0].revents != 0) read_errors(block);
    if (ears[1].revents != 0) break;
  }
  {
    const std::lock_guard hold{mutex};
    ended = true;
  }
  changed.notify_all();
  say_news();
}

void ControlClient::Inlet::read_errors(std::array<char, 65536>& block) {
  const ssize_t got = ::read(errors.get(), block.data(), block.size());
  if (got <= 0) errors.reset();
  const std::lock_guard hold{mutex};
  if (got > 0 && words.size() < most_words) words.append(block.data(), static_cast<std::size_t>(got));
}

ControlClient::ControlClient(std::vector<std::string> argv, std::vector<std::string> environment, int news)
    : argv_(std::move(argv)), environment_(std::move(environment)), news_(news) {}

ControlClient::~ControlClient() {
  close();
}

ControlClient::Talk ControlClient::connect(const Deadline& deadline, std::string& words) {
  if (!inlet_) {
    Pipe in = make_pipe(), out = make_pipe(), err = make_pipe();
    auto process = spawn_process(
        {argv_, "/", environment_, in.read_end.get(), out.write_end.get(), err.write_end.get()});
    if (process.error != 0) {
      words = argv_.front() + ": " + errno_words(process.error);
      return Talk::never_sent;
    }
    pid_ = process.pid;
    process_ = std::move(process.pidfd);
    to_ = std::move(in.write_end);
    ::fcntl(to_.get(), F_SETFL, ::fcntl(to_.get(), F_GETFL) | O_NONBLOCK);
    inlet_ = std::make_shared<Inlet>();
    inlet_->from = std::move(out.read_end);
    inlet_->errors = std::move(err.read_end);
    inlet_->news = news_;
    inlet_->process = process_.get();
    reader_ = std::thread{[inlet = inlet_] { inlet->run(); }};
  }
  std::unique_lock hold{inlet_->mutex};
  inlet_->changed.wait_for(hold, left(deadline), [this] { return inlet_->attached || inlet_->ended; });
  if (!inlet_->ended) return inlet_->attached ? Talk::answered : Talk::no_answer;
  words = inlet_->words;
  hold.unlock();
  close();
  return Talk::never_sent;
}

bool ControlClient::connected() {
  if (!inlet_) return false;
  {
    const std::lock_guard hold{inlet_->mutex};
    if (!inlet_->ended) return inlet_->attached;
  }
  close();
  return false;
}

// Waits until nothing is owed any more. false: the deadline has passed, or the connection has ended.
bool ControlClient::settle(const Deadline& deadline) {
  std::unique_lock hold{inlet_->mutex};
  const auto settled = [this] { return owed_ == 0 || inlet_->complete(owed_); };
  inlet_->changed.wait_for(hold, left(deadline), [&] { return settled() || inlet_->ended; });
  if (!settled() || inlet_->ended) return false;
  inlet_->answers.clear();
  owed_ = 0;
  return true;
}

ControlClient::Answer ControlClient::ask(const std::string& line, std::size_t commands,
                                         const Deadline& deadline) {
  if (!connected()) return {Talk::never_sent, {}, "the connection is closed"};
  if (!settle(deadline)) return {Talk::never_sent, {}, "tmux has not answered an earlier command yet"};
  const NoPipeSignal quiet;
  const auto text = line + "\n";
  std::string_view rest = text;
  bool broken = false;
  // Once begun, a line is written to its end whatever the deadline says, for as long as the pipe takes it:
  // half a line would become the beginning of the next one.
  while (!rest.empty() && !broken) {
    const ssize_t wrote = ::write(to_.get(), rest.data(), rest.size());
    if (wrote > 0) {
      rest.remove_prefix(static_cast<std::size_t>(wrote));
    } else if (errno == EAGAIN) {
      pollfd ready{to_.get(), POLLOUT, 0};
      if (::poll(&ready, 1, deadline.left_for_poll()) == 0) broken = true;
    } else if (errno != EINTR) {
      broken = true;
    }
  }
  if (rest.size() < text.size()) owed_ = commands;
  if (broken) {
    const auto talk = owed_ == 0 ? Talk::never_sent : Talk::cut;
    close();
    return {talk, {}, "the connection to tmux broke"};
  }
  Answer answer;
  std::unique_lock hold{inlet_->mutex};
  inlet_->changed.wait_for(hold, left(deadline), [&] { return inlet_->complete(commands) || inlet_->ended; });
  answer.words = inlet_->words;
  if (inlet_->complete(commands)) {
    answer.talk = Talk::answered;
    answer.blocks.assign(std::make_move_iterator(inlet_->answers.begin()),
                         std::make_move_iterator(inlet_->answers.end()));
    inlet_->answers.clear();
    owed_ = 0;
    return answer;
  }
  answer.talk = inlet_->ended ? Talk::cut : Talk::no_answer;
  hold.unlock();
  if (answer.talk == Talk::cut) close();
  return answer;
}

void ControlClient::close() {
  if (pid_ == 0) return;
  // The end of its input makes the child go in good order; only one that owes nothing is hurried.
  to_.reset();
  int status = 0;
  bool gone = false;
  if (owed_ == 0) {
    gone = reap_within(static_cast<pid_t>(pid_), patience_with_the_polite_ms, status, Unreaped::ours);
    if (!gone) ::kill(static_cast<pid_t>(pid_), SIGKILL);  // our own child, not reaped yet
  }
  if (!gone) reap_within(static_cast<pid_t>(pid_), owed_ == 0 ? patience_with_the_killed_ms : 0, status);
  if (owed_ != 0) former_pid_ = pid_;
  owed_ = 0;
  pid_ = 0;
  inlet_->stop.write_end.reset();
  if (reader_.joinable()) reader_.join();
  process_.reset();
  inlet_.reset();
}

}  // namespace holdfast
