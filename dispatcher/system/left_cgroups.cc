#include "dispatcher/system/left_cgroups.h"

#include <unistd.h>

#include "dispatcher/core/names.h"
#include "dispatcher/runner/cgroup_places.h"
#include "dispatcher/runner/spec_text.h"
#include "dispatcher/system/cgroup_members.h"
#include "dispatcher/system/durable_file.h"
#include "dispatcher/system/process_identity.h"

namespace holdfast {
namespace {

constexpr std::size_t largest_listing = 1U << 20;

}  // namespace

Tidied tidy_cgroup(const AttemptId& attempt, const std::string& cgroup) {
  const auto name = cgroup.substr(cgroup.rfind('/') + 1);
  if (!name.starts_with(attempt_key(attempt) + ".")) return Tidied::foreign;
  if (::access(cgroup.c_str(), F_OK) != 0) return Tidied::gone;
  if (read_cgroup(cgroup).inhabited != Presence::gone) return Tidied::not_yet;
  return remove_cgroup(cgroup) == 0 ? Tidied::gone : Tidied::not_yet;
}

std::vector<std::string> unrecorded_cgroups(const AttemptId& attempt, const std::string& token) {
  const auto places = cgroup_places(read_file("/proc/self/mountinfo", largest_listing).text,
                                    read_file("/proc/self/cgroup", largest_listing).text);
  std::vector<std::string> found;
  for (const auto& all : {places.v2, places.v1}) {
    for (const auto& place : all) {
      const auto folder = place + cgroup_of_ours + "/" + cgroup_name(attempt, token);
      if (::access(folder.c_str(), F_OK) == 0) found.push_back(folder);
    }
  }
  return found;
}

int remove_left_cgroups(FileRecords& records) {
  int removed = 0;
  for (const AttemptId& attempt : records.list().value) {
    const auto record = records.read(attempt).value;
    if (!record.runner.known() || presence_of(record.runner) != Presence::gone) continue;
    std::vector<std::string> cgroups{record.cgroup};
    if (record.cgroup.empty()) {
      const auto orders = decode_spec(read_file(records.folder_of(attempt) + "/spec", largest_spec).text);
      cgroups = orders.spec ? unrecorded_cgroups(attempt, orders.spec->token) : std::vector<std::string>{};
    }
    for (const auto& cgroup : cgroups) {
      if (::access(cgroup.c_str(), F_OK) != 0) continue;
      removed += tidy_cgroup(attempt, cgroup) == Tidied::gone ? 1 : 0;
    }
  }
  return removed;
}

}  // namespace holdfast
