// Pins: refs below refs/holdfast/keep/<ticket>/g<generation>/ that keep reachable what was seen of an
// attempt, so that no reset, gc, amend or branch deletion of its worker loses a commit.
//
//   head, branch      the newest sighting
//   head-N, branch-N  an older one that the newest does not contain
//   stash-N           a stash entry of this branch (refs/stash is shared by all worktrees), or a rebase's
//   autostash
//
// Nothing below keep/ is ever removed or moved to where it does not contain what it held.
#include "dispatcher/worktree/pin.h"

#include "dispatcher/core/names.h"
#include "dispatcher/system/durable_file.h"
#include "dispatcher/worktree/ref_list.h"

namespace holdfast {
namespace {

struct Pins {
  std::string folder;  // "refs/holdfast/keep/<ticket>/g<g>/"
  RefMap held;         // what is below it
  std::vector<RefChange> changes;

  [[nodiscard]] bool holds(const std::string& commit) const {
    return std::ranges::any_of(held, [&](const auto& pin) { return pin.second == commit; });
  }
  std::string free_name(const std::string& stem) const {
    for (int n = 1;; ++n) {
      std::string name = folder + stem + "-" + std::to_string(n);
      if (!held.contains(name)) return name;
    }
  }
  void set(const std::string& ref, const std::string& commit) {
    const auto old = held.find(ref);
    changes.push_back({ref, commit, old == held.end() ? "" : old->second});
    held[ref] = commit;
  }
};

OrReply<bool> is_ancestor(const Context& context, const std::string& older, const std::string& newer,
                          const GitHow& how) {
  const ChildEnd end =
      context.git.run(context.refs_only(), {"merge-base", "--is-ancestor", older, newer}, how);
  if (end.answered(0)) return true;
  if (end.answered(1)) return false;
  return std::unexpected(raw_of(end));
}

// `ref` is to hold `commit`; what it held before stays held.
OrReply<Nothing> pin_newest(const Context& context, Pins& pins, const std::string& stem,
                            const std::string& commit, const GitHow& how) {
  const std::string ref = pins.folder + stem;
  const auto old = pins.held.find(ref);
  if (old != pins.held.end() && old->second == commit) return Nothing{};
  if (old != pins.held.end()) {
    const std::string before = old->second;
    const auto contained = is_ancestor(context, before, commit, how);
    // An old tip that cannot be compared is kept: it costs a ref.
    if (!contained || !*contained) pins.set(pins.free_name(stem), before);
  }
  pins.set(ref, commit);
  return Nothing{};
}

// Entries of the shared stash that were made on this branch, or on a detached HEAD on top of its base.
OrReply<std::vector<std::string>> stashes_of(const Context& context, const BranchOrder& order,
                                             const std::string& tip, const GitHow& how) {
  const ChildEnd log = context.git.run(
      context.refs_only(),
      {"log", "-g", "--no-show-signature", "-z", "--format=%H %P%n%gs", "refs/stash", "--"}, how);
  if (!log.answered()) return std::unexpected(raw_of(log));
  std::vector<std::string> found;
  for (const std::string& entry : split(log.out, '\0')) {
    const auto newline = entry.find('\n');
    if (newline == std::string::npos) continue;
    const auto ids = split(std::string_view(entry).substr(0, newline), ' ');
    const std::string words = entry.substr(newline + 1);
    if (ids.empty()) continue;
    const auto made_on = [&words](const std::string& where) {
      return words.starts_with("WIP on " + where + ":") || words.starts_with("On " + where + ":");
    };
    bool ours = made_on(order.branch.value);
    if (!ours && ids.size() > 1 && made_on("(no branch)") && !order.base.empty() &&
        ids[1] != order.base.value && !tip.empty()) {
      const auto above = is_ancestor(context, order.base.value, ids[1], how);
      const auto below = is_ancestor(context, ids[1], tip, how);
      ours = above && below && *above && *below;
    }
    if (ours) found.push_back(ids[0]);
  }
  return found;
}

std::vector<std::string> autostashes(const PoolSlot& slot) {
  std::vector<std::string> found;
  for (const char* name : {"/rebase-merge/autostash", "/rebase-apply/autostash", "/MERGE_AUTOSTASH"})
    if (const std::string oid = trimmed(read_file(slot.admin + name, 4096).text); is_object_id(oid))
      found.push_back(oid);
  return found;
}

// Seen without a process, as far as the files of refs are plain: there is nothing but where it began, or the
// pins hold already what is to be held.
bool is_held_already(const Context& context, const BranchOrder& order, const PoolSlot* slot) {
  if (slot == nullptr || order.base.empty() || !autostashes(*slot).empty() ||
      context.refs.resolve("refs/stash"))
    return false;
  const Head head = RefFiles::read_head(slot->admin);
  const std::string at = head.oid.empty() ? context.refs.resolve(head.ref).value_or("") : head.oid;
  const std::string branch = context.refs.resolve("refs/heads/" + order.branch.value).value_or("");
  if (at.empty() || branch.empty()) return false;
  const std::string pins = "refs/holdfast/keep/" + ref_folder(order.attempt) + "/";
  const auto held = [&](const std::string& commit, const char* stem) {
    return commit == order.base.value || context.refs.resolve(pins + stem) == commit;
  };
  return held(at, "head") && held(branch, "branch");
}

}  // namespace

Reply<Salvaged> pin_held(const Context& context, const BranchOrder& order, const PoolSlot* slot,
                         const GitHow& how) {
  if (is_held_already(context, order, slot)) return {fine(), {}};
  Pins pins{.folder = "refs/holdfast/keep/" + ref_folder(order.attempt) + "/", .held = {}, .changes = {}};
  const std::string branch_ref = "refs/heads/" + order.branch.value;
  const Head head = slot != nullptr ? RefFiles::read_head(slot->admin) : Head{};
  std::vector<std::string> patterns{pins.folder, branch_ref, "refs/stash"};
  if (!head.ref.empty()) patterns.push_back(head.ref);
  const auto refs = list_refs(context, patterns, how);
  if (!refs) return {refs.error(), {}};
  std::string head_commit = head.oid;
  std::string branch_commit;
  for (const auto& [ref, commit] : *refs) {
    if (ref.starts_with(pins.folder)) pins.held[ref] = commit;
    if (ref == branch_ref) branch_commit = commit;
    if (ref == head.ref) head_commit = commit;
  }
  for (const auto& [stem, commit] : {std::pair{"branch", branch_commit}, std::pair{"head", head_commit}}) {
    if (commit.empty()) continue;
    if (const auto pinned = pin_newest(context, pins, stem, commit, how); !pinned)
      return {pinned.error(), {}};
  }
  std::vector<std::string> loose = slot != nullptr ? autostashes(*slot) : std::vector<std::string>{};
  if (refs->contains("refs/stash")) {
    const auto stashed = stashes_of(context, order, head_commit.empty() ? branch_commit : head_commit, how);
    if (!stashed) return {stashed.error(), {}};
    loose.insert(loose.end(), stashed->begin(), stashed->end());
  }
  for (const std::string& commit : loose)
    if (!pins.holds(commit)) pins.set(pins.free_name("stash"), commit);

  Reply<Salvaged> reply{change_refs(context, pins.changes, "holdfast: pin", how), {}};
  if (reply.raw.transport != Transport::answered || reply.raw.code != 0) return reply;
  reply.raw = fine();
  for (const RefChange& change : pins.changes) {
    reply.value.refs.push_back(change.ref);
    reply.value.commits.push_back({change.now});
  }
  return reply;
}

Reply<Salvaged> pin_branch(const Context& context, const BranchOrder& order, const Deadline& deadline) {
  if (order.slot.empty()) {
    const auto lock = context.lock("pins-" + attempt_key(order.attempt));
    if (!lock) return {lock.error(), {}};
    return pin_held(context, order, nullptr, {.deadline = deadline, .lock_fd = lock->fd()});
  }
  auto held = hold_slot(context, order.slot);
  if (!held) return {held.error(), {}};
  return pin_held(context, order, &held->slot, {.deadline = deadline, .lock_fd = held->lock.fd()});
}

}  // namespace holdfast
