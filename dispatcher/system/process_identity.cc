#include "dispatcher/system/process_identity.h"

#include <dirent.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>

#include "dispatcher/system/durable_file.h"
#include "dispatcher/system/fd.h"

namespace holdfast {
namespace {

template <class N>
std::optional<N> number(std::string_view text) {
  N value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// A main thread may have ended while others run on: such a process shows as a zombie and is very much alive.
bool other_threads_run(std::int64_t pid) {
  DIR* tasks = ::opendir(("/proc/" + std::to_string(pid) + "/task").c_str());
  if (tasks == nullptr) return false;
  int seen = 0;
  while (const dirent* entry = ::readdir(tasks)) {
    if (entry->d_name[0] != '.') ++seen;
  }
  ::closedir(tasks);
  return seen > 1;
}

}  // namespace

std::optional<ProcessStat> parse_process_stat(std::string_view line) {
  const auto open = line.find('(');
  const auto close = line.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open || open < 2)
    return {};
  ProcessStat stat;
  const auto pid = number<std::int64_t>(line.substr(0, open - 1));
  if (!pid) return {};
  stat.pid = *pid;
  stat.name = line.substr(open + 1, close - open - 1);
  auto rest = line.substr(close + 1);
  // After the name: state is field 3, the parent 4, the start time 22.
  for (int field = 3; field <= 22; ++field) {
    if (rest.empty() || rest.front() != ' ') return {};
    rest.remove_prefix(1);
    const auto word = rest.substr(0, rest.find_first_of(" \n"));
    rest.remove_prefix(word.size());
    if (field == 3) {
      if (word.size() != 1) return {};
      stat.state = word.front();
    } else if (field == 4) {
      const auto parent = number<std::int64_t>(word);
      if (!parent) return {};
      stat.parent = *parent;
    } else if (field == 22) {
      const auto ticks = number<std::uint64_t>(word);
      if (!ticks) return {};
      stat.start_ticks = *ticks;
    }
  }
  return stat;
}

StatReading read_process(std::int64_t pid) {
  if (pid <= 0) return {};
  const auto file = read_file("/proc/" + std::to_string(pid) + "/stat", 4096);
  if (file.error == ENOENT || file.error == ESRCH) {
    // With hidepid a stranger's process has no folder and is there all the same.
    if (::kill(static_cast<pid_t>(pid), 0) != 0 && errno == ESRCH) return {Presence::gone, {}};
    return {};
  }
  if (file.error != 0) return {};
  auto stat = parse_process_stat(file.text);
  if (!stat) return {};
  if ((stat->state == 'Z' || stat->state == 'X') && !other_threads_run(pid)) return {Presence::gone, {}};
  return {Presence::present, std::move(*stat)};
}

HostIdentity this_host() {
  HostIdentity host;
  auto boot = read_file("/proc/sys/kernel/random/boot_id", 128);
  while (!boot.text.empty() && boot.text.back() == '\n') boot.text.pop_back();
  host.boot_id = boot.text;
  char link[128];
  const ssize_t length = ::readlink("/proc/self/ns/pid", link, sizeof link);
  if (length > 0) host.pid_namespace.assign(link, static_cast<std::size_t>(length));
  return host;
}

ProcessIdentity identify(std::int64_t pid) {
  const auto seen = read_process(pid);
  if (seen.presence != Presence::present) return {};
  const auto host = this_host();
  return {host.boot_id, host.pid_namespace, pid, seen.stat.start_ticks};
}

ProcessIdentity own_identity() {
  return identify(::getpid());
}

Presence presence_of(const ProcessIdentity& who) {
  if (!who.known()) return Presence::unknown;
  const auto host = this_host();
  if (host.boot_id.empty() || who.boot_id.empty()) return Presence::unknown;
  if (host.boot_id != who.boot_id) return Presence::gone;
  if (host.pid_namespace.empty() || host.pid_namespace != who.pid_namespace) return Presence::unknown;
  const auto seen = read_process(who.pid);
  if (seen.presence == Presence::present && seen.stat.start_ticks != who.start_ticks) return Presence::gone;
  return seen.presence;
}

int signal_exactly(const ProcessIdentity& who, int signal) {
  const auto host = this_host();
  if (!who.known() || host.boot_id != who.boot_id || host.pid_namespace != who.pid_namespace) return EXDEV;
  const Fd pidfd{static_cast<int>(::syscall(SYS_pidfd_open, static_cast<pid_t>(who.pid), 0U))};
  if (!pidfd.open()) return errno;
  // The pidfd is bound to whoever has the pid now; only if that is still our process may it be signalled.
  switch (presence_of(who)) {
    case Presence::gone: return ESRCH;
    case Presence::unknown: return EXDEV;
    case Presence::present: break;
  }
  return ::syscall(SYS_pidfd_send_signal, pidfd.get(), signal, nullptr, 0U) == 0 ? 0 : errno;
}

}  // namespace holdfast
