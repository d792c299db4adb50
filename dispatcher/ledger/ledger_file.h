// The file that ledger and built-in board share: opened, checked, brought to the newest schema, and spoken
// about in sentences that name it.
#pragma once

#include <expected>
#include <string>

#include "dispatcher/core/raw_reply.h"
#include "dispatcher/ledger/ledger_mode.h"
#include "dispatcher/ledger/sqlite_connection.h"

namespace holdfast::sqlite {

// The error is one line for a person, naming the file and the way out.
std::expected<Connection, std::string> open_file(const std::string& path, LedgerMode,
                                                 int busy_ms = ledger_busy_ms);

// One line for a person: what failed, on which file, and what to do.
std::string storage_words(const std::string& path, const Failure&);

// The raw reply of a failed transaction.
RawReply storage_reply(const std::string& path, const Failure&, Committed);

// PRAGMA integrity_check and foreign_key_check. Empty: all is well.
std::string what_is_broken(Connection&);

// A consistent copy at `target`, which must not exist; fsynced.
std::expected<void, std::string> copy_to(Connection&, const std::string& path, const std::string& target);

}  // namespace holdfast::sqlite
