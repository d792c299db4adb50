#include "dispatcher/system/attempt_scan.h"

#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

#include "dispatcher/system/durable_file.h"

namespace holdfast {
namespace {

constexpr std::size_t largest_environment = 16U << 20;
constexpr std::int64_t kernel_threads_parent = 2;

std::string canonical(const std::string& path) {
  char* const resolved = ::realpath(path.c_str(), nullptr);
  if (resolved == nullptr) return path;
  std::string real{resolved};
  ::free(resolved);
  return real;
}

bool is_or_lies_in(std::string_view path, const std::string& folder) {
  if (folder.empty() || folder == "/") return false;
  constexpr std::string_view removed = " (deleted)";
  if (path.ends_with(removed)) path.remove_suffix(removed.size());
  return path == folder || (path.starts_with(folder) && path[folder.size()] == '/');
}

enum class Found { yes, no, unreadable };

Found has_token(std::int64_t pid, const std::string& entry) {
  const auto file = read_file("/proc/" + std::to_string(pid) + "/environ", largest_environment);
  if (file.error == ENOENT || file.error == ESRCH) return Found::no;  // it has gone meanwhile
  if (file.error != 0 || file.longer) return Found::unreadable;
  // In the middle of an exec a process shows neither arguments nor environment.
  if (file.text.empty() && read_file("/proc/" + std::to_string(pid) + "/cmdline", 16).text.empty())
    return Found::unreadable;
  const auto text = std::string(1, '\0') + file.text;
  return text.find(entry) == std::string::npos ? Found::no : Found::yes;
}

Found stands_in(std::int64_t pid, const std::string& folder, const std::string& real) {
  char path[4096];
  const ssize_t length = ::readlink(("/proc/" + std::to_string(pid) + "/cwd").c_str(), path, sizeof path);
  if (length < 0) return errno == ENOENT || errno == ESRCH ? Found::no : Found::unreadable;
  const std::string_view where{path, static_cast<std::size_t>(length)};
  return is_or_lies_in(where, folder) || is_or_lies_in(where, real) ? Found::yes : Found::no;
}

}  // namespace

AttemptScan scan_for(const Containment& containment) {
  AttemptScan scan;
  const auto table = read_process_table();
  scan.complete = table.complete;
  const auto entry = std::string(1, '\0') + "HOLDFAST_TOKEN=" + containment.token + std::string(1, '\0');
  const auto real = canonical(containment.working_directory);
  const auto self = ::getpid();
  for (const auto& process : table.processes) {
    if (process.pid == self || process.pid == kernel_threads_parent ||
        process.parent == kernel_threads_parent)
      continue;
    if (process.state == 'Z' || process.state == 'X') continue;
    const auto token = containment.token.empty() ? Found::no : has_token(process.pid, entry);
    const auto place = stands_in(process.pid, containment.working_directory, real);
    if (token == Found::yes) {
      scan.with_token.push_back(process);
    } else if (place == Found::yes) {
      scan.in_worktree.push_back(process);
    } else if (token == Found::unreadable || place == Found::unreadable) {
      // Older than the runner: it cannot descend from it.
      if (containment.runner.known() && process.start_ticks < containment.runner.start_ticks) continue;
      if (read_process(process.pid).presence == Presence::gone) continue;
      scan.complete = Presence::unknown;
      if (scan.note.size() < 200) scan.note += "process " + std::to_string(process.pid) + " cannot be read; ";
    }
  }
  return scan;
}

}  // namespace holdfast
