#include "dispatcher/cli/installation.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>

#include "dispatcher/cli/board_part.h"
#include "dispatcher/cli/git_part.h"
#include "dispatcher/cli/tmux_folder.h"
#include "dispatcher/system/chance.h"
#include "dispatcher/system/clocks.h"
#include "dispatcher/system/durable_file.h"
#include "dispatcher/system/file_records.h"
#include "dispatcher/system/linux_processes.h"
#include "dispatcher/system/record_news.h"
#include "dispatcher/terminal/tmux_terminal.h"

namespace holdfast::cli {
namespace {

// A companion of this program: beside it, or where packages put it.
std::string find_companion(const std::string& name) {
  std::array<char, 4096> self{};
  const ssize_t length = ::readlink("/proc/self/exe", self.data(), self.size() - 1);
  if (length <= 0) return {};
  const std::filesystem::path folder = std::filesystem::path(self.data()).parent_path();
  for (const char* place : {".", "../libexec/holdfast", "../lib/holdfast"})
    if (const auto path = (folder / place / name).lexically_normal(); ::access(path.c_str(), R_OK) == 0)
      return path.string();
  return {};
}
std::string find_runner() {
  return find_companion("holdfast-runner");
}

}  // namespace

struct Installation::Parts {
  Places places;
  std::string tmux_folder, runner;
  int shards = 1;
  std::unique_ptr<SqliteLedger> ledger;
  std::unique_ptr<Board> board;
  std::unique_ptr<FileRecords> records;
  LinuxProcesses processes;
  std::unique_ptr<TmuxTerminal> terminal;
  std::unique_ptr<Worktrees> worktrees;
  std::unique_ptr<RecordNews> record_news;
  std::unique_ptr<World> world;
};

Installation::Installation() : parts(std::make_unique<Parts>()) {}
Installation::~Installation() = default;
World& Installation::world() {
  return *parts->world;
}
SqliteLedger& Installation::ledger() {
  return *parts->ledger;
}
const std::string& Installation::tmux_folder() const {
  return parts->tmux_folder;
}
const std::string& Installation::runner() const {
  return parts->runner;
}

std::vector<NewsSource> Installation::news_sources() {
  if (!parts->record_news) parts->record_news = std::make_unique<RecordNews>(parts->places.records);
  Parts& p = *parts;
  return {{p.terminal->news_fd(),
           [&p] {
             p.terminal->take_news();
             std::vector<News> news;
             news.reserve(static_cast<std::size_t>(p.shards));
             for (int shard = 0; shard < p.shards; ++shard) news.push_back(ServerNews{shard});
             return news;
           }},
          {p.record_news->fd(), [&p] {
             std::vector<News> news;
             RecordNews::Heard heard = p.record_news->drain();
             for (AttemptId& attempt : heard.attempts) news.push_back(AttemptNews{std::move(attempt)});
             if (heard.woken) news.insert(news.end(), {LedgerNews{}, BoardNews{}});
             return news;
           }}};
}

void Installation::watch(const AttemptId& attempt) {
  if (parts->record_news) parts->record_news->watch(attempt);  // without a watch it is looked at by the clock
}
void Installation::unwatch(const AttemptId& attempt) {
  if (parts->record_news) parts->record_news->unwatch(attempt);
}

Places places_of(const Config& config) {
  const std::string& state = config.state;
  return {state, state + "/holdfast.db", state + "/records", state + "/records/wake"};
}

void wake_dispatcher(const Config& config) {
  const std::string path = places_of(config).wake;
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return;
  ::futimens(fd, nullptr);
  ::close(fd);
}

Or<void> check_is_at_home(const std::string& state, bool may_write) {
  std::error_code failed;
  const std::string here = std::filesystem::canonical(state, failed).string();
  if (failed) return {};  // whoever opens the ledger says it better
  const std::string file = state + "/installed-at";
  const FileText known = read_file(file, 8192);
  const std::string home = known.text.substr(0, known.text.find('\n'));
  if (known.error == 0 && !home.empty()) {
    if (home == here) return {};
    const bool original = std::filesystem::exists(home + "/holdfast.db", failed);
    return bad(
        state + ": was installed at " + home +
        (original ? ", which is still there: this copy of it would drive the same workers; `holdfast init` "
                    "makes an installation of its own"
                  : ", which is not there: if it was moved, and nothing else uses it there, remove " + file));
  }
  if (may_write)
    if (const int error = replace_file(state, "installed-at", here + "\n"); error != 0)
      return bad(file + ": " + errno_words(error));
  return {};
}

namespace {

bool holds_anything(const LedgerContents& contents) {
  return std::ranges::any_of(contents.slots, [](const Slot& slot) { return slot.state != SlotState::free; });
}

// Its worktrees belong to one repository. With another one in the configuration their work could not be
// saved, and the folders would be taken for lost.
Or<void> check_repository_is_the_same(const Config& config, const LedgerContents& contents, bool may_write) {
  const std::string file = config.state + "/repository";
  const FileText known = read_file(file, 8192);
  const std::string before = known.text.substr(0, known.text.find('\n'));
  const std::string now = home_of_repository(config.repository);
  if (now.empty() || (known.error == 0 && before == now)) return {};
  const bool was_moved = known.error == 0 && home_of_repository(before).empty();
  if (known.error == 0 && !was_moved && holds_anything(contents))
    return bad(
        "repository: the worktrees of this installation belong to " + before + ", and " + config.repository +
        " is another one: set it back until what runs has ended and nothing is set apart (`holdfast pool "
        "status`), or make a new installation with `holdfast init`");
  if (may_write)
    if (const int error = replace_file(config.state, "repository", now + "\n"); error != 0)
      return bad(file + ": " + errno_words(error));
  return {};
}

// A shard that is configured no more is still asked as long as an attempt lives on it.
int shards_of(const Config& config, const LedgerContents& contents) {
  int shards = config.policy.shards + 1;  // and the one for tickets that are retried alone
  for (const TicketLedger& ticket : contents.tickets)
    if (ticket.newest && ticket.newest->open()) shards = std::max(shards, ticket.newest->shard + 1);
  return shards;
}

}  // namespace

Or<std::unique_ptr<Installation>> open_installation(const Config& config, LedgerMode mode) {
  auto whole = std::make_unique<Installation>();
  Installation::Parts& p = *whole->parts;
  p.places = places_of(config);
  if (const auto home = check_is_at_home(p.places.state, mode == LedgerMode::dispatcher); !home)
    return bad(home.error().words);
  auto ledger = open_ledger(p.places.ledger, mode);
  if (!ledger) return bad(ledger.error());
  p.ledger = std::move(*ledger);
  const auto contents = p.ledger->load();
  if (contents.raw.transport != Transport::answered || contents.raw.code != 0) return bad(contents.raw.error);
  if (const auto same = check_repository_is_the_same(config, contents.value, mode == LedgerMode::dispatcher);
      !same)
    return bad(same.error().words);
  auto board = make_board(config, mode);
  if (!board) return bad(board.error().words);
  p.board = std::move(*board);

  auto folder = choose_tmux_folder(p.places.state, p.ledger->installation(), config.policy.shards,
                                   mode == LedgerMode::dispatcher);
  if (!folder) return bad(folder.error());
  p.tmux_folder = *folder;
  p.runner = find_runner();
  p.shards = shards_of(config, contents.value);

  p.records = std::make_unique<FileRecords>(p.places.records);
  TmuxOptions tmux;
  tmux.folder = p.tmux_folder;
  tmux.shards = p.shards;
  tmux.columns = config.policy.columns;
  tmux.rows = config.policy.rows;
  p.terminal = std::make_unique<TmuxTerminal>(tmux);
  p.worktrees = make_worktrees(config, mode == LedgerMode::dispatcher);
  const FileRecords* const records = p.records.get();
  p.world = std::make_unique<World>(
      World{*p.ledger, *p.board, *p.terminal, *p.records, p.processes, *p.worktrees, wall_clock, random_token,
            [records, runner = p.runner](const AttemptId& attempt) -> std::vector<std::string> {
              return {runner, records->folder_of(attempt)};
            }});
  return whole;
}

Or<void> check_surroundings(const Config& config) {
  if (const auto wrong = what_is_wrong_with_tmux("tmux")) return bad(*wrong);
  if (const auto wrong =
          what_is_wrong_with_repository(config.repository, config.policy.target, config.policy.git_deadline);
      !wrong.empty())
    return bad(wrong.front());
  if (const auto wrong = what_is_wrong_with_remote(config); !wrong.empty()) return bad(wrong.front());
  if (find_runner().empty())
    return bad("holdfast-runner is not there: it belongs beside this program, or in ../libexec/holdfast");
  return {};
}

Instant wall_clock() {
  return SystemClock{}.now();
}

std::string random_token() {
  return random_name();
}

}  // namespace holdfast::cli
