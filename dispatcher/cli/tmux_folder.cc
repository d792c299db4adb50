#include "dispatcher/cli/tmux_folder.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "dispatcher/system/durable_file.h"

namespace holdfast::cli {
namespace {

// Ours alone; anybody may have made something of this name in a shared folder.
std::string what_is_wrong_with_folder(const std::string& folder) {
  struct stat seen{};
  if (::lstat(folder.c_str(), &seen) != 0) return errno_words(errno);
  if (!S_ISDIR(seen.st_mode)) return "it is not a folder";
  if (seen.st_uid != ::geteuid()) return "it belongs to somebody else";
  if ((seen.st_mode & 0077U) != 0) return "others may use it (its mode must be 0700)";
  return {};
}

std::string short_folder(const std::string& installation) {
  // Not below /run/user: that goes away when its user logs out, and the sockets with it.
  const std::string base = ::geteuid() == 0 && ::access("/run", W_OK) == 0 ? "/run" : "/tmp";
  return base + "/holdfast-" + std::to_string(::geteuid()) + "-" + installation.substr(0, 12);
}

}  // namespace

std::size_t socket_path_bytes(const std::string& folder, int shards) {
  return (folder + "/tmux-" + std::to_string(::geteuid()) + "/holdfast-" + std::to_string(shards)).size();
}

std::expected<std::string, std::string> choose_tmux_folder(const std::string& state,
                                                           const std::string& installation, int shards,
                                                           bool may_write) {
  std::string folder = state + "/tmux";
  if (FileText remembered = read_file(state + "/tmux-folder", 4096); remembered.error == 0) {
    folder = remembered.text.substr(0, remembered.text.find('\n'));
    if (!folder.starts_with('/')) return std::unexpected(state + "/tmux-folder: expected an absolute path");
  } else if (socket_path_bytes(folder, std::max(shards, 64)) > socket_path_max) {
    folder = short_folder(installation);
  }
  if (!may_write) return folder;
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
    return std::unexpected(folder + ": " + errno_words(errno));
  if (const std::string wrong = what_is_wrong_with_folder(folder); !wrong.empty())
    return std::unexpected("the folder for tmux sockets, " + folder + ", cannot be used: " + wrong);
  if (const int error = replace_file(state, "tmux-folder", folder + "\n"); error != 0)
    return std::unexpected(state + "/tmux-folder: " + errno_words(error));
  return folder;
}

}  // namespace holdfast::cli
