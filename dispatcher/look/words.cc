#include "dispatcher/look/words.h"

#include <ctime>

#include "dispatcher/core/markers.h"

namespace holdfast {

std::string safe(std::string_view text, std::size_t at_most) {
  return printable(text, at_most) + (text.size() > at_most ? "..." : "");
}

std::string clock_words(Instant at) {
  if (!at.set()) return "-";
  const std::time_t seconds_part = at.ms / 1000;
  std::tm parts{};
  if (gmtime_r(&seconds_part, &parts) == nullptr) return "-";
  char text[40];
  const std::size_t length = std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%SZ", &parts);
  return {text, length};
}

std::string span_words(Duration d) {
  const std::int64_t s = d.ms / 1000;
  if (d.ms < 0) return "0 s";
  if (d.ms < 1000) return std::to_string(d.ms) + " ms";
  if (s < 120) return std::to_string(s) + " s";
  if (s < 7200) return std::to_string(s / 60) + " min";
  if (s < 48L * 3600) return std::to_string(s / 3600) + " h";
  return std::to_string(s / 86400) + " d";
}

}  // namespace holdfast
