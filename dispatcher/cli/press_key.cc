#include "dispatcher/cli/press_key.h"

#include "dispatcher/core/names.h"
#include "dispatcher/core/words.h"
#include "dispatcher/system/run_process.h"

namespace holdfast::cli {
namespace {

std::unexpected<Refusal> not_pressed(int status, std::string code, std::string words,
                                     std::string runtime_status = {}) {
  return std::unexpected(Refusal{status, std::move(code), std::move(words), std::move(runtime_status)});
}

bool was_answered(const RawReply& raw) {
  return raw.transport == Transport::answered && raw.code == 0;
}

}  // namespace

Taken<Nothing> press_key(World& world, const Attempt& attempt, const std::string& key, Duration deadline) {
  const std::string name = attempt_key(attempt.id);
  const auto listing = world.terminal.list(attempt.shard, deadline);
  if (!was_answered(listing.raw))
    return not_pressed(503, "no_answer", name + ": its tmux server cannot be asked: " + listing.raw.error);
  const PaneSighting* pane = nullptr;
  for (const PaneSighting& one : listing.value.panes)
    if (one.session == attempt.session && (attempt.pane_id.empty() || one.pane_id == attempt.pane_id))
      pane = &one;
  if (pane == nullptr || pane->dead || (attempt.server.known() && attempt.server != listing.value.server))
    return not_pressed(409, "no_live_pane", name + " has no live pane", words_for(attempt.phase));
  if (pane->persons_attached > 0)
    return not_pressed(409, "attached",
                       name + ": a person is attached, who can interrupt it; nothing was typed", "attached");
  // The same client command that would attach, with other words behind its server.
  auto command = world.terminal.attach_command(attempt.shard, attempt.session);
  while (!command.empty() && command.back() != "attach-session") command.pop_back();
  if (command.empty()) return not_pressed(500, "failed", "tmux cannot be called");
  command.pop_back();
  for (const std::string& word : {std::string("send-keys"), std::string("-t"), pane->pane_id, key})
    command.push_back(word);
  ProcessOrder order;
  order.argv = command;
  order.deadline = deadline;
  const RawReply sent = run_process(order);
  if (!was_answered(sent)) return not_pressed(503, "no_answer", name + ": tmux: " + sent.error);
  return Nothing{};
}

}  // namespace holdfast::cli
