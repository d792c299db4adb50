#include "dispatcher/terminal/tmux_terminal.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "dispatcher/system/durable_file.h"
#include "dispatcher/system/process_identity.h"
#include "dispatcher/system/run_process.h"
#include "dispatcher/terminal/tmux_shard.h"

namespace holdfast {
namespace {

RawReply never_sent(int code, std::string words) {
  return {Transport::never_sent, code, {}, std::move(words)};
}
RawReply no_turn() {
  return never_sent(EBUSY, "another call to this tmux server takes too long");
}
RawReply no_such_shard() {
  return never_sent(EINVAL, "no such shard");
}

bool stands(const RawReply& reply) {
  return reply.transport == Transport::answered && reply.code == 0;
}

// The words that a pane is started with. tmux gives a single word to a shell; `env` makes two of it.
std::optional<std::vector<std::string>> pane_command(const std::vector<std::string>& argv) {
  if (argv.empty() || argv.front().empty()) return {};
  for (const auto& word : argv) {
    if (word.find('\0') != std::string::npos) return {};
  }
  if (argv.size() > 1) return argv;
  if (argv.front().find('=') != std::string::npos) return {};
  return std::vector<std::string>{"env", argv.front()};
}

std::string spawn_line(const SpawnOrder& order, const std::vector<std::string>& command,
                       const TmuxOptions& options) {
  std::string line =
      "new-session -d -P -F '#{pid} #{session_id} #{pane_id} #{pane_pid}' -s " + order.session.value;
  line += " -x " + std::to_string(options.columns) + " -y " + std::to_string(options.rows);
  // The folder is a format to tmux. One that could run a command there is left to the runner, which goes
  // there anyway.
  const auto& folder = order.working_directory;
  if (!folder.empty() && safe_in_a_format(folder)) line += " -c " + quoted(folder);
  line += " --";
  for (const auto& word : command) line += " " + quoted(word);
  return line;
}

std::string last_lines(std::string_view text, int lines) {
  while (text.ends_with('\n')) text.remove_suffix(1);
  auto from = text.size();
  for (int seen = 0; from > 0; --from) {
    if (text[from - 1] == '\n' && ++seen >= lines) break;
  }
  return std::string{text.substr(from)};
}

Reply<ServerListing> list_once(TmuxShard& tmux, const TmuxShard::Turn& turn) {
  ServerListing listing;
  listing.shard = tmux.number();
  if (auto raw = tmux.reach(turn); !stands(raw)) {
    // answered/1 from reach(): nobody is there, which is a listing too.
    if (raw.transport == Transport::answered && raw.code == 1) {
      return {{Transport::answered, 0, {}, std::move(raw.error)}, std::move(listing)};
    }
    return {std::move(raw)};
  }
  const auto line =
      "list-panes -a -F " + quoted(panes_format()) + " ; list-clients -F " + quoted(clients_format());
  auto said = tmux.ask(turn, line, 2);
  if (!stands(said.raw)) return {std::move(said.raw)};
  listing.server = tmux.server();
  for (const auto& words : said.blocks.front().lines) {
    auto parsed = parse_pane_line(words);
    if (!parsed || parsed->server_pid != listing.server.pid) {
      // Half a listing would let what is missing pass for gone.
      return {{Transport::cut, 0, {}, "tmux listed something that cannot be read: " + words.substr(0, 200)}};
    }
    if (parsed->pane.session.value != anchor_session) listing.panes.push_back(std::move(parsed->pane));
  }
  for (const auto& words : said.blocks.back().lines) {
    const auto client = parse_client_line(words);
    if (!client || client->pid == tmux.client_pid()) continue;
    // Somebody's control-mode client on a worker's session is a person too: some terminals attach that way.
    for (auto& pane : listing.panes) {
      if (pane.session_id == client->session_id) ++pane.persons_attached;
    }
  }
  said.raw.text.clear();
  return {std::move(said.raw), std::move(listing)};
}

}  // namespace

std::optional<std::string> what_is_wrong_with_tmux(const std::string& program) {
  const auto reply = run_process({{program, "-V"}, "/", {}, {}, seconds(5)});
  if (reply.transport != Transport::answered) return "tmux cannot be run: " + reply.error;
  const auto version = parse_tmux_version(reply.text);
  if (!version) return "this is no tmux: " + program + " -V says \"" + reply.text.substr(0, 80) + "\"";
  if (*version < oldest_tmux) return "tmux 3.2 or newer is needed, this is " + reply.text.substr(0, 80);
  return std::nullopt;
}

std::string find_utmp_silencer() {
  char path[4096];
  const ssize_t length = ::readlink("/proc/self/exe", path, sizeof path);
  if (length <= 0) return {};
  std::string_view folder{path, static_cast<std::size_t>(length)};
  folder = folder.substr(0, folder.rfind('/'));
  for (const auto* place :
       {"/libholdfast-utmp-silencer.so", "/../lib/holdfast/libholdfast-utmp-silencer.so"}) {
    auto found = std::string{folder} + place;
    // A path with a blank or a colon would be two to the loader.
    if (found.find_first_of(" :") == std::string::npos && ::access(found.c_str(), R_OK) == 0) return found;
  }
  return {};
}

TmuxTerminal::TmuxTerminal(TmuxOptions options)
    : options_(std::move(options)), news_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  make_folder(options_.folder);  // where that fails, each call says so in its own words
  for (int number = 0; number < options_.shards; ++number) {
    shards_.push_back(std::make_unique<TmuxShard>(options_, number, news_));
  }
}

