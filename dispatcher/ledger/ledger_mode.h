// Who opens the ledger's file, and what for.
#pragma once

namespace holdfast {

// dispatcher: creates the file where it is missing, migrates it, checks its pages.
// command_line: a second process that writes; creates and migrates too, without the check.
// read_only: changes nothing; works beside a writing dispatcher (plan, explain, doctor).
enum class LedgerMode { dispatcher, command_line, read_only };

// How long a call waits for another process's write lock before it answers that the file is busy.
inline constexpr int ledger_busy_ms = 5000;

}  // namespace holdfast
