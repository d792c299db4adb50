// A file that cannot be used is refused with one line that names it and the way out, and stays as it is:
// newer, foreign, damaged, read-only, full. An older one is copied, then migrated.
#include "dispatcher/ledger/ledger_file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "dispatcher/core/ledger_rules_kit.h"
#include "dispatcher/ledger/schema.h"
#include "dispatcher/ledger/sqlite_ledger.h"
#include "dispatcher/ledger/temp_folder.h"

namespace holdfast {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::string bytes_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream all;
  all << in.rdbuf();
  return all.str();
}

void run_sql(const std::string& path, const std::string& sql) {
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &db), SQLITE_OK);
  char* error = nullptr;
  EXPECT_EQ(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, &error), SQLITE_OK) << error;
  sqlite3_free(error);
  sqlite3_close(db);
}

std::string error_of(const std::string& path, LedgerMode mode = LedgerMode::dispatcher) {
  auto opened = open_ledger(path, mode);
  if (opened) return "it was opened";
  EXPECT_EQ(opened.error().find('\n'), std::string::npos) << "one line: " << opened.error();
  return opened.error();
}

struct LedgerFile : testing::Test {
  TempFolder folder;
  std::string path = folder / "ledger.db";
};

TEST_F(LedgerFile, IsMadeWhereItIsMissingAndKeepsItsInstallation) {
  auto first = open_ledger(path, LedgerMode::dispatcher);
  ASSERT_TRUE(first) << first.error();
  const std::string installation = (*first)->installation();
  EXPECT_EQ(installation.size(), 32U);
  first->reset();
  auto again = open_ledger(path, LedgerMode::command_line);
  ASSERT_TRUE(again);
  EXPECT_EQ((*again)->installation(), installation);
  EXPECT_EQ((*again)->what_is_broken(), "");
}

TEST_F(LedgerFile, NewerSchemaIsRefusedUntouched) {
  ASSERT_TRUE(open_ledger(path, LedgerMode::dispatcher));
  run_sql(path, "PRAGMA user_version = " + std::to_string(sqlite::newest_schema() + 1));
  const std::string before = bytes_of(path);
  for (const LedgerMode mode : {LedgerMode::dispatcher, LedgerMode::command_line, LedgerMode::read_only})
    EXPECT_THAT(error_of(path, mode), AllOf(HasSubstr(path), HasSubstr("newer Holdfast")));
  EXPECT_EQ(bytes_of(path), before);
}

TEST_F(LedgerFile, ANewerProgramThatMigratesMeanwhileEndsOurWriting) {
  auto ledger = open_ledger(path, LedgerMode::dispatcher);
  ASSERT_TRUE(ledger);
  run_sql(path, "PRAGMA user_version = " + std::to_string(sqlite::newest_schema() + 1));
  const auto reply = (*ledger)->write(StoreSlot{kit::free_slot(1)}, {10});
  EXPECT_NE(reply.raw.code, 0);
  EXPECT_THAT(reply.raw.error, HasSubstr("a newer Holdfast has migrated it"));
  EXPECT_TRUE((*ledger)->load().value.slots.empty());
}

TEST_F(LedgerFile, SomebodyElsesDatabaseIsRefusedUntouched) {
  run_sql(path, "CREATE TABLE recipes(name TEXT); INSERT INTO recipes VALUES ('soup');");
  const std::string before = bytes_of(path);
  EXPECT_THAT(error_of(path), AllOf(HasSubstr(path), HasSubstr("not a Holdfast ledger")));
  EXPECT_EQ(bytes_of(path), before);
}

TEST_F(LedgerFile, AFileThatIsNoDatabaseIsRefusedUntouched) {
  std::ofstream(path) << std::string(5000, 'x');
  EXPECT_THAT(error_of(path), AllOf(HasSubstr(path), HasSubstr("is damaged"), HasSubstr("restore a backup")));
  EXPECT_EQ(bytes_of(path), std::string(5000, 'x'));
}

