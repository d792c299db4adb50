#include "dispatcher/terminal/tmux_shard.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

#include "dispatcher/system/durable_file.h"
#include "dispatcher/system/process_table.h"
#include "dispatcher/system/run_process.h"

namespace holdfast {
namespace {

constexpr const char* mark_name = "HOLDFAST_TMUX_SERVER";

RawReply answered(int code, std::string words) {
  return {Transport::answered, code, {}, std::move(words)};
}

Transport transport_of(ControlClient::Talk talk) {
  switch (talk) {
    case ControlClient::Talk::answered: return Transport::answered;
    case ControlClient::Talk::never_sent: return Transport::never_sent;
    case ControlClient::Talk::no_answer: return Transport::no_answer;
    case ControlClient::Talk::cut: return Transport::cut;
  }
  return Transport::no_answer;
}

std::vector<std::string> control_command(const TmuxOptions& options, int number) {
  return {options.program,
          "-N",
          "-L",
          options.label + "-" + std::to_string(number),
          "-C",
          "attach-session",
          "-f",
          "no-output,ignore-size",
          "-t",
          std::string{"="} + anchor_session};
}

// What tmux itself needs; nothing of the dispatcher's own environment reaches a worker through it.
std::vector<std::string> client_environment(const TmuxOptions& options) {
  std::vector<std::string> environment{"TMUX_TMPDIR=" + options.folder, "TERM=screen-256color",
                                       "LC_ALL=C.UTF-8"};
  for (const char* name : {"PATH", "HOME", "USER", "LOGNAME", "SHELL"}) {
    if (const char* const value = ::getenv(name)) environment.push_back(std::string{name} + "=" + value);
  }
  return environment;
}

}  // namespace

TmuxShard::TmuxShard(const TmuxOptions& options, int number, int news)
    : options_(options),
      number_(number),
      knock_(client_command({"display-message", "-p", "ok"}), client_environment(options)),
      client_(control_command(options, number), client_environment(options), news) {}

std::vector<std::string> TmuxShard::client_command(std::vector<std::string> words) const {
  std::vector<std::string> argv{options_.program, "-N", "-L", options_.label + "-" + std::to_string(number_)};
  argv.insert(argv.end(), std::make_move_iterator(words.begin()), std::make_move_iterator(words.end()));
  return argv;
}

std::vector<std::string> TmuxShard::environment() const {
  return client_environment(options_);
}

// Stands in the environment that the server was started with, where /proc shows it for the whole of the
// server's life; taken out of what the server gives to its panes.
std::string TmuxShard::mark() const {
  return std::string{mark_name} + "=" + options_.folder + ":" + options_.label + "-" +
         std::to_string(number_);
}

std::string TmuxShard::configuration() const {
  const auto size = std::to_string(options_.columns) + "x" + std::to_string(options_.rows);
  std::string text =
      "# Written by Holdfast at each start of this server.\n"
      "set-option -s exit-empty off\n"
      "set-option -s exit-unattached off\n"
      "set-option -s escape-time 0\n"
      "set-option -g destroy-unattached off\n"
      "set-option -g remain-on-exit on\n"
      "set-option -g status off\n"
      "set-option -g set-titles off\n"
      "set-option -g allow-rename off\n"
      "set-option -g automatic-rename off\n"
      "set-option -g update-environment ''\n"
      "set-option -g default-size " +
      size + "\n" + "set-option -g history-limit " + std::to_string(options_.history_lines) + "\n";
  for (const char* name : {mark_name, "LD_PRELOAD", "TMUX_TMPDIR"}) {
    text += std::string{"set-environment -g -u "} + name + "\n";
  }
  return text;
}

int TmuxShard::prepare_folder() const {
  if (const int error = make_folder(options_.folder); error != 0) return error;
  return replace_file(options_.folder, options_.label + "-" + std::to_string(number_) + ".conf",
                      configuration());
}

std::vector<ServerIncarnation> TmuxShard::running_servers(bool& certain) const {
  std::vector<ServerIncarnation> servers;
  const auto table = read_process_table();
  certain = table.complete == Presence::present;
  const auto wanted = mark();
  for (const auto& process : table.processes) {
    if (!process.name.starts_with("tmux") || process.state == 'Z') continue;
    const auto file = read_file("/proc/" + std::to_string(process.pid) + "/environ", 1U << 20);
    if (file.error == ENOENT || file.error == ESRCH) continue;
    if (file.error != 0) {
      // Another person's tmux cannot have our mark; one of our own that hides could.
      certain = certain && (file.error == EACCES || file.error == EPERM);
      continue;
    }
    const auto text = std::string{'\0'} + file.text;
    if (text.find('\0' + wanted + '\0') == std::string::npos) continue;
    servers.push_back({number_, process.pid, process.start_ticks});
  }
  return servers;
}

// No socket file is no proof: the server may live on behind a file that was deleted. Then it is asked to make
// it again.
RawReply TmuxShard::no_server_or_unknown(Absence absence, const std::string& words) {
  if (absence == Absence::refused || absence == Absence::no_socket) {
    bool certain = false;
    const auto servers = running_servers(certain);
    if (servers.empty() && certain) return answered(1, words);
    const auto host = this_host();
    for (const auto& server : servers) {
      signal_exactly({host.boot_id, host.pid_namespace, server.pid, server.start_ticks}, SIGUSR1);
    }
  }
  return {Transport::cut, 0, {}, words};
}

RawReply TmuxShard::connect(const Turn& turn) {
  if (client_.former_pid() != 0 && std::ranges::find(ghosts_, client_.former_pid()) == ghosts_.end()) {
    ghosts_.push_back(client_.former_pid());
  }
  std::string words;
  if (!client_.on_its_way()) {
    auto knocked = knock_.wait(turn.deadline());
    if (knocked.transport != Transport::answered) return knocked;
    if (knocked.code != 0) words = std::move(knocked.error);
  }
  if (words.empty()) {
    const auto talk = client_.connect(turn.deadline(), words);
    if (talk == ControlClient::Talk::answered) return answered(0, {});
    if (talk == ControlClient::Talk::no_answer) return {Transport::no_answer, 0, {}, "tmux does not answer"};
  }
  const auto absence = absence_in(words);
  switch (absence) {
    case Absence::refused:
    case Absence::no_socket: return no_server_or_unknown(absence, words);
    case Absence::no_session: return answered(2, words);
    case Absence::died:
    case Absence::none: break;
  }
  return {Transport::never_sent, 0, {}, words.empty() ? "tmux ended without a word" : words};
}

RawReply TmuxShard::make_anchor(const Turn& turn) {
  // Two words, so that tmux does not give them to a shell. It exists already where somebody else was faster.
  const auto reply =
      run_process({client_command({"new-session", "-d", "-s", anchor_session, "--", "true", "anchor"}),
                   "/",
                   environment(),
                   {},
                   turn.deadline().left()});
  if (reply.transport != Transport::answered) return reply;
  return answered(0, {});
}

RawReply TmuxShard::identify_server(const Turn& turn) {
  const auto said = ask(turn, "display-message -p '#{pid}'", 1);
  if (said.raw.transport != Transport::answered) return said.raw;
  const auto& digits = said.raw.text;
  std::int64_t pid = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), pid);
  const auto process = read_process(pid);
  if (process.presence != Presence::present) {
    client_.close();
    return {Transport::cut, 0, {}, "the tmux server cannot be seen in the process table"};
  }
  server_ = {number_, pid, process.stat.start_ticks};
  return answered(0, {});
}

