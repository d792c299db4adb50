// The tickets of a board elsewhere as the running dispatcher has last read them, for whoever shows them: the
// loop's thread puts them here, any thread takes them.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "dispatcher/core/schedule.h"

namespace holdfast::cli {

class TicketShelf {
 public:
  // After a turn of the loop. Walks over all tickets once a second, and copies them only where one has
  // changed.
  void put(const Brain&, Instant now);
  [[nodiscard]] std::shared_ptr<const std::vector<BoardTicket>> take() const;

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const std::vector<BoardTicket>> tickets_ =
      std::make_shared<const std::vector<BoardTicket>>();
  std::uint64_t mark_ = 0;
  Instant looked_;
};

}  // namespace holdfast::cli
