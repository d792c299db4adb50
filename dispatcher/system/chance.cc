#include "dispatcher/system/chance.h"

#include <sys/random.h>

#include <array>

namespace holdfast {
namespace {

template <class Bits>
Bits random_bits() {
  Bits bits{};
  while (::getrandom(&bits, sizeof bits, 0) != static_cast<ssize_t>(sizeof bits)) {
  }
  return bits;
}

}  // namespace

std::uint32_t chance() {
  return random_bits<std::uint32_t>();
}

std::string random_name() {
  constexpr char digits[] = "0123456789abcdef";
  std::string name;
  for (const unsigned char byte : random_bits<std::array<unsigned char, 16>>()) {
    name += digits[byte >> 4U];
    name += digits[byte & 15U];
  }
  return name;
}

}  // namespace holdfast
