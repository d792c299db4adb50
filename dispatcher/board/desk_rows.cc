#include "dispatcher/board/desk_rows.h"

#include <algorithm>

#include "dispatcher/board/board_file.h"
#include "dispatcher/ledger/field_list.h"

namespace holdfast::sqlite {
namespace {

constexpr auto brief_fields = [](auto& t, auto visit) {
  visit("id", t.id);
  visit("title", t.title);
  visit("state", t.state);
  visit("priority", t.priority);
  visit("profile", t.profile);
  visit("version", t.version);
  visit("created_at", t.created_at);
  visit("changed_at", t.changed_at);
  visit("reason", t.reason);
  visit("moved_by", t.moved_by);
};

constexpr auto move_fields = [](auto& m, auto visit) {
  visit("at", m.at);
  visit("from_state", m.from);
  visit("to_state", m.to);
  visit("moved_by", m.moved_by);
  visit("reason", m.reason);
};

bool has_all(const std::vector<std::string>& labels, const std::vector<std::string>& wanted) {
  return std::ranges::all_of(
      wanted, [&](const std::string& label) { return std::ranges::find(labels, label) != labels.end(); });
}

}  // namespace

bool ticket_exists(Connection& db, const TicketId& id) {
  return db.value<int>("SELECT count(*) FROM tickets WHERE id = ?", id) != 0;
}

TicketId next_free_id(Connection& db) {
  // Ids of other forms ("T-7a", "T-007") do not count; a number that was ever claimed is not given again.
  const auto largest = db.value<std::int64_t>(
      "SELECT coalesce(max(cast(substr(id, 3) AS INTEGER)), 0) FROM "
      "(SELECT id FROM tickets UNION SELECT ticket FROM memories) "
      "WHERE id GLOB 'T-[1-9]*' AND id NOT GLOB 'T-*[^0-9]*' AND length(id) < 18");
  return {"T-" + std::to_string(largest + 1)};
}

bool waits_for(Connection& db, const TicketId& ticket, const TicketId& other) {
  return db.value<int>(
             "WITH RECURSIVE reached(id) AS (SELECT ? UNION "
             "SELECT depends_on FROM dependencies JOIN reached ON dependencies.ticket = reached.id) "
             "SELECT count(*) FROM reached WHERE id = ?",
             ticket, other) != 0;
}

std::vector<BoardTicket> filtered_tickets(Connection& db, const TicketFilter& filter) {
  static const std::string sql = "SELECT " + columns<BoardTicket>(brief_fields) +
                                 " FROM tickets WHERE (? = 0 OR (? >> state) & 1) AND (?3 = '' OR "
                                 "instr(lower(id), lower(?3)) OR instr(lower(title), lower(?3)) OR "
                                 "instr(lower(body), lower(?3))) ORDER BY priority, created_at, id";
  int states = 0;
  for (const BoardState state : filter.states) states |= 1 << static_cast<int>(state);
  std::vector<BoardTicket> found;
  for (auto q = db.query(sql, states, states, filter.text); q.next();) {
    if (std::ssize(found) >= filter.at_most) break;
    auto ticket = read_fields<BoardTicket>(q, brief_fields);
    read_lists(db, ticket);
    if (has_all(ticket.labels, filter.labels)) found.push_back(std::move(ticket));
  }
  return found;
}

TicketPage ticket_page(Connection& db, BoardTicket ticket) {
  static const std::string brief =
      "SELECT " + columns<BoardTicket>(brief_fields) + " FROM tickets WHERE id = ?";
  static const std::string moves =
      "SELECT " + columns<TicketMove>(move_fields) + " FROM ticket_history WHERE ticket = ? ORDER BY number";
  TicketPage page;
  for (const TicketId& id : ticket.depends_on)
    if (auto other = read_first<BoardTicket>(db.query(brief, id), brief_fields))
      page.depends_on.push_back(std::move(*other));
  auto q = db.query("SELECT ticket FROM dependencies WHERE depends_on = ? ORDER BY ticket", ticket.id);
  for (TicketId id; q.next();) {
    q.read(id);
    page.dependents.push_back(id);
  }
  page.comments = comments_of(db, ticket.id);
  page.history = read_all<TicketMove>(db.query(moves, ticket.id), move_fields);
  page.ticket = std::move(ticket);
  return page;
}

std::vector<LineError> import_tickets(Connection& db, const std::vector<TicketLine>& lines) {
  std::vector<LineError> errors;
  for (const TicketLine& line : lines) {
    if (ticket_exists(db, line.ticket.id)) {
      errors.push_back({line.line, "/id", "is on the board already: " + line.ticket.id.value});
      continue;
    }
    insert_ticket(db, line.ticket);
    if (db.failed() && is_constraint(db.failure())) {
      errors.push_back({line.line, "/state", db.failure().words});
      db.forgive();
    }
  }
  for (const TicketLine& line : lines) {
    for (std::size_t n = 0; n < line.ticket.depends_on.size(); ++n)
      if (!ticket_exists(db, line.ticket.depends_on[n]))
        errors.push_back({line.line, "/depends_on/" + std::to_string(n),
                          "is neither on the board nor in this file: " + line.ticket.depends_on[n].value});
    if (!errors.empty()) continue;
    store_dependencies(db, line.ticket);
    for (const Comment& comment : line.comments) append_comment(db, line.ticket.id, comment);
  }
  return errors;
}

}  // namespace holdfast::sqlite
