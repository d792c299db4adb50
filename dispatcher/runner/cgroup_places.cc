#include "dispatcher/runner/cgroup_places.h"

#include <algorithm>
#include <functional>
#include <optional>

#include "dispatcher/core/names.h"

namespace holdfast {
namespace {

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  while (true) {
    const auto cut = text.find(at);
    parts.push_back(text.substr(0, cut));
    if (cut == std::string_view::npos) return parts;
    text.remove_prefix(cut + 1);
  }
}

bool holds(std::string_view list, std::string_view word) {
  return std::ranges::count(split(list, ','), word) > 0;
}

// The cgroup that /proc/self/cgroup names for this hierarchy; the unified one has an empty controller list.
std::optional<std::string> own_path(std::string_view own_cgroups, std::string_view controller) {
  for (const auto line : split(own_cgroups, '\n')) {
    const auto first = line.find(':');
    if (first == std::string_view::npos) continue;
    const auto second = line.find(':', first + 1);
    if (second == std::string_view::npos) continue;
    const auto controllers = line.substr(first + 1, second - first - 1);
    if (controller.empty() ? controllers.empty() : holds(controllers, controller)) {
      return std::string{line.substr(second + 1)};
    }
  }
  return {};
}

void add_places(const CgroupMount& mount, std::string path, std::vector<std::string>& into) {
  // In a container only a part of the hierarchy may be mounted; what lies outside of it cannot be reached.
  if (mount.root != "/") {
    if (path != mount.root && !path.starts_with(mount.root + "/")) {
      path.clear();
    } else {
      path.erase(0, mount.root.size());
    }
  }
  if (path == "/") path.clear();
  if (path.find("/..") != std::string::npos) path.clear();
  while (true) {
    into.push_back(mount.folder + path);
    if (path.empty()) return;
    path.erase(path.rfind('/'));
  }
}

}  // namespace

std::string cgroup_name(const AttemptId& attempt, const std::string& token) {
  return attempt_key(attempt) + "." + std::to_string(std::hash<std::string>{}(token) % 0xffff'ffffU);
}

CgroupPlaces cgroup_places(std::string_view mountinfo, std::string_view own_cgroups) {
  CgroupPlaces places;
  for (const auto line : split(mountinfo, '\n')) {
    // "36 35 98:0 /root /mounted/at options - type source superoptions"
    const auto words = split(line, ' ');
    const auto dash = std::ranges::find(words, "-");
    if (words.size() < 6 || words.end() - dash < 4) continue;
    const CgroupMount mount{std::string{words[4]}, std::string{words[3]}};
    if (dash[1] == "cgroup2") {
      if (const auto path = own_path(own_cgroups, "")) add_places(mount, *path, places.v2);
    } else if (dash[1] == "cgroup" && holds(dash[3], "memory")) {
      if (const auto path = own_path(own_cgroups, "memory")) add_places(mount, *path, places.v1);
    }
  }
  return places;
}

}  // namespace holdfast
