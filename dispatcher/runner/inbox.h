// Hands messages to the worker, each at most once, and finds out whether the worker has read them.
//
// In order: `handing` is on disk before the first byte is written; the text; after a pause Enter; `handed`;
// and when nothing of it lies unread in the terminal any more, `consumed`. A runner that finds `handing` of
// its own never begins again. The next message waits until this one was consumed: bytes behind unread bytes
// could be told from nothing.
#pragma once

#include <deque>
#include <optional>
#include <set>
#include <string>

#include "dispatcher/runner/inner_pty.h"
#include "dispatcher/runner/journal.h"
#include "dispatcher/runner/paste.h"

namespace holdfast {

class Inbox {
 public:
  Inbox(Journal& journal, InnerPty& pty, Duration enter_delay);

  // Looks into the folder; cheap where nothing is new.
  void look();
  // Does what can be done now. To be called after each event, once the worker is ready.
  void turn(std::int64_t now_ms, bool bracketed_paste);
  // When turn() has to be called though nothing happens; by the clock given to turn().
  [[nodiscard]] std::optional<std::int64_t> wake_at() const;

 private:
  enum class Step { idle, writing, pausing, entering, verifying };
  void begin(std::int64_t now_ms);
  void verify(std::int64_t now_ms);

  Journal& journal_;
  InnerPty& pty_;
  Duration enter_delay_;
  std::set<std::string> seen_;  // file names
  std::set<MessageId> taken_;   // ids: one that is posted again under another number is the same message
  std::deque<std::string> waiting_;
  MessageId current_;
  TerminalMode mode_;
  Step step_ = Step::idle;
  std::optional<std::int64_t> wake_at_;
  std::int64_t verify_every_ms_ = 0;
  int times_empty_ = 0;
};

}  // namespace holdfast
