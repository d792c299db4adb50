// The invariants, checked from outside: by reading the ledger's file, git, tmux, /proc, cgroups and the
// puppets' journal. It shares no rule with the dispatcher. Ids are those of the invariants' page.
//
// The order of the reads is what makes a finding certain while everything is moving: first the world, then
// what is recorded of it, then the world again. S19 and S24 cannot be seen from outside; tests by name hold
// them.
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
#include "dispatcher/system/process_identity.h"

namespace holdfast::stage {
namespace fs = std::filesystem;
namespace {

using Findings = std::vector<std::string>;
using Row = std::vector<std::string>;

std::string file_text(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::int64_t integer(std::string_view text) {
  std::int64_t n = 0;
  std::from_chars(text.data(), text.data() + text.size(), n);
  return n;
}

// The ledger's file, opened from outside.
class Books {
 public:
  Books(const Stage& stage, Findings& wrong) : wrong_(wrong) {
    const std::string path = stage.state() + "/holdfast.db";
    if (sqlite3_open_v2(path.c_str(), &db_, SQLITE_OPEN_READONLY, nullptr) != SQLITE_OK)
      wrong_.push_back("the ledger cannot be opened from outside");
    sqlite3_busy_timeout(db_, 5000);
    // The tickets of a board elsewhere, under the same name: a temporary view comes before the ledger's own
    // table.
    if (stage.board_file() != path) {
      const std::string elsewhere =
          "attach '" + stage.board_file() +
          "' as elsewhere; create temp view tickets as select * from elsewhere.tickets";
      if (sqlite3_exec(db_, elsewhere.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
        wrong_.push_back(std::string("the board cannot be opened from outside: ") + sqlite3_errmsg(db_));
    }
  }
  ~Books() { sqlite3_close(db_); }
  Books(const Books&) = delete;
  Books& operator=(const Books&) = delete;

  std::vector<Row> rows(const char* sql) {
    std::vector<Row> rows;
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(db_, sql, -1, &statement, nullptr) != SQLITE_OK)
      wrong_.push_back(std::string("audit query: ") + sqlite3_errmsg(db_));
    while (statement && sqlite3_step(statement) == SQLITE_ROW) {
      Row row;
      for (int i = 0; i < sqlite3_column_count(statement); ++i) {
        const unsigned char* text = sqlite3_column_text(statement, i);
        row.emplace_back(text ? reinterpret_cast<const char*>(text) : "");
      }
      rows.push_back(std::move(row));
    }
    sqlite3_finalize(statement);
    return rows;
  }
  // Each row is a finding.
  void none(const std::string& finding, const char* sql) {
    for (const Row& row : rows(sql)) {
      std::string words = finding + ":";
      for (const std::string& field : row) words += " " + field;
      wrong_.push_back(words);
    }
  }

 private:
  sqlite3* db_ = nullptr;
  Findings& wrong_;
};

// A process that belongs to an attempt of this installation, by the kernel's copy of its environment.
struct Living {
  std::int64_t pid = 0;
  std::uint64_t ticks = 0;
  std::string ticket;
  unsigned generation = 0;
  std::string folder;  // its working directory
  std::string command;
  [[nodiscard]] std::string attempt() const { return ticket + "-g" + std::to_string(generation); }
  [[nodiscard]] bool still_there() const {
    const auto now = read_process(pid);
    return now.presence == Presence::present && now.stat.start_ticks == ticks;
  }
};

std::string value_in(const std::string& environment, const std::string& name) {
  const std::string key = name + "=";
  for (std::size_t at = 0; at < environment.size(); at = environment.find('\0', at) + 1) {
    if (environment.compare(at, key.size(), key) == 0) return environment.c_str() + at + key.size();
    if (environment.find('\0', at) == std::string::npos) break;
  }
  return {};
}

std::vector<Living> all_living(const Stage& stage) {
  std::vector<Living> found;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator("/proc", none)) {
    const std::string pid = entry.path().filename();
    if (pid.find_first_not_of("0123456789") != std::string::npos) continue;
    const std::string environment = file_text(entry.path() / "environ");
    if (environment.find("HOLDFAST_RECORD=" + stage.state() + "/") == std::string::npos) continue;
    const auto stat = read_process(integer(pid));
    if (stat.presence != Presence::present) continue;
    found.push_back({stat.stat.pid, stat.stat.start_ticks, value_in(environment, "HOLDFAST_TICKET"),
                     static_cast<unsigned>(integer(value_in(environment, "HOLDFAST_GENERATION"))),
                     fs::read_symlink(entry.path() / "cwd", none), file_text(entry.path() / "cmdline")});
  }
  return found;
}

// What one audit reads, in this order.
struct Scene {
  std::vector<Living> living;
  std::vector<std::pair<int, std::string>> sessions;  // shard, name
  std::vector<JournalLine> journal;
  Books books;

  Scene(Stage& stage, Findings& wrong, bool with_sessions = true)
      : living(all_living(stage)),
        sessions(with_sessions ? all_sessions(stage) : decltype(sessions){}),
        journal(stage.journal()),
        books(stage, wrong) {}

  static std::vector<std::pair<int, std::string>> all_sessions(Stage& stage) {
    std::vector<std::pair<int, std::string>> found;
    for (int shard = 0; shard <= stage.settings().shards; ++shard) {
      std::istringstream names(stage.tmux(shard, {"list-sessions", "-F", "#{session_name}"}).out);
      for (std::string name; std::getline(names, name);)
        if (name != "hf-anchor") found.emplace_back(shard, name);
    }
    return found;
  }
};

// Is the ticket's kernel lock held by anybody?
bool something_lives(const Stage& stage, const std::string& ticket) {
  const Fd fd(::open((stage.yard() + "/" + ticket + ".alive").c_str(), O_RDWR | O_CLOEXEC));
  if (!fd.open()) return false;
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) return true;
  ::flock(fd.get(), LOCK_UN);
  return false;
}

// --- belief alone

void ledger_is_sound(Stage& stage, Books& books, Findings& wrong) {
  // Between the claim and the board's word a ticket is still `todo`; nothing exists of it then, and nothing
  // can.
  books.none("S1 todo beside an open runtime",
             "select t.id, r.generation from tickets t join runtimes r on r.ticket = t.id "
             "where t.state = 1 and r.phase <> 7 and (r.step = 1 or t.changed_at > r.claimed_at)");
  books.none("S2 two open rows",
             "select ticket from runtimes where phase <> 7 group by ticket having count(*) > 1");
  books.none("S3 two owners of a worktree",
             "select slot from runtimes where phase <> 7 group by slot having count(*) > 1");
  books.none("S4 two open runtimes of one session name",
             "select session from runtimes where phase <> 7 group by session having count(*) > 1");
  books.none("S6 a death without evidence",
             "select ticket, generation, phase from runtimes where (phase >= 6 and cause = 0) or "
             "(cause <> 0 and evidence = '')");
  books.none("S11 an open runtime that was claimed after its ticket had ended",
             "select r.ticket, r.generation from runtimes r join tickets t on t.id = r.ticket "
             "where t.state in (5, 6) and r.claimed_at > t.changed_at");
  books.none("S12 it runs, and nothing announced it",
             "select ticket, generation, phase from runtimes where phase between 1 and 5 and "
             "(step = 0 or spawned_at = 0)");
  books.none("S13 running, and no runner is known",
             "select ticket, generation from runtimes where phase between 2 and 4 and "
             "(runner_pid = 0 or worker_pid = 0)");
  books.none(
      "S14 a lease without its runtime",
      "select s.id, s.holder_ticket, s.holder_generation from slots s where s.state = 1 and not exists "
      "(select 1 from runtimes r where r.ticket = s.holder_ticket and r.generation = s.holder_generation "
      "and r.slot = s.id and r.phase <> 7)");
  books.none("S14 an open runtime without its lease",
             "select r.ticket, r.generation, r.slot from runtimes r where r.phase <> 7 and not exists "
             "(select 1 from slots s where s.id = r.slot and s.state = 1 and s.holder_ticket = r.ticket and "
             "s.holder_generation = r.generation)");
  if (const auto slots = books.rows("select count(*) from slots");
      !slots.empty() && integer(slots[0][0]) > stage.settings().capacity)
    wrong.push_back("S14 more worktrees than the pool has: " + slots[0][0]);
  for (const Row& row :
       books.rows("select ticket, charged, free_deaths, setup_failures, last_generation from memories")) {
    const bool bounded =
        integer(row[1]) <= stage.settings().attempts_max && integer(row[2]) <= 6 && integer(row[3]) <= 4;
    if (!bounded)
      wrong.push_back("S16 not bounded: " + row[0] + " charged " + row[1] + " free " + row[2] + " setup " +
                      row[3]);
  }
  books.none("S20 a state that nobody gave a reason for",
             "select id, state from tickets where state in (3, 4, 5) and reason = ''");
  books.none("S23 a live row with a cause",
             "select ticket, generation, cause from runtimes where phase < 5 and cause <> 0");
  books.none(
      "S23 in progress with a failure's reason",
      "select t.id, t.reason from tickets t join runtimes r on r.ticket = t.id and r.phase between 1 and 4 "
      "where t.state = 2 and (t.reason like '%fail%' or t.reason like '%died%')");
}

// --- truth against belief

void the_living_are_known(Stage& stage, Scene& scene, Findings& wrong) {
  std::map<std::string, Row> rows;  // attempt -> phase, cause, step
  for (const Row& row : scene.books.rows("select ticket, generation, phase, cause, step from runtimes"))
    rows[row[0] + "-g" + row[1]] = row;
  std::set<std::string> worktrees;
  for (const Row& row : scene.books.rows("select path from slots")) worktrees.insert(row[0]);
  std::map<std::string, unsigned> generation_of;
  std::map<std::string, std::string> owner_of;
  for (const Living& one : scene.living) {
    const auto row = rows.find(one.attempt());
    const std::string who = one.attempt() + " pid " + std::to_string(one.pid);
    if (row == rows.end() || row->second[4] == "0") {
      if (one.still_there()) wrong.push_back("S12 it lives, and no row announced it: " + who);
      continue;
    }
    const bool dead = integer(row->second[2]) >= 6 || row->second[3] != "0";
    if (dead && one.still_there())
      wrong.push_back("S6 recorded dead (phase " + row->second[2] + "), and it lives: " + who + " " +
                      one.command);
    if (const auto [other, first] = generation_of.try_emplace(one.ticket, one.generation);
        !first && other->second != one.generation && one.still_there())
      wrong.push_back("S2 two generations live: " + who + " beside g" + std::to_string(other->second));
    if (worktrees.contains(one.folder))
      if (const auto [other, first] = owner_of.try_emplace(one.folder, one.attempt());
          !first && other->second != one.attempt() && one.still_there())
        wrong.push_back("S3 two attempts in " + one.folder + ": " + who + " beside " + other->second);
  }
  for (const Row& row : scene.books.rows("select id from tickets where state = 1")) {
    const auto of_it = std::ranges::find(scene.living, row[0], &Living::ticket);
    // The state is read again, so that a claim in between is no finding.
    if (of_it != scene.living.end() && of_it->still_there() && stage.ticket(row[0]).state == BoardState::todo)
      wrong.push_back("S1 " + row[0] + " is todo, and pid " + std::to_string(of_it->pid) + " of it lives");
    // And by the kernel's word: a held lock at `todo` is the broken promise.
    if (something_lives(stage, row[0]) && stage.ticket(row[0]).state == BoardState::todo) {
      const auto attempts = stage.attempts(row[0]);
      if (!attempts.empty() && attempts.back().phase == Phase::closed && something_lives(stage, row[0]))
        wrong.push_back("S1 " + row[0] + " is todo, and something of it holds its lock");
    }
  }
  std::map<std::string, int> shards_of;
  std::map<std::string, std::string> step_of;
  for (const Row& row : scene.books.rows("select session, step from runtimes")) step_of[row[0]] = row[1];
  for (const auto& [shard, name] : scene.sessions) {
    if (++shards_of[name] > 1) wrong.push_back("S4 two sessions of one name: " + name);
    if (name.starts_with("hf-") && (!step_of.contains(name) || step_of[name] == "0"))
      wrong.push_back("S12 a session that no row announced: " + name);
  }
}

void the_journal_agrees(Stage& stage, Scene& scene, Findings& wrong) {
  // The rows first: whatever they tell of is in the journal by then.
  const auto rows = scene.books.rows(
      "select r.ticket, r.generation, r.phase, r.cause, r.evidence, r.died_at, r.running_at, t.state, "
      "t.changed_at, r.claimed_at from runtimes r join tickets t on t.id = r.ticket");
  std::map<std::string, int> prompts;
  std::map<std::string, std::string> end_of;
  std::set<std::string> started;
  std::map<std::string, std::int64_t> last_seen;
  for (const JournalLine& line : stage.journal()) {
    const std::string attempt = line.ticket + "-g" + std::to_string(line.generation);
    if (line.what == "TWO-WORKERS") wrong.push_back("S2 a second worker of " + attempt + " while one lived");
    if (line.what.starts_with("prompt ") && ++prompts[attempt] > 1)
      wrong.push_back("S10 a second prompt: " + attempt);
    if (line.what.starts_with("end exit ")) end_of[attempt] = line.what.substr(9);
    if (line.what == "start" && !started.insert(attempt).second)
      wrong.push_back("S2 two workers of one attempt: " + attempt);
    last_seen[attempt] = std::max(last_seen[attempt], line.at_ms);
  }
  for (const Row& row : rows) {
    const std::string attempt = row[0] + "-g" + row[1];
    const auto cause = static_cast<Cause>(integer(row[3]));
    const bool ran = started.contains(attempt);
    // The clock is the same one; whoever writes after its death was not dead.
    if (cause != Cause::none && last_seen[attempt] > integer(row[5]))
      wrong.push_back("S6 it wrote after its recorded death: " + attempt);
    if (cause == Cause::oom_kill && row[4].find("oom_kill") == std::string::npos)
      wrong.push_back("S22 OOM without its counter: " + attempt);
    if (cause == Cause::never_came_to_be && ran)
      wrong.push_back("S22 'never came to be', but it started: " + attempt);
    if (row[6] != "0" && !ran) wrong.push_back("S13 recorded as running, and it never started: " + attempt);
    const auto end = end_of.find(attempt);
    if (end == end_of.end()) continue;
    if (end->second == "0" && (cause == Cause::exit_code || cause == Cause::oom_kill))
      wrong.push_back("S22 " + attempt + " exited 0, recorded as " + words_for(cause));
    if (end->second != "0" && cause == Cause::clean_exit)
      wrong.push_back("S22 " + attempt + " exited " + end->second + ", recorded as clean");
  }
}

// Where the test has noted each of its disturbances, a death of that kind needs one.
void causes_have_a_doer(Stage& stage, Scene& scene, Findings& wrong) {
  if (stage.disturbances().empty()) return;
  const auto noted = [&](const std::string& whom, std::initializer_list<const char*> whats) {
    return std::ranges::any_of(whats,
                               [&](const char* what) { return stage.disturbances().contains({whom, what}); });
  };
  for (const Row& row : scene.books.rows("select ticket, generation, cause, exit_code, evidence, shard, said "
                                         "from runtimes where cause <> 0")) {
    const std::string attempt = row[0] + "-g" + row[1], server = "server " + row[5];
    const auto finding = [&](const std::string& words) {
      wrong.push_back("S22 " + attempt + " is recorded as " + words + ", and nobody did that: " + row[4]);
    };
    switch (static_cast<Cause>(integer(row[2]))) {
      case Cause::signal:
        if (row[3] == "9" && !noted(attempt, {"worker", "runner"})) finding("killed by signal 9");
        break;
      case Cause::session_killed:
        if (!noted(attempt, {"session"})) finding("session killed");
        break;
      case Cause::server_lost:
        if (!noted(server, {"server"})) finding("server lost");
        break;
      case Cause::stopped_by_us:
        if (row[6] == "0" && !noted(attempt, {"runner"})) finding("ended by us without a DONE");
        break;
      case Cause::unknown:
        if (!noted(attempt, {"runner"})) finding("unknown");
        break;
      case Cause::oom_kill:
      case Cause::host_lost:
      case Cause::provider_limit:
      case Cause::declared_dead:
      case Cause::stopped_by_operator: finding(words_for(static_cast<Cause>(integer(row[2])))); break;
      case Cause::none:
      case Cause::never_came_to_be:
      case Cause::clean_exit:
      case Cause::exit_code: break;
    }
  }
}

// --- git

void commits_are_reachable(Stage& stage, Scene& scene, Findings& wrong) {
  std::set<std::string> reachable;
  std::istringstream lines(stage.git(stage.repository(), {"rev-list", "--all"}).out);
  for (std::string id; std::getline(lines, id);) reachable.insert(id);
  for (const JournalLine& line : scene.journal)
    if (line.what.starts_with("commit ") && line.what.size() > 20 && !reachable.contains(line.what.substr(7)))
      wrong.push_back("S8 lost: " + line.ticket + " " + line.what);
}

void main_checkout_is_untouched(Stage& stage, Findings& wrong) {
  const auto status = stage.git(stage.repository(), {"status", "--porcelain"});
  if (!status.out.empty()) wrong.push_back("S15 the main checkout is dirty: " + status.out);
  if (stage.git(stage.repository(), {"symbolic-ref", "HEAD"}).out != "refs/heads/main\n")
    wrong.push_back("S15 the main checkout's HEAD moved");
  if (stage.git(stage.repository(), {"rev-parse", "refs/heads/main"}).out != stage.main_at_first())
    wrong.push_back("S15 the branch under the main checkout moved");
  std::istringstream refs(stage.git(stage.repository(), {"for-each-ref", "--format=%(refname)"}).out);
  for (std::string ref; std::getline(refs, ref);) {
    const bool ours = ref.starts_with("refs/heads/hf/") || ref.starts_with("refs/holdfast/") ||
                      ref.starts_with("refs/remotes/") || ref == "refs/heads/main" ||
                      ref == "refs/heads/holdfast/landed" || ref.starts_with("refs/heads/side-");
    if (!ours) wrong.push_back("S15 a ref outside ours: " + ref);
  }
}

void done_means_landed(Stage& stage, Scene& scene, Findings& wrong) {
  std::map<std::string, std::vector<std::string>> commits;
  for (const JournalLine& line : scene.journal)
    if (line.what.starts_with("commit ") && line.what.size() > 20)
      commits[line.ticket].push_back(line.what.substr(7));
  const auto done = scene.books.rows("select id from tickets where state = 5");
  std::set<std::string> landed;
  std::istringstream lines(stage.git(stage.origin(), {"rev-list", "main"}).out);
  for (std::string id; std::getline(lines, id);) landed.insert(id);
  for (const Row& row : done) {
    if (commits[row[0]].empty()) wrong.push_back("S21 done without a commit: " + row[0]);
    for (const std::string& commit : commits[row[0]])
      if (!landed.contains(commit))
        wrong.push_back("S21 " + row[0] + " is done, " + commit + " is not on the target");
  }
}

// --- when all is settled

// S5, S17, S20: the log, read from its beginning.
void the_log_tells_it(Stage& stage, Books& books, Findings& wrong) {
  std::map<std::string, std::int64_t> newest;
  std::map<std::string, std::string> phase_of;
  std::vector<std::int64_t> claims;
  const auto replays = [](const std::string& kind) -> std::string {
    if (kind == "claimed" || kind == "spawn-begun") return "0";
    if (kind == "newborn") return "1";
    if (kind == "ready") return "2";
    if (kind == "running") return "3";
    if (kind == "question") return "4";
    if (kind == "finished") return "5";
    if (kind == "lost" || kind == "declared-dead") return "6";
    if (kind == "closed") return "7";
    return "";
  };
  for (const Row& row : books.rows("select ticket, generation, kind, at from events order by seq")) {
    const std::int64_t generation = integer(row[1]);
    if (row[0].empty() || generation == 0) continue;
    const std::string attempt = row[0] + "-g" + row[1];
    if (row[2] == "claimed") {
      if (generation <= newest[row[0]]) wrong.push_back("S5 a generation came twice: " + attempt);
      newest[row[0]] = generation;
      claims.push_back(integer(row[3]));
    } else if (generation != newest[row[0]]) {
      wrong.push_back("S5 '" + row[2] + "' of a generation that was over: " + attempt);
    }
    if (const std::string phase = replays(row[2]); !phase.empty()) phase_of[attempt] = phase;
  }
  for (const Row& row : books.rows("select ticket, generation, phase from runtimes"))
    if (phase_of[row[0] + "-g" + row[1]] != row[2])
      wrong.push_back("S20 the log does not lead to phase " + row[2] + " of " + row[0] + "-g" + row[1]);
  // The bound holds for one life of the dispatcher; a life begins with each of `starts`.
  const auto most = static_cast<std::size_t>(stage.settings().spawns_per_second);
  for (std::size_t i = 0; i + most < claims.size(); ++i) {
    const std::int64_t from = claims[i], to = claims[i + most];
    const bool one_life =
        std::ranges::none_of(stage.starts(), [&](std::int64_t at) { return at >= from && at <= to; });
    if (one_life && to - from < 990)
      wrong.push_back("S17 more than " + std::to_string(most) + " claims within a second, at " +
                      std::to_string(from));
  }
}

// S9: whatever a worker had written to a file is in the history of some ref.
void nothing_written_is_lost(Stage& stage, Scene& scene, Findings& wrong) {
  std::set<std::string> kept;
  std::istringstream paths(
      stage.git(stage.repository(), {"log", "--all", "--root", "-m", "--name-only", "--format="}).out);
  for (std::string path; std::getline(paths, path);) kept.insert(path);
  for (const JournalLine& line : scene.journal)
    if (line.what.starts_with("wrote ") && !kept.contains(line.what.substr(6)))
      wrong.push_back("S9 lost: " + line.ticket + "-g" + std::to_string(line.generation) + " " + line.what);
}

void nothing_is_left(Stage& stage, Scene& scene, Findings& wrong) {
  Books& books = scene.books;
  books.none("left open", "select ticket, generation, phase from runtimes where phase <> 7");
  books.none("not accounted for", "select id, state from tickets where state in (1, 2)");
  books.none("L3 a lease is left", "select id from slots where state = 1");
  books.none("L4 a worktree is kept from the pool", "select id, note from slots where state = 2");
  for (const auto& [shard, name] : scene.sessions) wrong.push_back("L3 a session is left: " + name);
  for (const Living& one : scene.living)
    if (one.still_there())
      wrong.push_back("L3 a process is left: " + one.attempt() + " " + std::to_string(one.pid) + " " +
                      one.command);
  for (const Row& row : books.rows("select cgroup from runtimes where cgroup <> ''"))
    if (const std::string members = file_text(row[0] + "/cgroup.procs"); !members.empty())
      wrong.push_back("L3 a cgroup is inhabited: " + row[0]);
  for (const Row& row : books.rows("select path from slots where state = 0")) {
    if (!stage.git(row[0], {"status", "--porcelain"}).out.empty())
      wrong.push_back("S14 a free slot is dirty: " + row[0]);
    if (stage.git(row[0], {"symbolic-ref", "-q", "HEAD"}).code == 0)
      wrong.push_back("S14 a free slot is on a branch: " + row[0]);
  }
  std::error_code none;
  for (const auto& entry : fs::recursive_directory_iterator(stage.state() + "/locks", none)) {
    const Fd fd(::open(entry.path().c_str(), O_RDWR | O_CLOEXEC));
    if (fd.open() && ::flock(fd.get(), LOCK_EX | LOCK_NB) != 0)
      wrong.push_back("L3 a lock is held: " + entry.path().string());
  }
}

void look_at_life(Stage& stage, Scene& scene, Findings& wrong) {
  ledger_is_sound(stage, scene.books, wrong);
  the_living_are_known(stage, scene, wrong);
  the_journal_agrees(stage, scene, wrong);
  causes_have_a_doer(stage, scene, wrong);
}

}  // namespace

std::vector<std::string> audit_life(Stage& stage) {
  Findings wrong;
  Scene scene(stage, wrong, false);
  look_at_life(stage, scene, wrong);
  return wrong;
}

std::vector<std::string> audit(Stage& stage) {
  Findings wrong;
  Scene scene(stage, wrong);
  look_at_life(stage, scene, wrong);
  for (const Row& row : scene.books.rows("pragma quick_check"))
    if (row[0] != "ok") wrong.push_back("integrity: " + row[0]);
  commits_are_reachable(stage, scene, wrong);
  main_checkout_is_untouched(stage, wrong);
  done_means_landed(stage, scene, wrong);
  return wrong;
}

std::vector<std::string> audit_settled(Stage& stage) {
  Findings wrong = audit(stage);
  Scene scene(stage, wrong);
  the_log_tells_it(stage, scene.books, wrong);
  nothing_written_is_lost(stage, scene, wrong);
  nothing_is_left(stage, scene, wrong);
  return wrong;
}

}  // namespace holdfast::stage
