// The constraints hold for somebody with a SQL prompt: each forbidden statement is refused by the file
// itself, also as INSERT OR REPLACE and UPDATE OR REPLACE.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include "dispatcher/core/ledger_rules_kit.h"
#include "dispatcher/ledger/sqlite_ledger.h"
#include "dispatcher/ledger/temp_folder.h"

namespace holdfast {
namespace {

// T-1 runs, T-2 is closed and settled, both are tickets of the board.
class SqlPrompt : public testing::Test {
 protected:
  void SetUp() override {
    auto ledger = open_ledger(folder / "ledger.db", LedgerMode::dispatcher);
    ASSERT_TRUE(ledger) << ledger.error();
    for (int n = 1; n <= 3; ++n) (*ledger)->write(StoreSlot{kit::free_slot(n)}, {1});
    for (const auto& [name, stage] : {std::pair{"T-1", kit::Stage::running}, {"T-2", kit::Stage::settled}}) {
      ASSERT_EQ((*ledger)->write(kit::claim_of(name), {10}).raw.code, 0);
      for (const LedgerWrite& w : kit::way_to(stage, {{name}, {1}}))
        ASSERT_EQ((*ledger)->write(w, {20}).raw.code, 0);
    }
    ASSERT_EQ(sqlite3_open((folder / "ledger.db").c_str(), &db), SQLITE_OK);
    for (const char* id : {"T-1", "T-2"})
      ASSERT_EQ(say("INSERT INTO tickets VALUES ('" + std::string(id) +
                    "', 't', 'b', 2, 100, '', 1, 1, 1, '', 'person', (SELECT 1 + count(*) FROM tickets))"),
                "");
  }
  void TearDown() override { sqlite3_close(db); }

  // What the file answers; empty: it did as it was told.
  std::string say(const std::string& sql) {
    char* error = nullptr;
    sqlite3_exec(db, sql.c_str(), nullptr, nullptr, &error);
    const std::string words = error == nullptr ? "" : error;
    sqlite3_free(error);
    return words;
  }

  // An INSERT that copies T-1's runtime with some columns changed.
  static std::string copied(const std::string& verb, const std::string& generation,
                            const std::string& phase) {
    return "CREATE TEMP TABLE copy AS SELECT * FROM runtimes WHERE ticket = 'T-1' AND generation = 1;"
           "UPDATE copy SET generation = " +
           generation + ", phase = " + phase + ";" + verb + " INTO runtimes SELECT * FROM copy;";
  }

