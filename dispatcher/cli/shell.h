// What a command has around it: where it writes, what it was told globally, who calls. A value that tests
// make with string streams.
#pragma once

#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dispatcher/cli/exit_codes.h"
#include "dispatcher/core/instant.h"
#include "dispatcher/look/words.h"

namespace holdfast::cli {

class Shell {
 public:
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  std::function<std::optional<std::string>(const std::string&)> environment;
  std::string folder;  // working directory
  std::function<Instant()> now;
  bool out_is_terminal = false;

  bool json = false;
  bool color = false;
  std::optional<std::string> config_file = {};
  std::string person = {};  // who writes

  // Says what is wrong in one line on `err` (as JSON where that is asked for) and hands the code back.
  Exit fail(Exit code, std::string_view words) const;
  // With the state of what it was about: `status` is a field of the JSON error.
  Exit fail(Exit code, std::string_view words, std::string_view status) const;

  // ANSI colour around text, where colours are wanted.
  [[nodiscard]] std::string paint(std::string_view color_code, std::string_view text) const;
};

inline constexpr std::string_view bold = "1", dim = "2", red = "31", green = "32", yellow = "33", blue = "34",
                                  cyan = "36";

using holdfast::clock_words;
using holdfast::safe;
using holdfast::span_words;

std::string safe_lines(std::string_view text, std::string_view indent = "");  // ends with a line break

// Rows of cells in columns as wide as their widest; the last one is as long as it is.
std::string table(const std::vector<std::string>& heads, const std::vector<std::vector<std::string>>& rows,
                  const Shell&);
std::size_t width_of(std::string_view utf8);  // in characters, without ANSI sequences

}  // namespace holdfast::cli
