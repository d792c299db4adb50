// Which board the dispatcher works for, made as the configuration says.
#pragma once

#include <memory>

#include "dispatcher/cli/installation.h"

namespace holdfast::cli {

// Of a board that lives elsewhere nothing is asked yet: one that is away is no reason not to begin.
Or<std::unique_ptr<Board>> make_board(const Config&, LedgerMode);

}  // namespace holdfast::cli
