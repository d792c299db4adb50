// Messages of persons to live runtimes: queued in the ledger, delivered by the dispatcher.
#pragma once

#include <string>

#include "dispatcher/cli/installation.h"
#include "dispatcher/cli/shell.h"
#include "dispatcher/core/attempt.h"

namespace holdfast::cli {

// `named`: where two that say the same thing to the same question must be one; else it gets a name of its
// own.
Or<Message> queue_message(Ledger&, const Attempt&, MessageKind, const std::string& text, const Shell&,
                          const std::string& named = "");

// Why this runtime takes no input now: "runtime is not ready for input, status=..."; nothing: it does.
struct NotReady {
  std::string words, status;
};
std::optional<NotReady> not_ready(const Attempt&, const std::vector<Message>&, const RecordSighting*);

}  // namespace holdfast::cli
