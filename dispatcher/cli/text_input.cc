#include "dispatcher/cli/text_input.h"

#include <cerrno>
#include <filesystem>
#include <fstream>

#include "dispatcher/board/ticket_checks.h"
#include "dispatcher/system/durable_file.h"

namespace holdfast::cli {
namespace {

constexpr std::size_t text_max = body_bytes_max;

}  // namespace

Or<std::string> read_input(const std::string& path, const Shell& shell, std::size_t at_most) {
  std::ifstream file;
  if (path != "-") {
    const std::filesystem::path whole = std::filesystem::path(shell.folder) / path;
    std::error_code none;
    if (std::filesystem::is_directory(whole, none)) return bad(path + ": is a folder");
    errno = 0;
    file.open(whole, std::ios::binary);
    if (!file) return bad(path + ": " + errno_words(errno));
  }
  std::istream& in = path == "-" ? shell.in : file;
  std::string text;
  std::string piece(1U << 16, '\0');
  while (in && text.size() <= at_most) {
    in.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    text.append(piece, 0, static_cast<std::size_t>(in.gcount()));
  }
  if (in.bad()) return bad(path + ": cannot be read");
  if (text.size() > at_most) return bad(path + ": is larger than " + std::to_string(at_most >> 20U) + " MiB");
  return text;
}

Or<std::optional<std::string>> text_from(const Arguments& args, const Shell& shell, const std::string& name) {
  auto text = args.one(name);
  const auto file = args.one(name + "-file");
  if (text && file) return bad("--" + name + " and --" + name + "-file cannot both be given");
  if (!file) return text;
  auto read = read_input(*file, shell, text_max);
  if (!read) return std::unexpected(read.error());
  return std::optional(std::move(*read));
}

Or<std::string> words_or_file(const Arguments& args, const Shell& shell, const std::string& positional,
                              const std::string& option) {
  const auto text = args.one(positional);
  const auto file = args.one(option);
  if (text && file) return bad(positional + " and --" + option + " cannot both be given");
  if (file) return read_input(*file, shell, text_max);
  if (!text) return bad(positional + " or --" + option + " is needed");
  return *text;
}

}  // namespace holdfast::cli
