#include "dispatcher/system/standing.h"

#include <dirent.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <climits>
#include <cstring>

#include "dispatcher/system/clocks.h"
#include "dispatcher/system/process_identity.h"

namespace holdfast {
namespace {

constexpr int step_of_patience_ms = 10;

bool link_leads_into(const std::string& link, const std::string& folder) {
  char path[PATH_MAX];
  const ssize_t length = ::readlink(link.c_str(), path, sizeof path);
  if (length < 0) return false;
  const std::string_view where{path, static_cast<std::size_t>(length)};
  return where == folder || (where.starts_with(folder) && where[folder.size()] == '/');
}

std::optional<Stander> one_look(const std::string& folder) {
  DIR* const proc = ::opendir("/proc");
  if (proc == nullptr) return std::nullopt;
  std::optional<Stander> found;
  while (const dirent* entry = found ? nullptr : ::readdir(proc)) {
    const char* const name = entry->d_name;
    std::int64_t pid = 0;
    const auto [end, error] = std::from_chars(name, name + std::strlen(name), pid);
    if (error != std::errc{} || *end != '\0' || pid <= 0 || pid == ::getpid()) continue;
    const std::string place = std::string("/proc/") + name;
    if (!link_leads_into(place + "/cwd", folder) && !link_leads_into(place + "/root", folder)) continue;
    const StatReading stat = read_process(pid);
    if (stat.presence != Presence::gone) found = Stander{pid, stat.stat.name};
  }
  ::closedir(proc);
  return found;
}

}  // namespace

std::optional<Stander> somebody_stands_in(const std::string& folder, Duration patience) {
  if (folder.empty() || folder == "/") return std::nullopt;
  const Deadline deadline(patience);
  while (true) {
    const auto found = one_look(folder);
    if (!found || deadline.passed()) return found;
    ::poll(nullptr, 0, std::min(deadline.left_for_poll(), step_of_patience_ms));
  }
}

}  // namespace holdfast
