// The one place that asks for chance: the kernel's.
#pragma once

#include <cstdint>
#include <string>

namespace holdfast {

std::uint32_t chance();
std::string random_name();  // 128 unguessable bits in hex

}  // namespace holdfast
