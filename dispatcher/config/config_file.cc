// Which file is read, and its bytes.
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "dispatcher/config/config.h"

namespace holdfast {

namespace fs = std::filesystem;

std::expected<Config, ConfigError> load_config(const std::string& path) {
  const auto unreadable = [&](const std::string& why) {
    return std::unexpected(ConfigError{path + ": cannot be read: " + why});
  };
  std::error_code trouble;
  const fs::path whole = fs::absolute(path, trouble);
  if (fs::is_directory(whole, trouble)) return unreadable("it is a folder");
  // Opening a pipe that nobody writes to would wait for somebody who does.
  if (fs::exists(whole, trouble) && !fs::is_regular_file(whole, trouble))
    return unreadable("it is not a regular file");
  std::ifstream file(whole, std::ios::binary);
  if (!file) return unreadable(std::strerror(errno));  // NOLINT(concurrency-mt-unsafe)
  std::string text(config_bytes_max + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (file.bad()) return unreadable("the disk did not answer");
  if (text.size() > config_bytes_max) return unreadable("it is larger than 4MiB");
  return parse_config(text, whole.lexically_normal().string());
}

std::expected<std::string, ConfigError> find_config(const std::optional<std::string>& given,
                                                    const std::optional<std::string>& environment,
                                                    const std::string& folder) {
  if (given) return *given;
  if (environment && !environment->empty()) return *environment;
  std::error_code none;
  for (fs::path at = fs::absolute(folder, none);; at = at.parent_path()) {
    if (fs::is_regular_file(at / "holdfast.json", none)) return (at / "holdfast.json").string();
    if (at == at.root_path() || at.empty()) break;
  }
  return std::unexpected(
      ConfigError{"no holdfast.json here or above; make one with `holdfast init`, or name "
                  "one with --config or $HOLDFAST_CONFIG"});
}

}  // namespace holdfast
