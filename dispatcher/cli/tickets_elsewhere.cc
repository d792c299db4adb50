#include "dispatcher/cli/tickets_elsewhere.h"

#include <functional>
#include <string>

namespace holdfast::cli {

void TicketShelf::put(const Brain& brain, Instant now) {
  // A clock that went back counts as long enough.
  if (looked_.set() && now >= looked_ && now - looked_ < seconds(1)) return;
  looked_ = now;
  std::uint64_t mark = 1;
  for (const auto& [id, t] : brain.knowledge.tickets)
    if (t.board) {
      mark = (mark ^ std::hash<std::string>{}(id.value)) * 0x100000001b3U;
      mark = (mark ^ static_cast<std::uint64_t>(t.board->version)) * 0x100000001b3U;
      mark = (mark ^ static_cast<std::uint64_t>(t.board->state)) * 0x100000001b3U;
    }
  if (mark == mark_) return;
  mark_ = mark;
  std::vector<BoardTicket> all;
  for (const auto& [id, t] : brain.knowledge.tickets)
    if (t.board) all.push_back(*t.board);
  auto kept = std::make_shared<const std::vector<BoardTicket>>(std::move(all));
  const std::lock_guard lock(mutex_);
  tickets_ = std::move(kept);
}

std::shared_ptr<const std::vector<BoardTicket>> TicketShelf::take() const {
  const std::lock_guard lock(mutex_);
  return tickets_;
}

}  // namespace holdfast::cli
