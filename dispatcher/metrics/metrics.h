// What a machine that watches asks for, in Prometheus' text format: counters and times of what the loop has
// done, and a picture of what it knows now.
//
// Counters begin at zero with each dispatcher; whoever needs history has the ledger. Times are in seconds and
// from this host's wall clock. No name of a ticket, profile or branch is a label: there may be any number of
// them, and they are other people's words.
#pragma once

#include <memory>
#include <string>

#include "dispatcher/core/schedule.h"

namespace holdfast {

class Metrics {
 public:
  explicit Metrics(const std::string& version);
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // One effect's answer: how long it took, what came of it, and what it means for the ticket's life.
  void saw(const Answer&);
  // What is known, after a turn of the loop. Walks over all tickets, so callers need not ask every turn: it
  // is done once a second and passed over otherwise.
  void saw(const Brain&, Instant now);
  // The text, for any thread.
  [[nodiscard]] std::string text() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace holdfast
