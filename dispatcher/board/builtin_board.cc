#include "dispatcher/board/builtin_board.h"

#include <algorithm>
#include <mutex>

#include "dispatcher/board/board_file.h"
#include "dispatcher/board/ticket_rows.h"
#include "dispatcher/core/names.h"
#include "dispatcher/core/words.h"

namespace holdfast {

using sqlite::Committed;
using sqlite::Connection;

namespace {

constexpr int ok = sqlite::http_ok, not_found = sqlite::http_not_found, conflict = sqlite::http_conflict,
              unprocessable = sqlite::http_unprocessable;
constexpr std::int64_t bytes_at_a_time = 32LL << 20;

bool is_terminal(BoardState state) {
  return state == BoardState::done || state == BoardState::cancelled;
}

template <class T>
Reply<T> answer(int code, std::string words, T value = {}) {
  Reply<T> reply;
  reply.raw.transport = Transport::answered;
  reply.raw.code = code;
  reply.raw.error = std::move(words);
  reply.value = std::move(value);
  return reply;
}

struct Transition {
  TicketId ticket;
  std::int64_t expected_version;
  BoardState to;
  const std::string& reason;
  std::string by;
};

}  // namespace

struct BuiltinBoard::Parts {
  std::string path;
  std::mutex writer_mutex;
  Connection writer;
  std::mutex reader_mutex;
  Connection reader;

  Parts(std::string p, Connection w, Connection r)
      : path(std::move(p)), writer(std::move(w)), reader(std::move(r)) {}

  template <class T>
  Reply<T> storage_error(const Connection& db, Committed committed) const {
    Reply<T> reply{sqlite::storage_reply(path, db.failure(), committed), {}};
    reply.raw.code = sqlite::http_code(reply.raw.code);
    return reply;
  }

  // The body answers; what it wrote is kept only with a 200.
  template <class T, class Body>
  Reply<T> transact(bool fsync, Body body) {
    const std::scoped_lock lock(writer_mutex);
    writer.set_fsync_at_commit(fsync);
    if (!writer.failed()) writer.begin_writing();
    if (writer.failed()) return storage_error<T>(writer, Committed::no);
    Reply<T> reply = body(writer);
    if (!writer.failed() && reply.raw.code != ok) {
      writer.rollback();
      return reply;
    }
    const Committed committed = writer.commit();
    return committed == Committed::yes ? reply : storage_error<T>(writer, committed);
  }

  template <class T, class Body>
  Reply<T> look(Body body) {
    const std::scoped_lock lock(reader_mutex);
    reader.begin_reading();
    Reply<T> reply;
    if (!reader.failed()) reply = body(reader);
    return reader.commit() == Committed::yes ? reply : storage_error<T>(reader, Committed::no);
  }

  Reply<BoardTicket> transition(const Transition& t, Instant now) {
    // That a ticket is in progress can be learned again from the ledger; everything else cannot.
    const bool fsync = t.to != BoardState::in_progress;
    return transact<BoardTicket>(fsync, [&](Connection& db) -> Reply<BoardTicket> {
      const auto was = sqlite::read_ticket(db, t.ticket);
      if (!was) return answer<BoardTicket>(not_found, "no ticket " + t.ticket.value);
      if (was->version != t.expected_version)
        return answer(conflict,
                      t.ticket.value + " is at version " + std::to_string(was->version) + ", not " +
                          std::to_string(t.expected_version),
                      *was);
      if (is_terminal(was->state)) {
        if (was->state == t.to) return answer(ok, "", *was);
        return answer(unprocessable,
                      t.ticket.value + " is " + words_for(was->state) + "; only a person opens it again",
                      *was);
      }
      BoardTicket is = *was;
      is.state = t.to;
      is.reason = t.reason;
      is.moved_by = t.by;
      is.version += 1;
      is.changed_at = now;
      sqlite::update_ticket(db, *was, is);
      if (db.failed() && sqlite::is_constraint(db.failure())) {
        const std::string words = db.failure().words;
        db.forgive();
        return answer(conflict, t.ticket.value + ": " + words, *was);
      }
      return answer(ok, "", is);
    });
  }
};

BuiltinBoard::BuiltinBoard(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
BuiltinBoard::~BuiltinBoard() = default;

Reply<BoardChanges> BuiltinBoard::changes_after(std::int64_t cursor, int at_most) {
  const int limit = std::clamp(at_most, 1, 1000);
  return parts_->look<BoardChanges>([&](Connection& db) {
    BoardChanges changes;
    changes.cursor = cursor;
    std::int64_t bytes = 0;
    for (const auto& changed : sqlite::tickets_changed_after(db, cursor, limit + 1)) {
      if (std::ssize(changes.tickets) == limit || bytes > bytes_at_a_time) {
        changes.complete = false;
        break;
      }
      if (auto ticket = sqlite::read_ticket(db, changed.id)) changes.tickets.push_back(std::move(*ticket));
      changes.cursor = changed.seq;
      bytes += changed.bytes;
    }
    return answer(ok, "", std::move(changes));
  });
}

Reply<BoardTicket> BuiltinBoard::read(const TicketId& id) {
  return parts_->look<BoardTicket>([&](Connection& db) {
    auto ticket = sqlite::read_ticket(db, id);
    return ticket ? answer(ok, "", std::move(*ticket))
                  : answer<BoardTicket>(not_found, "no ticket " + id.value);
  });
}

Reply<BoardTicket> BuiltinBoard::move(const BoardMove& move, Instant now) {
  if (move.to == BoardState::todo)
    return answer<BoardTicket>(unprocessable, "only a death certificate leads back to todo");
  return parts_->transition({move.ticket, move.expected_version, move.to, move.reason, move.key}, now);
}

Reply<BoardTicket> BuiltinBoard::return_to_todo(const DeathCertificate& certificate,
                                                std::int64_t expected_version, const std::string& reason,
                                                Instant now) {
  const AttemptId& attempt = certificate.attempt();
  return parts_->transition(
      {attempt.ticket, expected_version, BoardState::todo, reason, attempt_key(attempt)}, now);
}

Reply<Nothing> BuiltinBoard::comment(const TicketId& ticket, const std::string& key, const std::string& text,
                                     Instant now) {
  return parts_->transact<Nothing>(true, [&](Connection& db) {
    if (!sqlite::read_ticket(db, ticket)) return answer<Nothing>(not_found, "no ticket " + ticket.value);
    sqlite::append_comment(db, ticket, {key, now, "dispatcher", text});
    return answer<Nothing>(ok, "");
  });
}

std::expected<std::unique_ptr<BuiltinBoard>, std::string> open_board(const std::string& path, LedgerMode mode,
                                                                     int busy_ms) {
  auto writer = sqlite::open_file(path, mode, busy_ms);
  if (!writer) return std::unexpected(writer.error());
  auto reader = sqlite::open_file(path, LedgerMode::read_only, busy_ms);
  if (!reader) return std::unexpected(reader.error());
  return std::unique_ptr<BuiltinBoard>(
      new BuiltinBoard(std::make_unique<BuiltinBoard::Parts>(path, std::move(*writer), std::move(*reader))));
}

}  // namespace holdfast
