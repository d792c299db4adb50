// Where on this host a cgroup of our own could be made, best place first.
#pragma once

#include <string>
#include <string_view>
#include <vector>

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

}  // namespace holdfast
