#include "dispatcher/ledger/sqlite_ledger.h"

#include <sqlite3.h>

#include <condition_variable>
#include <mutex>
#include <utility>

#include "dispatcher/ledger/ledger_file.h"
#include "dispatcher/ledger/rows.h"
#include "dispatcher/ledger/schema.h"
#include "dispatcher/ledger/write_transaction.h"

namespace holdfast {

using sqlite::Committed;
using sqlite::Connection;

namespace {

struct Waiting {
  const LedgerWrite* write;
  Instant now;
  Reply<LedgerDelta> reply{};
  bool done = false;
};

bool needs_fsync(std::span<Waiting* const> batch) {
  return std::ranges::any_of(
      batch, [](const Waiting* w) { return durability_of(*w->write) == Durability::fsynced; });
}

// A program that has migrated the file in the meantime knows more than this one.
void refuse_newer_schema(Connection& db) {
  if (const int version = db.value<int>("PRAGMA user_version"); version > sqlite::newest_schema())
    db.fail(SQLITE_SCHEMA, "a newer Holdfast has migrated it to schema " + std::to_string(version) +
                               "; restart with that version");
}

}  // namespace

struct SqliteLedger::Parts {
  std::string path;
  std::string installation;
  bool writable = false;

  std::mutex writer_mutex;
  Connection writer;  // a read-only one where the ledger was opened so
  std::mutex reader_mutex;
  Connection reader;
  LedgerContents unchanging;  // under reader_mutex: slots, pauses, servers, breaker as of its seq
  bool unchanging_known = false;

  std::mutex queue_mutex;
  std::condition_variable turn;
  std::vector<Waiting*> queue;
  bool leading = false;

  Parts(std::string p, Connection w, Connection r)
      : path(std::move(p)), writer(std::move(w)), reader(std::move(r)) {}

  // --- writing

  // One transaction for all. False: it failed before COMMIT, nothing is stored, and no reply is set.
  bool transact(std::span<Waiting* const> batch) {
    writer.set_fsync_at_commit(needs_fsync(batch));
    if (!writer.failed()) writer.begin_writing();
    if (writer.failed()) {
      answer_all(batch, Committed::no);
      return true;  // the lock was not to be had: trying each alone would wait as long again, each
    }
    refuse_newer_schema(writer);
    for (Waiting* w : batch) {
      if (writer.failed()) break;
      w->reply = sqlite::judge_and_store(writer, *w->write, w->now);
    }
    if (writer.failed()) {
      writer.rollback();
      return false;
    }
    if (const Committed committed = writer.commit(); committed != Committed::yes)
      answer_all(batch, committed);
    return true;
  }

  void answer_all(std::span<Waiting* const> batch, Committed committed) {
    const RawReply raw = sqlite::storage_reply(path, writer.failure(), committed);
    for (Waiting* w : batch) w->reply = {raw, {}};
  }

  void perform(std::span<Waiting* const> batch) {
    const std::scoped_lock lock(writer_mutex);
    if (transact(batch)) return;
    if (batch.size() == 1) return answer_all(batch, Committed::no);
    for (Waiting* const& alone : batch)  // one of them spoiled it: no other is to suffer for that
      if (const std::span<Waiting* const> one(&alone, 1); !transact(one)) answer_all(one, Committed::no);
  }

  Reply<LedgerDelta> refuse_read_only() const {
    return {sqlite::storage_reply(path, {SQLITE_READONLY, "opened for reading only"}, Committed::no), {}};
  }

  // --- reading

  // One snapshot for everything that `body` reads.
  template <class T, class Body>
  Reply<T> read(Body body) {
    const std::scoped_lock lock(reader_mutex);
    Reply<T> reply;
    reader.begin_reading();
    if (!reader.failed()) reply.value = body(reader);
    if (reader.commit() == Committed::yes) {
      reply.raw.transport = Transport::answered;
      return reply;
    }
    return {sqlite::storage_reply(path, reader.failure(), Committed::no), {}};
  }

