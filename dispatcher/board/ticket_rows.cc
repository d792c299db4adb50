#include "dispatcher/board/ticket_rows.h"

#include <sqlite3.h>

#include "dispatcher/ledger/field_list.h"

namespace holdfast::sqlite {
namespace {

constexpr auto ticket_fields = [](auto& t, auto visit) {
  visit("id", t.id);
  visit("title", t.title);
  visit("body", t.body);
  visit("state", t.state);
  visit("priority", t.priority);
  visit("profile", t.profile);
  visit("version", t.version);
  visit("created_at", t.created_at);
  visit("changed_at", t.changed_at);
  visit("reason", t.reason);
  visit("moved_by", t.moved_by);
};

constexpr auto changed_fields = [](auto& t, auto visit) {
  visit("id", t.id);
  visit("changed_seq", t.seq);
  visit("length(body)", t.bytes);
};

constexpr auto comment_fields = [](auto& c, auto visit) {
  visit("key", c.key);
  visit("at", c.at);
  visit("author", c.author);
  visit("text", c.text);
};

// Rows are never deleted and every change takes the largest number plus one, so numbers only grow.
#define NEXT_CHANGE "(SELECT coalesce(max(changed_seq), 0) + 1 FROM tickets)"

template <class Name>
std::vector<Name> names_from(Query q) {
  std::vector<Name> names;
  for (Name name; q.next();) {
    q.read(name);
    names.push_back(name);
  }
  return names;
}

}  // namespace

std::optional<BoardTicket> read_ticket(Connection& db, const TicketId& id) {
  static const std::string sql =
      "SELECT " + columns<BoardTicket>(ticket_fields) + " FROM tickets WHERE id = ?";
  auto ticket = read_first<BoardTicket>(db.query(sql, id), ticket_fields);
  if (ticket) read_lists(db, *ticket);
  return ticket;
}

void read_lists(Connection& db, BoardTicket& ticket) {
  ticket.labels = names_from<std::string>(
      db.query("SELECT label FROM ticket_labels WHERE ticket = ? ORDER BY position", ticket.id));
  ticket.depends_on = names_from<TicketId>(
      db.query("SELECT depends_on FROM dependencies WHERE ticket = ? ORDER BY position", ticket.id));
}

std::vector<TicketId> every_ticket(Connection& db) {
  return names_from<TicketId>(db.query("SELECT id FROM tickets ORDER BY created_at, id"));
}

std::vector<ChangedTicket> tickets_changed_after(Connection& db, std::int64_t cursor, int at_most) {
  static const std::string sql = "SELECT " + columns<ChangedTicket>(changed_fields) +
                                 " FROM tickets WHERE changed_seq > ? ORDER BY changed_seq LIMIT ?";
  return read_all<ChangedTicket>(db.query(sql, cursor, at_most), changed_fields);
}

void insert_ticket(Connection& db, const BoardTicket& ticket) {
  static const std::string sql = "INSERT INTO tickets(" + columns<BoardTicket>(ticket_fields) +
                                 ", changed_seq) VALUES (" + placeholders<BoardTicket>(ticket_fields) +
                                 ", " NEXT_CHANGE ")";
  {
    Query query = db.query(sql);
    bind_fields(query, ticket, ticket_fields);
    query.run();
  }
  store_labels(db, ticket);
}

void update_ticket(Connection& db, const BoardTicket& was, const BoardTicket& now) {
  static const std::string sql = "UPDATE tickets SET " + assignments<BoardTicket>(ticket_fields) +
                                 ", changed_seq = " NEXT_CHANGE " WHERE id = ? AND version = ?";
  {
    Query query = db.query(sql);
    bind_fields(query, now, ticket_fields);
    query.bind_one(was.id);
    query.bind_one(was.version);
    query.run();
    if (!db.failed() && db.changes() != 1)
      db.fail(SQLITE_CONSTRAINT,
              was.id.value + " is not at version " + std::to_string(was.version) + " any more");
  }
  if (was.labels != now.labels) store_labels(db, now);
  if (was.depends_on != now.depends_on) store_dependencies(db, now);
}

void store_labels(Connection& db, const BoardTicket& ticket) {
  db.run("DELETE FROM ticket_labels WHERE ticket = ?", ticket.id);
  for (std::size_t n = 0; n < ticket.labels.size(); ++n)
    db.run("INSERT INTO ticket_labels(ticket, position, label) VALUES (?, ?, ?)", ticket.id, n,
           ticket.labels[n]);
}

void store_dependencies(Connection& db, const BoardTicket& ticket) {
  db.run("DELETE FROM dependencies WHERE ticket = ?", ticket.id);
  for (std::size_t n = 0; n < ticket.depends_on.size(); ++n)
    db.run("INSERT INTO dependencies(ticket, position, depends_on) VALUES (?, ?, ?)", ticket.id, n,
           ticket.depends_on[n]);
}

bool append_comment(Connection& db, const TicketId& ticket, const Comment& comment) {
  db.run(
      "INSERT INTO comments(ticket, key, at, author, text) VALUES (?, ?, ?, ?, ?) "
      "ON CONFLICT(ticket, key) DO NOTHING",
      ticket, comment.key, comment.at, comment.author, comment.text);
  return db.changes() == 1;
}

std::vector<Comment> comments_of(Connection& db, const TicketId& ticket) {
  static const std::string sql =
      "SELECT " + columns<Comment>(comment_fields) + " FROM comments WHERE ticket = ? ORDER BY number";
  return read_all<Comment>(db.query(sql, ticket), comment_fields);
}

}  // namespace holdfast::sqlite
