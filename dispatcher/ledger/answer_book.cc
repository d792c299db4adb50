#include "dispatcher/ledger/answer_book.h"

#include <mutex>

#include "dispatcher/ledger/ledger_file.h"

namespace holdfast {
namespace {

using sqlite::Committed;
using sqlite::Connection;

constexpr Duration kept_for = minutes(24LL * 60);

class SqliteAnswerBook : public AnswerBook {
 public:
  SqliteAnswerBook(std::string path, Connection db) : path_(std::move(path)), db_(std::move(db)) {}

  std::expected<Look, std::string> begin(const std::string& key, const std::string& request,
                                         Instant now) override {
    const std::scoped_lock lock(mutex_);
    db_.set_fsync_at_commit(true);
    if (!db_.failed()) db_.begin_writing();
    Look look = Fresh{};
    {
      auto found =
          db_.query("SELECT request, status, type, headers, body FROM kept_answers WHERE key = ?1", key);
      if (found.next()) {
        std::string its_request;
        std::optional<int> status;
        std::optional<std::string> type, headers, body;
        found.read(its_request, status, type, headers, body);
        if (its_request != request)
          look = OtherRequest{};
        else if (!status)
          look = Begun{};
        else
          look = KeptAnswer{*status, type.value_or(""), headers.value_or(""), body.value_or("")};
      }
    }
    if (std::holds_alternative<Fresh>(look)) {
      db_.run("DELETE FROM kept_answers WHERE begun_at < ?1", Instant{now.ms - kept_for.ms});
      db_.run("INSERT INTO kept_answers(key, request, begun_at) VALUES (?1, ?2, ?3)", key, request, now);
    }
    if (db_.failed() || db_.commit() != Committed::yes)
      return std::unexpected(sqlite::storage_words(path_, db_.failure()));
    return look;
  }

  void finish(const std::string& key, const KeptAnswer& answer) override {
    change([&] {
      db_.run("UPDATE kept_answers SET status = ?2, type = ?3, headers = ?4, body = ?5 WHERE key = ?1", key,
              answer.status, answer.type, answer.headers, answer.body);
    });
  }
  void forget(const std::string& key) override {
    change([&] { db_.run("DELETE FROM kept_answers WHERE key = ?1 AND status IS NULL", key); });
  }

 private:
  // Where it cannot be written the request stays begun, which is safe.
  template <class Body>
  void change(Body body) {
    const std::scoped_lock lock(mutex_);
    db_.set_fsync_at_commit(true);
    if (!db_.failed()) db_.begin_writing();
    if (!db_.failed()) body();
    static_cast<void>(db_.commit());
  }

  std::string path_;
  std::mutex mutex_;
  Connection db_;
};

}  // namespace

std::expected<std::unique_ptr<AnswerBook>, std::string> open_answer_book(const std::string& ledger_path) {
  auto db = sqlite::open_file(ledger_path, LedgerMode::command_line);
  if (!db) return std::unexpected(db.error());
  return std::make_unique<SqliteAnswerBook>(ledger_path, std::move(*db));
}

}  // namespace holdfast
