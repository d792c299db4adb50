// Who is told what needs a person, while the dispatcher runs: connections of its own to the ledger's file,
// and threads of its own, so that nobody who is told stands in the dispatcher's way.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "dispatcher/cli/installation.h"
#include "dispatcher/core/effects.h"

namespace holdfast::cli {

class Notifications {
 public:
  ~Notifications();

  // Of every answer: what becomes a line of the log by being told (a board that was put right). Never waits.
  void saw(const Answer&);
  // Lines for people since the last call; the oldest are dropped where nobody asks.
  std::vector<std::string> said();
  // Waits until everything is told, or cannot be now, or this long has passed.
  void finish(Duration within);

  struct Parts;
  explicit Notifications(std::unique_ptr<Parts>);

 private:
  std::unique_ptr<Parts> parts_;
};

// nullptr where the configuration names nobody.
Or<std::unique_ptr<Notifications>> open_notifications(const Config&);

// What an answer says that the ledger's log does not: a move on the board by which nothing else is written.
std::optional<Note> worth_a_note(const Answer&);

}  // namespace holdfast::cli
