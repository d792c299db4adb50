// What a running dispatcher tells whoever started it: a line for every change of a ticket, or a table that is
// painted again; and the log of effects.
#pragma once

#include <map>
#include <ostream>
#include <string>
#include <vector>

#include "dispatcher/cli/redacted.h"
#include "dispatcher/cli/shell.h"
#include "dispatcher/core/schedule.h"
#include "dispatcher/driver/driver.h"

namespace holdfast::cli {

// One line per change, from one look at the brain to the next.
class Progress {
 public:
  std::vector<std::string> changes(const Brain&, const Shell&);

 private:
  struct Last {
    std::int64_t attempt_revision = -1;
    Generation generation;
    std::int64_t version = -1;
    std::string line, attention;
  };
  std::map<TicketId, Last> last_;
  std::string ledger_trouble_;
  Instant rests_until_;
  std::map<int, std::string> shard_trouble_;
};

// "running, 3 min: it runs": what one ticket is about now.
struct TicketLine {
  std::string ticket, state, attempt, phase, since, what;
};
std::vector<TicketLine> live_lines(const Brain&, std::size_t at_most);

// Paints over what it painted before.
class LivePainter {
 public:
  LivePainter(std::ostream& out, const Shell& shell) : out_(out), shell_(shell) {}
  void paint(const Brain&, const std::string& headline);
  void leave();  // the last picture stays

 private:
  std::ostream& out_;
  const Shell& shell_;
  std::size_t lines_ = 0;
};

// One effect, started or answered, as a line.
class EffectLog {
 public:
  EffectLog(std::ostream& out, bool json, Redactor redactor)
      : out_(out), json_(json), redactor_(std::move(redactor)) {}
  void write(const EffectLine&, Instant now);

 private:
  std::ostream& out_;
  bool json_;
  Redactor redactor_;
};

}  // namespace holdfast::cli
