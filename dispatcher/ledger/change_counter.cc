#include "dispatcher/ledger/change_counter.h"

#include <mutex>

#include "dispatcher/ledger/ledger_file.h"

namespace holdfast {
namespace {

class DataVersion final : public ChangeCounter {
 public:
  explicit DataVersion(sqlite::Connection db) : db_(std::move(db)) {}

  // Of a connection that never writes, so that everybody else's commits count, those of this process too.
  std::optional<std::int64_t> now() override {
    const std::scoped_lock lock(mutex_);
    db_.forgive();
    const auto version = db_.value<std::int64_t>("PRAGMA data_version");
    if (db_.failed()) return std::nullopt;
    return version;
  }

 private:
  std::mutex mutex_;
  sqlite::Connection db_;
};

}  // namespace

std::expected<std::unique_ptr<ChangeCounter>, std::string> open_change_counter(
    const std::string& ledger_path) {
  auto db = sqlite::open_file(ledger_path, LedgerMode::read_only, 0);
  if (!db) return std::unexpected(db.error());
  return std::make_unique<DataVersion>(std::move(*db));
}

}  // namespace holdfast
