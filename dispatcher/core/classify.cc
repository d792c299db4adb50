#include "dispatcher/core/classify.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <string_view>

#include "dispatcher/core/board_answers.h"
#include "dispatcher/core/effects.h"

namespace holdfast {

struct RefusalMaker {
  static Outcome make(Why why, std::string words) { return Refused(why, std::move(words)); }
};

namespace {

Outcome refused(Why why, const RawReply& raw) {
  return RefusalMaker::make(why, raw.error.empty() ? raw.text : raw.error);
}

Outcome unknown(const RawReply& raw) {
  std::string words = raw.error.empty() ? raw.text : raw.error;
  if (words.empty()) words = "code " + std::to_string(raw.code);
  return Unknown{std::move(words)};
}

bool mentions(const RawReply& raw, std::initializer_list<std::string_view> any) {
  return std::ranges::any_of(any, [&](std::string_view words) {
    return raw.error.find(words) != std::string::npos || raw.text.find(words) != std::string::npos;
  });
}

// SQLite's primary result codes, and the rules' own refusals. A refused statement was rolled back.
Outcome from_ledger(const RawReply& raw) {
  switch (raw.code) {
    case 0: return Done{};
    case 100'001: return refused(Why::conflict, raw);
    case 100'002: return refused(Why::stale, raw);
    case 100'003: return refused(Why::exhausted, raw);
    case 100'004: return refused(Why::invalid, raw);
    default: break;
  }
  switch (raw.code & 0xFF) {
    case 5:                                        // SQLITE_BUSY
    case 6: return refused(Why::busy, raw);        // SQLITE_LOCKED
    case 8: return refused(Why::denied, raw);      // SQLITE_READONLY
    case 13: return refused(Why::exhausted, raw);  // SQLITE_FULL: rolled back
    case 11:                                       // SQLITE_CORRUPT
    case 26: return refused(Why::invalid, raw);    // SQLITE_NOTADB
    case 19: return refused(Why::invalid, raw);    // SQLITE_CONSTRAINT: the second net has caught it
    default: return unknown(raw);                  // SQLITE_IOERR and its like: perhaps stored
  }
}

// HTTP, whatever carries it: core/board_answers has the table.
Outcome from_board(const RawReply& raw) {
  const BoardMeaning meaning = meaning_of(board_said(raw));
  switch (meaning.known) {
    case Known::done: return Done{};
    case Known::refused: return refused(meaning.why, raw);
    case Known::unknown: return unknown(raw);
  }
  __builtin_unreachable();
}

// errno of a file operation or of a signal. EIO may have happened; so may anything that is not listed.
Outcome from_files(const RawReply& raw) {
  switch (raw.code) {
    case 0: return Done{};
    case 11: return refused(Why::not_ready, raw);   // EAGAIN: "runtime is not ready for input, status=..."
    case 3: return refused(Why::gone, raw);         // ESRCH
    case 2: return refused(Why::gone, raw);         // ENOENT
    case 16: return refused(Why::busy, raw);        // EBUSY
    case 17: return refused(Why::conflict, raw);    // EEXIST
    case 12:                                        // ENOMEM
    case 23:                                        // ENFILE
    case 24:                                        // EMFILE
    case 28:                                        // ENOSPC
    case 122: return refused(Why::exhausted, raw);  // EDQUOT
    case 1:                                         // EPERM
    case 13:                                        // EACCES
    case 30: return refused(Why::denied, raw);      // EROFS
    case 7:                                         // E2BIG
    case 22:                                        // EINVAL
    case 36: return refused(Why::invalid, raw);     // ENAMETOOLONG
    default: return unknown(raw);
  }
}

// tmux says %end (0) or %error (1) with words. Of a spawn only "duplicate session" is certain to have changed
// nothing: the client reports other failures also where the session was created.
Outcome from_tmux(Call call, const RawReply& raw) {
  if (raw.code == 0) return Done{};
  if (call == Call::spawn && mentions(raw, {"duplicate session"})) return refused(Why::conflict, raw);
  if (mentions(raw, {"unknown command", "too many arguments", "invalid option", "usage:", "parse error"}))
    return refused(Why::invalid, raw);
  return unknown(raw);
}

// git: 0, or a number with words. A command that was killed (128 + signal) or that fails without saying why
// may have done a part of its work; so may one whose later step met a full disk or a closed door. The
// adapter's own words ("cannot write ...") were said before anything was changed.
Outcome from_git(Call call, const RawReply& raw) {
  if (raw.code == 0) return Done{};
  if (mentions(raw, {"dirty:"})) return refused(Why::dirty, raw);
  if (mentions(raw, {"stale lease"})) return refused(Why::stale, raw);
  if (mentions(raw, {"missing:"})) return refused(Why::invalid, raw);
  if (raw.code > 128 && raw.code < 128 + 65) return unknown(raw);
  if (mentions(raw, {".lock", "Unable to create", "could not lock", "busy:"})) return refused(Why::busy, raw);
  if (mentions(raw, {"already exists", "already used by worktree", "already checked out", "is already used"}))
    return refused(Why::conflict, raw);
  if (mentions(raw, {"not a commit", "invalid reference", "unknown revision", "not a valid object name",
                     "Needed a single revision", "couldn't find remote ref"}))
    return refused(Why::invalid, raw);
  // ssh refuses a push before anything is sent.
  if (call == Call::push && mentions(raw, {"Permission denied (", "Authentication failed"}))
    return refused(Why::denied, raw);
  if (!only_reads(call) && !raw.error.starts_with("cannot ")) return unknown(raw);
  if (mentions(raw, {"No space left", "Disk quota exceeded"})) return refused(Why::exhausted, raw);
  if (mentions(raw, {"Permission denied", "Read-only file system"})) return refused(Why::denied, raw);
  return unknown(raw);
}

}  // namespace

Family family_of(Call call) {
  switch (call) {
    case Call::ledger_load:
    case Call::ledger_changes:
    case Call::ledger_write: return Family::ledger;
    case Call::board_changes:
    case Call::board_read:
    case Call::board_move:
    case Call::board_return:
    case Call::board_comment: return Family::board;
    case Call::spec_write:
    case Call::seal:
    case Call::go:
    case Call::post:
    case Call::look:
    case Call::record_list:
    case Call::tree_end: return Family::files;
    case Call::server_start:
    case Call::spawn:
    case Call::server_list:
    case Call::session_end:
    case Call::notice: return Family::tmux;
    case Call::pool_ensure:
    case Call::prepare:
    case Call::inspect:
    case Call::pin:
    case Call::salvage:
    case Call::release:
    case Call::land:
    case Call::push:
    case Call::traces: return Family::git;
  }
  __builtin_unreachable();
}

Outcome classify(Call call, const RawReply& raw) {
  if (family_of(call) == Family::board) return from_board(raw);
  switch (raw.transport) {
    case Transport::never_sent: return refused(Why::busy, raw);
    case Transport::no_answer:
    case Transport::cut: return unknown(raw);
    case Transport::answered: break;
  }
  switch (family_of(call)) {
    case Family::ledger: return from_ledger(raw);
    case Family::board: return from_board(raw);
    case Family::files: return from_files(raw);
    case Family::tmux: return from_tmux(call, raw);
    case Family::git: return from_git(call, raw);
  }
  __builtin_unreachable();
}

}  // namespace holdfast
