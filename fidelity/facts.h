// What one port call shows, as facts by name, so that two ports can be asked the same and their answers laid
// side by side. A fact that differs is a finding: it ends the test, or it is one of the differences that are
// known, each with its reason (fidelity/differences.cc, printed as docs/fidelity.md).
#pragma once

#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dispatcher/core/classify.h"
#include "dispatcher/core/effects.h"

namespace holdfast::fidelity {

using Facts = std::map<std::string, std::string>;

struct Mismatch {
  std::string call, fact, real, simulated;
};

struct Difference {
  std::string_view id;               // "board-guards-todo"
  std::string_view port;             // "board"
  std::string_view real, simulated;  // what each of them does
  std::string_view why;              // it may stay so
  bool (*covers)(const Mismatch&);
};
// In the order of the page.
std::span<const Difference> differences();

// What classify makes of a raw reply: "done", "refused: conflict", "unknown".
std::string kind_of(Call, const RawReply&);
const char* word(Tri);

// Lays answers side by side, and remembers which of the known differences it met.
class Judge {
 public:
  explicit Judge(std::string_view port) : port_(port) {}

  void compare(const std::string& call, const Facts& real, const Facts& simulated);

  [[nodiscard]] bool content() const { return findings_.empty(); }
  [[nodiscard]] const std::vector<Mismatch>& findings() const { return findings_; }
  [[nodiscard]] const std::set<std::string_view>& met() const { return met_; }
  [[nodiscard]] std::string in_words() const;

 private:
  std::string_view port_;
  std::vector<Mismatch> findings_;
  std::set<std::string_view> met_;
};

}  // namespace holdfast::fidelity
