// tmux behind ports/terminal.h: a few private servers ("shards"), each with its own socket, its own
// configuration that we write, and one persistent control-mode connection.
//
// Safe for several threads at once; the calls to one shard are served one after the other, each within its
// deadline. A call that could not get its turn in time is never_sent.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dispatcher/ports/terminal.h"

namespace holdfast {

// The library beside this program that keeps tmux from calling the utmp helper; empty where it was not
// installed.
std::string find_utmp_silencer();

struct TmuxOptions {
  std::string label = "holdfast";  // of the sockets: "<label>-<shard>"
  std::string folder;              // absolute and ours alone (mode 0700); sockets and configuration lie in it
  int shards = 1;
  std::string program = "tmux";
  // Preloaded into the server, and into nothing that runs in it. Empty: let it call the helper.
  std::string utmp_silencer = find_utmp_silencer();
  int columns = 200, rows = 50;
  int history_lines = 2000;
};

// Words for a person where this tmux cannot be used (missing, too old); nullopt: it can. Runs `program -V`.
std::optional<std::string> what_is_wrong_with_tmux(const std::string& program);

class TmuxShard;

class TmuxTerminal final : public Terminal {
 public:
  explicit TmuxTerminal(TmuxOptions);
  ~TmuxTerminal() override;

  Reply<ServerIncarnation> start_server(int shard, Duration deadline) override;
  Reply<SpawnedPane> spawn(const SpawnOrder&, Duration deadline) override;
  Reply<ServerListing> list(int shard, Duration deadline) override;
  Reply<Nothing> end_session(const ServerIncarnation&, const SessionName&, const std::string& session_id,
                             Duration deadline) override;
  Reply<std::string> capture(const ServerIncarnation&, const std::string& pane_id, int lines,
                             Duration deadline) override;
  Reply<Nothing> notice(const ServerIncarnation&, const SessionName&, const std::string& text,
                        Duration deadline) override;
  [[nodiscard]] std::vector<std::string> attach_command(int shard, const SessionName&) const override;

  // Becomes readable when some server said something unasked (a session came or went, a connection ended).
  // News only wakes; what is the case is found by list(). take_news() makes it unreadable again.
  [[nodiscard]] int news_fd() const;
  void take_news();

 private:
  [[nodiscard]] TmuxShard* shard(int number) const;

  TmuxOptions options_;
  int news_ = -1;
  std::vector<std::unique_ptr<TmuxShard>> shards_;
};

}  // namespace holdfast
