// The processes behind an attempt, from /proc and the cgroup's files. See ports/attempts.h.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "dispatcher/ports/attempts.h"

namespace holdfast {

class LinuxProcesses final : public Processes {
 public:
  Reply<ProcessSighting> look(const Containment&, bool scan) override;

  // The runner is asked (SIGTERM), also by a kill: it ends its tree and writes down how. Only where a kill is
  // asked for again after `patience` and nobody but the runner is left is the runner itself killed: then it
  // stands still. code EXDEV: the attempt belongs to another pid namespace and cannot be touched from here.
  Reply<Nothing> end_tree(const Containment&, EndSignal) override;

  static constexpr Duration patience = seconds(2);

 private:
  bool runner_had_its_chance(const ProcessIdentity& runner);
  void look_into_cgroup(const Containment&, ProcessSighting&);
  void tidy_up(const AttemptId&, const std::string& empty_cgroup);

  std::mutex mutex_;
  std::map<ProcessIdentity, Duration> asked_at_;   // when a runner was first asked by a kill
  std::map<std::string, AttemptId> left_cgroups_;  // empty, and not to be removed yet
};

}  // namespace holdfast
