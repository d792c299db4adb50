#include "dispatcher/board/desk.h"

#include <algorithm>
#include <mutex>

#include "dispatcher/board/board_file.h"
#include "dispatcher/board/desk_rows.h"
#include "dispatcher/board/ticket_checks.h"
#include "dispatcher/board/ticket_rows.h"
#include "dispatcher/core/words.h"

namespace holdfast {

using sqlite::Committed;
using sqlite::Connection;

namespace {

std::unexpected<DeskError> no(int status, std::string words) {
  return std::unexpected(DeskError{status, std::move(words)});
}

std::string person(const std::string& by) {
  return by.empty() ? "person" : "person:" + by;
}

constexpr std::int64_t page_bytes_max = 32LL << 20;
constexpr std::size_t key_bytes_max = 120;

// Never a person's name: those are "person" and "person:...".
bool is_transition_key(const std::string& key) {
  return !key.empty() && key.size() <= key_bytes_max && key != "person" &&
         std::ranges::all_of(key, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                  c == '_';
         });
}

std::optional<DeskError> wrong_dependency(Connection& db, const BoardTicket& ticket) {
  for (const TicketId& id : ticket.depends_on) {
    if (!sqlite::ticket_exists(db, id)) return DeskError{sqlite::http_unprocessable, "no ticket " + id.value};
    if (sqlite::waits_for(db, id, ticket.id))
      return DeskError{sqlite::http_unprocessable,
                       id.value + " waits for " + ticket.id.value + " already; they would wait for ever"};
  }
  return std::nullopt;
}

std::optional<DeskError> wrong_values(const BoardTicket& ticket) {
  const auto wrong = what_is_wrong_with(ticket);
  if (!wrong) return std::nullopt;
  return DeskError{sqlite::http_unprocessable, wrong->path.substr(1) + " " + wrong->words};
}

}  // namespace

struct Desk::Parts {
  std::string path;
  std::mutex mutex;
  Connection db;

  Parts(std::string p, Connection c) : path(std::move(p)), db(std::move(c)) {}

  [[nodiscard]] std::unexpected<DeskError> failed() const {
    return no(sqlite::http_code(db.failure().code), sqlite::words_of(path, db.failure()));
  }

  // What the body wrote is kept only if it has an answer.
  template <class T, class Body>
  DeskAnswer<T> write(Body body) {
    const std::scoped_lock lock(mutex);
    db.set_fsync_at_commit(true);
    if (!db.failed()) db.begin_writing();
    if (db.failed()) return failed();
    DeskAnswer<T> answer = body(db);
    if (!answer && !db.failed()) {
      db.rollback();
      return answer;
    }
    if (db.commit() != Committed::yes) return failed();
    return answer;
  }

  template <class T, class Body>
  DeskAnswer<T> look(Body body) {
    const std::scoped_lock lock(mutex);
    db.begin_reading();
    DeskAnswer<T> answer = T{};
    if (!db.failed()) answer = body(db);
    if (db.commit() != Committed::yes) return failed();
    return answer;
  }

  // Reads, lets `change` work on a copy, checks, stores under the next version.
  template <class Change>
  DeskAnswer<BoardTicket> change(const TicketId& id, std::optional<std::int64_t> expected, Instant now,
                                 Change change) {
    return write<BoardTicket>([&](Connection&) -> DeskAnswer<BoardTicket> {
      const auto was = sqlite::read_ticket(db, id);
      if (!was) return no(sqlite::http_not_found, "no ticket " + id.value);
      if (expected && *expected != was->version)
        return no(sqlite::http_conflict, id.value + " was changed meanwhile (version " +
                                             std::to_string(was->version) + ", not " +
                                             std::to_string(*expected) + ")");
      BoardTicket is = *was;
      change(is);
      if (auto wrong = wrong_values(is)) return std::unexpected(*wrong);
      if (is.depends_on != was->depends_on)
        if (auto wrong = wrong_dependency(db, is)) return std::unexpected(*wrong);
      if (is == *was) return is;
      is.version += 1;
      is.changed_at = now;
      sqlite::update_ticket(db, *was, is);
      return is;
    });
  }
};

