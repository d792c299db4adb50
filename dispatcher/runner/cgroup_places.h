// Where on this host a cgroup of our own could be made, best place first, and how an attempt's is called. So
// the one of a runner that was killed before it could say which it had made is found too.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "dispatcher/core/ids.h"

namespace holdfast {

struct CgroupMount {
  std::string folder;  // where it is mounted
  std::string root;    // which part of the hierarchy is mounted there
};
struct CgroupPlaces {
  std::vector<std::string> v2, v1;  // folders that exist; v1: of the memory controller
};

// Pure: from the texts of /proc/self/mountinfo and /proc/self/cgroup. A place is the own cgroup, then each
// one above it up to the mount.
CgroupPlaces cgroup_places(std::string_view mountinfo, std::string_view own_cgroups);

// Between a place and the cgroups of the attempts.
inline constexpr const char* cgroup_of_ours = "/holdfast";

// Two installations may have a ticket of the same name; their tokens differ.
std::string cgroup_name(const AttemptId&, const std::string& token);

}  // namespace holdfast