TEST_F(LedgerFile, DamagedPagesAreFoundAtTheStart) {
  ASSERT_TRUE(open_ledger(path, LedgerMode::dispatcher));
  {
    std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(8192);
    file << std::string(12'288, '\x5a');
  }
  const std::string before = bytes_of(path);
  EXPECT_THAT(error_of(path), AllOf(HasSubstr(path), HasSubstr("is damaged")));
  EXPECT_EQ(bytes_of(path), before);
}

TEST_F(LedgerFile, AMissingFolderIsNamed) {
  EXPECT_THAT(error_of(folder / "no/such/ledger.db"),
              AllOf(HasSubstr("no/such"), HasSubstr("folder exists")));
  EXPECT_THAT(error_of(path, LedgerMode::read_only), HasSubstr("cannot be opened"));
  EXPECT_THAT(error_of(":memory:"), HasSubstr("needs the path of a file"));
}

TEST_F(LedgerFile, AReaderSeesWhatAWriterWritesAndNeverWrites) {
  auto writer = open_ledger(path, LedgerMode::dispatcher);
  auto reader = open_ledger(path, LedgerMode::read_only);
  ASSERT_TRUE(writer && reader);
  ASSERT_EQ((*writer)->write(StoreSlot{kit::free_slot(1)}, {10}).raw.code, 0);
  EXPECT_EQ((*reader)->load().value, (*writer)->load().value);
  const auto reply = (*reader)->write(StoreSlot{kit::free_slot(2)}, {10});
  EXPECT_EQ(reply.raw.code, SQLITE_READONLY);
  EXPECT_EQ((*writer)->load().value.slots.size(), 1U);
}

TEST_F(LedgerFile, ARivalsLockIsAnsweredWithBusyAndForgottenWhenItIsGone) {
  auto ledger = open_ledger(path, LedgerMode::dispatcher, 1);
  auto rival = sqlite::Connection::open(path, sqlite::Access::read_write, 0);
  ASSERT_TRUE(ledger && rival);
  rival->begin_writing();
  const auto refused = (*ledger)->write(StoreSlot{kit::free_slot(1)}, {10});
  EXPECT_EQ(refused.raw.code, SQLITE_BUSY);
  EXPECT_EQ(refused.raw.transport, Transport::answered);
  EXPECT_THAT(refused.raw.error, AllOf(HasSubstr(path), HasSubstr("another process keeps it locked")));
  EXPECT_EQ((*ledger)->load().raw.code, 0) << "readers do not wait for writers";
  rival->rollback();
  EXPECT_EQ((*ledger)->write(StoreSlot{kit::free_slot(1)}, {10}).raw.code, 0);
}

TEST_F(LedgerFile, ACopyIsCompleteAndNeverOverwrites) {
  auto ledger = open_ledger(path, LedgerMode::dispatcher);
  ASSERT_TRUE(ledger);
  ASSERT_EQ((*ledger)->write(StoreSlot{kit::free_slot(1)}, {10}).raw.code, 0);
  const std::string copy = folder / "copy.db";
  ASSERT_TRUE((*ledger)->copy_to(copy));
  EXPECT_THAT((*ledger)->copy_to(copy).error(), HasSubstr("is there already"));
  auto restored = open_ledger(copy, LedgerMode::dispatcher);
  ASSERT_TRUE(restored) << restored.error();
  EXPECT_EQ((*restored)->load().value, (*ledger)->load().value);
}

// --- migration

std::string kept_version_1() {
  return bytes_of(std::string(HOLDFAST_SOURCE) + "/dispatcher/ledger/testdata/version_1.sql");
}

TEST_F(LedgerFile, AnOlderFileIsCopiedAndThenMigratedWithAllItHolds) {
  run_sql(path, kept_version_1());
  EXPECT_THAT(error_of(path, LedgerMode::read_only), HasSubstr("older schema 1"));
  auto ledger = open_ledger(path, LedgerMode::dispatcher);
  ASSERT_TRUE(ledger) << ledger.error();
  EXPECT_EQ((*ledger)->what_is_broken(), "");
  EXPECT_EQ((*ledger)->installation(), "aea756c3e0ff0979cc8e8b2498f6e22f");
  const auto contents = (*ledger)->load().value;
  EXPECT_EQ(contents.tickets.size(), 4U);
  EXPECT_EQ(contents.breaker.young_deaths.size(), 2U);
  EXPECT_EQ((*ledger)->open_attempts().value.size(), 2U);
  // It goes on working.
  EXPECT_EQ((*ledger)->write(kit::claim_of("T-9"), {2'000'000'000'000}).raw.code, 0);

  auto db = sqlite::Connection::open(path, sqlite::Access::read_only, 0);
  EXPECT_EQ(db->value<int>("PRAGMA user_version"), sqlite::newest_schema());
  EXPECT_EQ(db->value<int>("SELECT count(*) FROM ticket_history"), 4);
  auto old = sqlite::Connection::open(path + ".v1.bak", sqlite::Access::read_only, 0);
  ASSERT_TRUE(old) << "the copy made before the migration";
  EXPECT_EQ(old->value<int>("PRAGMA user_version"), 1);
  EXPECT_EQ(old->value<int>("SELECT count(*) FROM tickets"), 4);
}

TEST_F(LedgerFile, AFileOfVersion2IsMigratedWithItsHistory) {
  run_sql(path, bytes_of(std::string(HOLDFAST_SOURCE) + "/dispatcher/ledger/testdata/version_2.sql"));
  auto ledger = open_ledger(path, LedgerMode::dispatcher);
  ASSERT_TRUE(ledger) << ledger.error();
  EXPECT_EQ((*ledger)->what_is_broken(), "");
  EXPECT_EQ((*ledger)->open_attempts().value.size(), 2U);
  auto db = sqlite::Connection::open(path, sqlite::Access::read_only, 0);
  EXPECT_EQ(db->value<int>("PRAGMA user_version"), sqlite::newest_schema());
  EXPECT_EQ(db->value<int>("SELECT count(*) FROM ticket_history"), 4);
  EXPECT_EQ(db->value<int>("SELECT count(*) FROM kept_answers"), 0);
}

// A migrated file and a new one have the same tables, triggers and views.
TEST_F(LedgerFile, AMigratedSchemaIsTheNewOne) {
  const auto schema_of = [](const std::string& file) {
    auto db = sqlite::Connection::open(file, sqlite::Access::read_only, 0);
    std::set<std::string> all;
    auto q = db->query("SELECT coalesce(sql, name) FROM sqlite_schema");
    for (std::string sql; q.next();) {
      q.read(sql);
      all.insert(sql);
    }
    return all;
  };
  run_sql(path, kept_version_1());
  const std::string fresh = folder / "fresh.db";
  ASSERT_TRUE(open_ledger(path, LedgerMode::dispatcher));
  ASSERT_TRUE(open_ledger(fresh, LedgerMode::dispatcher));
  EXPECT_EQ(schema_of(path), schema_of(fresh));
}

TEST_F(LedgerFile, ASecondMigrationDoesNotOverwriteTheFirstCopy) {
  std::ofstream(path + ".v1.bak") << "an earlier copy";
  run_sql(path, kept_version_1());
  ASSERT_TRUE(open_ledger(path, LedgerMode::dispatcher));
  EXPECT_EQ(bytes_of(path + ".v1.bak"), "an earlier copy");
  EXPECT_TRUE(std::filesystem::exists(path + ".v1.bak-2"));
}

// --- a small file system of our own, in a child, so that nothing of it is left

// Runs `body` on an empty file system of `size`; nullopt: none is to be had here.
std::optional<std::string> on_small_disk(const char* size, const std::string& at,
                                         const std::function<std::string()>& body) {
  int pipe_ends[2];
  if (::pipe2(pipe_ends, O_CLOEXEC) != 0) return std::nullopt;
  const pid_t child = ::fork();
  if (child == 0) {
    const std::string options = "size=" + std::string(size);
    if (::unshare(CLONE_NEWNS) != 0 && ::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) ::_exit(77);
    if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) ::_exit(77);
    if (::mount("tmpfs", at.c_str(), "tmpfs", 0, options.c_str()) != 0) ::_exit(77);
    const std::string said = body();
    ::_exit(::write(pipe_ends[1], said.data(), said.size()) == std::ssize(said) ? 0 : 1);
  }
  ::close(pipe_ends[1]);
  std::string said;
  char part[4096];
  for (ssize_t n = 0; (n = ::read(pipe_ends[0], part, sizeof part)) > 0;)
    said.append(part, static_cast<std::size_t>(n));
  ::close(pipe_ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 77) return std::nullopt;
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  return said;
}