Desk::Desk(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Desk::~Desk() = default;

DeskAnswer<BoardTicket> Desk::add(const NewTicket& asked, const std::string& by, Instant now) {
  if (auto wrong = what_is_wrong_with_person(by))
    return no(sqlite::http_unprocessable, "your name " + *wrong);
  return parts_->write<BoardTicket>([&](Connection& db) -> DeskAnswer<BoardTicket> {
    BoardTicket t;
    t.id = asked.id.empty() ? sqlite::next_free_id(db) : asked.id;
    t.title = asked.title;
    t.body = asked.body;
    t.state = asked.state;
    t.priority = asked.priority;
    t.profile = asked.profile;
    t.labels = asked.labels;
    t.depends_on = asked.depends_on;
    t.version = 1;
    t.created_at = t.changed_at = now;
    t.moved_by = person(by);
    if (auto wrong = wrong_values(t)) return std::unexpected(*wrong);
    if (sqlite::ticket_exists(db, t.id)) return no(sqlite::http_conflict, t.id.value + " is there already");
    if (auto wrong = wrong_dependency(db, t)) return std::unexpected(*wrong);
    sqlite::insert_ticket(db, t);
    sqlite::store_dependencies(db, t);
    return t;
  });
}

DeskAnswer<BoardTicket> Desk::edit(const TicketId& id, const TicketEdit& edit, Instant now) {
  return parts_->change(id, edit.expected_version, now, [&](BoardTicket& t) {
    if (edit.title) t.title = *edit.title;
    if (edit.body) t.body = *edit.body;
    if (edit.profile) t.profile = *edit.profile;
    if (edit.priority) t.priority = *edit.priority;
    if (edit.labels) t.labels = *edit.labels;
    if (edit.depends_on) t.depends_on = *edit.depends_on;
  });
}

DeskAnswer<BoardTicket> Desk::move(const TicketId& id, BoardState to, const std::string& reason,
                                   const std::string& by, Instant now,
                                   std::optional<std::int64_t> expected_version) {
  if (auto wrong = what_is_wrong_with_person(by))
    return no(sqlite::http_unprocessable, "your name " + *wrong);
  return parts_->change(id, expected_version, now, [&](BoardTicket& t) {
    if (t.state == to) return;  // it is there; whose move that was stays on record
    t.state = to;
    t.reason = reason;
    t.moved_by = person(by);
  });
}

DeskAnswer<sqlite::Comment> Desk::comment(const TicketId& id, const std::string& text, const std::string& by,
                                          Instant now) {
  if (auto wrong = what_is_wrong_with_person(by))
    return no(sqlite::http_unprocessable, "your name " + *wrong);
  if (text.empty()) return no(sqlite::http_unprocessable, "a comment needs a text");
  if (auto wrong = what_is_wrong_with_text(text))
    return no(sqlite::http_unprocessable, "the comment " + *wrong);
  return parts_->write<sqlite::Comment>([&](Connection& db) -> DeskAnswer<sqlite::Comment> {
    if (!sqlite::ticket_exists(db, id)) return no(sqlite::http_not_found, "no ticket " + id.value);
    sqlite::Comment comment{"", now, by, text};
    const auto there = std::ssize(sqlite::comments_of(db, id));
    for (auto n = there + 1;; ++n) {
      comment.key = "person-" + std::to_string(n);
      if (sqlite::append_comment(db, id, comment) || db.failed()) return comment;
    }
  });
}

DeskAnswer<BoardTicket> Desk::transition(const TicketId& id, const TicketTransition& t, Instant now) {
  if (!is_transition_key(t.key))
    return no(sqlite::http_unprocessable, "key: expected 1 to 120 letters, digits, - and _");
  return parts_->write<BoardTicket>([&](Connection& db) -> DeskAnswer<BoardTicket> {
    const auto was = sqlite::read_ticket(db, id);
    if (!was) return no(sqlite::http_not_found, "no ticket " + id.value);
    if (was->version != t.expected_version)
      return no(sqlite::http_conflict, id.value + " is at version " + std::to_string(was->version) +
                                           ", not " + std::to_string(t.expected_version));
    if (t.from && was->state != *t.from)
      return no(sqlite::http_conflict,
                id.value + " is " + words_for(was->state) + ", not " + words_for(*t.from));
    if (was->state == BoardState::done || was->state == BoardState::cancelled) {
      if (was->state == t.to) return *was;
      return no(sqlite::http_unprocessable,
                id.value + " is " + words_for(was->state) + "; only a person opens it again");
    }
    BoardTicket is = *was;
    is.state = t.to;
    is.reason = t.reason;
    is.moved_by = t.key;
    is.version += 1;
    is.changed_at = now;
    if (auto wrong = wrong_values(is)) return std::unexpected(*wrong);
    sqlite::update_ticket(db, *was, is);
    return is;
  });
}

DeskAnswer<bool> Desk::comment_once(const TicketId& id, const std::string& key, const std::string& text,
                                    const std::string& by, Instant now) {
  if (!is_transition_key(key))
    return no(sqlite::http_unprocessable, "key: expected 1 to 120 letters, digits, - and _");
  if (auto wrong = what_is_wrong_with_person(by))
    return no(sqlite::http_unprocessable, "your name " + *wrong);
  if (text.empty()) return no(sqlite::http_unprocessable, "a comment needs a text");
  if (auto wrong = what_is_wrong_with_text(text))
    return no(sqlite::http_unprocessable, "the comment " + *wrong);
  return parts_->write<bool>([&](Connection& db) -> DeskAnswer<bool> {
    if (!sqlite::ticket_exists(db, id)) return no(sqlite::http_not_found, "no ticket " + id.value);
    return sqlite::append_comment(db, id, {key, now, by, text});
  });
}

DeskAnswer<BoardChanges> Desk::changes_after(std::int64_t cursor, int at_most) {
  return parts_->look<BoardChanges>([&](Connection& db) -> DeskAnswer<BoardChanges> {
    BoardChanges changes;
    changes.cursor = cursor;
    std::int64_t bytes = 0;
    for (const auto& changed : sqlite::tickets_changed_after(db, cursor, at_most + 1)) {
      if (std::ssize(changes.tickets) == at_most || bytes > page_bytes_max) {
        changes.complete = false;
        break;
      }
      if (auto ticket = sqlite::read_ticket(db, changed.id)) changes.tickets.push_back(std::move(*ticket));
      changes.cursor = changed.seq;
      bytes += changed.bytes;
    }
    return changes;
  });
}

DeskAnswer<std::vector<BoardTicket>> Desk::list(const TicketFilter& filter) {
  return parts_->look<std::vector<BoardTicket>>(
      [&](Connection& db) { return sqlite::filtered_tickets(db, filter); });
}

DeskAnswer<TicketPage> Desk::show(const TicketId& id) {
  return parts_->look<TicketPage>([&](Connection& db) -> DeskAnswer<TicketPage> {
    auto ticket = sqlite::read_ticket(db, id);
    if (!ticket) return no(sqlite::http_not_found, "no ticket " + id.value);
    return sqlite::ticket_page(db, std::move(*ticket));
  });
}

std::expected<Imported, std::vector<LineError>> Desk::import_lines(std::string_view text,
                                                                   const std::string& by, Instant now) {
  TicketLines read = parse_ticket_lines(text, now);
  if (!read.errors.empty()) return std::unexpected(std::move(read.errors));
  Imported imported;
  for (TicketLine& line : read.lines) {
    BoardTicket& t = line.ticket;
    t.moved_by = person(by);
    ++imported.tickets;
    if (t.state != BoardState::in_progress) continue;
    t.state = BoardState::blocked;
    t.reason = "it was in progress where it was exported: retry it once its worker there has ended";
    ++imported.held;
  }
  std::vector<LineError> errors;
  const auto added = parts_->write<Imported>([&](Connection& db) -> DeskAnswer<Imported> {
    errors = sqlite::import_tickets(db, read.lines);
    if (!errors.empty()) return no(sqlite::http_unprocessable, "");
    return imported;
  });
  if (added) return *added;
  if (errors.empty()) errors.push_back({0, "", added.error().words});
  return std::unexpected(std::move(errors));
}

DeskAnswer<std::string> Desk::export_lines() {
  return parts_->look<std::string>([](Connection& db) {
    std::string lines;
    for (const TicketId& id : sqlite::every_ticket(db))
      if (const auto ticket = sqlite::read_ticket(db, id))
        lines += ticket_line(*ticket, sqlite::comments_of(db, id));
    return lines;
  });
}

std::expected<std::unique_ptr<Desk>, std::string> open_desk(const std::string& path, LedgerMode mode) {
  auto db = sqlite::open_file(path, mode);
  if (!db) return std::unexpected(db.error());
  return std::unique_ptr<Desk>(new Desk(std::make_unique<Desk::Parts>(path, std::move(*db))));
}

}  // namespace holdfast
