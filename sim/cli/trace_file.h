// Traces as JSON files: what `shrink` writes and `replay` reads.
#pragma once

#include <optional>
#include <string>

#include "sim/explore/trace.h"

namespace holdfast::sim::cli {

std::string as_json(const Trace&);
// Nothing, and why: it is not a trace.
std::optional<Trace> trace_from_json(const std::string& text, std::string& error);
std::optional<std::string> content_of(const std::string& path);
bool write_file(const std::string& path, const std::string& text);

}  // namespace holdfast::sim::cli
