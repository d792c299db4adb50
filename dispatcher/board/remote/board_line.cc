#include "dispatcher/board/remote/board_line.h"

namespace holdfast {

BoardLine::Turn BoardLine::wait(const TicketId& ticket, const std::string& what) {
  std::unique_lock lock(mutex_);
  turn_over_.wait(lock, [&] { return !writing_.contains(ticket); });
  writing_.insert(ticket);
  auto& [before, key] = unanswered_[ticket];
  if (before != what || key.empty()) {
    before = what;
    key = random_name_();
  }
  return {this, ticket, what, key};
}

void BoardLine::Turn::answered() {
  const std::lock_guard lock(line_->mutex_);
  line_->unanswered_.erase(ticket_);
}

BoardLine::Turn::~Turn() {
  if (line_ == nullptr) return;
  {
    const std::lock_guard lock(line_->mutex_);
    line_->writing_.erase(ticket_);
  }
  line_->turn_over_.notify_all();
}

}  // namespace holdfast
