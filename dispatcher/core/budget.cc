#include "dispatcher/core/budget.h"

#include <algorithm>

#include "dispatcher/core/names.h"
#include "dispatcher/core/words.h"

namespace holdfast {

Charge charge_for(Cause cause) {
  switch (cause) {
    case Cause::clean_exit:
    case Cause::exit_code:
    case Cause::signal:
    case Cause::oom_kill:
    case Cause::declared_dead:
    case Cause::unknown: return Charge::ticket;
    case Cause::never_came_to_be: return Charge::setup;
    case Cause::session_killed:
    case Cause::server_lost:
    case Cause::host_lost:
    case Cause::stopped_by_us:
    case Cause::stopped_by_operator:
    case Cause::none: return Charge::nobody;
    case Cause::provider_limit: return Charge::provider;
  }
  __builtin_unreachable();
}

Duration backoff(int tries, Duration first, Duration most, std::string_view salt) {
  std::int64_t ms = first.ms;
  for (int i = 1; i < tries && ms < most.ms; ++i) ms *= 2;
  ms = std::min(ms, most.ms);
  std::uint64_t hash = 14695981039346656037ULL;  // FNV-1a: the same on every compiler
  for (const char c : salt) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  const auto spread = static_cast<std::uint64_t>(ms / 4 + 1);
  return {ms + static_cast<std::int64_t>(hash % spread)};
}

Aftermath aftermath(const Memory& before, const Attempt& attempt, const Policy& policy, Instant now) {
  Aftermath after{before, BoardState::todo, {}};
  Memory& memory = after.memory;
  const std::string salt = attempt_key(attempt.id);
  const std::string how = sentence_for(attempt.cause, attempt.exit_code);
  const auto retry = [&](int tries) {
    memory.not_before = now + backoff(tries, policy.backoff_first, policy.backoff_max, salt);
    after.reason = how + "; tried again";
  };
  const auto bounded = [&](int count, int most, const char* what) {
    if (count < most) return retry(count);
    after.next = BoardState::blocked;
    after.reason =
        how + "; " + std::to_string(count) + " " + what + ", the limit. Evidence: " + attempt.evidence;
  };
  switch (charge_for(attempt.cause)) {
    case Charge::ticket: bounded(++memory.charged, policy.attempts_max, "attempts were used"); break;
    case Charge::setup:
      bounded(++memory.setup_failures, policy.setup_failures_max, "spawns came to nothing");
      break;
    // The account is paused, and it waits for that; but a ticket whose every attempt meets the limit is shown
    // to a person in the end.
    case Charge::provider:
      bounded(++memory.free_deaths, policy.free_deaths_max, "deaths that were not its fault");
      break;
    case Charge::nobody:
      if (attempt.cause == Cause::server_lost && ++memory.server_losses >= policy.alone_after_server_losses)
        memory.alone = true;
      bounded(++memory.free_deaths, policy.free_deaths_max, "deaths that were not its fault");
      break;
  }
  return after;
}

}  // namespace holdfast
