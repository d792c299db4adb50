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
constexpr int patience_with_the_killed_ms = 1000;

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
  close();
  Pipe in = make_pipe(), out = make_pipe(), err = make_pipe();
  auto process =
      spawn_process({argv_, "/", environment_, in.read_end.get(), out.write_end.get(), err.write_end.get()});
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
  in.read_end.reset();
  out.write_end.reset();
  err.write_end.reset();
  reader_ = std::thread{[inlet = inlet_] { inlet->run(); }};

  std::unique_lock hold{inlet_->mutex};
  inlet_->changed.wait_for(hold, left(deadline), [this] { return inlet_->attached || inlet_->ended; });
  if (inlet_->attached && !inlet_->ended) return Talk::answered;
  const auto talk = inlet_->ended ? Talk::never_sent : Talk::no_answer;
  words = inlet_->words;
  hold.unlock();
  close();
  return talk;
}

bool ControlClient::connected() {
  if (!inlet_) return false;
  {
    const std::lock_guard hold{inlet_->mutex};
    if (!inlet_->ended) return true;
  }
  close();
  return false;
}

ControlClient::Answer ControlClient::ask(const std::string& line, std::size_t commands,
                                         const Deadline& deadline) {
  if (!connected()) return {};
  const NoPipeSignal quiet;
  const auto text = line + "\n";
  std::string_view rest = text;
  bool broken = false;
  while (!rest.empty() && !broken && !deadline.passed()) {
    const ssize_t wrote = ::write(to_.get(), rest.data(), rest.size());
    if (wrote > 0) {
      rest.remove_prefix(static_cast<std::size_t>(wrote));
    } else if (errno == EAGAIN) {
      pollfd ready{to_.get(), POLLOUT, 0};
      ::poll(&ready, 1, deadline.left_for_poll());
    } else if (errno != EINTR) {
      broken = true;
    }
  }
  if (rest.size() == text.size()) {
    close();
    return {Talk::never_sent, {}, "the connection is closed"};
  }
  has_asked_ = true;
  Answer answer;
  std::unique_lock hold{inlet_->mutex};
  const auto complete = [this, commands] {
    return inlet_->answers.size() >= commands || (!inlet_->answers.empty() && inlet_->answers.back().failed);
  };
  inlet_->changed.wait_for(hold, left(deadline), [&] { return complete() || inlet_->ended || broken; });
  answer.talk = complete() ? Talk::answered : inlet_->ended || broken ? Talk::cut : Talk::no_answer;
  answer.blocks.assign(std::make_move_iterator(inlet_->answers.begin()),
                       std::make_move_iterator(inlet_->answers.end()));
  inlet_->answers.clear();
  answer.words = inlet_->words;
  hold.unlock();
  if (answer.talk != Talk::answered) close();
  return answer;
}

void ControlClient::close() {
  if (pid_ == 0) return;
  ::kill(static_cast<pid_t>(pid_), SIGKILL);  // our own child, not reaped yet
  int status = 0;
  reap_within(static_cast<pid_t>(pid_), patience_with_the_killed_ms, status);
  if (has_asked_) former_pid_ = pid_;
  has_asked_ = false;
  pid_ = 0;
  to_.reset();
  inlet_->stop.write_end.reset();
  if (reader_.joinable()) reader_.join();
  process_.reset();
  inlet_.reset();
}

}  // namespace holdfast
