#include "dispatcher/runner/paste.h"

#include <algorithm>

namespace holdfast {
namespace {

constexpr std::size_t longest_canonical_line = 4095;
constexpr std::size_t longest_text = 1U << 20;

// Length of the UTF-8 sequence at the front, 0 where there is no valid one.
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto continues = [&](std::size_t n) {
    if (text.size() < n) return false;
    for (std::size_t i = 1; i < n; ++i) {
      if ((byte(i) & 0xc0U) != 0x80U) return false;
    }
    return true;
  };
  if (byte(0) < 0x80) return 1;
  if (byte(0) >= 0xc2 && byte(0) <= 0xdf) return continues(2) ? 2 : 0;
  if (byte(0) >= 0xe0 && byte(0) <= 0xef) {
    if (!continues(3)) return 0;
    const bool overlong = byte(0) == 0xe0 && byte(1) < 0xa0;
    const bool surrogate = byte(0) == 0xed && byte(1) >= 0xa0;
    return overlong || surrogate ? 0 : 3;
  }
  if (byte(0) >= 0xf0 && byte(0) <= 0xf4) {
    if (!continues(4)) return 0;
    const bool overlong = byte(0) == 0xf0 && byte(1) < 0x90;
    const bool beyond = byte(0) == 0xf4 && byte(1) >= 0x90;
    return overlong || beyond ? 0 : 4;
  }
  return 0;
}

bool control(std::string_view sequence) {
  const auto first = static_cast<unsigned char>(sequence[0]);
  if (sequence.size() == 1) return (first < 0x20 && first != '\n' && first != '\t') || first == 0x7f;
  // U+0080 to U+009F: what some terminals take for ESC [ and its like.
  return sequence.size() == 2 && first == 0xc2 && static_cast<unsigned char>(sequence[1]) < 0xa0;
}

}  // namespace

std::string harmless(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto length = sequence_length(text);
    const auto sequence = text.substr(0, std::max<std::size_t>(length, 1));
    if (length > 0 && !control(sequence)) out += sequence;
    text.remove_prefix(sequence.size());
  }
  return out;
}

std::optional<std::string> what_keeps_from_pasting(std::string_view text, const TerminalMode& mode) {
  if (text.size() > longest_text) return "the text is longer than 1 MiB";
  if (!mode.canonical) return std::nullopt;
  while (true) {
    const auto line = text.substr(0, text.find('\n'));
    if (line.size() > longest_canonical_line) {
      return "a line of " + std::to_string(line.size()) +
             " bytes: the worker's terminal takes lines of at most 4095";
    }
    if (line.size() == text.size()) return std::nullopt;
    text.remove_prefix(line.size() + 1);
  }
}

std::string paste_bytes(std::string_view text, const TerminalMode& mode) {
  std::string out{text};
  if (!mode.bracketed_paste) return out;
  // Inside the markers a line ends as terminals end it.
  std::ranges::replace(out, '\n', '\r');
  return "\x1b[200~" + out + "\x1b[201~";
}

std::string enter_bytes(const TerminalMode& mode) {
  return mode.canonical && !mode.return_means_newline ? "\n" : "\r";
}

}  // namespace holdfast
