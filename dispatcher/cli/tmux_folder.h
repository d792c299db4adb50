// Where the tmux sockets of an installation are: in its state folder, unless that makes a path that no socket
// can have. The choice is written down, so that every later process finds the same servers.
#pragma once

#include <expected>
#include <string>

namespace holdfast::cli {

inline constexpr std::size_t socket_path_max = 100;

// Bytes of the longest socket path below this folder.
std::size_t socket_path_bytes(const std::string& folder, int shards);

// `installation`: its id, 32 hexadecimal digits. `may_write`: make the folder and remember it.
std::expected<std::string, std::string> choose_tmux_folder(const std::string& state,
                                                           const std::string& installation, int shards,
                                                           bool may_write);

}  // namespace holdfast::cli
