// How people are told of text that others wrote, of times and of spans.
#pragma once

#include <string>
#include <string_view>

#include "dispatcher/core/instant.h"

namespace holdfast {

// Text for a terminal or a page: no control characters, line breaks become blanks; what is longer is cut.
std::string safe(std::string_view text, std::size_t at_most = 4000);

// "2025-01-31 12:00:00Z", "-" where it was never; "3 min", "2 h".
std::string clock_words(Instant);
std::string span_words(Duration);

}  // namespace holdfast
