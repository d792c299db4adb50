// What does not change during a run: policy, tickets, how many dispatchers there may be, which faults are on,
// and (for broken twins) which part of the world is built wrongly.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dispatcher/core/board_ticket.h"
#include "dispatcher/core/policy.h"
#include "faults/fault.h"
#include "sim/dispatcher_under_test.h"

namespace holdfast::sim {

// Parts of the world that a broken twin builds wrongly. All false: the world as it is.
struct Defects {
  bool sessions_by_prefix = false;       // end_session matches by the beginning of a name
  bool ledger_without_fence = false;     // writes of old generations are stored
  bool decision_not_exclusive = false;   // a runner starts its worker although the attempt was sealed
  bool kill_by_bare_pid = false;         // signals go to a number, whoever has it now
  bool release_without_recheck = false;  // a slot is given back over new changes
  bool inbox_without_ids = false;        // a message that is posted twice is handed over twice
  bool land_without_compare = false;     // the target is set, whatever it was
  bool slot_lock_ignored = false;        // a slot is used while a late git still works in it
  bool salvage_skips_untracked = false;
  bool branch_facts_without_commits_landed = false;  // a branch without commits counts as merged
  bool gone_upstream_counts_as_landed = false;
  bool starts_servers_anywhere = false;
  bool prepare_over_dirty = false;        // a worktree is taken as it is, changes and all
  bool prepare_in_main_checkout = false;  // what the pool does not give is done in the main checkout
  bool release_deletes_branch = false;    // a branch goes with its worktree
  bool ledger_without_log = false;        // rows change, nothing is appended
  bool claim_over_open = false;           // an open attempt does not stand in a claim's way
  bool claim_takes_any_slot = false;      // also one that is leased
  bool close_keeps_lease = false;
  bool ends_only_the_runner = false;  // a signal does not reach the worker's descendants
  friend bool operator==(const Defects&, const Defects&) = default;
};

struct WorkerLimits {  // per runtime; what makes the space of worker behaviours finite
  int commits = 1;
  int lines = 1;
  int questions = 1;
  int changes = 1;  // uncommitted
  int children = 1;
};

struct Setup {
  Policy policy;
  std::vector<BoardTicket> tickets;
  DispatcherMaker maker = shipped_dispatcher();
  int dispatchers = 1;                  // that may run at once
  Duration longest_sleep = minutes(1);  // of a dispatcher without news, whatever it waits for
  // Set: a timer that is farther ahead is "far". Time passes to the next timer that is not; where all are
  // far, it passes by `past_far`, which is beyond every one of them. Else: always to the next.
  std::optional<Duration> far;
  Duration past_far;
  bool cgroups = true;         // workers are contained; else only a scan can tell that nothing is left
  bool remain_on_exit = true;  // dead panes stay
  WorkerLimits worker;
  Defects defects;
  FaultSet faults;
  int fault_budget = 0;   // fault events in the whole run
  int crash_budget = 0;   // deaths of dispatchers
  int person_budget = 0;  // acts of people
};

}  // namespace holdfast::sim
