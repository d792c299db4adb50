// Texts from arguments, files and the standard input, with a bound.
#pragma once

#include <optional>
#include <string>

#include "dispatcher/cli/command.h"
#include "dispatcher/cli/installation.h"
#include "dispatcher/cli/shell.h"

namespace holdfast::cli {

// `path` "-": the standard input; else a regular file. Relative paths start from the shell's folder.
Or<std::string> read_input(const std::string& path, const Shell&, std::size_t at_most);

// --NAME TEXT or --NAME-file FILE; both is a mistake, neither is nothing.
Or<std::optional<std::string>> text_from(const Arguments&, const Shell&, const std::string& name);

// A positional or a file; exactly one of them.
Or<std::string> words_or_file(const Arguments&, const Shell&, const std::string& positional,
                              const std::string& option);

}  // namespace holdfast::cli
