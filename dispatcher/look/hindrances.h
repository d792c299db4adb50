// What is tried again and again without coming about, with the reason: a pool that cannot be made, a remote
// that cannot be reached. The running dispatcher keeps it, says it once per change, and leaves it in a file
// beside the ledger, so that plan, explain and doctor can say it too.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "dispatcher/core/effects.h"

namespace holdfast {

struct Hindrance {
  std::string ticket;  // empty: the installation's own
  std::string effect;  // "push hf/T-1-first-g1"
  std::string words;
  Instant since;
};

class Hindrances {
 public:
  // Lines for people; empty where there is nothing new. One failure that the next try makes good is not told.
  std::vector<std::string> take(const Answer&);
  [[nodiscard]] std::vector<Hindrance> all() const;

 private:
  struct Tried {
    Hindrance what;
    int failures = 0;
    std::string told;
  };
  std::map<std::pair<TicketId, Call>, Tried> tried_;
};

// The file: written by `up` alone, and gone when nothing stands in the way.
void write_hindrances(const std::string& state, const std::vector<Hindrance>&);
std::vector<Hindrance> read_hindrances(const std::string& state);
// "since 12:00:01: push hf/T-1: no route to host"
std::string describe(const Hindrance&);

}  // namespace holdfast
