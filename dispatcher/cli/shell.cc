#include "dispatcher/cli/shell.h"

#include <nlohmann/json.hpp>
#include <ostream>

#include "dispatcher/core/markers.h"

namespace holdfast::cli {

Exit Shell::fail(Exit code, std::string_view words) const {
  return fail(code, words, {});
}

Exit Shell::fail(Exit code, std::string_view words, std::string_view status) const {
  const std::string line = safe(words);
  if (json) {
    nlohmann::ordered_json j;
    j["error"] = {{"code", static_cast<int>(code)}, {"kind", name_of(code)}, {"message", line}};
    if (!status.empty()) j["error"]["status"] = status;
    err << j.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
  } else {
    err << "holdfast: " << line << "\n";
  }
  return code;
}

std::string Shell::paint(std::string_view color_code, std::string_view text) const {
  if (!color || text.empty()) return std::string(text);
  return "\x1b[" + std::string(color_code) + "m" + std::string(text) + "\x1b[0m";
}

std::string safe_lines(std::string_view text, std::string_view indent) {
  std::string out;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    out += std::string(indent) + printable(text.substr(0, end), 10'000) + "\n";
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::size_t width_of(std::string_view text) {
  std::size_t width = 0;
  bool escaped = false;
  for (const char c : text) {
    if (c == '\x1b')
      escaped = true;
    else if (escaped)
      escaped = c != 'm';
    else
      width += (static_cast<unsigned char>(c) & 0xC0U) != 0x80U ? 1 : 0;
  }
  return width;
}

std::string table(const std::vector<std::string>& heads, const std::vector<std::vector<std::string>>& rows,
                  const Shell& shell) {
  std::vector<std::size_t> widths;
  widths.reserve(heads.size());
  for (const std::string& head : heads) widths.push_back(head.size());
  for (const auto& row : rows)
    for (std::size_t n = 0; n < row.size(); ++n) widths[n] = std::max(widths[n], width_of(row[n]));
  std::string out;
  const auto line = [&](const std::vector<std::string>& cells, bool head) {
    std::string text;
    for (std::size_t n = 0; n < cells.size(); ++n) {
      text += head ? shell.paint(bold, cells[n]) : cells[n];
      if (n + 1 < cells.size()) text += std::string(widths[n] - width_of(cells[n]) + 2, ' ');
    }
    while (text.ends_with(' ')) text.pop_back();
    out += text + "\n";
  };
  line(heads, true);
  for (const auto& row : rows) line(row, false);
  return out;
}

}  // namespace holdfast::cli
