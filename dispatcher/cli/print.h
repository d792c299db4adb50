// JSON to a shell's standard output.
#pragma once

#include "dispatcher/cli/shell.h"
#include "dispatcher/rows/rows.h"

namespace holdfast::cli {

using holdfast::words_of;

void print(const Shell&, const Json&);       // indented, one document
void print_line(const Shell&, const Json&);  // for streams

}  // namespace holdfast::cli
