#include "dispatcher/cli/messages.h"

#include "dispatcher/board/ticket_checks.h"
#include "dispatcher/cli/session.h"
#include "dispatcher/core/names.h"
#include "dispatcher/core/words.h"

namespace holdfast::cli {

Or<Message> queue_message(Ledger& ledger, const Attempt& attempt, MessageKind kind, const std::string& text,
                          const Shell& shell, const std::string& named) {
  if (const auto wrong = what_is_wrong_with_text(text)) return bad("the message " + *wrong);
  if (text.empty()) return bad("the message is empty");
  Message message;
  // Unguessable, so no two callers ever name the same one, unless they mean to.
  message.id = {named.empty() ? "m-" + random_token() : named};
  message.attempt = attempt.id;
  message.kind = kind;
  message.text = text;
  message.by = shell.person;
  const auto wrote = ledger.write(QueueMessage{message}, shell.now());
  if (wrote.raw.transport != Transport::answered || wrote.raw.code != 0)
    return std::unexpected(trouble_of(wrote.raw));
  return wrote.value.messages.empty() ? message : wrote.value.messages.front();
}

std::optional<NotReady> not_ready(const Attempt& attempt, const std::vector<Message>& messages,
                                  const RecordSighting* record) {
  const auto no = [](const std::string& status) {
    return NotReady{"runtime is not ready for input, status=" + status, status};
  };
  switch (attempt.phase) {
    case Phase::planned:
    case Phase::newborn:
    case Phase::finished:
    case Phase::lost:
    case Phase::closed: return no(words_for(attempt.phase));
    case Phase::ready:
    case Phase::running:
    case Phase::waiting: break;
  }
  if (record != nullptr && record->end) return no("ended");
  if (record != nullptr && !record->ready) return no(record->worker_running ? "running" : "starting");
  for (const Message& m : messages)
    if (m.attempt == attempt.id && (m.state == MessageState::queued || m.state == MessageState::posted))
      return no("busy");  // an earlier message is still on its way
  return std::nullopt;
}

}  // namespace holdfast::cli
