// The cgroup in which one worker and all its children live: a fence that a double fork does not leave, a
// ceiling for its memory, and the kernel's own count of OOM kills. The runner itself stays outside.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "dispatcher/system/cgroup_members.h"

namespace holdfast {

class CgroupHome {
 public:
  struct Wish {
    std::string parent;  // empty: below this process's own cgroup, or as near to it as can be written to
    std::string name;
    std::int64_t memory_limit_bytes = 0;
  };
  // Version 2 where its memory controller can be had, else version 1, else none. Never fails; says what it
  // got.
  static CgroupHome make(const Wish&);

  [[nodiscard]] const std::string& folder() const { return folder_; }  // empty: none
  // "cgroup-v2", "cgroup-v1" or "none: <why>", about the memory limit.
  [[nodiscard]] const std::string& ceiling() const { return ceiling_; }
  [[nodiscard]] bool limits_memory() const { return limits_memory_; }

  int put(std::int64_t pid) const;  // errno
  [[nodiscard]] std::optional<std::int64_t> oom_kills() const;
  [[nodiscard]] std::string oom_counter_name() const;

  // Version 2 can kill all its members at once, forks in flight included; ENOTSUP elsewhere.
  int kill_all() const;

  // gone: nobody lives in it, or there is none. unknown: it cannot be read.
  [[nodiscard]] CgroupReading members() const;
  void remove();                         // and be none from now on
  void give_up(const std::string& why);  // the same, and say why in ceiling()

 private:
  enum class Version { none, v1, v2 };
  static std::string limit_memory(Version, const std::string& folder, std::int64_t bytes);

  Version version_ = Version::none;
  std::string folder_, ceiling_;
  bool limits_memory_ = false;
};

}  // namespace holdfast
