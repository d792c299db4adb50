// What may be typed into a worker's terminal on behalf of somebody else. The text is hostile until it is
// shown harmless: a control byte in it could end a paste, press keys, or stop the worker.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace holdfast {

// Without control characters other than newline and tab, and without bytes that are not UTF-8.
std::string harmless(std::string_view text);

struct TerminalMode {
  bool bracketed_paste = false;
  bool canonical = false;
  bool return_means_newline = true;
};

// Why this terminal cannot take this (harmless) text; nullopt: it can.
std::optional<std::string> what_keeps_from_pasting(std::string_view text, const TerminalMode&);

// The bytes of the paste, without its Enter; and the Enter.
std::string paste_bytes(std::string_view text, const TerminalMode&);
std::string enter_bytes(const TerminalMode&);

}  // namespace holdfast
