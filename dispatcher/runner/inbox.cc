#include "dispatcher/runner/inbox.h"

#include <dirent.h>

#include <algorithm>
#include <vector>

#include "dispatcher/system/durable_file.h"

namespace holdfast {
namespace {

// Larger than any ticket can be with its preamble: what was accepted at the board is delivered.
constexpr std::size_t largest_message = 24U << 20;
constexpr std::int64_t first_check_ms = 5, slowest_check_ms = 500;
// Bytes may be on their way between the kernel's buffers while the reader's end is empty.
constexpr int times_empty_needed = 3;
constexpr std::int64_t retry_ms = 1000;  // after the record could not be written

// "0001-msg-7" -> "msg-7"
MessageId id_of(const std::string& name) {
  const auto dash = name.find('-');
  return {dash == std::string::npos ? name : name.substr(dash + 1)};
}

}  // namespace

Inbox::Inbox(Journal& journal, InnerPty& pty, Duration enter_delay)
    : journal_(journal), pty_(pty), enter_delay_(enter_delay) {}

void Inbox::look() {
  DIR* dir = ::opendir((journal_.folder() + "/inbox").c_str());
  if (dir == nullptr) return;
  std::vector<std::string> fresh;
  while (const dirent* entry = ::readdir(dir)) {
    if (entry->d_name[0] == '.') continue;
    if (seen_.insert(entry->d_name).second) fresh.emplace_back(entry->d_name);
  }
  ::closedir(dir);
  std::ranges::sort(fresh);
  for (auto& name : fresh) {
    if (taken_.insert(id_of(name)).second) waiting_.push_back(std::move(name));
  }
}

void Inbox::turn(std::int64_t now_ms, bool bracketed_paste) {
  mode_.bracketed_paste = bracketed_paste;
  const bool time_is_up = wake_at_ && now_ms >= *wake_at_;
  switch (step_) {
    case Step::idle:
      if (!waiting_.empty() && (!wake_at_ || time_is_up)) begin(now_ms);
      return;
    case Step::writing:
      if (pty_.pending() > 0) return;
      step_ = Step::pausing;
      wake_at_ = now_ms + enter_delay_.ms;
      return;
    case Step::pausing:
      if (!time_is_up) return;
      wake_at_.reset();
      pty_.queue(enter_bytes(mode_));
      pty_.flush();
      step_ = Step::entering;
      [[fallthrough]];
    case Step::entering:
      if (pty_.pending() > 0) return;
      journal_.write_message(current_, MessageStep::handed);
      step_ = Step::verifying;
      verify_every_ms_ = first_check_ms;
      times_empty_ = 0;
      wake_at_ = now_ms + verify_every_ms_;
      return;
    case Step::verifying:
      if (time_is_up) verify(now_ms);
      return;
  }
}

void Inbox::begin(std::int64_t now_ms) {
  wake_at_.reset();
  const auto name = waiting_.front();
  current_ = id_of(name);
  const auto file = read_file(journal_.folder() + "/inbox/" + name, largest_message);
  mode_.canonical = pty_.canonical();
  mode_.return_means_newline = pty_.return_means_newline();
  const auto text = harmless(file.text);
  std::optional<std::string> refusal;
  if (file.error != 0) refusal = "the message cannot be read: " + errno_words(file.error);
  if (file.longer) refusal = "the message is too large";
  if (!refusal) refusal = what_keeps_from_pasting(text, mode_);
  const auto step = refusal ? MessageStep::refused : MessageStep::handing;
  if (journal_.write_message(current_, step, refusal.value_or("")) != 0) {
    // Not announced, so not done.
    wake_at_ = now_ms + retry_ms;
    return;
  }
  waiting_.pop_front();
  if (refusal) {
    if (!waiting_.empty()) wake_at_ = now_ms;
    return;
  }
  pty_.queue(paste_bytes(text, mode_));
  pty_.flush();
  step_ = Step::writing;
  turn(now_ms, mode_.bracketed_paste);
}

void Inbox::verify(std::int64_t now_ms) {
  const auto unread = pty_.unread();
  times_empty_ = unread == 0 && pty_.pending() == 0 ? times_empty_ + 1 : 0;
  if (times_empty_ >= times_empty_needed) {
    journal_.write_message(current_, MessageStep::consumed);
    step_ = Step::idle;
    wake_at_ = waiting_.empty() ? std::nullopt : std::optional{now_ms};
    return;
  }
  verify_every_ms_ = times_empty_ > 0 ? first_check_ms : std::min(verify_every_ms_ * 2, slowest_check_ms);
  wake_at_ = now_ms + verify_every_ms_;
}

std::optional<std::int64_t> Inbox::wake_at() const {
  return wake_at_;
}

}  // namespace holdfast
