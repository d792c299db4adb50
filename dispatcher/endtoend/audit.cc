// The invariants, checked from outside: by reading the ledger's file, git, tmux, /proc, cgroups and the
// puppets' journal. It shares no rule with the dispatcher. Ids are those of the invariants' page.
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "dispatcher/core/names.h"
#include "dispatcher/core/words.h"
#include "dispatcher/endtoend/stage.h"
#include "dispatcher/system/fd.h"

namespace holdfast::stage {
namespace fs = std::filesystem;
namespace {

using Findings = std::vector<std::string>;

std::string file_text(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// One column of one query, as text.
std::vector<std::string> query(const std::string& path, const char* sql, Findings& wrong) {
  std::vector<std::string> rows;
  sqlite3* db = nullptr;
  if (sqlite3_open_v2(path.c_str(), &db, SQLITE_OPEN_READONLY, nullptr) != SQLITE_OK) {
    wrong.push_back("the ledger cannot be opened from outside");
    sqlite3_close(db);
    return rows;
  }
  sqlite3_busy_timeout(db, 5000);
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(db, sql, -1, &statement, nullptr) != SQLITE_OK)
    wrong.push_back(std::string("audit query: ") + sqlite3_errmsg(db));
  while (statement && sqlite3_step(statement) == SQLITE_ROW) {
    std::string row;
    for (int i = 0; i < sqlite3_column_count(statement); ++i) {
      const unsigned char* text = sqlite3_column_text(statement, i);
      row += (i ? "|" : "") + std::string(text ? reinterpret_cast<const char*>(text) : "");
    }
    rows.push_back(row);
  }
  sqlite3_finalize(statement);
  sqlite3_close(db);
  return rows;
}

// Is the ticket's kernel lock held by anybody?
bool something_lives(const Stage& stage, const std::string& ticket) {
  const Fd fd(::open((stage.yard() + "/" + ticket + ".alive").c_str(), O_RDWR | O_CLOEXEC));
  if (!fd.open()) return false;
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) return true;
  ::flock(fd.get(), LOCK_UN);
  return false;
}

void ledger_is_sound(Stage& stage, Findings& wrong) {
  const std::string file = stage.state() + "/holdfast.db";
  for (const auto& row : query(file, "pragma integrity_check", wrong))
    if (row != "ok") wrong.push_back("integrity: " + row);
  for (const auto& row :
       query(file, "select ticket from runtimes where phase <> 7 group by ticket having count(*) > 1", wrong))
    wrong.push_back("S2 two open rows: " + row);
  for (const auto& row : query(
           file,
           "select t.id from tickets t join runtimes r on r.ticket = t.id where t.state = 1 and r.phase <> 7",
           wrong))
    wrong.push_back("S1 todo beside an open runtime: " + row);
  for (const auto& row :
       query(file, "select slot from runtimes where phase <> 7 group by slot having count(*) > 1", wrong))
    wrong.push_back("S3 two owners of " + row);
}

void no_two_workers(Stage& stage, Findings& wrong) {
  std::map<std::string, int> prompts;
  for (const JournalLine& line : stage.journal()) {
    const std::string attempt = line.ticket + "-g" + std::to_string(line.generation);
    if (line.what == "TWO-WORKERS") wrong.push_back("S2 a second worker of " + attempt + " while one lived");
    if (line.what.starts_with("prompt ") && ++prompts[attempt] > 1)
      wrong.push_back("S10 a second prompt: " + attempt);
  }
  // S1, by the kernel's word: a held lock at `todo` is the broken promise. The lock is tried before and after
  // the state was read, so that a claim in between is no finding.
  for (const auto& row :
       query(stage.state() + "/holdfast.db", "select id from tickets where state = 1", wrong))
    if (something_lives(stage, row) && stage.ticket(row).state == BoardState::todo &&
        stage.attempts(row).back().phase == Phase::closed && something_lives(stage, row))
      wrong.push_back("S1 " + row + " is todo, and something of it lives");
}

void commits_are_reachable(Stage& stage, Findings& wrong) {
  std::set<std::string> reachable;
  std::istringstream lines(stage.git(stage.repository(), {"rev-list", "--all"}).out);
  for (std::string id; std::getline(lines, id);) reachable.insert(id);
  for (const JournalLine& line : stage.journal())
    if (line.what.starts_with("commit ") && line.what.size() > 20 && !reachable.contains(line.what.substr(7)))
      wrong.push_back("S8 lost: " + line.ticket + " " + line.what);
}

void causes_are_true(Stage& stage, Findings& wrong) {
  std::map<std::string, std::string> ends;
  for (const JournalLine& line : stage.journal())
    if (line.what.starts_with("end exit "))
      ends[line.ticket + "-g" + std::to_string(line.generation)] = line.what.substr(9);
  for (const auto& id : query(stage.state() + "/holdfast.db", "select distinct ticket from runtimes", wrong))
    for (const Attempt& a : stage.attempts(id)) {
      const std::string key = attempt_key(a.id);
      if (a.phase == Phase::closed && a.cause == Cause::none)
        wrong.push_back("S6 closed without a death: " + key);
      if (a.phase != Phase::closed && a.phase != Phase::lost && a.phase != Phase::finished &&
          a.cause != Cause::none)
        wrong.push_back("S23 a live row with a cause: " + key);
      if (a.cause == Cause::oom_kill && a.evidence.find("oom_kill") == std::string::npos)
        wrong.push_back("S22 OOM without its counter: " + key);
      if (a.cause == Cause::never_came_to_be && stage.journalled(id, "start") > 0)
        for (const JournalLine& line : stage.journal())
          if (line.ticket == id && line.generation == a.id.generation.value && line.what == "start")
            wrong.push_back("S22 'never came to be', but it started: " + key);
      const auto end = ends.find(key);
      if (end == ends.end()) continue;
      if (end->second == "0" && (a.cause == Cause::exit_code || a.cause == Cause::oom_kill))
        wrong.push_back("S22 " + key + " exited 0, recorded as " + words_for(a.cause));
      if (end->second != "0" && a.cause == Cause::clean_exit)
        wrong.push_back("S22 " + key + " exited " + end->second + ", recorded as clean");
    }
}

void main_checkout_is_untouched(Stage& stage, Findings& wrong) {
  const auto status = stage.git(stage.repository(), {"status", "--porcelain"});
  if (!status.out.empty()) wrong.push_back("S15 the main checkout is dirty: " + status.out);
  if (stage.git(stage.repository(), {"symbolic-ref", "HEAD"}).out != "refs/heads/main\n")
    wrong.push_back("S15 the main checkout's HEAD moved");
  std::istringstream refs(stage.git(stage.repository(), {"for-each-ref", "--format=%(refname)"}).out);
  for (std::string ref; std::getline(refs, ref);) {
    const bool ours = ref.starts_with("refs/heads/hf/") || ref.starts_with("refs/holdfast/") ||
                      ref.starts_with("refs/remotes/") || ref == "refs/heads/main" ||
                      ref == "refs/heads/holdfast/landed" || ref.starts_with("refs/heads/side-");
    if (!ours) wrong.push_back("S15 a ref outside ours: " + ref);
  }
}

void done_means_landed(Stage& stage, Findings& wrong) {
  std::map<std::string, std::vector<std::string>> commits;
  for (const JournalLine& line : stage.journal())
    if (line.what.starts_with("commit ") && line.what.size() > 20)
      commits[line.ticket].push_back(line.what.substr(7));
  for (const auto& id :
       query(stage.state() + "/holdfast.db", "select id from tickets where state = 5", wrong)) {
    if (commits[id].empty()) wrong.push_back("S21 done without a commit: " + id);
    for (const std::string& commit : commits[id])
      if (stage.git(stage.origin(), {"merge-base", "--is-ancestor", commit, "main"}).code != 0)
        wrong.push_back("S21 " + id + " is done, " + commit + " is not on the target");
  }
}

void nothing_is_left(Stage& stage, Findings& wrong) {
  const std::string file = stage.state() + "/holdfast.db";
  for (const auto& row :
       query(file, "select ticket, generation, phase from runtimes where phase <> 7", wrong))
    wrong.push_back("left open: " + row);
  for (const auto& row : query(file, "select id, state from tickets where state in (1, 2)", wrong))
    wrong.push_back("not accounted for: " + row);
  for (const auto& row : query(file, "select id from slots where state = 1", wrong))
    wrong.push_back("L3 a lease is left: " + row);
  for (int shard = 0; shard < 8; ++shard) {
    std::istringstream sessions(stage.tmux(shard, {"list-sessions", "-F", "#{session_name}"}).out);
    for (std::string name; std::getline(sessions, name);)
      if (name != "hf-anchor") wrong.push_back("L3 a session is left: " + name);
  }
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const std::string pid = entry.path().filename();
    if (pid.find_first_not_of("0123456789") != std::string::npos) continue;
    const std::string environment = file_text(entry.path() / "environ");
    if (environment.find("HOLDFAST_RECORD=" + stage.state()) != std::string::npos)
      wrong.push_back("L3 a process is left: " + pid + " " + file_text(entry.path() / "cmdline"));
  }
  for (const auto& row : query(file, "select path from slots where state = 0", wrong)) {
    if (!stage.git(row, {"status", "--porcelain"}).out.empty())
      wrong.push_back("S14 a free slot is dirty: " + row);
    if (stage.git(row, {"symbolic-ref", "-q", "HEAD"}).code == 0)
      wrong.push_back("S14 a free slot is on a branch: " + row);
  }
  std::error_code none;
  for (const auto& entry : fs::recursive_directory_iterator(stage.state() + "/locks", none)) {
    const Fd fd(::open(entry.path().c_str(), O_RDWR | O_CLOEXEC));
    if (fd.open() && ::flock(fd.get(), LOCK_EX | LOCK_NB) != 0)
      wrong.push_back("L3 a lock is held: " + entry.path().string());
  }
}

}  // namespace

std::vector<std::string> audit(Stage& stage) {
  Findings wrong;
  ledger_is_sound(stage, wrong);
  no_two_workers(stage, wrong);
  commits_are_reachable(stage, wrong);
  causes_are_true(stage, wrong);
  main_checkout_is_untouched(stage, wrong);
  done_means_landed(stage, wrong);
  return wrong;
}

std::vector<std::string> audit_settled(Stage& stage) {
  Findings wrong = audit(stage);
  nothing_is_left(stage, wrong);
  return wrong;
}

}  // namespace holdfast::stage
