// What the driver asks of an attempt's record folder, of the processes behind it, and of its cgroup.
//
// The record folder is shared with the runner, which writes it whether or not any dispatcher is alive:
//
//   spec              written by the dispatcher before the spawn; the runner's orders
//   decision          created exclusively (link(2) of a complete, fsynced file): "started ..." by the runner
//   as its
//                     first act, or "sealed ..." by the dispatcher. Whoever comes second loses.
//   go                created by the dispatcher: the runner may start the worker
//   record            append-only lines by the runner, each fsynced before the act that it announces
//   stream            everything the worker wrote to its terminal, byte for byte
//   inbox/NNNN-<id>   messages for the worker, complete when they appear (rename)
//   ready, accepted   touched by the worker's own hook
//   busy              there while the worker, by its own hook, takes no input
//   said              lines written by the worker's hook: "DONE: ...", "REVIEW: ...", "QUESTION: ..."
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dispatcher/core/attempt_sightings.h"
#include "dispatcher/ports/reply.h"

namespace holdfast {

class Records {
 public:
  virtual ~Records() = default;
  // Creates the folder and writes `spec` (and `prompt`, where it is not empty), fsynced. An argument of the
  // worker that is "{prompt_file}" becomes the path of `prompt`. Repeating it is fine before the spawn.
  virtual Reply<Nothing> write_spec(const RunnerSpec&, const std::string& prompt = {}) = 0;
  // Exclusive creation of `decision`. Done says who holds it now; sealing twice answers sealed again.
  virtual Reply<SealAnswer> seal(const AttemptId&, const std::string& why) = 0;
  virtual Reply<Nothing> give_go(const AttemptId&) = 0;  // idempotent
  // Puts a message into the inbox unless it is there already or was handed already (by id): never twice.
  // code EAGAIN with a reason where the runtime cannot take it now ("runtime is not ready for input,
  // status=..."), ESRCH where the runtime has ended.
  virtual Reply<Nothing> post_message(const AttemptId&, const MessageId&, const std::string& text) = 0;
  virtual Reply<RecordSighting> read(const AttemptId&) = 0;
  // Bytes of the stream from `offset`; short at the end. `value` empty at the end of the file. Where the
  // bytes at `offset` were dropped (the stream is bounded): code ENODATA, and raw.text is the first offset
  // that is kept.
  virtual Reply<std::string> read_stream(const AttemptId&, std::int64_t offset, std::int64_t at_most) = 0;
  // Complete lines of `said` from `offset`.
  virtual Reply<std::string> read_said(const AttemptId&, std::int64_t offset) = 0;
  virtual Reply<std::vector<AttemptId>> list() = 0;
};

class Processes {
 public:
  virtual ~Processes() = default;
  // Looks at one attempt. `scan`: also walk /proc for the token and the worktree (costs about 10 us a
  // process).
  virtual Reply<ProcessSighting> look(const Containment&, bool scan) = 0;
  // Signals the whole containment, each process by pidfd after its identity was checked; never a bare pid.
  // The runner is told too (it ends its tree and records how). Done says the signals were sent, not that
  // anybody died.
  virtual Reply<Nothing> end_tree(const Containment&, EndSignal) = 0;
};

}  // namespace holdfast
