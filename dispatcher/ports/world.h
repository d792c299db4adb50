// Everything the driver acts on, in one place. Only dispatcher/cli names the real parts behind these.
#pragma once

#include <functional>
#include <string>

#include "dispatcher/core/instant.h"
#include "dispatcher/ports/attempts.h"
#include "dispatcher/ports/board.h"
#include "dispatcher/ports/ledger.h"
#include "dispatcher/ports/terminal.h"
#include "dispatcher/ports/worktrees.h"

namespace holdfast {

struct World {
  Ledger& ledger;
  Board& board;
  Terminal& terminal;
  Records& records;
  Processes& processes;
  Worktrees& worktrees;
  std::function<Instant()> now;        // the wall clock, through its one adapter
  std::function<std::string()> token;  // 128 unguessable bits in hex
  std::function<std::vector<std::string>(const AttemptId&)> runner_command;  // argv of an attempt's pane
};

}  // namespace holdfast
