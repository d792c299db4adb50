// Durations and sizes as people write them: "250ms", "10s", "5m", "2h", "1d"; "512MiB", "2GiB", "none".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "dispatcher/core/instant.h"

namespace holdfast {

std::optional<Duration> duration_from(std::string_view);
std::string words_for(Duration);  // the largest unit that divides it

std::optional<std::int64_t> bytes_from(std::string_view);  // "none" is 0
std::string words_for_bytes(std::int64_t);

}  // namespace holdfast
