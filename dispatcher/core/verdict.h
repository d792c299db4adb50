// Alive, dead or unknown: what the probes together say about one attempt's runtime.
//
// Five probes, each with three answers and a freshness. The rules, in the order in which they win:
//
//   1. The host was restarted since (its boot id changed): dead. Only a fresh sighting of a live process
//   contradicts
//      that, and then nobody knows.
//   2. A process of this very attempt is there (runner that can still act, worker, descendant, cgroup
//   member): alive.
//   3. The runner's record is final (its end, with the whole tree seen empty; or sealed before it began):
//   dead.
//   4. The whole containment was seen empty: dead.
//   5. It wrote to its terminal a moment ago: alive.
//   6. Everything else is unknown: panes, sessions, silence, errors, absence, and everything stale.
//
// Panes and sessions never count, in either direction: a pane may outlive its worker, and a worker its pane.
#pragma once

#include <optional>
#include <string>

#include "dispatcher/core/attempt_sightings.h"
#include "dispatcher/core/certificate.h"
#include "dispatcher/core/terminal_sightings.h"

namespace holdfast {

enum class Life { alive, dead, unknown };
using Verdict = Life;

struct Probe {
  Life says = Life::unknown;
  bool fresh = false;  // about this attempt, and not older than `fresh_for`
  friend bool operator==(const Probe&, const Probe&) = default;
};

struct Evidence {
  Probe tmux, process, record, heartbeat, host;
  friend bool operator==(const Evidence&, const Evidence&) = default;
};

Verdict judge(const Evidence&);

// --- from sightings to evidence
// --------------------------------------------------------------------------------------

template <class T>
struct Seen {
  T what{};
  Instant at;
  friend bool operator==(const Seen&, const Seen&) = default;
};

// Was it seen, and not longer ago than that? What lies in the future was seen before the clock was moved: no.
template <class T>
bool seen_within(const std::optional<Seen<T>>& seen, Duration within, Instant now) {
  return seen && seen->at <= now && (now - seen->at) <= within;
}

// This attempt's part of one complete listing of its server.
struct PaneView {
  ServerIncarnation server;          // unknown: no server listens there
  std::optional<PaneSighting> pane;  // nothing: not in the listing
  friend bool operator==(const PaneView&, const PaneView&) = default;
};

// What was last seen of one attempt. Volatile: after a restart it is looked at again.
struct Sightings {
  std::optional<Seen<RecordSighting>> record;
  std::optional<Seen<ProcessSighting>> process;
  std::optional<Seen<PaneView>> pane;
  std::optional<Instant> sealed_at;  // our seal was first: no worker of this attempt will ever start
  std::string limit_line;            // a line of its output that matched a provider limit; empty: none
  friend bool operator==(const Sightings&, const Sightings&) = default;
};

inline constexpr Duration fresh_for = seconds(60);
inline constexpr Duration heartbeat_within = seconds(30);

Evidence weigh(const Attempt&, const Sightings&, Instant now);

inline Verdict verdict_of(const Attempt& attempt, const Sightings& seen, Instant now) {
  return judge(weigh(attempt, seen, now));
}

// The only maker of death certificates. Nothing: not certain, look again. A death that the ledger holds
// already, and an attempt for which no spawn was ever announced, are certain without a look.
std::optional<DeathCertificate> certify(const Attempt&, const Sightings&, Instant now);

// The only maker of doubts. `looked_at`: when a look at it ended last, also one that failed. Nothing: it
// lives, it is dead, or it was not looked at just now.
std::optional<Doubt> doubt_about(const Attempt&, const Sightings&, Instant looked_at, Instant now);

// Would a listing of its tmux server tell more about how it died? (The record says "hung up", or there is no
// end.)
bool cause_needs_listing(const Attempt&, const Sightings&);

// The runner is gone, something of its tree is not: nobody will record its end, and nobody reads its input.
bool orphaned(const Attempt&, const Sightings&);

// "record=ended process=gone tmux=pane-dead host=same-boot": one line for logs and explain.
std::string describe(const Evidence&);
std::string describe(const Attempt&, const Sightings&, Instant now);

}  // namespace holdfast
