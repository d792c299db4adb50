// From argv to one command with its arguments, or to help, or to one line that says what is wrong.
#pragma once

#include <string>
#include <vector>

#include "dispatcher/cli/command.h"
#include "dispatcher/cli/shell.h"

namespace holdfast::cli {

struct Parsed {
  const Command* command = nullptr;  // nothing: `words` is all there is to say
  Arguments arguments;
  Exit code = Exit::ok;
  std::string words;
};

// `args` without the program's own name.
Parsed parse_arguments(const CommandTree&, const std::vector<std::string>& args);

// All of `holdfast`: parses, sets the shell's global switches, runs.
Exit run_holdfast(const std::vector<std::string>& args, Shell&);

}  // namespace holdfast::cli
