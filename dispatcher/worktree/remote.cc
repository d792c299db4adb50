#include "dispatcher/worktree/remote.h"

#include <algorithm>

namespace holdfast {

std::string name_on_remote(const std::string& target, const std::string& remote) {
  for (const std::string& area : {"refs/remotes/" + remote + "/", std::string("refs/heads/")})
    if (target.starts_with(area)) return target.substr(area.size());
  return target;
}

std::string mirror_of(const std::string& remote, const std::string& branch) {
  return "refs/holdfast/remote/" + remote + "/" + branch;
}

ChildEnd fetch_into_mirror(const Context& context, const std::string& remote, const std::string& branch,
                           const GitHow& how) {
  // --refmap= keeps git from moving remote-tracking refs on the side; --prune sees a branch vanish from the
  // remote.
  return context.git.run(context.before_remotes(),
                         {"fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance",
                          "--refmap=", "--no-recurse-submodules", "--prune", "--end-of-options", remote,
                          "+refs/heads/" + branch + ":" + mirror_of(remote, branch),
                          "+refs/heads/hf/*:" + mirror_of(remote, "hf/*")},
                         how);
}

RemoteSeen look_at_remote(const Context& context, const std::string& remote, const std::string& target,
                          const Deadline& deadline) {
  if (context.options.fetch_every.ms <= 0) return RemoteSeen::not_asked;
  const auto lock = context.lock("remote-" + remote);
  if (!lock) return RemoteSeen::not_asked;
  const std::lock_guard guard(context.remotes_mutex);
  auto& last = context.remotes[remote + " " + target];
  const std::int64_t now = SystemClock{}.monotonic().ms;
  if (last.asked_ms == 0 || now - last.asked_ms >= context.options.fetch_every.ms) {
    // Half of the time that is left: the local facts are worth more than the remote's.
    const Deadline until(std::min(Duration{deadline.left().ms / 2}, seconds(30)));
    const ChildEnd end = fetch_into_mirror(context, remote, name_on_remote(target, remote),
                                           {.deadline = until, .lock_fd = lock->fd()});
    last = {std::max<std::int64_t>(SystemClock{}.monotonic().ms, 1), end.answered()};
  }
  return last.answered ? RemoteSeen::fresh : RemoteSeen::unreachable;
}

}  // namespace holdfast
