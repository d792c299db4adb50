#include "dispatcher/terminal/knock.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "dispatcher/system/durable_file.h"
#include "dispatcher/system/spawned_process.h"

namespace holdfast {
namespace {

constexpr int patience_with_a_killed_knock_ms = 1000;

// It has ended, and said no more than fits into a pipe.
std::string last_words(const Fd& errors) {
  std::array<char, 4096> block;
  const ssize_t got = ::read(errors.get(), block.data(), block.size());
  return got <= 0 ? std::string{} : std::string{block.data(), static_cast<std::size_t>(got)};
}

}  // namespace

Knock::Knock(std::vector<std::string> argv, std::vector<std::string> environment)
    : argv_(std::move(argv)), environment_(std::move(environment)) {}

Knock::~Knock() {
  if (pid_ == 0) return;
  int status = 0;
  ::kill(static_cast<pid_t>(pid_), SIGKILL);  // our own child, not reaped yet
  reap_within(static_cast<pid_t>(pid_), patience_with_a_killed_knock_ms, status);
}

RawReply Knock::wait(const Deadline& deadline) {
  if (pid_ == 0) {
    Pipe err = make_pipe();
    auto process = spawn_process({argv_, "/", environment_, -1, -1, err.write_end.get()});
    if (process.error != 0)
      return {Transport::never_sent, process.error, {}, argv_.front() + ": " + errno_words(process.error)};
    pid_ = process.pid;
    errors_ = std::move(err.read_end);
    ::fcntl(errors_.get(), F_SETFL, ::fcntl(errors_.get(), F_GETFL) | O_NONBLOCK);
  }
  int status = 0;
  if (!reap_within(static_cast<pid_t>(pid_),
                   static_cast<int>(std::min<std::int64_t>(deadline.left().ms, 1 << 30)), status,
                   Unreaped::ours))
    return {Transport::no_answer, 0, {}, "tmux does not answer"};
  pid_ = 0;
  RawReply reply{Transport::answered, 0, {}, last_words(errors_)};
  errors_.reset();
  if (WIFEXITED(status)) {
    reply.code = WEXITSTATUS(status);
  } else {
    reply.transport = Transport::cut;
    reply.code = 128 + WTERMSIG(status);
  }
  return reply;
}

}  // namespace holdfast