  TempFolder folder;
  sqlite3* db = nullptr;
};

TEST_F(SqlPrompt, TodoBesideAnOpenRuntimeIsRefused) {
  const char* words = "a runtime of this ticket is alive or not yet accounted for; it cannot be todo";
  EXPECT_EQ(say("UPDATE tickets SET state = 1, version = 2 WHERE id = 'T-1'"), words);
  EXPECT_EQ(say("UPDATE OR REPLACE tickets SET state = 1, version = 2 WHERE id = 'T-1'"), words);
  EXPECT_EQ(say("UPDATE OR IGNORE tickets SET state = 1, version = 2 WHERE id = 'T-1'"), words);
  EXPECT_NE(say("INSERT OR REPLACE INTO tickets SELECT id, title, body, 1, priority, profile, 2, created_at, "
                "changed_at, reason, moved_by, 99 FROM tickets WHERE id = 'T-1'"),
            "");
  EXPECT_NE(say("DELETE FROM tickets WHERE id = 'T-1'"), "");
  EXPECT_NE(say("UPDATE tickets SET id = 'T-9', version = 2 WHERE id = 'T-1'"), "");
}

TEST_F(SqlPrompt, TodoBesideAClosedRuntimeIsAPersonsRight) {
  EXPECT_EQ(say("UPDATE tickets SET state = 1, version = 2, changed_seq = 9 WHERE id = 'T-2'"), "");
}

TEST_F(SqlPrompt, ATicketIsNotBornTodoBesideAnOpenRuntime) {
  // Claimed for a remote board, say; then somebody adds a ticket of that id here.
  ASSERT_EQ(say("PRAGMA foreign_keys = OFF"), "");
  {
    auto ledger = open_ledger(folder / "ledger.db", LedgerMode::command_line);
    ASSERT_EQ((*ledger)->write(kit::claim_of("T-3"), {30}).raw.code, 0);
  }
  EXPECT_THAT(say("INSERT INTO tickets VALUES ('T-3', 't', 'b', 1, 100, '', 1, 1, 1, '', 'person', 50)"),
              testing::HasSubstr("cannot be todo"));
  EXPECT_EQ(say("INSERT INTO tickets VALUES ('T-3', 't', 'b', 0, 100, '', 1, 1, 1, '', 'person', 50)"), "");
}

TEST_F(SqlPrompt, ASecondOpenRuntimeIsRefused) {
  EXPECT_EQ(say(copied("INSERT", "2", "0")), "the ticket has an open runtime already");
  EXPECT_EQ(say("DROP TABLE temp.copy;" + copied("INSERT OR REPLACE", "2", "0")),
            "the ticket has an open runtime already");
}

TEST_F(SqlPrompt, AGenerationThatDoesNotGrowIsRefused) {
  ASSERT_EQ(say("CREATE TEMP TABLE copy AS SELECT * FROM runtimes WHERE ticket = 'T-2'"), "");
  EXPECT_EQ(say("INSERT OR REPLACE INTO runtimes SELECT * FROM temp.copy"),
            "a generation must be larger than every earlier one of its ticket");
  EXPECT_EQ(say("DELETE FROM runtimes"), "runtimes are never deleted");
  EXPECT_EQ(say("UPDATE memories SET last_generation = 0"), "a generation is never forgotten");
  EXPECT_NE(say("DELETE FROM memories"), "");
  EXPECT_EQ(say("INSERT OR REPLACE INTO memories SELECT ticket, 0, 0, 0, 0, 0, 0, 0, '' FROM memories"),
            "a memory is changed, not replaced");
}

TEST_F(SqlPrompt, TheIdentityOfARuntimeIsFixed) {
  for (const char* change : {"ticket = 'T-9'", "generation = 7", "slot = 'slot-009'", "token = 'other'",
                             "branch = 'main'", "session = 'other'", "claimed_at = 1"})
    EXPECT_EQ(say("UPDATE runtimes SET revision = 100, " + std::string(change) + " WHERE ticket = 'T-1'"),
              "the identity of a runtime never changes")
        << change;
  EXPECT_EQ(say("UPDATE runtimes SET phase = 2 WHERE ticket = 'T-1'"),
            "the revision of a runtime only grows");
}

TEST_F(SqlPrompt, AClosedRuntimeStaysClosed) {
  EXPECT_EQ(say("UPDATE runtimes SET phase = 3, revision = 100, settled = 0 WHERE ticket = 'T-2'"),
            "a closed runtime is never opened again");
}

TEST_F(SqlPrompt, ClosingNeedsACause) {
  EXPECT_THAT(say("UPDATE runtimes SET phase = 7, revision = 100 WHERE ticket = 'T-1'"),
              testing::HasSubstr("lost_and_closed_need_a_cause"));
  EXPECT_THAT(say("UPDATE runtimes SET phase = 9, revision = 100 WHERE ticket = 'T-1'"),
              testing::HasSubstr("CHECK constraint failed"));
  EXPECT_THAT(say("UPDATE runtimes SET phase = 'x', revision = 100 WHERE ticket = 'T-1'"),
              testing::HasSubstr("cannot store TEXT value in INTEGER column"));
}

TEST_F(SqlPrompt, ALeaseLastsAsLongAsItsRuntime) {
  const char* words = "the worktree is leased to a runtime that is not closed";
  EXPECT_EQ(say("UPDATE slots SET state = 0, holder_ticket = '', holder_generation = 0 WHERE state = 1"),
            words);
  EXPECT_EQ(say("UPDATE slots SET holder_ticket = 'T-2' WHERE state = 1"), words);
  EXPECT_NE(say("DELETE FROM slots WHERE state = 1"), "");
  EXPECT_NE(say("INSERT OR REPLACE INTO slots VALUES ('slot-001', 0, '', 0, '/x', '')"), "");
  EXPECT_NE(
      say("UPDATE slots SET state = 1, holder_ticket = 'T-1', holder_generation = 1 WHERE id = 'slot-003'"),
      "");
}

TEST_F(SqlPrompt, TheLogIsOnlyEverAppended) {
  const char* words = "events are only ever appended";
  EXPECT_EQ(say("UPDATE events SET kind = 'nothing happened'"), words);
  EXPECT_EQ(say("DELETE FROM events WHERE seq = 1"), words);
  EXPECT_EQ(say("INSERT OR REPLACE INTO events VALUES (1, 0, '', 0, 'forged', '', '')"), words);
  EXPECT_EQ(
      say("INSERT INTO events(at, ticket, generation, kind, cause, evidence) VALUES (0, '', 0, 'k', '', '')"),
      "");
  EXPECT_NE(say("UPDATE ticket_history SET moved_by = 'nobody'"), "");
  EXPECT_NE(say("DELETE FROM ticket_history"), "");
}

TEST_F(SqlPrompt, WhatAMessageSaysIsFixed) {
  EXPECT_EQ(say("UPDATE messages SET text = 'rm -rf'"), "what a message says, and to whom, never changes");
}

TEST_F(SqlPrompt, AMoveByPromptIsInTheHistory) {
  ASSERT_EQ(
      say("UPDATE tickets SET state = 4, version = 2, changed_seq = 9, moved_by = 'dba' WHERE id = 'T-1'"),
      "");
  sqlite3_stmt* q = nullptr;
  sqlite3_prepare_v2(
      db, "SELECT to_state, moved_by FROM ticket_history_readable WHERE ticket = 'T-1' ORDER BY number DESC",
      -1, &q, nullptr);
  ASSERT_EQ(sqlite3_step(q), SQLITE_ROW);
  EXPECT_STREQ(reinterpret_cast<const char*>(sqlite3_column_text(q, 0)), "blocked");
  EXPECT_STREQ(reinterpret_cast<const char*>(sqlite3_column_text(q, 1)), "dba");
  sqlite3_finalize(q);
}

TEST_F(SqlPrompt, TheReadableViewsSpeakCoresWords) {
  sqlite3_stmt* q = nullptr;
  sqlite3_prepare_v2(db, "SELECT phase, cause, disposition FROM runtimes_readable WHERE ticket = 'T-2'", -1,
                     &q, nullptr);
  ASSERT_EQ(sqlite3_step(q), SQLITE_ROW);
  EXPECT_STREQ(reinterpret_cast<const char*>(sqlite3_column_text(q, 0)), words_for(Phase::closed));
  EXPECT_STREQ(reinterpret_cast<const char*>(sqlite3_column_text(q, 1)), words_for(Cause::exit_code));
  EXPECT_STREQ(reinterpret_cast<const char*>(sqlite3_column_text(q, 2)), words_for(BoardState::todo));
  sqlite3_finalize(q);
}

}  // namespace
}  // namespace holdfast