// An earlier command may still lie in the server's queue as long as the server shows its client. Two empty
// looks: the second one is the barrier behind which nothing of the first can be.
RawReply TmuxShard::lay_ghosts(const Turn& turn) {
  int looks_without = 0;
  while (!ghosts_.empty() && looks_without < 2) {
    const auto said = ask(turn, "list-clients -F " + quoted(clients_format()), 1);
    if (said.raw.transport != Transport::answered) return said.raw;
    bool seen = false;
    for (const auto& line : said.blocks.empty() ? std::vector<std::string>{} : said.blocks.front().lines) {
      const auto client = parse_client_line(line);
      seen = seen || (client && std::ranges::find(ghosts_, client->pid) != ghosts_.end());
    }
    looks_without = seen ? 0 : looks_without + 1;
    if (seen && turn.deadline().passed()) {
      return {Transport::never_sent, 0, {}, "an earlier command is still on its way in this tmux server"};
    }
  }
  ghosts_.clear();
  return answered(0, {});
}

RawReply TmuxShard::reach(const Turn& turn) {
  if (client_.connected() && settled_) return answered(0, {});
  reaching_ = true;
  auto reply = reach_afresh(turn);
  reaching_ = false;
  settled_ = reply.transport == Transport::answered && reply.code == 0;
  return reply;
}

