// What the runner writes down, as text: the decision and the lines of the record.
//
// A line is "<milliseconds since the epoch> <word> <key>=<value> ...\n", values percent-encoded. A last line
// without its newline is torn and counts for nothing; a word or key that a reader does not know is passed
// over, so that an older dispatcher can read a newer runner's record.
//
//   started   version                                first line; the decision file says who
//   containment cgroup ceiling                       before the worker may exec, often before `go`
//   gone-ahead                                       `go` was seen
//   worker    boot pidns pid ticks                   before the worker may exec
//   running                                          exec succeeded
//   ready     by
//   message   id state [why]                         state: handing, handed, consumed, refused
//   end       [code] [signal] core oom evidence reason empty user-ms system-ms peak-rss-kib
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dispatcher/core/attempt_sightings.h"

namespace holdfast {

using RecordFields = std::vector<std::pair<std::string_view, std::string>>;
std::string record_line(Instant at, std::string_view word, const RecordFields& fields = {});

RecordFields identity_fields(const ProcessIdentity&);
RecordFields end_fields(const WorkerEnd&);

// handing and handed look the same to the dispatcher: bytes may have reached the worker's terminal.
enum class MessageStep { handing, handed, consumed, refused };
std::string message_line(Instant at, const MessageId&, MessageStep, std::string_view why = {});

// Reads all complete lines into the sighting; safe for any input. Messages are added in the order they were
// handed.
void absorb_record(std::string_view text, RecordSighting& into);

// The decision file. One line, as above: "<ms> started boot=... pidns=... pid=... ticks=..." or "<ms> sealed
// why=...".
struct DecisionReading {
  Decision decision = Decision::unreadable;
  ProcessIdentity runner;  // of started
  Instant at;
  std::string why;  // of sealed
};
std::string started_text(Instant at, const ProcessIdentity& runner);
std::string sealed_text(Instant at, std::string_view why);
DecisionReading parse_decision(std::string_view text);

}  // namespace holdfast
