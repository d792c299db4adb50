#include "dispatcher/cli/text_input.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <istream>

#include "dispatcher/board/ticket_checks.h"
#include "dispatcher/system/durable_file.h"
#include "dispatcher/system/fd.h"

namespace holdfast::cli {
namespace {

constexpr std::size_t text_max = body_bytes_max;

// Opening a pipe that nobody writes to would wait for somebody who does. errno; EINVAL: it is something else.
int not_a_regular_file(const std::string& path) {
  const Fd file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)};
  struct stat seen{};
  if (!file.open() || ::fstat(file.get(), &seen) != 0) return errno;
  return S_ISREG(seen.st_mode) ? 0 : EINVAL;
}

}  // namespace

Or<std::string> read_input(const std::string& path, const Shell& shell, std::size_t at_most) {
  const auto too_large = [&] {
    return bad(path + ": is larger than " + std::to_string(at_most >> 20U) + " MiB");
  };
  if (path != "-") {
    const std::string whole = (std::filesystem::path(shell.folder) / path).string();
    if (const int error = not_a_regular_file(whole); error != 0) {
      std::error_code none;
      if (std::filesystem::is_directory(whole, none)) return bad(path + ": is a folder");
      if (error != EINVAL) return bad(path + ": " + errno_words(error));
      return bad(path + ": is not a regular file; what a pipe or a device has to say is read from \"-\"");
    }
    auto file = read_file(whole, at_most);
    if (file.error != 0) return bad(path + ": " + errno_words(file.error));
    if (file.longer) return too_large();
    return std::move(file.text);
  }
  std::string text;
  std::string piece(1U << 16, '\0');
  while (shell.in && text.size() <= at_most) {
    shell.in.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    text.append(piece, 0, static_cast<std::size_t>(shell.in.gcount()));
  }
  if (shell.in.bad()) return bad(path + ": cannot be read");
  if (text.size() > at_most) return too_large();
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
