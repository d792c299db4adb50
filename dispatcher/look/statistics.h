// How much was done, hour by hour, and what the dead died of: counted from the ledger's log as it grows.
//
// A value that events are fed to, in their order. What was counted once is not read again.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "dispatcher/core/ledger_rules.h"
#include "dispatcher/rows/rows.h"

namespace holdfast {

inline constexpr std::int64_t hour_ms = 3'600'000;

class Statistics {
 public:
  // Of one hour. An attempt counts where it is closed, by what its ticket became.
  struct Hour {
    int claimed = 0;
    int done = 0, in_review = 0, todo = 0, blocked = 0, other = 0;
    std::map<std::string, int> deaths;  // by cause; those that said DONE and then ended in order count too
    friend bool operator==(const Hour&, const Hour&) = default;
  };

  void take(const LedgerEvent&);
  [[nodiscard]] std::int64_t seq() const { return seq_; }  // of the last event taken
  [[nodiscard]] const std::map<std::int64_t, Hour>& hours() const { return hours_; }  // by their beginning

  // {"hours": [...every one of the last `hours`, also those in which nothing was...], "deaths": {...}}
  [[nodiscard]] Json row(Instant now, int hours) const;

 private:
  std::map<std::int64_t, Hour> hours_;
  std::int64_t seq_ = 0;
};

}  // namespace holdfast
