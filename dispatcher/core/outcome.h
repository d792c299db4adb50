// What came of an effect. There is no fourth kind and no bool.
//
//   Done      it happened, and this is what came back
//   Refused   it definitely did not happen; only core/classify makes one, from a raw reply
//   Unknown   it may have happened: look before doing anything that assumes either
#pragma once

#include <string>
#include <utility>
#include <variant>

namespace holdfast {

// Why something was refused, as far as the next step depends on it. The words are in Refused::words.
enum class Why {
  conflict,   // somebody else changed it first, or it is there already: re-read
  not_ready,  // the runtime cannot take it now, and says so
  gone,       // what it was about is not there any more
  busy,       // a lock or a limit, ours or somebody's: try again later
  exhausted,  // no free slot, no space, no descriptors
  dirty,      // it would have destroyed something unsaved
  stale,      // an older generation's write
  invalid,    // it can never work like this: a missing branch, a bad argument, a constraint
  denied,     // permissions, read-only
};

class Refused {
 public:
  [[nodiscard]] Why why() const { return why_; }
  [[nodiscard]] const std::string& words() const { return words_; }
  friend bool operator==(const Refused&, const Refused&) = default;

 private:
  Refused(Why why, std::string words) : why_(why), words_(std::move(words)) {}
  friend struct RefusalMaker;  // core/classify.cc
  Why why_;
  std::string words_;
};

struct Done {
  friend bool operator==(const Done&, const Done&) = default;
};

struct Unknown {
  std::string words;
  friend bool operator==(const Unknown&, const Unknown&) = default;
};

using Outcome = std::variant<Done, Refused, Unknown>;

inline bool is_done(const Outcome& outcome) {
  return std::holds_alternative<Done>(outcome);
}

}  // namespace holdfast
