#include "dispatcher/system/run_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "dispatcher/system/clocks.h"
#include "dispatcher/system/durable_file.h"
#include "dispatcher/system/no_pipe_signal.h"
#include "dispatcher/system/spawned_process.h"

namespace holdfast {
namespace {

constexpr int patience_with_the_killed_ms = 2000;

void make_nonblocking(const Fd& fd) {
  ::fcntl(fd.get(), F_SETFL, ::fcntl(fd.get(), F_GETFL) | O_NONBLOCK);
}

// Reads what is there, keeps what fits; closes the descriptor at its end.
void drain(Fd& from, std::string& into, std::size_t limit) {
  std::array<char, 16384> block;
  while (from.open()) {
    const ssize_t got = ::read(from.get(), block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) return from.reset();
    into.append(block.data(), std::min(static_cast<std::size_t>(got), limit - std::min(limit, into.size())));
  }
}

void feed(Fd& to, std::string_view& rest) {
  while (to.open() && !rest.empty()) {
    const ssize_t wrote = ::write(to.get(), rest.data(), rest.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0 && errno == EAGAIN) return;
    if (wrote < 0) break;
    rest.remove_prefix(static_cast<std::size_t>(wrote));
  }
  to.reset();
}

RawReply never_started(int error, const ProcessOrder& order) {
  const auto name = order.argv.empty() ? std::string{"no program"} : order.argv.front();
  return {Transport::never_sent, error, {}, name + ": " + errno_words(error)};
}

}  // namespace

RawReply run_process(const ProcessOrder& order) {
  const Deadline deadline{order.deadline};
  const NoPipeSignal quiet;
  Pipe in = make_pipe(), out = make_pipe(), err = make_pipe();
  if (const int error = std::max({in.error, out.error, err.error}); error != 0)
    return never_started(error, order);
  auto process = spawn_process({order.argv, order.working_directory, order.environment, in.read_end.get(),
                                out.write_end.get(), err.write_end.get(), order.lock_fd});
  if (process.error != 0) return never_started(process.error, order);
  in.read_end.reset();
  out.write_end.reset();
  err.write_end.reset();
  for (const auto* end : {&in.write_end, &out.read_end, &err.read_end}) make_nonblocking(*end);

  RawReply reply;
  std::string_view rest = order.input;
  bool ended = false;
  while (!ended && !deadline.passed()) {
    feed(in.write_end, rest);
    std::array<pollfd, 4> news{pollfd{process.pidfd.get(), POLLIN, 0}, pollfd{out.read_end.get(), POLLIN, 0},
                               pollfd{err.read_end.get(), POLLIN, 0}, pollfd{in.write_end.get(), POLLOUT, 0}};
    ::poll(news.data(), news.size(), std::min(deadline.left_for_poll(), process.pidfd.open() ? 60'000 : 5));
    drain(out.read_end, reply.text, order.output_limit);
    drain(err.read_end, reply.error, order.output_limit);
    siginfo_t info{};
    ended = ::waitid(P_PID, static_cast<id_t>(process.pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
            info.si_pid != 0;
  }
  // Not reaped yet, so its pid and with it the group's number belong to nobody else.
  if (!ended) ::kill(-process.pid, SIGKILL);
  int status = 0;
  const bool reaped = reap_within(process.pid, patience_with_the_killed_ms, status);
  // What it wrote before it ended lies in the pipes; its own children may hold them open and are not waited
  // for.
  drain(out.read_end, reply.text, order.output_limit);
  drain(err.read_end, reply.error, order.output_limit);
  if (!ended) {
    reply.transport = Transport::no_answer;
    reply.error += std::string{reply.error.empty() ? "" : "\n"} + order.argv.front() + ": no answer within " +
                   std::to_string(order.deadline.ms) + " ms" + (reaped ? "" : ", and it does not die");
  } else if (WIFEXITED(status)) {
    reply.transport = Transport::answered;
    reply.code = WEXITSTATUS(status);
  } else {
    reply.transport = Transport::cut;
    reply.code = 128 + WTERMSIG(status);
  }
  return reply;
}

}  // namespace holdfast
