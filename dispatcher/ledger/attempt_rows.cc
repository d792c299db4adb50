// Attempts, and the refs of what was salvaged from them.
#include <sqlite3.h>

#include "dispatcher/core/names.h"
#include "dispatcher/ledger/field_list.h"
#include "dispatcher/ledger/rows.h"

namespace holdfast::sqlite {
namespace {

// Given at the claim and never changed.
constexpr auto birth_fields = [](auto& a, auto visit) {
  visit("ticket", a.id.ticket);
  visit("generation", a.id.generation);
  visit("slot", a.slot);
  visit("token", a.token);
  visit("profile", a.profile);
  visit("branch", a.branch);
  visit("start_point", a.start);
  visit("shard", a.shard);
  visit("session", a.session);
  visit("claimed_at", a.claimed_at);
};

constexpr auto life_fields = [](auto& a, auto visit) {
  visit("phase", a.phase);
  visit("step", a.step);
  visit("revision", a.revision);
  visit("base", a.base);
  visit("worktree", a.worktree);
  visit("server_shard", a.server.shard);
  visit("server_pid", a.server.pid);
  visit("server_start_ticks", a.server.start_ticks);
  visit("session_id", a.session_id);
  visit("pane_id", a.pane_id);
  visit("runner_boot_id", a.runner.boot_id);
  visit("runner_pid_namespace", a.runner.pid_namespace);
  visit("runner_pid", a.runner.pid);
  visit("runner_start_ticks", a.runner.start_ticks);
  visit("worker_boot_id", a.worker.boot_id);
  visit("worker_pid_namespace", a.worker.pid_namespace);
  visit("worker_pid", a.worker.pid);
  visit("worker_start_ticks", a.worker.start_ticks);
  visit("cgroup", a.cgroup);
  visit("spawned_at", a.spawned_at);
  visit("ready_at", a.ready_at);
  visit("running_at", a.running_at);
  visit("changed_at", a.changed_at);
  visit("said", a.said);
  visit("said_text", a.said_text);
  visit("said_offset", a.said_offset);
  visit("wish", a.wish);
  visit("wish_by", a.wish_by);
  visit("ending", a.ending);
  visit("ending_at", a.ending_at);
  visit("cause", a.cause);
  visit("exit_code", a.exit_code);
  visit("evidence", a.evidence);
  visit("died_at", a.died_at);
  visit("disposition", a.disposition);
  visit("reason", a.reason);
  visit("last_words", a.last_words);
  visit("branch_facts", a.branch_facts);
  visit("settled", a.settled);
  visit("attention", a.attention);
};

constexpr auto attempt_fields = [](auto& a, auto visit) {
  birth_fields(a, visit);
  life_fields(a, visit);
};

std::string select_attempts(const std::string& rest) {
  return "SELECT " + columns<Attempt>(attempt_fields) + " FROM runtimes " + rest;
}

void read_salvage(Connection& db, Attempt& attempt) {
  if (attempt.open()) return;  // told at the close
  auto q = db.query("SELECT ref FROM salvage_refs WHERE ticket = ? AND generation = ? ORDER BY position",
                    attempt.id.ticket, attempt.id.generation);
  for (std::string ref; q.next();) {
    q.read(ref);
    attempt.salvage_refs.push_back(ref);
  }
}

void store_salvage(Connection& db, const Attempt& attempt) {
  db.run("DELETE FROM salvage_refs WHERE ticket = ? AND generation = ?", attempt.id.ticket,
         attempt.id.generation);
  for (std::size_t n = 0; n < attempt.salvage_refs.size(); ++n)
    db.run("INSERT INTO salvage_refs(ticket, generation, position, ref) VALUES (?, ?, ?, ?)",
           attempt.id.ticket, attempt.id.generation, n, attempt.salvage_refs[n]);
}

std::vector<Attempt> with_salvage(Connection& db, std::vector<Attempt> attempts) {
  for (Attempt& attempt : attempts) read_salvage(db, attempt);
  return attempts;
}

}  // namespace

std::optional<Attempt> newest_attempt(Connection& db, const TicketId& ticket) {
  static const std::string sql = select_attempts("WHERE ticket = ? ORDER BY generation DESC LIMIT 1");
  auto attempt = read_first<Attempt>(db.query(sql, ticket), attempt_fields);
  if (attempt) read_salvage(db, *attempt);
  return attempt;
}

std::vector<Attempt> attempts_of(Connection& db, const TicketId& ticket) {
  static const std::string sql = select_attempts("WHERE ticket = ? ORDER BY generation");
  return with_salvage(db, read_all<Attempt>(db.query(sql, ticket), attempt_fields));
}

std::vector<Attempt> open_attempts(Connection& db) {
  static const std::string sql = select_attempts("WHERE phase <> 7 ORDER BY ticket");
  return read_all<Attempt>(db.query(sql), attempt_fields);
}

void insert_attempt(Connection& db, const Attempt& attempt) {
  static const std::string sql = insert_into<Attempt>("runtimes", attempt_fields);
  {
    Query query = db.query(sql);
    bind_fields(query, attempt, attempt_fields);
    query.run();
  }
  if (!attempt.salvage_refs.empty()) store_salvage(db, attempt);
}

void update_attempt(Connection& db, const Attempt& was, const Attempt& now) {
  static const std::string sql = "UPDATE runtimes SET " + assignments<Attempt>(life_fields) +
                                 " WHERE ticket = ? AND generation = ? AND revision = ?";
  {
    Query query = db.query(sql);
    bind_fields(query, now, life_fields);
    query.bind_one(was.id.ticket);
    query.bind_one(was.id.generation);
    query.bind_one(was.revision);
    query.run();
    if (!db.failed() && db.changes() != 1)
      db.fail(SQLITE_CONSTRAINT,
              attempt_key(was.id) + " is not at revision " + std::to_string(was.revision) + " any more");
  }
  if (was.salvage_refs != now.salvage_refs) store_salvage(db, now);
}

}  // namespace holdfast::sqlite