TEST_F(LedgerFile, AFullDiskChangesNothingAndSaysSo) {
  const std::string at = folder.path().string();
  const auto said = on_small_disk("1200k", at, [&]() -> std::string {
    auto ledger = open_ledger(path, LedgerMode::dispatcher);
    if (!ledger) return "open: " + ledger.error();
    Note note{{{"T-1"}, {1}}, "note", "", std::string(20'000, 'e')};
    Reply<LedgerDelta> reply;
    int stored = 0;
    while ((reply = (*ledger)->write(note, {10})).raw.code == 0 && stored < 1000) ++stored;
    const auto count = (*ledger)->events_after(0, std::nullopt, 10'000).value.size();
    if (count != static_cast<std::size_t>(stored)) return "events: " + std::to_string(count);
    if (stored == 1000) return "it never became full";
    if (reply.raw.transport != Transport::answered) return "transport: " + reply.raw.error;
    return "code " + std::to_string(reply.raw.code) + " " + reply.raw.error + (*ledger)->what_is_broken();
  });
  if (!said) GTEST_SKIP() << "no small file system can be mounted here";
  EXPECT_THAT(*said, AllOf(HasSubstr("code 13 "), HasSubstr(path), HasSubstr("no space is left")));
}

TEST_F(LedgerFile, AFileThatCannotBeWrittenSaysSo) {
  const std::string at = folder.path().string();
  const auto said = on_small_disk("4m", at, [&]() -> std::string {
    if (auto made = open_ledger(path, LedgerMode::dispatcher); !made) return made.error();
    if (::mount("none", at.c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr) != 0) return "no remount";
    auto ledger = open_ledger(path, LedgerMode::dispatcher);
    return ledger ? "it was opened" : ledger.error();
  });
  if (!said) GTEST_SKIP() << "no small file system can be mounted here";
  EXPECT_THAT(*said, AllOf(HasSubstr(path),
                           testing::AnyOf(HasSubstr("cannot be written"), HasSubstr("cannot be opened"))));
}

}  // namespace
}  // namespace holdfast
