// One SQLite connection as plain calls: statements prepared once, bound by type, and an error that sticks.
//
// The first failure of a transaction is kept, and from then on every call does nothing, so that row code
// needs no checks of its own. Whoever began the transaction looks at failed() before it believes what was
// read and before it commits. Not for use by two threads at once.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "dispatcher/core/ids.h"
#include "dispatcher/core/instant.h"
#include "dispatcher/ledger/enum_ranges.h"

struct sqlite3;
struct sqlite3_stmt;

namespace holdfast::sqlite {

struct Failure {
  int code = 0;  // SQLite's extended result code
  std::string words;
};

enum class Access { read_write_create, read_write, read_only };

// Did the transaction take hold? `maybe`: its last frame may be in the log although the answer was an error.
enum class Committed { yes, no, maybe };

class Connection;

// A statement in use. Goes back to its connection's cache when it goes out of scope.
class Query {
 public:
  Query(Query&&) noexcept;
  Query& operator=(Query&&) = delete;
  ~Query();

  bool next();  // true: a row can be read
  void run() {
    while (next()) {
    }
  }

  // Reads the row's columns from left to right.
  template <class... T>
  void read(T&... out) {
    column_ = 0;
    (read_one(out), ...);
  }
  template <class T>
  void read_one(T& out);

  template <class T>
  void bind_one(const T& value);

 private:
  friend class Connection;
  Query(Connection& owner, std::string_view sql, sqlite3_stmt* statement)
      : owner_(&owner), sql_(sql), statement_(statement) {}

  void bind_integer(std::int64_t);
  void bind_text(std::string_view);
  void bind_null();
  [[nodiscard]] std::int64_t integer() const;
  [[nodiscard]] std::string text() const;
  [[nodiscard]] bool null() const;
  void out_of_range(std::int64_t value);

  Connection* owner_;
  std::string_view sql_;
  sqlite3_stmt* statement_;  // nullptr: the connection has failed
  int parameter_ = 0;
  int column_ = 0;
};

class Connection {
 public:
  static std::expected<Connection, Failure> open(const std::string& path, Access, int busy_ms);
  Connection(Connection&&) noexcept;
  Connection& operator=(Connection&&) = delete;
  ~Connection();

  // Any number of statements without parameters.
  void execute(const std::string& sql);

  // `sql` must outlive the connection (a literal, or a static string): it is the cache's key.
  template <class... T>
  Query query(std::string_view sql, const T&... parameters) {
    Query q = prepare(sql);
    (q.bind_one(parameters), ...);
    return q;
  }
  template <class... T>
  void run(std::string_view sql, const T&... parameters) {
    query(sql, parameters...).run();
  }
  // The first column of the first row, or a default.
  template <class T, class... P>
  T value(std::string_view sql, const P&... parameters) {
    T out{};
    if (Query q = query(sql, parameters...); q.next()) q.read(out);
    return out;
  }

  // Clears an earlier failure. A reader's transaction is deferred, a writer's takes the write lock at once.
  void begin_reading();
  void begin_writing();
  // Rolls back where anything has failed.
  Committed commit();
  void rollback();

  [[nodiscard]] bool failed() const { return failure_.code != 0; }
  [[nodiscard]] const Failure& failure() const { return failure_; }
  void fail(int code, std::string words);
  void forgive() { failure_ = {}; }
  [[nodiscard]] std::int64_t changes() const;  // rows touched by the last statement
  [[nodiscard]] std::int64_t last_rowid() const;
  [[nodiscard]] sqlite3* handle() const { return handle_; }

  // FULL or NORMAL; outside a transaction only. Clears an earlier failure.
  void set_fsync_at_commit(bool);

 private:
  friend class Query;
  explicit Connection(sqlite3* handle) : handle_(handle) {}
  Query prepare(std::string_view sql);
  void fail_with_message(int code);

  sqlite3* handle_;
  Failure failure_;
  std::multimap<std::string_view, sqlite3_stmt*> idle_;
  std::optional<bool> fsync_at_commit_;
};

// --- by type
// --------------------------------------------------------------------------------------------------------

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;

template <class T>
void Query::bind_one(const T& value) {
  if constexpr (is_optional<T>) {
    if (value)
      bind_one(*value);
    else
      bind_null();
  } else if constexpr (std::is_enum_v<T> || std::is_integral_v<T>)
    bind_integer(static_cast<std::int64_t>(value));
  else if constexpr (std::is_same_v<T, Instant>)
    bind_integer(value.ms);
  else if constexpr (std::is_same_v<T, Generation>)
    bind_integer(value.value);
  else if constexpr (std::is_convertible_v<const T&, std::string_view>)
    bind_text(value);
  else
    bind_text(value.value);  // a Name
}

template <class T>
void Query::read_one(T& out) {
  if (statement_ == nullptr) return;
  if constexpr (is_optional<T>) {
    if (null()) {
      out.reset();
      ++column_;
    } else
      read_one(out.emplace());
    return;
  } else if constexpr (std::is_enum_v<T>) {
    const std::int64_t number = integer();
    if (number < 0 || number > last_enumerator<T>)
      out_of_range(number);
    else
      out = static_cast<T>(number);
  } else if constexpr (std::is_same_v<T, bool>)
    out = integer() != 0;
  else if constexpr (std::is_integral_v<T>)
    out = static_cast<T>(integer());
  else if constexpr (std::is_same_v<T, Instant>)
    out.ms = integer();
  else if constexpr (std::is_same_v<T, Generation>)
    out.value = static_cast<std::uint32_t>(integer());
  else if constexpr (std::is_same_v<T, std::string>)
    out = text();
  else
    out.value = text();  // a Name
  ++column_;
}

}  // namespace holdfast::sqlite
