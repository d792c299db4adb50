// What tmux is asked for and what it shows: panes and servers. A pane is not a worker; it only hints at one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dispatcher/core/ids.h"
#include "dispatcher/core/instant.h"

namespace holdfast {

struct SpawnOrder {
  int shard = 0;
  SessionName session;
  std::string working_directory;
  std::vector<std::string> argv;  // no shell in between
};

struct SpawnedPane {
  ServerIncarnation server;
  std::string session_id;  // "$12"
  std::string pane_id;     // "%34"
  std::int64_t pane_pid = 0;
  friend bool operator==(const SpawnedPane&, const SpawnedPane&) = default;
};

struct PaneSighting {
  SessionName session;
  std::string session_id;
  std::string pane_id;
  std::int64_t pane_pid = 0;
  bool dead = false;               // the pane's process is gone, the pane remains (remain-on-exit)
  std::optional<int> exit_status;  // of the pane's process, where dead
  std::optional<int> exit_signal;
  int persons_attached = 0;  // clients on this session that are not control-mode clients of ours
  friend bool operator==(const PaneSighting&, const PaneSighting&) = default;
};

// One complete listing of one server, or the statement that there is none. An unreachable server is not a
// listing: it comes as a raw reply that is not `answered`.
struct ServerListing {
  int shard = 0;
  ServerIncarnation server;  // unknown (pid 0) where no server runs
  std::vector<PaneSighting> panes;
  friend bool operator==(const ServerListing&, const ServerListing&) = default;
};

}  // namespace holdfast
