// The runner's orders as a file. Length-prefixed, so that any byte but NUL may stand in a value:
//
//   holdfast-spec 1
//   ticket 4
//   T-42
//   argv 6
//   claude
//   end 0
//
// (key, blank, length of the value in bytes, newline, the value, newline). `argv` and `environment` repeat,
// in order; everything else appears once. A reader refuses what it does not know: orders that are half
// understood must not be half followed.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "dispatcher/core/attempt_sightings.h"

namespace holdfast {

// Larger orders are refused by both sides; the kernel takes no argument list of such a size anyway.
constexpr std::size_t largest_spec = 8U << 20;

// What keeps these orders from being written or followed, in words; nullopt: nothing.
std::optional<std::string> what_is_wrong_with_spec(const RunnerSpec&);

std::string encode_spec(const RunnerSpec&);

struct SpecReading {
  std::optional<RunnerSpec> spec;
  std::string error;  // where there is no spec
};
SpecReading decode_spec(std::string_view);  // safe for any input

}  // namespace holdfast