TmuxTerminal::~TmuxTerminal() {
  shards_.clear();  // their readers write to it
  if (news_ >= 0) ::close(news_);
}

TmuxShard* TmuxTerminal::shard(int number) const {
  if (number < 0 || number >= static_cast<int>(shards_.size())) return nullptr;
  return shards_[static_cast<std::size_t>(number)].get();
}

int TmuxTerminal::news_fd() const {
  return news_;
}

void TmuxTerminal::take_news() {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto got = ::read(news_, &count, sizeof count);
}

Reply<ServerIncarnation> TmuxTerminal::start_server(int number, Duration deadline) {
  auto* const tmux = shard(number);
  if (tmux == nullptr) return {no_such_shard()};
  const TmuxShard::Turn turn{*tmux, deadline};
  if (!turn.got()) return {no_turn()};
  auto raw = tmux->start(turn);
  if (!stands(raw)) return {std::move(raw)};
  return {std::move(raw), tmux->server()};
}

Reply<SpawnedPane> TmuxTerminal::spawn(const SpawnOrder& order, Duration deadline) {
  auto* const tmux = shard(order.shard);
  if (tmux == nullptr) return {no_such_shard()};
  if (!fit_for_a_session(order.session.value)) return {never_sent(EINVAL, "not a name for a session")};
  const auto command = pane_command(order.argv);
  if (!command) return {never_sent(EINVAL, "not a command for a pane")};
  const TmuxShard::Turn turn{*tmux, deadline};
  if (!turn.got()) return {no_turn()};
  if (auto raw = tmux->reach(turn); !stands(raw)) {
    // Nothing was asked of the server yet.
    return {never_sent(raw.code, raw.error)};
  }
  auto said = tmux->ask(turn, spawn_line(order, *command, options_), 1);
  if (!stands(said.raw)) return {std::move(said.raw)};
  // "pid $session %pane panepid" and nothing else, or it is not known what was made.
  const auto parsed = parse_pane_line(said.raw.text + " 0 = = x");
  if (!parsed || parsed->server_pid != tmux->server().pid) {
    said.raw.transport = Transport::cut;
    said.raw.error = "tmux answered something else: " + said.raw.text;
    return {std::move(said.raw)};
  }
  return {std::move(said.raw),
          {tmux->server(), parsed->pane.session_id, parsed->pane.pane_id, parsed->pane.pane_pid}};
}

Reply<ServerListing> TmuxTerminal::list(int number, Duration deadline) {
  auto* const tmux = shard(number);
  if (tmux == nullptr) return {no_such_shard()};
  const TmuxShard::Turn turn{*tmux, deadline};
  if (!turn.got()) return {no_turn()};
  auto reply = list_once(*tmux, turn);
  // Looking changes nothing, so a connection that broke meanwhile may be made again and asked again.
  if (reply.raw.transport == Transport::cut) reply = list_once(*tmux, turn);
  return reply;
}

// answered/0 where the incarnation is certainly gone, and everything in it; nullopt where the connection goes
// to it.
std::optional<RawReply> other_life(TmuxShard& tmux, const TmuxShard::Turn& turn,
                                   const ServerIncarnation& wanted) {
  auto raw = tmux.reach(turn);
  if (stands(raw) && tmux.server() == wanted) return std::nullopt;
  if (raw.transport != Transport::answered) return never_sent(raw.code, raw.error);
  const auto host = this_host();
  switch (presence_of({host.boot_id, host.pid_namespace, wanted.pid, wanted.start_ticks})) {
    case Presence::gone: return RawReply{Transport::answered, 0, {}, "that tmux server is gone"};
    case Presence::present:
    case Presence::unknown: break;
  }
  return never_sent(ESRCH, "that tmux server cannot be reached; another one answers, or none");
}

