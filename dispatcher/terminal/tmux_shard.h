// One tmux server and the one connection to it. Knows how to reach the server, which life of it answers, and
// when an earlier command can no longer take effect. Holds its lock for the time of one Turn.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "dispatcher/core/raw_reply.h"
#include "dispatcher/terminal/control_client.h"
#include "dispatcher/terminal/knock.h"
#include "dispatcher/terminal/tmux_terminal.h"
#include "dispatcher/terminal/tmux_words.h"

namespace holdfast {

// The session that keeps the control connection: its pane's process has ended at once, so it costs nothing.
constexpr const char* anchor_session = "hf-anchor";

class TmuxShard {
 public:
  TmuxShard(const TmuxOptions&, int number, int news);

  // One caller's turn. Everything below needs one.
  class Turn {
   public:
    Turn(TmuxShard& shard, Duration deadline) : deadline_(deadline), lock_(shard.mutex_, std::defer_lock) {
      if (!lock_.try_lock_for(std::chrono::milliseconds{deadline_.left().ms})) return;
    }
    [[nodiscard]] bool got() const { return lock_.owns_lock(); }
    [[nodiscard]] const Deadline& deadline() const { return deadline_; }

   private:
    Deadline deadline_;
    std::unique_lock<std::timed_mutex> lock_;
  };

  // Makes sure that the connection stands and that nothing of a former one is pending.
  // answered/0: it stands, server() is known. answered/1: certain that no server is there.
  // Anything else: nobody knows.
  RawReply reach(const Turn&);
  // The life of the server that the connection goes to; unknown before reach().
  [[nodiscard]] const ServerIncarnation& server() const { return server_; }

  // One line of commands; the raw reply's text are the output's lines, code 1 where the last block failed.
  struct Said {
    RawReply raw;
    std::vector<ControlBlock> blocks;
  };
  Said ask(const Turn&, const std::string& line, std::size_t commands);

  // Starts the server where there is none. The only thing that may.
  RawReply start(const Turn&);

  [[nodiscard]] std::int64_t client_pid() const { return client_.pid(); }
  [[nodiscard]] int number() const { return number_; }
  // "tmux -N -L label ... words": the command of a one-time client that never starts a server.
  [[nodiscard]] std::vector<std::string> client_command(std::vector<std::string> words) const;
  [[nodiscard]] std::vector<std::string> environment() const;

 private:
  RawReply reach_afresh(const Turn&);
  RawReply connect(const Turn&);
  RawReply no_server_or_unknown(Absence, const std::string& words);
  RawReply lay_ghosts(const Turn&);
  RawReply make_anchor(const Turn&);
  RawReply identify_server(const Turn&);
  [[nodiscard]] std::vector<ServerIncarnation> running_servers(bool& certain) const;
  [[nodiscard]] std::string mark() const;
  [[nodiscard]] std::string configuration() const;
  int prepare_folder() const;

  TmuxOptions options_;
  int number_;
  std::timed_mutex mutex_;
  Knock knock_;
  ControlClient client_;
  ServerIncarnation server_;
  bool settled_ = false;   // this connection's server is known, and no older command is pending there
  bool reaching_ = false;  // on the way to a connection, which is not begun twice
  std::vector<std::int64_t> ghosts_;  // clients of ours that ended with a command on its way
};

}  // namespace holdfast
