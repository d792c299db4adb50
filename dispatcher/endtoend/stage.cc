#include "dispatcher/endtoend/stage.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "dispatcher/core/words.h"
#include "dispatcher/system/clocks.h"
#include "dispatcher/system/spawned_process.h"

namespace holdfast::stage {
namespace fs = std::filesystem;
namespace {

std::string read_all(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

Stage::Ran run(const std::vector<std::string>& argv, const std::string& input = {}) {
  char out_name[] = "/tmp/hf-out-XXXXXX", err_name[] = "/tmp/hf-err-XXXXXX", in_name[] = "/tmp/hf-in-XXXXXX";
  const Fd out(mkostemp(out_name, O_CLOEXEC)), err(mkostemp(err_name, O_CLOEXEC)),
      in(mkostemp(in_name, O_CLOEXEC));
  if (::write(in.get(), input.data(), input.size()) < 0 || ::lseek(in.get(), 0, SEEK_SET) < 0) std::abort();
  SpawnRequest request;
  request.argv = argv;
  request.in = in.get();
  request.out = out.get();
  request.err = err.get();
  const SpawnedProcess child = spawn_process(request);
  Stage::Ran ran;
  if (child.error == 0) {
    int status = 0;
    while (waitpid(child.pid, &status, 0) < 0 && errno == EINTR) {
    }
    ran.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  ran.out = read_all(out_name);
  ran.err = read_all(err_name);
  for (const char* name : {out_name, err_name, in_name}) ::unlink(name);
  return ran;
}

template <class T>
T must(std::expected<T, std::string> value) {
  if (!value) {
    std::fprintf(stderr, "stage: %s\n", value.error().c_str());
    std::abort();
  }
  return std::move(*value);
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

}  // namespace

std::string program(const std::string& name) {
  const char* folder = std::getenv("HOLDFAST_BIN");  // a copy of the binaries, beside which others are built
  return std::string(folder ? folder : HOLDFAST_BIN) + "/" + name;
}

Stage::Stage(Settings settings) : settings_(std::move(settings)) {
  char name[] = "/tmp/hf-stage-XXXXXX";
  if (mkdtemp(name) == nullptr) std::abort();
  folder_ = name;
  fs::create_directories(yard());
  git(folder_, {"init", "-q", "--bare", "-b", "main", origin()});
  git(folder_, {"clone", "-q", origin(), repository()});
  std::ofstream(repository() + "/README") << "a repository on a stage\n";
  for (const auto& arguments :
       std::vector<std::vector<std::string>>{{"config", "user.name", "Stage"},
                                             {"config", "user.email", "stage@localhost"},
                                             {"checkout", "-q", "-b", "main"},
                                             {"add", "README"},
                                             {"commit", "-q", "-m", "Begin"},
                                             {"push", "-q", "-u", "origin", "main"}})
    git(repository(), arguments);
  main_at_first_ = git(repository(), {"rev-parse", "refs/heads/main"}).out;

  std::string environment = "\"PUPPET_STAGE\": " + quoted(yard());
  if (settings_.prompt_by_file) environment += ", \"PUPPET_PROMPT\": \"file\"";
  for (const auto& [key, value] : settings_.puppet_environment)
    environment += ", " + quoted(key) + ": " + quoted(value);
  const std::string remote = settings_.remote ? " \"remote\": \"origin\"," : "";
  std::ofstream(config())
      << "{\n  \"repository\": \"repo\", \"target\": \"main\", \"state\": \"state\"," << remote
      << "\n"
         "  \"capacity\": "
      << settings_.capacity << ", \"shards\": " << settings_.shards
      << ", \"gate\": " << quoted(settings_.gate)
      << ",\n"
         "  \"default_profile\": \"puppet\",\n"
         "  \"profiles\": {\"puppet\": {\"command\": ["
      << quoted(program("holdfast-puppet"))
      << "],\n"
         "    \"environment_allow\": [\"PATH\", \"HOME\"], \"environment\": {"
      << environment
      << "},\n"
         "    \"preamble\": \"\", \"ready\": \"hook\", \"enter_delay\": \"0ms\", \"finish_grace\": \"2s\", "
         "\"term_grace\": \"1s\",\n"
         "    \"prompt\": "
      << quoted(settings_.prompt_by_file ? "file" : "paste") << ", \"memory\": " << quoted(settings_.memory)
      << settings_.profile_extra
      << "}},\n"
         "  \"budgets\": {\"backoff_first\": \"200ms\", \"backoff_max\": \"1s\", \"breaker_deaths\": 1000, "
         "\"attempts\": "
      << settings_.attempts_max << ", \"spawns_per_second\": " << settings_.spawns_per_second
      << "},\n"
         "  \"patience\": {\"look_every\": \"1s\", \"review_every\": \""
      << settings_.review_every
      << "\", \"board_every\": \"500ms\", "
         "\"servers_every\": \"1s\",\n"
         "    \"newborn_grace\": \"3s\", \"call_deadline\": "
      << quoted(settings_.call_deadline) << "}" << settings_.extra << "\n}\n";
  fs::create_directories(state());
  // The files that `holdfast init` and the first `up` make; made here so that tickets can be added before.
  ledger_ = must(open_ledger(state() + "/holdfast.db", LedgerMode::command_line));
  if (settings_.board_elsewhere) {
    std::ofstream(folder_ + "/board.json")
        << R"({"repository": "repo", "state": "board-state", "default_profile": "shell",)"
        << R"( "server": {"listen": "127.0.0.1:0"}})";
    fs::create_directories(folder_ + "/board-state");
  }
  desk_ = must(open_desk(board_file(), LedgerMode::command_line));
  records_ = std::make_unique<FileRecords>(state() + "/records");
}

std::string Stage::board_file() const {
  return (settings_.board_elsewhere ? folder_ + "/board-state" : state()) + "/holdfast.db";
}

void Stage::start_board() {
  const Fd log(::open((folder_ + "/board.log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  SpawnRequest request;
  request.argv = {program("holdfast"), "--config", folder_ + "/board.json", "serve"};
  request.out = request.err = log.get();
  const SpawnedProcess child = spawn_process(request);
  if (child.error != 0) std::abort();
  board_pid_ = child.pid;
}

void Stage::stop_board() {
  if (board_pid_ == 0) return;
  ::kill(static_cast<pid_t>(board_pid_), SIGTERM);
  int status = 0;
  while (waitpid(static_cast<pid_t>(board_pid_), &status, 0) < 0 && errno == EINTR) {
  }
  board_pid_ = 0;
}

int Stage::board_port() const {
  const std::string address = read_all(folder_ + "/board-state/http-address");
  const auto colon = address.rfind(':');
  int port = 0;
  if (colon != std::string::npos)
    std::from_chars(address.data() + colon + 1, address.data() + address.size(), port);
  return port;
}

TicketPage Stage::page(const std::string& id) {
  auto page = desk_->show({id});
  return page ? std::move(*page) : TicketPage{};
}

std::string Stage::person_moves(const std::string& id, BoardState to) {
  const auto moved = desk_->move({id}, to, "a person's wish", "bob", SystemClock{}.now());
  return moved ? "" : moved.error().words;
}

Stage::~Stage() {
  if (running()) stop(SIGKILL);
  stop_board();
  for (int shard = 0; shard <= settings_.shards; ++shard)
    if (const auto server = tmux_server_pid(shard); server > 0) ::kill(static_cast<pid_t>(server), SIGKILL);
  for (const JournalLine& line : journal())
    if (line.what == "start") {  // a worker that is left: only if it is still that very program
      std::error_code none;
      const auto exe = fs::read_symlink("/proc/" + std::to_string(line.pid) + "/exe", none);
      if (!none && exe == program("holdfast-puppet")) ::kill(static_cast<pid_t>(line.pid), SIGKILL);
    }
  std::error_code ignored;
  if (std::getenv("HOLDFAST_KEEP_STAGE") == nullptr) fs::remove_all(folder_, ignored);
}

void Stage::add(const std::string& id, const std::vector<std::string>& script,
                const std::string& depends_on) {
  NewTicket ticket;
  ticket.id = {id};
  ticket.title = "Play " + id;
  ticket.body = "#!puppet\n";
  for (const std::string& line : script) ticket.body += line + "\n";
  ticket.body += "end.";
  if (!depends_on.empty()) ticket.depends_on = {{depends_on}};
  const auto added = desk_->add(ticket, "stage", SystemClock{}.now());
  if (!added) {
    std::fprintf(stderr, "stage: %s\n", added.error().words.c_str());
    std::abort();
  }
  // As the command line does it.
  std::error_code ignored;
  std::ofstream(state() + "/records/wake", std::ios::app).close();
  fs::last_write_time(state() + "/records/wake", fs::file_time_type::clock::now(), ignored);
}

BoardTicket Stage::ticket(const std::string& id) {
  const auto page = desk_->show({id});
  return page ? page->ticket : BoardTicket{};
}

std::vector<Attempt> Stage::attempts(const std::string& id) {
  auto all = ledger_->attempts_of({id}).value;
  std::ranges::sort(all, {}, &Attempt::id);
  return all;
}

std::vector<Attempt> Stage::open_attempts() {
  return ledger_->open_attempts().value;
}

std::vector<LedgerEvent> Stage::events(const std::string& id) {
  return ledger_->events_after(0, id.empty() ? std::nullopt : std::optional(TicketId{id}), 1'000'000).value;
}
std::vector<Message> Stage::messages(const AttemptId& id) {
  return ledger_->messages_of(id).value;
}
RecordSighting Stage::record(const AttemptId& id) {
  return records_->read(id).value;
}

std::vector<JournalLine> Stage::journal() const {
  std::vector<JournalLine> lines;
  std::ifstream file(yard() + "/journal");
  std::string text;
  while (std::getline(file, text)) {
    std::istringstream words(text);
    JournalLine line;
    words >> line.at_ms >> line.ticket >> line.generation >> line.pid;
    std::getline(words >> std::ws, line.what);
    lines.push_back(line);
  }
  return lines;
}

int Stage::journalled(const std::string& ticket, const std::string& what) const {
  const auto lines = journal();
  return static_cast<int>(std::ranges::count_if(
      lines, [&](const JournalLine& l) { return l.ticket == ticket && l.what.starts_with(what); }));
}

void Stage::start(const std::vector<std::string>& more) {
  std::vector<std::string> argv{program("holdfast"), "--config", config(), "up"};
  argv.insert(argv.end(), more.begin(), more.end());
  start_program(argv);
}

void Stage::start_program(const std::vector<std::string>& argv) {
  const Fd log(::open((folder_ + "/up.log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  SpawnRequest request;
  request.argv = argv;
  request.out = request.err = log.get();
  const SpawnedProcess child = spawn_process(request);
  if (child.error != 0) std::abort();
  pid_ = child.pid;
  starts_.push_back(SystemClock{}.now().ms);
}

bool Stage::running() {
  if (pid_ == 0) return false;
  int status = 0;
  if (waitpid(static_cast<pid_t>(pid_), &status, WNOHANG) == 0) return true;
  pid_ = 0;
  return false;
}

int Stage::stop(int signal) {
  if (pid_ == 0) return 0;
  ::kill(static_cast<pid_t>(pid_), signal);
  int status = 0;
  while (waitpid(static_cast<pid_t>(pid_), &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = 0;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

Stage::Ran Stage::holdfast(const std::vector<std::string>& arguments, const std::string& input) {
  std::vector<std::string> argv{program("holdfast"), "--config", config()};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return run(argv, input);
}

Stage::Ran Stage::tmux(int shard, const std::vector<std::string>& arguments) {
  // The label differs from installation to installation: the sockets in the folder say which they are.
  std::string socket;
  std::error_code none;
  for (const auto& entry : fs::recursive_directory_iterator(state() + "/tmux", none))
    if (entry.is_socket() && entry.path().filename().string().ends_with("-" + std::to_string(shard)))
      socket = entry.path();
  if (socket.empty()) return {};
  std::vector<std::string> argv{"tmux", "-N", "-S", socket};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return run(argv);
}

std::int64_t Stage::tmux_server_pid(int shard) {
  const Ran ran = tmux(shard, {"display-message", "-p", "#{pid}"});
  return ran.code == 0 ? std::strtoll(ran.out.c_str(), nullptr, 10) : 0;
}

Stage::Ran Stage::git(const std::string& where, const std::vector<std::string>& arguments) {
  std::vector<std::string> argv{"git", "-C", where};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return run(argv);
}

bool Stage::wait(const std::function<bool()>& holds, int seconds) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  while (!holds()) {
    if (std::chrono::steady_clock::now() >= until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return true;
}

bool Stage::wait_for_state(const std::string& id, BoardState state, int seconds) {
  return wait([&] { return ticket(id).state == state; }, seconds);
}

bool Stage::wait_for_phase(const std::string& id, Phase phase, int seconds) {
  return wait(
      [&] {
        const auto all = attempts(id);
        return !all.empty() && all.back().phase == phase;
      },
      seconds);
}

std::string Stage::sql(const std::string& statements) {
  sqlite3* db = nullptr;
  std::string error;
  if (sqlite3_open((state() + "/holdfast.db").c_str(), &db) != SQLITE_OK) error = "cannot be opened";
  sqlite3_busy_timeout(db, 5000);
  char* words = nullptr;
  if (error.empty() && sqlite3_exec(db, statements.c_str(), nullptr, nullptr, &words) != SQLITE_OK)
    error = words ? words : "an error without words";
  sqlite3_free(words);
  sqlite3_close(db);
  return error;
}

int Stage::count(const std::string& query) {
  sqlite3* db = nullptr;
  sqlite3_stmt* statement = nullptr;
  int number = 0;
  if (sqlite3_open_v2((state() + "/holdfast.db").c_str(), &db, SQLITE_OPEN_READONLY, nullptr) == SQLITE_OK &&
      sqlite3_prepare_v2(db, query.c_str(), -1, &statement, nullptr) == SQLITE_OK &&
      sqlite3_step(statement) == SQLITE_ROW)
    number = sqlite3_column_int(statement, 0);
  sqlite3_finalize(statement);
  sqlite3_close(db);
  return number;
}

std::string Stage::story() {
  std::ostringstream out;
  for (const LedgerEvent& e : events(""))
    out << e.at.ms % 1'000'000 << " " << e.attempt.ticket.value << " g" << e.attempt.generation.value << " "
        << e.kind << " | " << e.cause << " | " << e.evidence << "\n";
  for (const BoardTicket& t : desk_->list({}).value_or(std::vector<BoardTicket>{})) {
    out << t.id.value << ": " << words_for(t.state) << " (" << t.reason << ")\n";
    for (const Attempt& a : attempts(t.id.value))
      out << "  g" << a.id.generation.value << " " << words_for(a.phase) << (a.settled ? " settled" : "")
          << " cause " << words_for(a.cause) << " | " << a.evidence << " | " << a.attention << "\n";
  }
  if (settings_.board_elsewhere) out << "--- board.log\n" << read_all(folder_ + "/board.log");
  const std::string log = read_all(folder_ + "/up.log");
  out << "--- up.log (tail)\n"
      << (log.size() > 4000 ? log.substr(log.size() - 4000) : log) << "\n--- journal\n"
      << read_all(yard() + "/journal");
  return out.str();
}

}  // namespace holdfast::stage
