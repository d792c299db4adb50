// What must not stand in a log: the secrets of this installation, and those that others put into addresses
// and headers.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "dispatcher/config/config.h"

namespace holdfast::cli {

class Redactor {
 public:
  Redactor() = default;
  explicit Redactor(const std::vector<std::string>& secrets);

  // One that came up later: an attempt's token, say.
  void learn(const std::string& secret);
  // The text with "[redacted]" in the place of each. Also `user:password@` in an address, and what follows
  // "Bearer " or "Basic ".
  [[nodiscard]] std::string redacted(std::string_view) const;

 private:
  std::vector<std::string> secrets_;
};

// Those that lie in files that the configuration names or implies, as far as they are there.
std::vector<std::string> secrets_of(const Config&);

}  // namespace holdfast::cli
