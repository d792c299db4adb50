// The command tree in words: --help, and the manual page.
#pragma once

#include <string>
#include <vector>

#include "dispatcher/cli/command.h"

namespace holdfast::cli {

std::string overview(const CommandTree&);
std::string usage_of(const Command&);  // "holdfast ticket add [OPTIONS] TITLE"
// Of a command, of a group, or of everything, as far as `path` leads.
std::string help_for(const CommandTree&, const std::vector<std::string>& path);
std::string manual_page(const CommandTree&);  // roff, for holdfast(1)

}  // namespace holdfast::cli
