#include "dispatcher/terminal/control_stream.h"

namespace holdfast {
namespace {

// "%begin 1700000000 270 1" with the word "%begin" -> "1700000000 270 1"; empty where it is not that.
std::string_view after_word(std::string_view line, std::string_view word) {
  if (!line.starts_with(word) || line.size() <= word.size() || line[word.size()] != ' ') return {};
  return line.substr(word.size() + 1);
}

}  // namespace

std::vector<ControlEvent> ControlStream::read(std::string_view bytes) {
  std::vector<ControlEvent> events;
  held_ += bytes.size();
  partial_ += bytes;
  std::size_t from = 0;
  for (auto newline = partial_.find('\n'); newline != std::string::npos;
       newline = partial_.find('\n', from)) {
    std::string_view line{partial_.data() + from, newline - from};
    from = newline + 1;
    if (line.ends_with('\r')) line.remove_suffix(1);
    take_line(line, events);
  }
  partial_.erase(0, from);
  if (open_.empty()) held_ = partial_.size();
  return events;
}

void ControlStream::take_line(std::string_view line, std::vector<ControlEvent>& events) {
  if (!open_.empty()) {
    const bool failed = after_word(line, "%error") == open_;
    if (failed || after_word(line, "%end") == open_) {
      block_.failed = failed;
      events.emplace_back(std::move(block_));
      block_ = {};
      open_.clear();
      return;
    }
    block_.lines.emplace_back(line);
    return;
  }
  if (const auto begun = after_word(line, "%begin"); !begun.empty()) {
    open_ = begun;
    block_.ours = begun.ends_with(" 1");
    return;
  }
  if (!line.starts_with('%')) return;  // greetings of a tmux that has none to give
  line.remove_prefix(1);
  const auto blank = line.find(' ');
  events.emplace_back(
      ControlNotice{std::string{line.substr(0, blank)},
                    blank == std::string_view::npos ? "" : std::string{line.substr(blank + 1)}});
}

}  // namespace holdfast
