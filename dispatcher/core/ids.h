// Names that cannot be mixed up: every id has a type of its own, is ordered, and is compared by value.
//
// An AttemptId (ticket and generation) is the fencing token: it is in the session's name, in the worker's
// environment, in the lease and in every write. A TicketId alone never selects a runtime.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

namespace holdfast {

template <class Tag>
struct Name {
  std::string value;
  friend auto operator<=>(const Name&, const Name&) = default;
  [[nodiscard]] bool empty() const { return value.empty(); }
};

using TicketId = Name<struct TicketTag>;
using SessionName = Name<struct SessionTag>;
using SlotId = Name<struct SlotTag>;          // one worktree of the pool: "slot-007"
using CommitId = Name<struct CommitTag>;      // full object id in hex; empty means none
using BranchName = Name<struct BranchTag>;    // without refs/heads/
using MessageId = Name<struct MessageTag>;    // unique within the installation; [A-Za-z0-9_-]
using AccountName = Name<struct AccountTag>;  // whose provider limit is shared

// One claim of a ticket. Only grows; 0 means "never claimed".
struct Generation {
  std::uint32_t value = 0;
  friend auto operator<=>(const Generation&, const Generation&) = default;
  [[nodiscard]] Generation next() const { return Generation{value + 1}; }
};

struct AttemptId {
  TicketId ticket;
  Generation generation;
  friend auto operator<=>(const AttemptId&, const AttemptId&) = default;
};

// One life of one tmux server: the shard, the server's pid and its start time in clock ticks since boot.
// pid 0 means "no server was ever seen".
struct ServerIncarnation {
  int shard = 0;
  std::int64_t pid = 0;
  std::uint64_t start_ticks = 0;
  friend auto operator<=>(const ServerIncarnation&, const ServerIncarnation&) = default;
  [[nodiscard]] bool known() const { return pid != 0; }
};

// Who a process is: a pid alone is reused; with its start time, on this boot, in this pid namespace, it is
// not.
struct ProcessIdentity {
  std::string boot_id;            // /proc/sys/kernel/random/boot_id
  std::string pid_namespace;      // readlink /proc/self/ns/pid
  std::int64_t pid = 0;           // 0: not recorded
  std::uint64_t start_ticks = 0;  // field 22 of /proc/PID/stat
  friend auto operator<=>(const ProcessIdentity&, const ProcessIdentity&) = default;
  [[nodiscard]] bool known() const { return pid != 0; }
};

}  // namespace holdfast
