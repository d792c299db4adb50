#include <cstdio>
#include <cstdlib>

#include "dispatcher/fuzz/targets.h"

namespace holdfast::fuzz {

void must(bool holds, const char* promise) {
  if (holds) return;
  std::fprintf(stderr, "broken promise: %s\n", promise);
  std::abort();
}

bool shows_as_one_line(std::string_view text) {
  for (const char c : text)
    if (const auto byte = static_cast<unsigned char>(c); byte < 0x20 || byte == 0x7f) return false;
  return true;
}

}  // namespace holdfast::fuzz
