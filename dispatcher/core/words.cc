#include "dispatcher/core/words.h"

#include <array>
#include <string>

namespace holdfast {

const char* words_for(Phase phase) {
  switch (phase) {
    case Phase::planned: return "planned";
    case Phase::newborn: return "newborn";
    case Phase::ready: return "ready";
    case Phase::running: return "running";
    case Phase::waiting: return "waiting";
    case Phase::finished: return "finished";
    case Phase::lost: return "lost";
    case Phase::closed: return "closed";
  }
  __builtin_unreachable();
}

const char* words_for(Cause cause) {
  switch (cause) {
    case Cause::none: return "none";
    case Cause::never_came_to_be: return "never_came_to_be";
    case Cause::clean_exit: return "clean_exit";
    case Cause::exit_code: return "exit_code";
    case Cause::signal: return "signal";
    case Cause::oom_kill: return "oom_kill";
    case Cause::session_killed: return "session_killed";
    case Cause::server_lost: return "server_lost";
    case Cause::host_lost: return "host_lost";
    case Cause::stopped_by_us: return "stopped_by_us";
    case Cause::stopped_by_operator: return "stopped_by_operator";
    case Cause::provider_limit: return "provider_limit";
    case Cause::declared_dead: return "declared_dead";
    case Cause::unknown: return "unknown";
  }
  __builtin_unreachable();
}

const char* words_for(StopWish wish) {
  switch (wish) {
    case StopWish::none: return "none";
    case StopWish::stop: return "stop";
    case StopWish::park: return "park";
    case StopWish::cancel: return "cancel";
  }
  __builtin_unreachable();
}

const char* words_for(Ending ending) {
  switch (ending) {
    case Ending::none: return "none";
    case Ending::term_sent: return "term_sent";
    case Ending::kill_sent: return "kill_sent";
  }
  __builtin_unreachable();
}

const char* words_for(Said said) {
  switch (said) {
    case Said::nothing: return "nothing";
    case Said::done: return "done";
    case Said::review: return "review";
    case Said::question: return "question";
  }
  __builtin_unreachable();
}

const char* words_for(BoardState state) {
  switch (state) {
    case BoardState::backlog: return "backlog";
    case BoardState::todo: return "todo";
    case BoardState::in_progress: return "in_progress";
    case BoardState::in_review: return "in_review";
    case BoardState::blocked: return "blocked";
    case BoardState::done: return "done";
    case BoardState::cancelled: return "cancelled";
  }
  __builtin_unreachable();
}

std::optional<BoardState> board_state_from(std::string_view word) {
  constexpr std::array all{BoardState::backlog,   BoardState::todo,    BoardState::in_progress,
                           BoardState::in_review, BoardState::blocked, BoardState::done,
                           BoardState::cancelled};
  for (const BoardState state : all)
    if (word == words_for(state)) return state;
  return std::nullopt;
}

const char* words_for(SlotState state) {
  switch (state) {
    case SlotState::free: return "free";
    case SlotState::leased: return "leased";
    case SlotState::quarantined: return "quarantined";
  }
  __builtin_unreachable();
}

const char* words_for(MessageKind kind) {
  switch (kind) {
    case MessageKind::prompt: return "prompt";
    case MessageKind::answer: return "answer";
    case MessageKind::note: return "note";
  }
  __builtin_unreachable();
}

const char* words_for(MessageState state) {
  switch (state) {
    case MessageState::queued: return "queued";
    case MessageState::posted: return "posted";
    case MessageState::delivered: return "delivered";
    case MessageState::unverified: return "unverified";
    case MessageState::dropped: return "dropped";
  }
  __builtin_unreachable();
}

const char* words_for(Tri tri) {
  switch (tri) {
    case Tri::no: return "no";
    case Tri::yes: return "yes";
    case Tri::unknown: return "unknown";
  }
  __builtin_unreachable();
}

const char* words_for(OomEvidence oom) {
  switch (oom) {
    case OomEvidence::none_seen: return "no";
    case OomEvidence::killed: return "yes";
    case OomEvidence::unknown: return "unknown";
  }
  __builtin_unreachable();
}

namespace {
const char* signal_name(int number) {
  switch (number) {
    case 1: return "HUP";
    case 2: return "INT";
    case 3: return "QUIT";
    case 4: return "ILL";
    case 6: return "ABRT";
    case 7: return "BUS";
    case 8: return "FPE";
    case 9: return "KILL";
    case 11: return "SEGV";
    case 13: return "PIPE";
    case 15: return "TERM";
    case 24: return "XCPU";
    case 25: return "XFSZ";
    default: return "?";
  }
}
}  // namespace

std::string sentence_for(Cause cause, int code) {
  switch (cause) {
    case Cause::none: return "not dead";
    case Cause::never_came_to_be: return "never came to be";
    case Cause::clean_exit: return "exited with 0";
    case Cause::exit_code: return "exited with " + std::to_string(code);
    case Cause::signal: return "killed by signal " + std::to_string(code) + " (" + signal_name(code) + ")";
    case Cause::oom_kill: return "OOM-killed";
    case Cause::session_killed: return "its tmux session was killed";
    case Cause::server_lost: return "its tmux server was lost";
    case Cause::host_lost: return "its host was restarted";
    case Cause::stopped_by_us: return "stopped by the dispatcher";
    case Cause::stopped_by_operator: return "stopped by a person";
    case Cause::provider_limit: return "ended at the provider's limit";
    case Cause::declared_dead: return "declared dead by a person";
    case Cause::unknown: return "dead, cause unknown";
  }
  __builtin_unreachable();
}

}  // namespace holdfast
