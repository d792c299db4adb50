#include "dispatcher/system/service_notify.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "dispatcher/system/fd.h"

namespace holdfast {
namespace {

std::string taken_out(const char* name) {
  const char* value = ::getenv(name);
  std::string text = value == nullptr ? "" : value;
  ::unsetenv(name);
  return text;
}

std::optional<std::int64_t> number_in(const std::string& text) {
  std::int64_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc{} || end != text.data() + text.size() || n <= 0) return std::nullopt;
  return n;
}

}  // namespace

ServiceNotify ServiceNotify::from_environment() {
  const std::string socket = taken_out("NOTIFY_SOCKET");
  const auto microseconds = number_in(taken_out("WATCHDOG_USEC"));
  const std::string pid = taken_out("WATCHDOG_PID");
  const bool for_us = pid.empty() || number_in(pid) == ::getpid();
  if (!microseconds || !for_us) return {socket, std::nullopt};
  return {socket, millis(*microseconds / 1000)};
}

void ServiceNotify::tell(std::string_view what) const {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket_.size() < 2 || socket_.size() >= sizeof address.sun_path ||
      (socket_.front() != '/' && socket_.front() != '@'))
    return;
  std::memcpy(address.sun_path, socket_.data(), socket_.size());
  if (socket_.front() == '@') address.sun_path[0] = '\0';
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_.size());
  const Fd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (fd.get() < 0) return;
  // Nobody may be listening any more; whoever is told has no answer to give.
  [[maybe_unused]] const auto sent = ::sendto(fd.get(), what.data(), what.size(), MSG_NOSIGNAL,
                                              reinterpret_cast<const sockaddr*>(&address), length);
}

void ServiceNotify::ready(std::string_view status) const {
  tell("READY=1\nSTATUS=" + std::string(status));
}
void ServiceNotify::alive() const {
  tell("WATCHDOG=1");
}
void ServiceNotify::stopping() const {
  tell("STOPPING=1");
}

}  // namespace holdfast