  // Everything but the tickets. Each change of it appends an event, so the same seq has the same contents.
  LedgerContents common(Connection& db) {
    const std::int64_t seq = sqlite::newest_event(db);
    if (unchanging_known && unchanging.seq == seq) return unchanging;
    LedgerContents now;
    now.seq = seq;
    now.slots = sqlite::all_slots(db);
    now.pauses = sqlite::all_pauses(db);
    now.servers = sqlite::all_servers(db);
    now.breaker = sqlite::the_breaker(db);
    unchanging_known = !db.failed();
    return unchanging = now;
  }
};

SqliteLedger::SqliteLedger(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
SqliteLedger::~SqliteLedger() = default;

// Leader and followers: whoever finds nobody at work takes along all who wait.
Reply<LedgerDelta> SqliteLedger::write(const LedgerWrite& write, Instant now) {
  if (!parts_->writable) return parts_->refuse_read_only();
  Waiting mine{&write, now};
  std::unique_lock lock(parts_->queue_mutex);
  parts_->queue.push_back(&mine);
  parts_->turn.wait(lock, [&] { return mine.done || !parts_->leading; });
  if (mine.done) return std::move(mine.reply);

  parts_->leading = true;
  const std::vector<Waiting*> batch = std::exchange(parts_->queue, {});
  lock.unlock();
  parts_->perform(batch);
  lock.lock();
  parts_->leading = false;
  for (Waiting* w : batch) w->done = true;
  lock.unlock();
  parts_->turn.notify_all();
  return std::move(mine.reply);
}

std::vector<Reply<LedgerDelta>> SqliteLedger::write_many(std::span<const LedgerWrite> writes, Instant now) {
  std::vector<Waiting> waiting;
  waiting.reserve(writes.size());
  for (const LedgerWrite& write : writes) waiting.push_back({&write, now});
  std::vector<Waiting*> batch;
  batch.reserve(writes.size());
  for (Waiting& w : waiting) batch.push_back(&w);
  if (parts_->writable && !batch.empty()) parts_->perform(batch);

  std::vector<Reply<LedgerDelta>> replies;
  replies.reserve(writes.size());
  for (Waiting& w : waiting)
    replies.push_back(parts_->writable ? std::move(w.reply) : parts_->refuse_read_only());
  return replies;
}

Reply<LedgerContents> SqliteLedger::load() {
  return parts_->read<LedgerContents>([this](Connection& db) {
    LedgerContents contents = parts_->common(db);
    for (const TicketId& ticket : sqlite::tickets_that_matter(db))
      contents.tickets.push_back(sqlite::ticket_ledger(db, ticket));
    return contents;
  });
}

Reply<LedgerContents> SqliteLedger::changes_after(std::int64_t seq) {
  return parts_->read<LedgerContents>([this, seq](Connection& db) {
    LedgerContents contents = parts_->common(db);
    if (contents.seq <= seq) return contents;
    for (const TicketId& ticket : sqlite::tickets_changed_after(db, seq))
      contents.tickets.push_back(sqlite::ticket_ledger(db, ticket));
    return contents;
  });
}

Reply<std::vector<Attempt>> SqliteLedger::attempts_of(const TicketId& ticket) {
  return parts_->read<std::vector<Attempt>>([&](Connection& db) { return sqlite::attempts_of(db, ticket); });
}

Reply<std::vector<Attempt>> SqliteLedger::open_attempts() {
  return parts_->read<std::vector<Attempt>>([](Connection& db) { return sqlite::open_attempts(db); });
}

Reply<std::vector<Message>> SqliteLedger::messages_of(const AttemptId& attempt) {
  return parts_->read<std::vector<Message>>([&](Connection& db) { return sqlite::messages_of(db, attempt); });
}

Reply<std::vector<LedgerEvent>> SqliteLedger::events_after(std::int64_t seq,
                                                           const std::optional<TicketId>& ticket,
                                                           int at_most) {
  return parts_->read<std::vector<LedgerEvent>>(
      [&](Connection& db) { return sqlite::events_after(db, seq, ticket, at_most); });
}

const std::string& SqliteLedger::path() const {
  return parts_->path;
}
const std::string& SqliteLedger::installation() const {
  return parts_->installation;
}

std::string SqliteLedger::what_is_broken() {
  const std::scoped_lock lock(parts_->reader_mutex);
  return sqlite::what_is_broken(parts_->reader);
}

std::expected<void, std::string> SqliteLedger::copy_to(const std::string& target) {
  const std::scoped_lock lock(parts_->reader_mutex);
  return sqlite::copy_to(parts_->reader, parts_->path, target);
}

std::expected<std::unique_ptr<SqliteLedger>, std::string> open_ledger(const std::string& path,
                                                                      LedgerMode mode, int busy_ms) {
  auto writer = sqlite::open_file(path, mode, busy_ms);
  if (!writer) return std::unexpected(writer.error());
  auto reader = sqlite::open_file(path, LedgerMode::read_only, busy_ms);
  if (!reader) return std::unexpected(reader.error());
  auto parts = std::make_unique<SqliteLedger::Parts>(path, std::move(*writer), std::move(*reader));
  parts->writable = mode != LedgerMode::read_only;
  parts->installation = parts->reader.value<std::string>("SELECT id FROM installation");
  if (parts->reader.failed()) return std::unexpected(sqlite::storage_words(path, parts->reader.failure()));
  return std::unique_ptr<SqliteLedger>(new SqliteLedger(std::move(parts)));
}

}  // namespace holdfast
