#include "dispatcher/ledger/ledger_file.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>

#include "dispatcher/ledger/schema.h"

namespace holdfast::sqlite {
namespace {

using Error = std::unexpected<std::string>;

bool fsync_path(const std::string& path, int flags) {
  const int fd = ::open(path.c_str(), flags | O_CLOEXEC);
  if (fd < 0) return false;
  const bool done = ::fsync(fd) == 0;
  ::close(fd);
  return done;
}

int user_version(Connection& db) {
  return db.value<int>("PRAGMA user_version");
}

bool is_empty(Connection& db) {
  return db.value<int>("SELECT count(*) FROM sqlite_schema") == 0;
}

// SQLite says neither of them by name, and says "disk I/O error" or "unable to open" for both.
enum class Disk { fine, full, read_only };
Disk disk_of(const std::string& path) {
  struct statvfs seen{};
  const std::string folder = std::filesystem::path(path).parent_path().string();
  if (::statvfs(folder.empty() ? "." : folder.c_str(), &seen) != 0) return Disk::fine;
  if ((seen.f_flag & ST_RDONLY) != 0) return Disk::read_only;
  return seen.f_blocks > 0 && seen.f_bavail == 0 ? Disk::full : Disk::fine;
}

// "" where nothing of an installation lies beside the file.
std::string used_beside(const std::string& path) {
  const auto folder = std::filesystem::path(path).parent_path();
  std::error_code none;
  for (const char* name : {"records", "pool"})
    for (std::filesystem::directory_iterator at(folder / name, none), end; !none && at != end;
         at.increment(none))
      if (at->path().filename() != "wake") return (folder / name).string();
  return "";
}

// A crash or a full disk may leave a file without a byte. Made anew, it would forget every ticket and
// attempt.
std::expected<void, std::string> check_is_not_emptied(Connection& db, const std::string& path) {
  if (!is_empty(db) || db.failed()) return {};
  const std::string used = used_beside(path);
  if (used.empty()) return {};
  return Error(
      path + ": is empty, and " + used +
      " is not: the ledger was damaged; nothing was changed; restore a "
      "backup, or remove the empty file and let `holdfast up` begin a new one above every attempt that "
      "it finds");
}

// Switching to WAL needs the file alone for a moment and does not wait for it by itself.
void use_wal(Connection& db, int busy_ms) {
  for (int waited_ms = 0;; waited_ms += 5) {
    db.forgive();
    if (db.value<std::string>("PRAGMA journal_mode") == "wal") return;
    db.run("PRAGMA journal_mode = WAL");
    if (!db.failed() || (db.failure().code & 0xff) != SQLITE_BUSY || waited_ms >= busy_ms) return;
    sqlite3_sleep(5);
  }
}

// Nothing is known of a file that is not ours, so nothing is done to it.
std::expected<void, std::string> check_is_ours(Connection& db, const std::string& path) {
  const int application = db.value<int>("PRAGMA application_id");
  const int version = user_version(db);
  const bool empty = is_empty(db);
  if (db.failed()) return Error(storage_words(path, db.failure()));
  if (empty) return {};
  if (application != application_id)
    return Error(path + ": is an SQLite database, but not a Holdfast ledger; give another path");
  if (version > newest_schema())
    return Error(path + ": was written by a newer Holdfast (schema " + std::to_string(version) +
                 ", this one knows up to " + std::to_string(newest_schema()) +
                 "); use that version, or restore the copy made before its migration");
  return {};
}

std::string free_backup_name(const std::string& path, int version) {
  const std::string stem = path + ".v" + std::to_string(version) + ".bak";
  std::string name = stem;
  for (int n = 2; std::filesystem::exists(name); ++n) name = stem + "-" + std::to_string(n);
  return name;
}

std::expected<void, std::string> migrate(Connection& db, const std::string& path, int busy_ms) {
  const int seen = user_version(db);
  const bool empty = is_empty(db);
  if (db.failed()) return Error(storage_words(path, db.failure()));
  if (!empty && seen == newest_schema()) return {};
  if (!empty)
    if (auto copied = copy_to(db, path, free_backup_name(path, seen)); !copied)
      return Error(copied.error() + " (before its migration, which was not begun)");
  if (empty) use_wal(db, busy_ms);
  if (db.failed()) return Error(storage_words(path, db.failure()));

  db.set_fsync_at_commit(true);
  db.begin_writing();
  const auto steps = schema_steps();
  const auto from = static_cast<std::size_t>(user_version(db));  // somebody else may have been faster
  for (std::size_t n = from; n < steps.size(); ++n) db.execute(steps[n]);
  if (from < steps.size()) {
    db.execute(readable_views());
    db.execute("PRAGMA user_version = " + std::to_string(steps.size()));
    db.execute("PRAGMA application_id = " + std::to_string(application_id));
  }
  if (db.commit() != Committed::yes)
    return Error(storage_words(path, db.failure()) + " (the schema is unchanged)");
  return {};
}

}  // namespace

std::expected<Connection, std::string> open_file(const std::string& path, LedgerMode mode, int busy_ms) {
  const bool reading = mode == LedgerMode::read_only;
  if (path.empty() || path.starts_with(":") || path.starts_with("file:"))
    return Error("\"" + path + "\": the ledger needs the path of a file");
  std::error_code none;
  const bool was_there = std::filesystem::exists(path, none);
  auto db = Connection::open(path, reading ? Access::read_only : Access::read_write_create, busy_ms);
  if (!db) return Error(storage_words(path, db.error()));
  if (auto ours = check_is_ours(*db, path); !ours) return Error(ours.error());
  if (was_there)
    if (auto whole = check_is_not_emptied(*db, path); !whole) return Error(whole.error());
  if (reading) {
    const bool empty = is_empty(*db);
    const int version = user_version(*db);
    if (empty) return Error(path + ": is empty; start the dispatcher once to set it up");
    if (version < newest_schema())
      return Error(path + ": has the older schema " + std::to_string(version) +
                   "; start the dispatcher once to migrate it");
  } else {
    if (auto migrated = migrate(*db, path, busy_ms); !migrated) return Error(migrated.error());
    use_wal(*db, busy_ms);
  }
  if (!reading && !db->failed() && sqlite3_db_readonly(db->handle(), "main") == 1)
    db->fail(SQLITE_READONLY, "no permission to write");  // SQLite fell back to reading
  if (mode == LedgerMode::dispatcher) {
    const auto first_line = db->value<std::string>("PRAGMA quick_check(1)");
    if (!db->failed() && first_line != "ok") db->fail(SQLITE_CORRUPT, first_line);
  }
  if (db->failed()) return Error(storage_words(path, db->failure()));
  return std::move(*db);
}

std::string storage_words(const std::string& path, const Failure& failure) {
  std::string said = failure.words + " [" + std::to_string(failure.code) + "]";
  std::ranges::replace(said, '\n', ' ');  // one line
  const int code = failure.code & 0xff;
  if (code == SQLITE_READONLY || code == SQLITE_CANTOPEN || code == SQLITE_IOERR) switch (disk_of(path)) {
      case Disk::fine: break;
      case Disk::full:
        return path + ": no space is left for it, the disk is full; nothing was changed, free some: " + said;
      case Disk::read_only:
        return path +
               ": cannot be written, its file system is mounted read-only; nothing was changed: " + said;
    }
  switch (code) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return path + ": another process keeps it locked; nothing was changed, try again: " + said;
    case SQLITE_FULL:
      return path + ": no space is left for it, the disk is full; nothing was changed, free some: " + said;
    case SQLITE_READONLY:
      return path +
             ": cannot be written; nothing was changed, check the owner and the mode of the file and its "
             "folder: " +
             said;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return path +
             ": is damaged; stop the dispatcher, move the file aside and restore a backup (running workers "
             "are found again): " +
             said;
    case SQLITE_CANTOPEN:
      return path + ": cannot be opened; check that its folder exists and may be written: " + said;
    case SQLITE_IOERR:
      return path + ": the disk did not do what was asked; look at the kernel's log: " + said;
    case SQLITE_PERM:
    case SQLITE_AUTH: return path + ": no permission: " + said;
    default: return path + ": " + said;
  }
}

