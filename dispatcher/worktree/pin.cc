// Pins: refs below refs/holdfast/keep/<ticket>/g<generation>/ that keep reachable what was seen of an
// attempt, so that no reset, gc, amend or branch deletion of its worker loses a commit.
//
//   seen, seen-N        what its HEAD or its branch stood at when it was looked at while it lived
//   head, branch        where they stood when it was closed
//   head-N, branch-N    and where they stood at an earlier such time, where the newest does not contain it
//   made-N              a commit that was made in this attempt (HEAD's reflog tells) and that nothing else of
//                       these holds: what an amend, a reset or a rebase left behind
//   side-N              one that was made in this attempt and is on another branch than its own: the ticket's
//                       work is not all where the ticket's work is looked for
//   stash-N             a stash entry of its worker's (refs/stash is shared by all worktrees), or a rebase's
//                       autostash
//
// What is held once stays held: a ref that moves to where it does not contain what it held leaves that to
// another one, in the same transaction.
#include "dispatcher/worktree/pin.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "dispatcher/core/names.h"
#include "dispatcher/system/durable_file.h"
#include "dispatcher/worktree/left_behind.h"
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
    // One transaction changes no ref twice.
    const auto again = std::ranges::find(changes, ref, &RefChange::ref);
    if (again != changes.end())
      again->now = commit;
    else
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

struct StashEntry {
  std::string commit, on;  // `on`: the commit that it was made upon
  std::int64_t made_at = 0;
  std::string words;
};

OrReply<std::vector<StashEntry>> read_stash(const Context& context, const GitHow& how) {
  const ChildEnd log = context.git.run(
      context.refs_only(),
      {"log", "-g", "--no-show-signature", "-z", "--format=%H %ct %P%n%gs", "refs/stash", "--"}, how);
  if (!log.answered()) return std::unexpected(raw_of(log));
  std::vector<StashEntry> found;
  for (const std::string& entry : split(log.out, '\0')) {
    const auto newline = entry.find('\n');
    if (newline == std::string::npos) continue;
    const auto ids = split(std::string_view(entry).substr(0, newline), ' ');
    if (ids.size() < 2) continue;
    StashEntry one{ids[0], ids.size() > 2 ? ids[2] : "", 0, entry.substr(newline + 1)};
    std::from_chars(ids[1].data(), ids[1].data() + ids[1].size(), one.made_at);
    found.push_back(std::move(one));
  }
  return found;
}

bool was_made_on(const StashEntry& entry, const std::string& where) {
  return entry.words.starts_with("WIP on " + where + ":") || entry.words.starts_with("On " + where + ":");
}

