#include "dispatcher/worktree/index_file.h"

#include <cerrno>
#include <cstdint>

#include "dispatcher/system/durable_file.h"

namespace holdfast {
namespace {

constexpr std::size_t longest_index_read = std::size_t{1} << 30;
constexpr std::size_t header_bytes = 12, stat_bytes = 40, mode_at = 24;
constexpr std::uint32_t regular_file = 0x8000, symbolic_link = 0xA000, kind_of_file = 0xF000;
constexpr std::uint32_t assume_unchanged = 0x8000, extended = 0x4000, skip_worktree = 0x4000;

std::uint32_t number_at(std::string_view text, std::size_t at, std::size_t bytes) {
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < bytes; ++i) number = number << 8 | static_cast<unsigned char>(text[at + i]);
  return number;
}

// Behind the entry that begins at `at`; npos: it hides something, or cannot be understood.
std::size_t behind_plain_entry(std::string_view text, std::size_t at, std::size_t id_bytes,
                               std::uint32_t version) {
  constexpr auto npos = std::string_view::npos;
  const std::size_t flags_at = at + stat_bytes + id_bytes;
  if (flags_at + 4 > text.size()) return npos;
  const std::uint32_t kind = number_at(text, at + mode_at, 4) & kind_of_file;
  if (kind != regular_file && kind != symbolic_link) return npos;  // a submodule, or a folder left out
  const std::uint32_t flags = number_at(text, flags_at, 2);
  if ((flags & assume_unchanged) != 0) return npos;
  std::size_t name_at = flags_at + 2;
  if ((flags & extended) != 0) {
    if (version < 3 || (number_at(text, name_at, 2) & skip_worktree) != 0) return npos;
    name_at += 2;
  }
  if (version == 4) {  // how much of the name before it is the same, in a number of any length
    while (name_at < text.size() && (static_cast<unsigned char>(text[name_at]) & 0x80U) != 0) ++name_at;
    ++name_at;
  }
  const std::size_t end = text.find('\0', name_at);
  if (end == npos) return npos;
  return version == 4 ? end + 1 : at + (end - at + 8) / 8 * 8;  // padded with one to eight NULs
}

}  // namespace

bool index_text_may_hide(std::string_view text, std::size_t id_bytes) {
  if (text.size() < header_bytes + id_bytes || !text.starts_with("DIRC")) return true;
  const std::uint32_t version = number_at(text, 4, 4);
  if (version < 2 || version > 4) return true;
  const std::string_view entries_and_more = text.substr(0, text.size() - id_bytes);  // a checksum ends it
  std::size_t at = header_bytes;
  for (std::uint32_t left = number_at(text, 8, 4); left > 0; --left) {
    at = behind_plain_entry(entries_and_more, at, id_bytes, version);
    if (at > entries_and_more.size()) return true;
  }
  // What follows are extensions; of those only one holds entries: where the index is split.
  while (at + 8 <= entries_and_more.size()) {
    if (entries_and_more.substr(at, 4) == "link") return true;
    at += 8 + number_at(entries_and_more, at + 4, 4);
  }
  return at != entries_and_more.size();
}

bool index_may_hide(const std::string& git_folder) {
  const FileText index = read_file(git_folder + "/index", longest_index_read);
  if (index.error == ENOENT) return false;
  if (index.error != 0 || index.longer) return true;
  // Which ids it has is in the configuration; wrongly read, one of either kind is never understood as plain.
  return index_text_may_hide(index.text, 20) && index_text_may_hide(index.text, 32);
}

}  // namespace holdfast
