#include "dispatcher/system/cgroup_members.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <string_view>

#include "dispatcher/system/durable_file.h"

namespace holdfast {
namespace {

constexpr int deepest = 16;

std::vector<std::string> folders_below(const std::string& folder) {
  std::vector<std::string> below;
  DIR* dir = ::opendir(folder.c_str());
  if (dir == nullptr) return below;
  while (const dirent* entry = ::readdir(dir)) {
    if (entry->d_name[0] == '.') continue;
    const auto path = folder + "/" + entry->d_name;
    struct stat seen{};
    if (::lstat(path.c_str(), &seen) == 0 && S_ISDIR(seen.st_mode)) below.push_back(path);
  }
  ::closedir(dir);
  return below;
}

// Adds the pids; answers what is known of this folder and those below.
Presence collect(const std::string& folder, int depth, std::vector<std::int64_t>& pids) {
  const auto file = read_file(folder + "/cgroup.procs", 1U << 22);
  if (file.error == ENOENT || file.error == ENODEV) {
    struct stat seen{};
    return ::stat(folder.c_str(), &seen) != 0 && errno == ENOENT ? Presence::gone : Presence::unknown;
  }
  if (file.error != 0 || file.longer) return Presence::unknown;
  auto answer = Presence::gone;
  std::string_view text = file.text;
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    std::int64_t pid = 0;
    if (std::from_chars(line.data(), line.data() + line.size(), pid).ec != std::errc{}) continue;
    pids.push_back(pid);  // 0: somebody of another pid namespace
    answer = Presence::present;
  }
  if (depth >= deepest) return answer == Presence::present ? answer : Presence::unknown;
  for (const auto& below : folders_below(folder)) {
    const auto there = collect(below, depth + 1, pids);
    if (there == Presence::present) answer = there;
    if (there == Presence::unknown && answer == Presence::gone) answer = there;
  }
  return answer;
}

int remove_at(const std::string& folder, int depth) {
  if (depth < deepest) {
    for (const auto& below : folders_below(folder)) remove_at(below, depth + 1);
  }
  if (::rmdir(folder.c_str()) == 0 || errno == ENOENT) return 0;
  return errno;
}

}  // namespace

CgroupReading read_cgroup(const std::string& folder) {
  CgroupReading reading;
  if (folder.empty()) return reading;
  reading.inhabited = collect(folder, 0, reading.pids);
  return reading;
}

std::optional<std::int64_t> oom_kills_in(const std::string& folder) {
  for (const char* file : {"/memory.events", "/memory.oom_control"}) {
    const std::string text = "\n" + read_file(folder + file, 4096).text;
    constexpr std::string_view name = "\noom_kill ";
    const auto at = text.find(name);
    if (at == std::string::npos) continue;
    std::int64_t count = 0;
    const char* from = text.data() + at + name.size();
    if (std::from_chars(from, text.data() + text.size(), count).ec == std::errc{}) return count;
  }
  return std::nullopt;
}

int remove_cgroup(const std::string& folder) {
  return remove_at(folder, 0);
}

}  // namespace holdfast
