#include "dispatcher/ledger/sqlite_connection.h"

#include <sqlite3.h>

#include <cstring>
#include <utility>

namespace holdfast::sqlite {
namespace {

// At COMMIT, these say that the last frame is not in the log: BUSY leaves the transaction open, FULL is a
// short write (the frame's checksum is then wrong), a constraint is checked before anything is written.
// Anything else, an fsync that failed above all, may have left a whole transaction in the log.
bool certainly_not_committed(int code) {
  const int primary = code & 0xff;
  return primary == SQLITE_BUSY || primary == SQLITE_LOCKED || primary == SQLITE_FULL ||
         primary == SQLITE_CONSTRAINT || primary == SQLITE_READONLY || primary == SQLITE_MISUSE;
}

std::string message_of(sqlite3* handle) {
  std::string words = sqlite3_errmsg(handle);
  const int primary = sqlite3_errcode(handle) & 0xff;
  const int number = sqlite3_system_errno(handle);
  if (number != 0 && (primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN || primary == SQLITE_FULL))
    words += std::string(": ") + std::strerror(number);
  return words;
}

}  // namespace

// --- Query
// ----------------------------------------------------------------------------------------------------------

Query::Query(Query&& other) noexcept
    : owner_(other.owner_),
      sql_(other.sql_),
      statement_(std::exchange(other.statement_, nullptr)),
      parameter_(other.parameter_),
      column_(other.column_) {}

Query::~Query() {
  if (statement_ == nullptr) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
  owner_->idle_.emplace(sql_, statement_);
}

bool Query::next() {
  if (statement_ == nullptr || owner_->failed()) return false;
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) owner_->fail_with_message(code);
  return false;
}

void Query::bind_integer(std::int64_t value) {
  if (statement_ != nullptr) sqlite3_bind_int64(statement_, ++parameter_, value);
}

// Bound without a copy where SQLite allows it would need the caller's text to outlive the statement; a copy
// is cheaper than that rule.
void Query::bind_text(std::string_view value) {
  if (statement_ == nullptr) return;
  const char* data = value.data() == nullptr ? "" : value.data();
  const int code =
      sqlite3_bind_text64(statement_, ++parameter_, data, value.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  if (code != SQLITE_OK) owner_->fail_with_message(code);
}

void Query::bind_null() {
  if (statement_ != nullptr) sqlite3_bind_null(statement_, ++parameter_);
}

std::int64_t Query::integer() const {
  return sqlite3_column_int64(statement_, column_);
}

std::string Query::text() const {
  const auto* data = sqlite3_column_blob(statement_, column_);
  const int size = sqlite3_column_bytes(statement_, column_);
  return data == nullptr ? std::string()
                         : std::string(static_cast<const char*>(data), static_cast<std::size_t>(size));
}

bool Query::null() const {
  return sqlite3_column_type(statement_, column_) == SQLITE_NULL;
}

void Query::out_of_range(std::int64_t value) {
  const char* column = sqlite3_column_name(statement_, column_);
  owner_->fail(SQLITE_CORRUPT, "column " + std::string(column == nullptr ? "?" : column) +
                                   " holds the unknown number " + std::to_string(value));
}

// --- Connection
// -----------------------------------------------------------------------------------------------------

std::expected<Connection, Failure> Connection::open(const std::string& path, Access access, int busy_ms) {
  int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  switch (access) {
    case Access::read_write_create: flags |= SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE; break;
    case Access::read_write: flags |= SQLITE_OPEN_READWRITE; break;
    case Access::read_only: flags |= SQLITE_OPEN_READONLY; break;
  }
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &handle, flags, nullptr);
  if (code != SQLITE_OK) {
    Failure failure{code, handle == nullptr ? "out of memory" : message_of(handle)};
    sqlite3_close_v2(handle);
    return std::unexpected(std::move(failure));
  }
  Connection connection(handle);
  sqlite3_busy_timeout(handle, busy_ms);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  connection.execute("PRAGMA foreign_keys = ON; PRAGMA cell_size_check = ON;");
  if (connection.failed()) return std::unexpected(connection.failure());
  return connection;
}

Connection::Connection(Connection&& other) noexcept
    : handle_(std::exchange(other.handle_, nullptr)),
      failure_(std::move(other.failure_)),
      idle_(std::exchange(other.idle_, {})),
      fsync_at_commit_(other.fsync_at_commit_) {}

Connection::~Connection() {
  for (const auto& [sql, statement] : idle_) sqlite3_finalize(statement);
  sqlite3_close_v2(handle_);
}

void Connection::execute(const std::string& sql) {
  if (failed()) return;
  const int code = sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail_with_message(code);
}

Query Connection::prepare(std::string_view sql) {
  if (failed()) return {*this, sql, nullptr};
  if (const auto found = idle_.find(sql); found != idle_.end()) {
    Query q{*this, sql, found->second};
    idle_.erase(found);
    return q;
  }
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) fail_with_message(code);
  return {*this, sql, statement};
}

void Connection::begin_reading() {
  forgive();
  run("BEGIN");
}

void Connection::begin_writing() {
  forgive();
  run("BEGIN IMMEDIATE");
}

Committed Connection::commit() {
  if (failed()) {
    rollback();
    return Committed::no;
  }
  run("COMMIT");
  if (!failed()) return Committed::yes;
  rollback();
  return certainly_not_committed(failure_.code) ? Committed::no : Committed::maybe;
}

// Keeps the failure that led here.
void Connection::rollback() {
  if (sqlite3_get_autocommit(handle_) == 0) sqlite3_exec(handle_, "ROLLBACK", nullptr, nullptr, nullptr);
}

void Connection::fail(int code, std::string words) {
  if (!failed()) failure_ = {code, std::move(words)};
}

void Connection::fail_with_message(int code) {
  fail(code, message_of(handle_));
}

std::int64_t Connection::changes() const {
  return failed() ? 0 : sqlite3_changes64(handle_);
}

std::int64_t Connection::last_rowid() const {
  return sqlite3_last_insert_rowid(handle_);
}

void Connection::set_fsync_at_commit(bool fsync) {
  forgive();
  if (fsync_at_commit_ == fsync) return;
  execute(fsync ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
  if (!failed()) fsync_at_commit_ = fsync;
}

}  // namespace holdfast::sqlite
