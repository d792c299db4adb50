#include "dispatcher/ledger/schema.h"

#include <array>

#include "dispatcher/core/words.h"
#include "dispatcher/ledger/enum_ranges.h"
#include "dispatcher/ledger/schema_v1.h"
#include "dispatcher/ledger/schema_v2.h"
#include "dispatcher/ledger/schema_v3.h"

namespace holdfast::sqlite {
namespace {

// "CASE phase WHEN 0 THEN 'planned' ... END AS phase"
template <class E>
std::string in_words(const std::string& column) {
  std::string sql = "CASE " + column;
  for (int number = 0; number <= last_enumerator<E>; ++number)
    sql += " WHEN " + std::to_string(number) + " THEN '" + words_for(static_cast<E>(number)) + "'";
  return sql + " END AS " + column;
}

// Milliseconds since the epoch as UTC text; NULL for "never".
std::string as_time(const std::string& column) {
  return "strftime('%Y-%m-%d %H:%M:%f', nullif(" + column + ", 0) / 1000.0, 'unixepoch') AS " + column;
}

std::string view(const std::string& name, const std::string& table, const std::string& columns) {
  return "DROP VIEW IF EXISTS " + name + ";\nCREATE VIEW " + name + " AS SELECT " + columns + " FROM " +
         table + ";\n";
}

}  // namespace

std::span<const char* const> schema_steps() {
  static const std::array steps{schema_v1, schema_v2, schema_v3};
  return steps;
}

int newest_schema() {
  return static_cast<int>(schema_steps().size());
}

std::string readable_views() {
  return view("runtimes_readable", "runtimes",
              "ticket, generation, " + in_words<Phase>("phase") + ", revision, slot, session, branch, " +
                  in_words<Said>("said") + ", said_text, " + in_words<StopWish>("wish") + ", wish_by, " +
                  in_words<Ending>("ending") + ", " + in_words<Cause>("cause") + ", exit_code, evidence, " +
                  in_words<BoardState>("disposition") +
                  ", reason, settled, attention, worktree, worker_pid, " + as_time("claimed_at") + ", " +
                  as_time("spawned_at") + ", " + as_time("running_at") + ", " + as_time("died_at") + ", " +
                  as_time("changed_at")) +
         view("slots_readable", "slots",
              "id, " + in_words<SlotState>("state") + ", holder_ticket, holder_generation, path, note") +
         view("messages_readable", "messages",
              "number, id, ticket, generation, " + in_words<MessageKind>("kind") + ", " +
                  in_words<MessageState>("state") + ", sender, text, conflicts, why, " +
                  as_time("queued_at") + ", " + as_time("changed_at")) +
         view("events_readable", "events",
              "seq, " + as_time("at") + ", ticket, generation, kind, cause, evidence") +
         view("tickets_readable", "tickets",
              "id, title, " + in_words<BoardState>("state") +
                  ", priority, profile, version, reason, moved_by, " + as_time("created_at") + ", " +
                  as_time("changed_at")) +
         view("ticket_history_readable", "ticket_history",
              "number, ticket, " + as_time("at") + ", " + in_words<BoardState>("from_state") + ", " +
                  in_words<BoardState>("to_state") + ", moved_by, reason, version");
}

}  // namespace holdfast::sqlite
