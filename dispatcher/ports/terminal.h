// What the driver asks of tmux.
//
// The installation owns a few private servers ("shards"). Only start_server() may start one; every other call
// must leave a server that is not there not there. Targets are always exact: sessions by their `$id` or
// `=name`, panes by `%id`. Every call returns within `deadline`, also when the server is stopped or dead.
#pragma once

#include <string>
#include <vector>

#include "dispatcher/core/terminal_sightings.h"
#include "dispatcher/ports/reply.h"

namespace holdfast {

class Terminal {
 public:
  virtual ~Terminal() = default;

  // Makes sure the shard's server runs and says which incarnation it is. The only call that may start one.
  virtual Reply<ServerIncarnation> start_server(int shard, Duration deadline) = 0;

  // new-session -d. answered/0: the pane exists. answered/1 with "duplicate session": a session of this name
  // is there already, perhaps from our own earlier call. Everything else: look before doing anything.
  virtual Reply<SpawnedPane> spawn(const SpawnOrder&, Duration deadline) = 0;

  // All panes of one server in one call. answered with server unknown: certain that no server listens there.
  virtual Reply<ServerListing> list(int shard, Duration deadline) = 0;

  // Kills exactly this session of exactly this incarnation; answered/0 also where it is gone already.
  virtual Reply<Nothing> end_session(const ServerIncarnation&, const SessionName&,
                                     const std::string& session_id, Duration deadline) = 0;

  // The last `lines` lines of a pane's screen and history, as plain text.
  virtual Reply<std::string> capture(const ServerIncarnation&, const std::string& pane_id, int lines,
                                     Duration deadline) = 0;

  // A line for the persons who are attached to this session (display-message). Changes nothing else.
  virtual Reply<Nothing> notice(const ServerIncarnation&, const SessionName&, const std::string& text,
                                Duration deadline) = 0;

  // The command a person runs to attach: an argv for execvp.
  [[nodiscard]] virtual std::vector<std::string> attach_command(int shard, const SessionName&) const = 0;
};

}  // namespace holdfast
