// When `up --until-idle` has nothing left to wait for.
#pragma once

#include <optional>
#include <string>

#include "dispatcher/core/schedule.h"

namespace holdfast::cli {

// Nothing: there is something to do, or something will be. Else the words for a person: every ticket is
// settled and nothing is open; empty, or what keeps tickets from ever being claimed.
std::optional<std::string> idle(const Brain&);

}  // namespace holdfast::cli