RawReply TmuxShard::reach_afresh(const Turn& turn) {
  RawReply reply;
  for (int attempt = 0; attempt < 50; ++attempt) {
    reply = connect(turn);
    if (reply.transport == Transport::answered && reply.code == 2) {
      // The server is there and somebody has killed the anchor.
      reply = make_anchor(turn);
      if (reply.transport == Transport::answered) continue;
    }
    const bool again = reply.transport == Transport::never_sent || reply.transport == Transport::cut;
    if (!again || turn.deadline().left().ms < 30) break;
    // A server that is going, or one that is making its socket again, is one or the other in a moment.
    ::usleep(20'000);
  }
  if (reply.transport == Transport::answered && reply.code == 0) {
    reply = identify_server(turn);
    if (reply.transport == Transport::answered && reply.code == 0) reply = lay_ghosts(turn);
    return reply;
  }
  if (reply.transport == Transport::answered && reply.code == 1) {
    server_ = {number_, 0, 0};
    ghosts_.clear();  // they went with it
  }
  return reply;
}

TmuxShard::Said TmuxShard::ask(const Turn& turn, const std::string& line, std::size_t commands) {
  auto answer = client_.ask(line, commands, turn.deadline());
  // The connection had gone unnoticed and nothing was sent: the same question may be asked again, of the same
  // server.
  for (int again = 0; again < 3 && answer.talk == ControlClient::Talk::never_sent && !reaching_; ++again) {
    const auto before = server_;
    const auto reply = reach(turn);
    if (reply.transport != Transport::answered || reply.code != 0 || server_ != before) break;
    answer = client_.ask(line, commands, turn.deadline());
  }
  Said said;
  said.raw.transport = transport_of(answer.talk);
  if (answer.talk != ControlClient::Talk::answered) {
    said.raw.error = answer.words.empty() ? "tmux does not answer" : std::move(answer.words);
    return said;
  }
  const bool failed = answer.blocks.back().failed;
  said.raw.code = failed ? 1 : 0;
  auto& text = failed ? said.raw.error : said.raw.text;
  for (const auto& words : answer.blocks.back().lines) text += (text.empty() ? "" : "\n") + words;
  text.resize(std::min<std::size_t>(text.size(), 64 << 10));
  said.blocks = std::move(answer.blocks);
  return said;
}

RawReply TmuxShard::start(const Turn& turn) {
  auto reply = reach(turn);
  if (reply.transport == Transport::answered && reply.code == 0) return reply;
  if (reply.transport != Transport::answered) return reply;  // there may be one that cannot be reached
  if (const auto wrong = what_is_wrong_with_tmux(options_.program))
    return {Transport::never_sent, ENOEXEC, {}, *wrong};
  if (const int error = prepare_folder(); error != 0) {
    return {Transport::never_sent, error, {}, options_.folder + ": " + errno_words(error)};
  }
  auto own = environment();
  own.push_back(mark());
  if (!options_.utmp_silencer.empty()) own.push_back("LD_PRELOAD=" + options_.utmp_silencer);
  const auto name = options_.label + "-" + std::to_string(number_);
  const std::vector<std::string> argv{
      options_.program, "-L",    name, "-f",           options_.folder + "/" + name + ".conf",
      "new-session",    "-d",    "-s", anchor_session, "--",
      "true",           "anchor"};
  const auto started = run_process({argv, "/", own, {}, turn.deadline().left()});
  if (started.transport != Transport::answered) return started;
  // "duplicate session": somebody else was faster, and the server runs.
  if (started.code != 0 && started.error.find("duplicate session") == std::string::npos) return started;
  return reach(turn);
}

}  // namespace holdfast
