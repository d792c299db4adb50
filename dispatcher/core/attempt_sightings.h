// What can be seen of one attempt from its record folder and its processes, and the orders its runner gets.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dispatcher/core/ids.h"
#include "dispatcher/core/instant.h"

namespace holdfast {

enum class ReadyBy { started, hook_file, pattern };  // started: as soon as the worker has exec'ed

// The runner's orders. Strings may hold any byte but NUL.
struct RunnerSpec {
  AttemptId attempt;
  std::string token;  // unguessable; in the worker's environment as HOLDFAST_TOKEN
  std::string working_directory;
  std::vector<std::string> argv;         // the worker
  std::vector<std::string> environment;  // complete: "KEY=VALUE"; the runner adds its own HOLDFAST_* to it
  ReadyBy ready_by = ReadyBy::started;
  std::string ready_pattern;  // plain text that the worker's output must contain, escapes removed
  Duration go_ahead_within = seconds(60);  // without a go-ahead for so long, the runner ends itself
  Duration enter_delay =
      millis(150);  // between a pasted text and its Enter (some TUIs drop an Enter that comes at once)
  Duration term_grace = seconds(5);              // TERM to KILL when the runner has to end the tree itself
  std::int64_t memory_limit_bytes = 0;           // 0: none
  std::string cgroup_parent;                     // empty: find one
  std::int64_t stream_limit_bytes = 64LL << 20;  // past it the stream file keeps its head and its tail
  int columns = 200;
  int rows = 50;
};

enum class Decision { none, started, sealed, unreadable };

// How the worker ended, as the runner saw it from waitpid and the cgroup.
enum class OomEvidence { none_seen, killed, unknown };  // killed: the cgroup's oom_kill counter rose
struct WorkerEnd {
  std::optional<int> exit_code;
  std::optional<int> signal;
  bool core_dumped = false;
  OomEvidence oom = OomEvidence::unknown;
  std::string oom_evidence;  // "memory.oom_control oom_kill 0 -> 1", "no memory cgroup"
  std::string reason;        // why the runner ended it, where it did: "", "hangup", "term", "no-go-ahead",
                             // "exec-failed: ..."
  bool tree_empty = false;   // every descendant was reaped and the cgroup was seen empty
  std::int64_t user_ms = 0, system_ms = 0, peak_rss_kib = 0;
  friend bool operator==(const WorkerEnd&, const WorkerEnd&) = default;
};

enum class MessageProgress { absent, posted, handed, consumed, refused };
// posted: in the inbox. handed: written to the worker's terminal. consumed: the worker has read every byte of
// it.
struct MessageSighting {
  MessageId id;
  MessageProgress progress = MessageProgress::absent;
  std::string why;  // for refused
  friend bool operator==(const MessageSighting&, const MessageSighting&) = default;
};

struct RecordSighting {
  Decision decision = Decision::none;
  ProcessIdentity runner;       // from `started`
  ProcessIdentity worker;       // from the record, known before the worker's exec
  std::string cgroup;           // absolute folder, empty: none
  std::string memory_ceiling;   // "cgroup-v2", "cgroup-v1", "rlimit", "none: <why>"
  bool gone_ahead = false;      // the runner has seen `go`
  bool worker_running = false;  // exec succeeded
  bool ready = false;
  bool accepted = false;                         // the worker's hook said that it took the prompt
  Instant started_at, ready_at, last_output_at;  // last_output_at: mtime of the stream
  std::int64_t stream_bytes = 0;
  std::vector<MessageSighting> messages;
  std::optional<WorkerEnd> end;
  friend bool operator==(const RecordSighting&, const RecordSighting&) = default;
};

enum class SealAnswer { sealed, already_started };

// Everything that may belong to an attempt's runtime.
struct Containment {
  AttemptId attempt;
  std::string token;
  std::string cgroup;  // empty: none
  ProcessIdentity runner, worker;
  std::string working_directory;  // worktree of the attempt, for the scan
};

enum class Presence { present, gone, unknown };
struct ProcessSighting {
  Presence host =
      Presence::unknown;  // present: same boot id. gone: the boot id has changed since the runner started
  Presence runner = Presence::unknown;
  Presence worker = Presence::unknown;
  Presence cgroup = Presence::unknown;  // gone: empty or removed. unknown also where there is none
  Presence descendants =
      Presence::unknown;           // complete scan of /proc for token and worktree; gone: found nothing
  bool scanned = false;            // /proc was walked for that, completely or as far as it may be read
  std::vector<std::int64_t> pids;  // what was found, at most 64
  // The kernel's own count in its cgroup, read once the runner is gone; not set: there is none to read (any
  // more).
  std::optional<std::int64_t> oom_kills;
  std::string note;  // why something is unknown
  friend bool operator==(const ProcessSighting&, const ProcessSighting&) = default;
};

enum class EndSignal { term, kill };

}  // namespace holdfast
