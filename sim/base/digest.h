// A 128-bit fingerprint of a sequence of values, equal on every compiler and machine.
//
// It is not cryptographic: it tells runs apart, not attackers. Two different sequences share one with
// probability of about 2^-128 (for sequences that do not know the mixing function).
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace holdfast::sim {

struct Digest {
  std::uint64_t high = 0x6A09E667F3BCC908ULL, low = 0xBB67AE8584CAA73BULL;
  friend auto operator<=>(const Digest&, const Digest&) = default;

  void add(std::uint64_t value) {
    low = mix(low ^ value);
    high = mix(high + value * 0xD6E8FEB86659FD93ULL + (low << 1));
  }
  void add(std::string_view text) {
    add(text.size());
    std::uint64_t word = 0;
    int n = 0;
    for (const char c : text) {
      word = (word << 8) | static_cast<unsigned char>(c);
      if (++n == 8) {
        add(word);
        word = 0;
        n = 0;
      }
    }
    if (n > 0) add(word);
  }

  [[nodiscard]] std::string text() const {  // 32 hex digits
    constexpr const char* digits = "0123456789abcdef";
    std::string out;
    for (const std::uint64_t half : {high, low})
      for (int shift = 60; shift >= 0; shift -= 4) out += digits[(half >> shift) & 15U];
    return out;
  }

 private:
  static constexpr std::uint64_t mix(std::uint64_t x) {
    x ^= x >> 32;
    x *= 0xE9846AF9B1A615DULL;
    x ^= x >> 32;
    x *= 0xE9846AF9B1A615DULL;
    x ^= x >> 28;
    return x;
  }
};

}  // namespace holdfast::sim
