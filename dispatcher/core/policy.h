// What the installation wants: capacities, patience, budgets, and how workers are run. Data, read from
// holdfast.json.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "dispatcher/core/attempt.h"
#include "dispatcher/core/attempt_sightings.h"
#include "dispatcher/core/ids.h"
#include "dispatcher/core/instant.h"

namespace holdfast {

enum class PromptBy { paste, argument, file };

// How one kind of worker is run. In `command`, {prompt}, {prompt_file}, {ticket}, {title} and {worktree} are
// replaced, each inside its own argument; no shell sees them.
struct Profile {
  std::string name;
  std::vector<std::string> command;
  std::vector<std::string>
      environment_allow;  // names, or prefixes ending in '*', taken from the dispatcher's environment
  std::map<std::string, std::string> environment_set;
  PromptBy prompt_by = PromptBy::paste;
  std::string preamble;  // put before the ticket's text: how to report
  ReadyBy ready_by = ReadyBy::started;
  std::string ready_pattern;
  Duration ready_within = minutes(2);  // past it a person is told; nothing is ended
  Duration enter_delay = millis(150);
  Duration verify_within = seconds(60);  // a message handed over, but not read for so long, is "unverified"
  Duration finish_grace = seconds(10);   // from DONE to the request that the worker end
  Duration term_grace = seconds(10);     // from TERM to KILL
  Duration quiet_after = minutes(30);    // without output for so long, a person is told
  std::int64_t memory_limit_bytes = 0;
  WordAt word_at = WordAt::first_column;
  std::vector<std::string> limit_patterns;       // "usage limit reached"
  std::vector<std::string> permission_patterns;  // "Do you want to proceed?": a person is told
  std::string account;                           // whose limit it is; empty: the profile's name
  friend bool operator==(const Profile&, const Profile&) = default;
};

enum class GatePolicy { review, land };
enum class RecoveredPolicy { review, continue_branch };

struct Policy {
  std::map<std::string, Profile> profiles;
  std::string default_profile = "generic";
  std::vector<std::string> environment;  // the dispatcher's own, "KEY=VALUE", from which profiles allow

  int capacity = 4;  // live attempts at once, and slots in the pool
  int shards = 2;    // tmux servers
  int effects_at_once = 8;
  std::vector<std::string> only_labels;  // non-empty: only tickets with one of them

  std::string target;  // full ref name
  std::string start;   // where branches begin: the target, or its remote-tracking ref
  std::string remote;  // empty: none
  GatePolicy gate = GatePolicy::review;
  std::vector<std::string> check;  // before landing
  Duration check_timeout = minutes(10);
  RecoveredPolicy recovered = RecoveredPolicy::review;

  int attempts_max = 3;     // charged to the ticket
  int free_deaths_max = 6;  // charged to nobody, bounded all the same
  int setup_failures_max = 4;
  int alone_after_server_losses = 2;
  Duration backoff_first = seconds(5);
  Duration backoff_max = minutes(10);
  int breaker_deaths = 8;  // young deaths within the window that open the breaker
  Duration breaker_window = minutes(2);
  Duration breaker_rest = minutes(2);
  Duration young = seconds(10);  // a death this soon after the spawn is young
  int spawns_per_second = 50;
  Duration account_pause = minutes(15);

  Duration newborn_grace = seconds(20);  // after the spawn's answer was lost: how long to look before sealing
  Duration look_every = seconds(15);     // at a live attempt without news
  Duration review_every = seconds(20);   // whether a ticket in review has been landed
  Duration unknown_shown_after = minutes(2);
  Duration call_deadline = seconds(10);
  Duration git_deadline = seconds(60);
  Duration board_every = seconds(5);  // without news
  Duration servers_every = seconds(10);

  std::string cgroup_parent;
  int columns = 200, rows = 50;
  friend bool operator==(const Policy&, const Policy&) = default;
};

// The profile of that name, else the default one, else nothing.
const Profile* profile_of(const Policy&, const std::string& name);

}  // namespace holdfast