Reply<Nothing> TmuxTerminal::end_session(const ServerIncarnation& server, const SessionName& name,
                                         const std::string& session_id, Duration deadline) {
  auto* const tmux = shard(server.shard);
  if (tmux == nullptr) return {no_such_shard()};
  const bool by_id = is_session_id(session_id);
  if (!by_id && (!session_id.empty() || !fit_for_a_session(name.value)))
    return {never_sent(EINVAL, "not a session")};
  const TmuxShard::Turn turn{*tmux, deadline};
  if (!turn.got()) return {no_turn()};
  if (auto raw = other_life(*tmux, turn, server)) return {std::move(*raw)};
  auto said = tmux->ask(turn, "kill-session -t " + quoted(by_id ? session_id : "=" + name.value), 1);
  if (said.raw.transport == Transport::answered && said.raw.code != 0 &&
      absence_in(said.raw.error) == Absence::no_session) {
    said.raw.code = 0;
  }
  return {std::move(said.raw)};
}

// By a client of its own: what a worker has put on its screen must not stand in the stream that answers are
// read from.
Reply<std::string> TmuxTerminal::capture(const ServerIncarnation& server, const std::string& pane_id,
                                         int lines, Duration deadline) {
  auto* const tmux = shard(server.shard);
  if (tmux == nullptr) return {no_such_shard()};
  if (!is_pane_id(pane_id) || lines <= 0) return {never_sent(EINVAL, "not a pane")};
  std::vector<std::string> command;
  Deadline left{deadline};
  {
    const TmuxShard::Turn turn{*tmux, deadline};
    if (!turn.got()) return {no_turn()};
    if (auto raw = other_life(*tmux, turn, server)) {
      if (stands(*raw)) *raw = {Transport::answered, 1, {}, "that tmux server is gone"};
      return {std::move(*raw)};
    }
    // A client of its own would stand in line at a server that stands still, one for each look.
    if (auto said = tmux->ask(turn, "display-message -p ok", 1); !stands(said.raw))
      return {never_sent(said.raw.code, said.raw.error)};
    command = tmux->client_command({"capture-pane", "-p", "-t", pane_id, "-S", std::to_string(-lines)});
  }
  auto raw = run_process({command, "/", tmux->environment(), {}, left.left(), 1U << 20});
  if (!stands(raw)) return {std::move(raw)};
  auto text = last_lines(raw.text, lines);
  raw.text.clear();
  return {std::move(raw), std::move(text)};
}

Reply<Nothing> TmuxTerminal::notice(const ServerIncarnation& server, const SessionName& name,
                                    const std::string& text, Duration deadline) {
  auto* const tmux = shard(server.shard);
  if (tmux == nullptr) return {no_such_shard()};
  if (!fit_for_a_session(name.value)) return {never_sent(EINVAL, "not a session")};
  const TmuxShard::Turn turn{*tmux, deadline};
  if (!turn.got()) return {no_turn()};
  if (auto raw = other_life(*tmux, turn, server)) return {std::move(*raw)};
  auto said =
      tmux->ask(turn, "list-clients -t " + quoted("=" + name.value) + " -F " + quoted(clients_format()), 1);
  if (!stands(said.raw)) return {std::move(said.raw)};
  const auto clients = said.blocks.front().lines;
  for (const auto& line : clients) {
    const auto client = parse_client_line(line);
    if (!client || client->name.empty()) continue;
    // Someone who has left in the meantime need not be told.
    said = tmux->ask(
        turn, "display-message -d 10000 -c " + quoted(client->name) + " " + quoted(not_a_format(text)), 1);
    if (said.raw.transport != Transport::answered) return {std::move(said.raw)};
  }
  return {{Transport::answered, 0, {}, {}}};
}

std::vector<std::string> TmuxTerminal::attach_command(int number, const SessionName& name) const {
  return {"env",
          "TMUX_TMPDIR=" + options_.folder,
          "TMUX=",
          options_.program,
          "-N",
          "-L",
          options_.label + "-" + std::to_string(number),
          "attach-session",
          "-t",
          "=" + name.value};
}

}  // namespace holdfast
