// Whether anybody has committed anything to the ledger's file since one last asked: a number that differs
// after every commit of any connection and any process. It says nothing else; two numbers of two counters are
// not to be compared.
//
// Asking costs a few microseconds and waits for nobody: where the answer is not to be had at once there is
// none. Safe to call from several threads.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>

namespace holdfast {

class ChangeCounter {
 public:
  virtual ~ChangeCounter() = default;
  virtual std::optional<std::int64_t> now() = 0;
};

// The error is one line for a person.
std::expected<std::unique_ptr<ChangeCounter>, std::string> open_change_counter(
    const std::string& ledger_path);

}  // namespace holdfast
