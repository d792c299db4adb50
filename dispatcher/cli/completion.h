// Completion for shells, made from the command tree. Ids of tickets and names of profiles are asked of the
// installation when they are needed.
#pragma once

#include <optional>
#include <string>

#include "dispatcher/cli/command.h"

namespace holdfast::cli {

std::optional<std::string> completion_for(const CommandTree&, const std::string& shell_name);

}  // namespace holdfast::cli
