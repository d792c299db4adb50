#include "dispatcher/runner/cgroup_home.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <vector>

#include "dispatcher/runner/cgroup_places.h"
#include "dispatcher/system/durable_file.h"
#include "dispatcher/system/fd.h"

namespace holdfast {
namespace {

constexpr std::size_t file_limit = 1U << 20;

// Kernel files take a value in one write or refuse it.
int write_value(const std::string& path, const std::string& value) {
  const Fd file{::open(path.c_str(), O_WRONLY | O_CLOEXEC)};
  if (!file.open()) return errno;
  return ::write(file.get(), value.data(), value.size()) == static_cast<ssize_t>(value.size()) ? 0 : errno;
}

bool word_in_file(const std::string& path, std::string_view word) {
  const auto file = read_file(path, file_limit);
  const auto text = " " + file.text;
  for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
    const auto after = text.substr(at + word.size(), 1);
    if (text[at - 1] == ' ' && (after.empty() || after == " " || after == "\n")) return true;
  }
  return false;
}

int make_cgroup(const std::string& folder) {
  return ::mkdir(folder.c_str(), 0755) == 0 || errno == EEXIST ? 0 : errno;
}

// Makes sure that cgroups below `folder` have the memory controller (version 2).
bool hands_down_memory(const std::string& folder) {
  const auto control = folder + "/cgroup.subtree_control";
  return word_in_file(control, "memory") || write_value(control, "+memory") == 0;
}

std::optional<std::int64_t> counter(const std::string& path, std::string_view name) {
  const auto file = read_file(path, file_limit);
  const auto text = "\n" + file.text;
  const auto at = text.find("\n" + std::string{name} + " ");
  if (file.error != 0 || at == std::string::npos) return {};
  const char* const digits = text.data() + at + name.size() + 2;
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(digits, text.data() + text.size(), value);
  return error == std::errc{} ? std::optional{value} : std::nullopt;
}

// A new, empty cgroup of this name; empty where there is none to be had. A leftover that is inhabited is not
// ours.
std::string make_home(const std::string& parent, const std::string& name) {
  auto folder = parent + "/" + name;
  if (::mkdir(folder.c_str(), 0755) == 0) return folder;
  if (errno == EEXIST && read_cgroup(folder).inhabited == Presence::gone) return folder;
  return {};
}

}  // namespace

CgroupHome CgroupHome::make(const Wish& wish) {
  CgroupHome home;
  home.ceiling_ = "none: no cgroup can be made here";
  auto places = cgroup_places(read_file("/proc/self/mountinfo", file_limit).text,
                              read_file("/proc/self/cgroup", file_limit).text);
  if (!wish.parent.empty()) {
    const bool v2 = ::access((wish.parent + "/cgroup.subtree_control").c_str(), F_OK) == 0;
    places = CgroupPlaces{};
    (v2 ? places.v2 : places.v1).push_back(wish.parent);
  }
  const auto settle = [&](Version version, const std::string& place) {
    const auto parent = wish.parent.empty() ? place + cgroup_of_ours : place;
    if (make_cgroup(parent) != 0 || (version == Version::v2 && !hands_down_memory(parent))) {
      if (wish.parent.empty()) ::rmdir(parent.c_str());  // only where it is empty
      return false;
    }
    home.folder_ = make_home(parent, wish.name);
    if (home.folder_.empty()) return false;
    home.version_ = version;
    return true;
  };
  for (const auto& place : places.v2) {
    // Processes live in most cgroups, and one with processes cannot hand controllers down: take the first
    // that does.
    if ((wish.parent.empty() && !word_in_file(place + "/cgroup.subtree_control", "memory"))) continue;
    if (settle(Version::v2, place)) break;
  }
  if (home.version_ == Version::none) {
    for (const auto& place : places.v1) {
      if (settle(Version::v1, place)) break;
    }
  }
  if (home.version_ != Version::none) {
    home.ceiling_ = limit_memory(home.version_, home.folder_, wish.memory_limit_bytes);
    home.limits_memory_ = !home.ceiling_.starts_with("none");
  }
  return home;
}

std::string CgroupHome::limit_memory(Version version, const std::string& folder, std::int64_t bytes) {
  if (bytes <= 0) return "none: no limit asked for";
  const bool v2 = version == Version::v2;
  const auto limit = std::to_string(bytes);
  if (const int error = write_value(folder + (v2 ? "/memory.max" : "/memory.limit_in_bytes"), limit);
      error != 0) {
    return "none: the cgroup refuses the limit: " + errno_words(error);
  }
  // What could be swapped out would not be a ceiling. Not every kernel accounts for swap.
  if (v2) {
    write_value(folder + "/memory.swap.max", "0");
  } else {
    write_value(folder + "/memory.memsw.limit_in_bytes", limit);
  }
  return v2 ? "cgroup-v2" : "cgroup-v1";
}

int CgroupHome::put(std::int64_t pid) const {
  return folder_.empty() ? 0 : write_value(folder_ + "/cgroup.procs", std::to_string(pid));
}

std::optional<std::int64_t> CgroupHome::oom_kills() const {
  switch (version_) {
    case Version::none: return {};
    case Version::v1: return counter(folder_ + "/memory.oom_control", "oom_kill");
    case Version::v2: return counter(folder_ + "/memory.events", "oom_kill");
  }
  return {};
}

std::string CgroupHome::oom_counter_name() const {
  switch (version_) {
    case Version::none: return "no memory cgroup";
    case Version::v1: return "memory.oom_control oom_kill";
    case Version::v2: return "memory.events oom_kill";
  }
  return {};
}

int CgroupHome::kill_all() const {
  return version_ == Version::v2 ? write_value(folder_ + "/cgroup.kill", "1") : ENOTSUP;
}

CgroupReading CgroupHome::members() const {
  if (folder_.empty()) return {Presence::gone, {}};
  return read_cgroup(folder_);
}

void CgroupHome::remove() {
  if (!folder_.empty()) remove_cgroup(folder_);
  folder_.clear();
  version_ = Version::none;
  limits_memory_ = false;
}

void CgroupHome::give_up(const std::string& why) {
  remove();
  ceiling_ = "none: " + why;
}

}  // namespace holdfast