// Entries of the shared stash that were made on this branch; on another one that HEAD was on in this attempt,
// at a commit where it stood then; or on a detached HEAD on top of the attempt's base.
OrReply<std::vector<std::string>> stashes_of(const Context& context, const BranchOrder& order,
                                             const HeadLog& log, const std::string& tip, const GitHow& how) {
  const auto stash = read_stash(context, how);
  if (!stash) return std::unexpected(stash.error());
  std::vector<std::string> found;
  for (const StashEntry& entry : *stash) {
    bool ours = was_made_on(entry, order.branch.value);
    const bool in_its_time = log.since != 0 && entry.made_at >= log.since && log.stood.contains(entry.on);
    if (!ours && in_its_time)
      ours = std::ranges::any_of(log.branches,
                                 [&](const std::string& branch) { return was_made_on(entry, branch); });
    if (!ours && !entry.on.empty() && was_made_on(entry, "(no branch)") && !order.base.empty() &&
        entry.on != order.base.value && !tip.empty()) {
      const auto above = is_ancestor(context, order.base.value, entry.on, how);
      const auto below = is_ancestor(context, entry.on, tip, how);
      ours = above && below && *above && *below;
    }
    if (ours) found.push_back(entry.commit);
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

// "seen", "made-3": the last part of the name without its number.
std::string_view stem_of(std::string_view ref) {
  ref.remove_prefix(ref.rfind('/') + 1);
  return ref.substr(0, ref.find('-'));
}

// Seen without a process, as far as the files of refs are plain: there is nothing but where it began, or the
// pins hold already what is to be held.
bool is_held_already(const Context& context, const BranchOrder& order, const PoolSlot* slot,
                     const HeadLog& log, PinWhen when) {
  if (slot == nullptr || order.base.empty() || !autostashes(*slot).empty() || !log.straight ||
      context.refs.is_there("refs/stash"))
    return false;
  const Head head = RefFiles::read_head(slot->admin);
  const std::string at = head.oid.empty() ? context.refs.resolve(head.ref).value_or("") : head.oid;
  const std::string branch = context.refs.resolve("refs/heads/" + order.branch.value).value_or("");
  if (at.empty() || branch.empty()) return false;
  const std::string folder = "refs/holdfast/keep/" + ref_folder(order.attempt) + "/";
  const auto is_at = [&](const std::string& commit, const char* stem) {
    return commit == order.base.value || context.refs.resolve(folder + stem) == commit;
  };
  switch (when) {
    case PinWhen::seen: return is_at(at, "seen") && is_at(branch, "seen");
    case PinWhen::closing: return is_at(at, "head") && is_at(branch, "branch");
  }
  __builtin_unreachable();
}

// What HEAD and branch stand at: of one that lives, each commit once and under whichever name; of one that is
// closed, each under its own.
OrReply<Nothing> pin_tips(const Context& context, const BranchOrder& order, PinWhen when, Pins& pins,
                          const std::string& branch, const std::string& head, const GitHow& how) {
  for (const auto& [stem, commit] : {std::pair{"branch", branch}, std::pair{"head", head}}) {
    if (commit.empty()) continue;
    switch (when) {
      case PinWhen::seen: {
        if (commit == order.base.value || pins.holds(commit)) break;
        if (const auto pinned = pin_newest(context, pins, "seen", commit, how); !pinned) return pinned;
        break;
      }
      case PinWhen::closing:
        if (const auto pinned = pin_newest(context, pins, stem, commit, how); !pinned) return pinned;
        break;
    }
  }
  return Nothing{};
}

OrReply<Nothing> pin_left(const Context& context, const BranchOrder& order, const HeadLog& log, PinWhen when,
                          Pins& pins, const std::string& branch, const std::string& head, const GitHow& how) {
  LeftQuestion question{.branch = order.branch.value,
                        .held = {head, branch, order.base.value},
                        .pinned = {},
                        .aside = when == PinWhen::closing};
  // Where it stood for a moment says nothing of where its work is now.
  for (const auto& [ref, commit] : pins.held) {
    const bool passing = stem_of(ref) == "seen" || stem_of(ref) == "made";
    (passing && question.aside ? question.pinned : question.held).insert(commit);
  }
  const auto left = left_behind(context, log, question, how);
  if (!left) return std::unexpected(left.error());
  for (const std::string& commit : left->aside) pins.set(pins.free_name("side"), commit);
  for (const std::string& commit : left->replaced) pins.set(pins.free_name("made"), commit);
  return Nothing{};
}

}  // namespace

Reply<Salvaged> pin_held(const Context& context, const BranchOrder& order, const PoolSlot* slot, PinWhen when,
                         const GitHow& how) {
  const HeadLog log = slot != nullptr ? read_head_log(*slot) : HeadLog{};
  if (is_held_already(context, order, slot, log, when)) return {fine(), {}};
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
  if (const auto pinned = pin_tips(context, order, when, pins, branch_commit, head_commit, how); !pinned)
    return {pinned.error(), {}};
  std::vector<std::string> loose = slot != nullptr ? autostashes(*slot) : std::vector<std::string>{};
  if (refs->contains("refs/stash")) {
    const auto stashed =
        stashes_of(context, order, log, head_commit.empty() ? branch_commit : head_commit, how);
    if (!stashed) return {stashed.error(), {}};
    loose.insert(loose.end(), stashed->begin(), stashed->end());
  }
  for (const std::string& commit : loose)
    if (!pins.holds(commit)) pins.set(pins.free_name("stash"), commit);
  if (const auto left = pin_left(context, order, log, when, pins, branch_commit, head_commit, how); !left)
    return {left.error(), {}};

  Reply<Salvaged> reply{change_refs(context, pins.changes, "holdfast: pin", how), {}};
  if (reply.raw.transport != Transport::answered || reply.raw.code != 0) return reply;
  reply.raw = fine();
  for (const RefChange& change : pins.changes) {
    reply.value.refs.push_back(change.ref);
    reply.value.commits.push_back({change.now});
  }
  return reply;
}

Reply<Salvaged> pin_held(const Context& context, const BranchOrder& order, const PoolSlot* slot,
                         const GitHow& how) {
  return pin_held(context, order, slot, PinWhen::closing, how);
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

Reply<Salvaged> pin_seen(const Context& context, const BranchOrder& order, const Deadline& deadline) {
  auto held = hold_slot(context, order.slot);
  if (!held) return {held.error(), {}};
  if (const auto lease = read_lease(context, order.slot); lease && lease->attempt != order.attempt)
    return {refused("stale lease: " + order.slot.value + " is held by " + attempt_key(lease->attempt)), {}};
  return pin_held(context, order, &held->slot, PinWhen::seen,
                  {.deadline = deadline, .lock_fd = held->lock.fd()});
}

}  // namespace holdfast
