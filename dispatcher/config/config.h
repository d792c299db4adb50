// What an installation is told by its holdfast.json: where things are, and the core's policy.
//
// The reader is strict. An unknown key, a wrong type, a value out of range and a key that stands there twice
// are each one line with the place in the file and the path of the value, and nothing is loaded.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dispatcher/config/board_shape.h"
#include "dispatcher/core/policy.h"

namespace holdfast {

// A board that lives elsewhere; without a url the tickets are in the ledger's own file.
struct BoardConfig {
  std::string url = {};
  std::string token_file = {};  // absolute; empty: none is sent
  std::string ca_file = {};     // absolute; empty: this host's certificates
  BoardShape shape = known_board_shapes().at("holdfast");
};

// Who is told where nobody looks; nobody where it is empty.
struct NotifyConfig {
  std::string webhook = {};      // an address
  std::string secret_file = {};  // absolute; empty: state/webhook-secret
  std::string ca_file = {};      // absolute; empty: this host's certificates
  std::vector<std::string> command = {};
  std::vector<std::string> about = {"question", "blocked", "stranded",   "unknown",
                                    "undying",  "drift",   "crash_loop", "attention"};
};

struct Config {
  std::string file;        // absolute
  std::string repository;  // absolute
  std::string state;       // absolute: ledger, records, pool, locks
  std::string target;      // plain branch name; Policy.target is the full ref
  Policy policy;           // without the environment, which is the process's affair
  Duration pool_deadline = minutes(10);
  std::string git_name = "Holdfast", git_email = "holdfast@localhost";  // author of salvages and merges
  bool set_ignored_aside = false;  // ignored files leave a slot with its worker
  // The HTTP interface. `listen`: "host:port", "port" alone is 127.0.0.1's, empty: none.
  std::string listen = {};
  std::string unix_socket = {};  // absolute; empty: none
  std::string token_file = {};   // absolute; empty: none is asked for on loopback, state/http-token elsewhere
  BoardConfig board;
  NotifyConfig notify;
};

// One line: "holdfast.json:4:25: /profiles/x/memory: expected ...".
struct ConfigError {
  std::string words;
};

// The text of a file that lies at `path` (absolute); relative paths in it start from its folder.
std::expected<Config, ConfigError> parse_config(std::string_view text, const std::string& path);
std::expected<Config, ConfigError> load_config(const std::string& path);

// Which file to load: the one given, else $HOLDFAST_CONFIG, else the first holdfast.json in `folder` or
// above.
std::expected<std::string, ConfigError> find_config(const std::optional<std::string>& given,
                                                    const std::optional<std::string>& environment,
                                                    const std::string& folder);

// The JSON Schema of the file, made from the same list of fields that the reader follows.
std::string config_schema();

inline constexpr std::size_t config_bytes_max = 4U << 20;

}  // namespace holdfast
