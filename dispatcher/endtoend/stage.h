// A whole installation on a stage: a real repository, a real board, real tmux servers and scripted workers,
// with the shipped programs, in a folder that is gone when the test is. Nothing is mocked.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "dispatcher/board/desk.h"
#include "dispatcher/ledger/sqlite_ledger.h"
#include "dispatcher/system/file_records.h"

namespace holdfast::stage {

struct Settings {
  int capacity = 4;
  int shards = 2;
  std::string gate = "land";
  bool remote = true;  // a bare `origin`, so that landing and pushing are real
  std::string memory = "96MiB";
  std::string extra = {};          // more members of holdfast.json, each with a leading comma
  std::string profile_extra = {};  // more members of the puppet's profile, each with a leading comma
  std::map<std::string, std::string> puppet_environment = {};
  bool prompt_by_file = false;
  int attempts_max = 3;
  int spawns_per_second = 1000;
  std::string review_every = "1s";
  std::string call_deadline = "10s";
  bool board_elsewhere = false;  // its own installation, which `holdfast serve` shows over HTTP
};

struct JournalLine {
  std::int64_t at_ms = 0;
  std::string ticket;
  unsigned generation = 0;
  std::int64_t pid = 0;
  std::string what;  // "start", "prompt 3", "commit <id>", "end exit 0", "TWO-WORKERS"
};

class Stage {
 public:
  explicit Stage(Settings = {});
  ~Stage();  // ends whatever is left, by pid
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  // Paths.
  [[nodiscard]] const std::string& folder() const { return folder_; }
  [[nodiscard]] std::string repository() const { return folder_ + "/repo"; }
  [[nodiscard]] std::string origin() const { return folder_ + "/origin.git"; }
  [[nodiscard]] std::string state() const { return folder_ + "/state"; }
  [[nodiscard]] std::string config() const { return folder_ + "/holdfast.json"; }
  [[nodiscard]] std::string yard() const { return folder_ + "/yard"; }  // the puppets' journal and locks

  // The file that the tickets are in, and the board over HTTP where it is elsewhere.
  [[nodiscard]] std::string board_file() const;
  void start_board();
  void stop_board();
  [[nodiscard]] int board_port() const;  // 0: it does not listen yet

  // Tickets. `script` is the puppet's, one line each.
  void add(const std::string& id, const std::vector<std::string>& script, const std::string& depends_on = {});
  [[nodiscard]] BoardTicket ticket(const std::string& id);
  [[nodiscard]] TicketPage page(const std::string& id);
  std::string person_moves(const std::string& id, BoardState);         // the error, or nothing
  [[nodiscard]] std::vector<Attempt> attempts(const std::string& id);  // oldest first
  [[nodiscard]] std::vector<LedgerEvent> events(const std::string& id);
  [[nodiscard]] std::vector<Message> messages(const AttemptId&);
  [[nodiscard]] RecordSighting record(const AttemptId&);
  [[nodiscard]] std::vector<JournalLine> journal() const;
  [[nodiscard]] int journalled(const std::string& ticket, const std::string& what_begins_with) const;

  [[nodiscard]] std::vector<Attempt> open_attempts();

  // What a test did to it, for the auditor: whom ("T-1-g2", "server 0"), and what ("worker", "server"). Where
  // anything is noted, everything is.
  void note(const std::string& whom, const std::string& what) { disturbances_.insert({whom, what}); }
  [[nodiscard]] const std::set<std::pair<std::string, std::string>>& disturbances() const {
    return disturbances_;
  }
  [[nodiscard]] const std::vector<std::int64_t>& starts() const { return starts_; }  // of dispatchers, ms
  [[nodiscard]] const std::string& main_at_first() const { return main_at_first_; }
  [[nodiscard]] const Settings& settings() const { return settings_; }

  // The dispatcher, as its own process.
  void start(const std::vector<std::string>& more_arguments = {});
  void start_program(const std::vector<std::string>& argv);
  [[nodiscard]] bool running();
  int stop(int signal);  // sends it and waits; exit code, or -signal
  [[nodiscard]] std::int64_t dispatcher_pid() const { return pid_; }

  // A person with a SQL prompt; the answer is the error, or nothing.
  std::string sql(const std::string& statements);
  int count(const std::string& query);  // the first number of its answer

  // Any other program of the installation; `holdfast` with this stage's configuration.
  struct Ran {
    int code = -1;
    std::string out, err;
  };
  Ran holdfast(const std::vector<std::string>& arguments, const std::string& input = {});
  Ran tmux(int shard, const std::vector<std::string>& arguments);
  Ran git(const std::string& where, const std::vector<std::string>& arguments);
  [[nodiscard]] std::int64_t tmux_server_pid(int shard);

  // Waits until it holds, looking every 10 ms; false when the deadline came first.
  bool wait(const std::function<bool()>& holds, int seconds = 120);
  bool wait_for_state(const std::string& id, BoardState, int seconds = 120);
  bool wait_for_phase(const std::string& id, Phase, int seconds = 120);
  [[nodiscard]] std::string story();  // everything about this stage, for a failing test's message

 private:
  std::string folder_;
  Settings settings_;
  std::unique_ptr<Desk> desk_;
  std::unique_ptr<SqliteLedger> ledger_;
  std::unique_ptr<FileRecords> records_;
  std::int64_t pid_ = 0, board_pid_ = 0;
  std::string main_at_first_;
  std::set<std::pair<std::string, std::string>> disturbances_;
  std::vector<std::int64_t> starts_;
};

// What is wrong, seen from outside: ledger, board, tmux, processes, cgroups, locks, git and the puppets'
// journal. Empty: nothing. `life`: without git and tmux, quick enough to be called all the time. `settled`:
// also that nothing is left over (call it when all tickets are accounted for and the dispatcher has ended).
std::vector<std::string> audit_life(Stage&);
std::vector<std::string> audit(Stage&);
std::vector<std::string> audit_settled(Stage&);

std::string program(const std::string& name);  // a shipped binary of this build

}  // namespace holdfast::stage
