// The real parts behind the ports, wired together. The only place that names them.
//
// Everything of one installation lies in its state folder:
//
//   holdfast.db       ledger and built-in board        records/<ticket>-g<n>/   one folder per attempt
//   pool/ scratch/    worktrees                        locks/ leases/           held by helpers
//   wake              touched by whoever has written   tmux/                    sockets, where the path is
//   short tmux-folder       where the sockets are instead    dispatcher.lock          held by the running
//   dispatcher
#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "dispatcher/cli/exit_codes.h"
#include "dispatcher/config/config.h"
#include "dispatcher/driver/driver.h"
#include "dispatcher/ledger/ledger_mode.h"
#include "dispatcher/ledger/sqlite_ledger.h"
#include "dispatcher/ports/world.h"

namespace holdfast::cli {

struct Trouble {
  Exit code = Exit::failure;
  std::string words;
};
template <class T>
using Or = std::expected<T, Trouble>;
inline std::unexpected<Trouble> bad(std::string words) {
  return std::unexpected(Trouble{Exit::bad_input, std::move(words)});
}

struct Places {
  std::string state, ledger, records, wake;
};
Places places_of(const Config&);

// Tells a running dispatcher that something was written. Never fails: it looks by itself now and then.
void wake_dispatcher(const Config&);

struct Installation {
  Installation();
  ~Installation();
  Installation(const Installation&) = delete;
  Installation& operator=(const Installation&) = delete;

  [[nodiscard]] World& world();
  [[nodiscard]] SqliteLedger& ledger();
  [[nodiscard]] const std::string& tmux_folder() const;
  [[nodiscard]] const std::string& runner() const;  // the program in every pane; empty: not found

  // For the driver: descriptors that become readable when there may be news, and what to watch.
  [[nodiscard]] std::vector<NewsSource> news_sources();
  void watch(const AttemptId&);
  void unwatch(const AttemptId&);

  struct Parts;
  std::unique_ptr<Parts> parts;
};

// Its state folder knows where it was made, so that a copy of it is no second dispatcher of the same workers:
// the copied ledger names their processes and the copied `tmux-folder` their servers. Written where it is not
// yet.
Or<void> check_is_at_home(const std::string& state, bool may_write);

// Opens the files and makes the parts; starts nothing. `for_looking`: git does not fetch, nothing is written.
Or<std::unique_ptr<Installation>> open_installation(const Config&, LedgerMode);

// Tools, repository and runner are what they must be; nothing is changed.
Or<void> check_surroundings(const Config&);

Instant wall_clock();
std::string random_token();

}  // namespace holdfast::cli