RawReply storage_reply(const std::string& path, const Failure& failure, Committed committed) {
  RawReply reply;
  reply.transport = committed == Committed::maybe ? Transport::cut : Transport::answered;
  reply.code = failure.code;
  reply.error = storage_words(path, failure);
  return reply;
}

std::string what_is_broken(Connection& db) {
  std::string broken;
  db.forgive();
  {
    auto q = db.query("PRAGMA integrity_check(20)");
    for (std::string line; q.next();) {
      q.read(line);
      if (line != "ok") broken += line + "\n";
    }
  }
  auto q = db.query("PRAGMA foreign_key_check");
  for (std::string table; q.next();) {
    q.read(table);
    broken += "a row of " + table + " refers to one that is not there\n";
  }
  if (db.failed()) broken += db.failure().words + "\n";
  db.forgive();
  return broken;
}

std::expected<void, std::string> copy_to(Connection& db, const std::string& path, const std::string& target) {
  std::error_code ignored;
  if (std::filesystem::exists(target, ignored)) return Error(target + ": is there already");
  const std::string partial = target + ".partial";
  std::filesystem::remove(partial, ignored);
  db.forgive();
  db.run("VACUUM INTO ?", partial);
  if (db.failed()) {
    auto words = storage_words(path, db.failure());
    db.forgive();
    std::filesystem::remove(partial, ignored);
    return Error(words + " (copying to " + target + ")");
  }
  const std::string folder = std::filesystem::absolute(target).parent_path();
  // link() refuses an existing name, which rename() would overwrite.
  const bool there = fsync_path(partial, O_RDWR) && ::link(partial.c_str(), target.c_str()) == 0;
  const int number = errno;
  std::filesystem::remove(partial, ignored);
  if (!there) return Error(target + ": cannot be made: " + std::strerror(number));
  fsync_path(folder, O_RDONLY | O_DIRECTORY);
  return {};
}

}  // namespace holdfast::sqlite
