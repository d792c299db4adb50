// Proof that one attempt's runtime is dead or never came to be, with its cause: the only key back to `todo`.
//
// certify() in core/verdict.h is its only maker. The proof says what was true when it was made; death does
// not pass, and a generation never lives twice, so it stays true. Whoever uses it still names the generation
// when writing.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "dispatcher/core/attempt.h"

namespace holdfast {

struct Sightings;

class DeathCertificate {
 public:
  [[nodiscard]] const AttemptId& attempt() const { return attempt_; }
  [[nodiscard]] Cause cause() const { return cause_; }
  [[nodiscard]] int code() const { return code_; }  // exit code or signal number; -1: none
  [[nodiscard]] const std::string& evidence() const { return evidence_; }
  [[nodiscard]] Instant at() const { return at_; }
  // It says "no spawn was ever announced", which ends to be true when one is: the ledger takes it only while
  // that still holds. Every other certificate stays true for ever.
  [[nodiscard]] bool unless_announced() const { return unless_announced_; }
  friend bool operator==(const DeathCertificate&, const DeathCertificate&) = default;

 private:
  DeathCertificate(AttemptId attempt, Cause cause, int code, std::string evidence, Instant at,
                   bool unless_announced)
      : attempt_(std::move(attempt)),
        cause_(cause),
        code_(code),
        evidence_(std::move(evidence)),
        at_(at),
        unless_announced_(unless_announced) {}
  friend std::optional<DeathCertificate> certify(const Attempt&, const Sightings&, Instant now);

  AttemptId attempt_;
  Cause cause_;
  int code_;
  std::string evidence_;
  Instant at_;
  bool unless_announced_;
};

// Proof that a fresh look at one attempt's processes could tell neither life nor death. Only with it may a
// person declare the attempt dead: what is seen to live is ended, never declared, and what is seen dead needs
// no declaration.
//
// doubt_about() in core/verdict.h is its only maker. Unlike a certificate it ages: the ledger takes it for
// `doubt_lasts`.
class Doubt {
 public:
  [[nodiscard]] const AttemptId& attempt() const { return attempt_; }
  [[nodiscard]] Instant at() const { return at_; }
  friend bool operator==(const Doubt&, const Doubt&) = default;

 private:
  Doubt(AttemptId attempt, Instant at) : attempt_(std::move(attempt)), at_(at) {}
  friend std::optional<Doubt> doubt_about(const Attempt&, const Sightings&, Instant looked_at, Instant now);

  AttemptId attempt_;
  Instant at_;
};
inline constexpr Duration doubt_lasts = seconds(60);

}  // namespace holdfast
