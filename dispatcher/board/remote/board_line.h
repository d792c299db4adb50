// What is written about one ticket goes one after the other, and what may have been heard keeps its name.
//
// The dispatcher asks one thing of a ticket at a time, and what it has to say waits in its ledger in its
// order while the board is away. This is the rest of it: two writers of one ticket do not meet on the wire,
// and a write whose answer was lost goes out under the same Idempotency-Key when it is asked for again. An
// answer, whatever it says, ends that name.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "dispatcher/core/ids.h"
#include "dispatcher/core/instant.h"

namespace holdfast {

class BoardLine {
 public:
  explicit BoardLine(std::function<std::string()> random_name) : random_name_(std::move(random_name)) {}

  // A turn at writing about a ticket; the next one waits for its end.
  class Turn {
   public:
    Turn(Turn&& other) noexcept
        : line_(std::exchange(other.line_, nullptr)),
          ticket_(std::move(other.ticket_)),
          what_(std::move(other.what_)),
          key_(std::move(other.key_)) {}
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    Turn& operator=(Turn&&) = delete;
    ~Turn();
    [[nodiscard]] const std::string& key() const { return key_; }
    void answered();  // somebody has said what became of it

   private:
    friend class BoardLine;
    Turn(BoardLine* line, TicketId ticket, std::string what, std::string key)
        : line_(line), ticket_(std::move(ticket)), what_(std::move(what)), key_(std::move(key)) {}
    BoardLine* line_;
    TicketId ticket_;
    std::string what_, key_;
  };

  // `what` says all of what is written, so that the same again is known.
  Turn wait(const TicketId&, const std::string& what);

 private:
  std::function<std::string()> random_name_;
  std::mutex mutex_;
  std::condition_variable turn_over_;
  std::set<TicketId> writing_;
  std::map<TicketId, std::pair<std::string, std::string>> unanswered_;  // what, and its key
};

}  // namespace holdfast
