#include "dispatcher/config/quantities.h"

#include <array>
#include <charconv>
#include <span>
#include <utility>

namespace holdfast {
namespace {

using Unit = std::pair<std::string_view, std::int64_t>;
constexpr std::array<Unit, 5> times{
    {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};
constexpr std::array<Unit, 5> sizes{
    {{"TiB", 1LL << 40}, {"GiB", 1LL << 30}, {"MiB", 1LL << 20}, {"KiB", 1LL << 10}, {"B", 1}}};

std::optional<std::int64_t> quantity(std::string_view text, std::span<const Unit> units) {
  std::int64_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc{} || number < 0) return std::nullopt;
  const std::string_view unit = text.substr(static_cast<std::size_t>(parsed.ptr - text.data()));
  for (const auto& [name, factor] : units)
    if (unit == name) {
      if (number > (std::int64_t{1} << 53) / factor) return std::nullopt;
      return number * factor;
    }
  return std::nullopt;
}

std::string in_words(std::int64_t number, std::span<const Unit> units) {
  for (const auto& [name, factor] : units)
    if (number != 0 && number % factor == 0) return std::to_string(number / factor) + std::string(name);
  return std::to_string(number) + std::string(units.back().first);
}

}  // namespace

std::optional<Duration> duration_from(std::string_view text) {
  const auto ms = quantity(text, times);
  return ms ? std::optional(Duration{*ms}) : std::nullopt;
}

std::string words_for(Duration d) {
  return d.ms == 0 ? "0s" : in_words(d.ms, times);
}

std::optional<std::int64_t> bytes_from(std::string_view text) {
  return text == "none" ? std::optional<std::int64_t>(0) : quantity(text, sizes);
}

std::string words_for_bytes(std::int64_t bytes) {
  return bytes == 0 ? "none" : in_words(bytes, sizes);
}

}  // namespace holdfast
