#include "dispatcher/ledger/rows.h"

#include "dispatcher/ledger/field_list.h"

namespace holdfast::sqlite {
namespace {

constexpr auto memory_fields = [](auto& m, auto visit) {
  visit("ticket", m.ticket);
  visit("last_generation", m.last);
  visit("charged", m.charged);
  visit("free_deaths", m.free_deaths);
  visit("setup_failures", m.setup_failures);
  visit("server_losses", m.server_losses);
  visit("alone", m.alone);
  visit("not_before", m.not_before);
  visit("continue_from", m.continue_from);
};

constexpr auto slot_fields = [](auto& s, auto visit) {
  visit("id", s.id);
  visit("state", s.state);
  visit("holder_ticket", s.holder.ticket);
  visit("holder_generation", s.holder.generation);
  visit("path", s.path);
  visit("note", s.note);
};

constexpr auto message_birth = [](auto& m, auto visit) {
  visit("id", m.id);
  visit("ticket", m.attempt.ticket);
  visit("generation", m.attempt.generation);
  visit("kind", m.kind);
  visit("text", m.text);
  visit("sender", m.by);
  visit("queued_at", m.queued_at);
};
constexpr auto message_life = [](auto& m, auto visit) {
  visit("state", m.state);
  visit("changed_at", m.changed_at);
  visit("conflicts", m.conflicts);
  visit("why", m.why);
};
constexpr auto message_fields = [](auto& m, auto visit) {
  message_birth(m, visit);
  message_life(m, visit);
};

constexpr auto pause_fields = [](auto& p, auto visit) {
  visit("account", p.account);
  visit("until", p.until);
  visit("why", p.why);
};

constexpr auto server_fields = [](auto& s, auto visit) {
  visit("shard", s.shard);
  visit("pid", s.pid);
  visit("start_ticks", s.start_ticks);
};

constexpr auto event_fields = [](auto& e, auto visit) {
  visit("at", e.at);
  visit("ticket", e.attempt.ticket);
  visit("generation", e.attempt.generation);
  visit("kind", e.kind);
  visit("cause", e.cause);
  visit("evidence", e.evidence);
};
constexpr auto stored_event_fields = [](auto& e, auto visit) {
  visit("seq", e.seq);
  event_fields(e, visit);
};

template <class Row, class Fields>
std::string select(Fields fields, const std::string& from) {
  return "SELECT " + columns<Row>(fields) + " FROM " + from;
}

template <class Row, class Fields>
void run_with(Connection& db, std::string_view sql, const Row& row, Fields fields) {
  Query query = db.query(sql);
  bind_fields(query, row, fields);
  query.run();
}

}  // namespace

Memory memory_of(Connection& db, const TicketId& ticket) {
  static const std::string sql = select<Memory>(memory_fields, "memories WHERE ticket = ?");
  auto memory = read_first<Memory>(db.query(sql, ticket), memory_fields);
  if (!memory) {
    memory.emplace();
    memory->ticket = ticket;
    return *memory;
  }
  auto q = db.query("SELECT branch FROM waivers WHERE ticket = ? ORDER BY position", ticket);
  for (std::string branch; q.next();) {
    q.read(branch);
    memory->waived.push_back(branch);
  }
  return *memory;
}

std::optional<Slot> slot_of(Connection& db, const SlotId& id) {
  static const std::string sql = select<Slot>(slot_fields, "slots WHERE id = ?");
  return read_first<Slot>(db.query(sql, id), slot_fields);
}

std::optional<Slot> first_free_slot(Connection& db) {
  static const std::string sql = select<Slot>(slot_fields, "slots WHERE state = 0 ORDER BY id LIMIT 1");
  return read_first<Slot>(db.query(sql), slot_fields);
}

std::optional<Slot> slot_leased_to(Connection& db, const AttemptId& holder) {
  static const std::string sql =
      select<Slot>(slot_fields, "slots WHERE state = 1 AND holder_ticket = ? AND holder_generation = ?");
  return read_first<Slot>(db.query(sql, holder.ticket, holder.generation), slot_fields);
}

std::vector<Slot> all_slots(Connection& db) {
  static const std::string sql = select<Slot>(slot_fields, "slots ORDER BY id");
  return read_all<Slot>(db.query(sql), slot_fields);
}

std::optional<Message> message_of(Connection& db, const MessageId& id) {
  static const std::string sql = select<Message>(message_fields, "messages WHERE id = ?");
  return read_first<Message>(db.query(sql, id), message_fields);
}

std::vector<Message> messages_of(Connection& db, const AttemptId& attempt) {
  static const std::string sql =
      select<Message>(message_fields, "messages WHERE ticket = ? AND generation = ? ORDER BY number");
  return read_all<Message>(db.query(sql, attempt.ticket, attempt.generation), message_fields);
}

std::vector<AccountPause> all_pauses(Connection& db) {
  static const std::string sql = select<AccountPause>(pause_fields, "account_pauses ORDER BY account");
  return read_all<AccountPause>(db.query(sql), pause_fields);
}

std::vector<ServerIncarnation> all_servers(Connection& db) {
  static const std::string sql = select<ServerIncarnation>(server_fields, "tmux_servers ORDER BY shard");
  return read_all<ServerIncarnation>(db.query(sql), server_fields);
}

Breaker the_breaker(Connection& db) {
  Breaker breaker;
  breaker.open_until = db.value<Instant>("SELECT open_until FROM breaker");
  auto q = db.query("SELECT at FROM young_deaths ORDER BY position");
  for (Instant at; q.next();) {
    q.read(at);
    breaker.young_deaths.push_back(at);
  }
  return breaker;
}

std::int64_t newest_event(Connection& db) {
  return db.value<std::int64_t>("SELECT coalesce(max(seq), 0) FROM events");
}

std::vector<LedgerEvent> events_after(Connection& db, std::int64_t seq, const std::optional<TicketId>& ticket,
                                      int at_most) {
  static const std::string all =
      select<LedgerEvent>(stored_event_fields, "events WHERE seq > ? ORDER BY seq LIMIT ?");
  static const std::string of_one =
      select<LedgerEvent>(stored_event_fields, "events WHERE seq > ? AND ticket = ? ORDER BY seq LIMIT ?");
  return read_all<LedgerEvent>(ticket ? db.query(of_one, seq, *ticket, at_most) : db.query(all, seq, at_most),
                               stored_event_fields);
}

void store_memory(Connection& db, const Memory& memory) {
  static const std::string update =
      "UPDATE memories SET " + assignments<Memory>(memory_fields) + " WHERE ticket = ?";
  static const std::string insert = insert_into<Memory>("memories", memory_fields);
  const Memory was = memory_of(db, memory.ticket);
  {
    Query query = db.query(update);
    bind_fields(query, memory, memory_fields);
    query.bind_one(memory.ticket);
    query.run();
  }
  if (db.changes() == 0) run_with(db, insert, memory, memory_fields);
  if (was.waived == memory.waived) return;
  db.run("DELETE FROM waivers WHERE ticket = ?", memory.ticket);
  for (std::size_t n = 0; n < memory.waived.size(); ++n)
    db.run("INSERT INTO waivers(ticket, position, branch) VALUES (?, ?, ?)", memory.ticket, n,
           memory.waived[n]);
}

void store_slot(Connection& db, const Slot& slot) {
  static const std::string update = "UPDATE slots SET " + assignments<Slot>(slot_fields) + " WHERE id = ?";
  static const std::string insert = insert_into<Slot>("slots", slot_fields);
  {
    Query query = db.query(update);
    bind_fields(query, slot, slot_fields);
    query.bind_one(slot.id);
    query.run();
  }
  if (db.changes() == 0) run_with(db, insert, slot, slot_fields);
}

void insert_message(Connection& db, const Message& message) {
  static const std::string sql = insert_into<Message>("messages", message_fields);
  run_with(db, sql, message, message_fields);
}

void update_message(Connection& db, const Message& message) {
  static const std::string sql =
      "UPDATE messages SET " + assignments<Message>(message_life) + " WHERE id = ?";
  Query query = db.query(sql);
  bind_fields(query, message, message_life);
  query.bind_one(message.id);
  query.run();
}

void store_pause(Connection& db, const AccountPause& pause) {
  static const std::string sql = insert_into<AccountPause>("account_pauses", pause_fields) +
                                 " ON CONFLICT DO UPDATE SET until = excluded.until, why = excluded.why";
  run_with(db, sql, pause, pause_fields);
}

void store_server(Connection& db, const ServerIncarnation& server) {
  static const std::string sql =
      insert_into<ServerIncarnation>("tmux_servers", server_fields) +
      " ON CONFLICT DO UPDATE SET pid = excluded.pid, start_ticks = excluded.start_ticks";
  run_with(db, sql, server, server_fields);
}

void store_breaker(Connection& db, const Breaker& breaker) {
  db.run("UPDATE breaker SET open_until = ?", breaker.open_until);
  db.run("DELETE FROM young_deaths");
  for (std::size_t n = 0; n < breaker.young_deaths.size(); ++n)
    db.run("INSERT INTO young_deaths(position, at) VALUES (?, ?)", n, breaker.young_deaths[n]);
}

std::int64_t append_event(Connection& db, const LedgerEvent& event) {
  static const std::string sql = insert_into<LedgerEvent>("events", event_fields);
  run_with(db, sql, event, event_fields);
  return db.last_rowid();
}

}  // namespace holdfast::sqlite
