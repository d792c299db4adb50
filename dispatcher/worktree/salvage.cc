// Salvage: everything uncommitted becomes a commit below refs/holdfast/salvage/<ticket>/g<generation>/NNN.
//
//   tree            the files, untracked ones too, ignored ones not, byte for byte; also the files of
//   repositories
//                   inside the worktree, as plain files
//   first parent    HEAD
//   more parents    what is staged, where it differs from both (see staged.h); the patches of a `git am` that
//   has
//                   stopped; the git folder of each repository inside the worktree
//
// The worktree, its index and its configuration are not touched. If anything could not be saved the answer is
// a failure that says what, and what could be saved is saved all the same.
#include "dispatcher/worktree/salvage.h"

#include <cstdio>

#include "dispatcher/core/names.h"
#include "dispatcher/worktree/pin.h"
#include "dispatcher/worktree/ref_list.h"

namespace holdfast {
namespace {

constexpr const char* key_trailer = "Holdfast-Content: ";

std::string salvage_folder(const AttemptId& attempt) {
  return "refs/holdfast/salvage/" + ref_folder(attempt) + "/";
}

std::string in_words(const std::vector<std::string>& problems) {
  std::string words = "could not be saved completely";
  for (const std::string& problem : problems) words += "; " + problem;
  return words;
}

OrReply<std::string> commit_tree(const Context& context, const std::string& tree,
                                 const std::vector<std::string>& parents, const std::string& message,
                                 const GitHow& how) {
  std::vector<std::string> args{"-c", "core.fsync=all", "commit-tree", tree, "-F", "-"};
  for (const std::string& parent : parents) args.insert(args.end(), {"-p", parent});
  const ChildEnd end = context.git.run(context.refs_only(), args,
                                       {.deadline = how.deadline, .lock_fd = how.lock_fd, .input = message});
  if (!end.answered()) return std::unexpected(raw_of(end));
  return trimmed(end.out);
}

std::string about_staged(StagedAs as) {
  switch (as) {
    case StagedAs::tree: return "The staged content was different again: parent ";
    case StagedAs::stages: return "The staged content, with every stage of its conflicts: parent ";
    case StagedAs::file: return "The index could not be read; its file is the tree of parent ";
  }
  __builtin_unreachable();
}

OrReply<std::string> commit_snapshot(const Context& context, const BranchOrder& order, const Snapshot& shot,
                                     const GitHow& how) {
  const std::string what = attempt_key(order.attempt) + " in " + order.slot.value;
  std::vector<std::string> parents;
  if (!shot.head.empty()) parents.push_back(shot.head);
  std::string message =
      "Salvage of " + what + "\n\nUncommitted work, saved before the worktree was given back.\n";
  if (shot.staged_apart()) {
    const auto index = commit_tree(context, shot.index_tree, parents, "Index of " + what + "\n", how);
    if (!index) return index;
    message += about_staged(shot.staged_as) + std::to_string(parents.size() + 1) + ".\n";
    parents.push_back(*index);
  }
  if (!shot.patches.empty()) {
    const auto patches = commit_tree(context, shot.patches, {}, "Patches not applied in " + what + "\n", how);
    if (!patches) return patches;
    message += "The patches that were still to be applied are the tree of parent " +
               std::to_string(parents.size() + 1) + ".\n";
    parents.push_back(*patches);
  }
  for (const EmbeddedRepository& one : shot.embedded) {
    if (!one.head.empty()) {
      message += "The worktree at \"" + one.path + "\" stood at parent " +
                 std::to_string(parents.size() + 1) + ".\n";
      parents.push_back(one.head);
    }
    if (one.git_folder.empty()) continue;
    const auto folder =
        commit_tree(context, one.git_folder, {}, "Git folder of a repository inside " + what + "\n", how);
    if (!folder) return folder;
    message += "The git folder of the repository at \"" + one.path + "\" is the tree of parent " +
               std::to_string(parents.size() + 1) + ".\n";
    parents.push_back(*folder);
  }
  return commit_tree(context, shot.tree, parents, message + "\n" + key_trailer + shot.content_key() + "\n",
                     how);
}

std::string next_ref(const AttemptId& attempt, const std::vector<Salvage>& earlier) {
  for (int n = static_cast<int>(earlier.size()) + 1;; ++n) {
    char number[16];
    std::snprintf(number, sizeof number, "%03d", n);
    std::string ref = salvage_folder(attempt) + number;
    if (std::ranges::none_of(earlier, [&](const Salvage& one) { return one.ref == ref; })) return ref;
  }
}

}  // namespace

OrReply<std::vector<Salvage>> salvages_of(const Context& context, const AttemptId& attempt,
                                          const GitHow& how) {
  const ChildEnd end = context.git.run(
      context.refs_only(),
      {"for-each-ref",
       "--format=%(refname) %(objectname) %(contents:trailers:key=Holdfast-Content,valueonly,separator=)",
       salvage_folder(attempt)},
      how);
  if (!end.answered()) return std::unexpected(raw_of(end));
  std::vector<Salvage> found;
  for (const std::string& line : split(end.out, '\n')) {
    const auto words = split(line, ' ');
    if (words.size() >= 2) found.push_back({words[0], words[1], words.size() > 2 ? words[2] : ""});
  }
  return found;
}

Reply<Salvaged> salvage_slot(const Context& context, const BranchOrder& order, const Deadline& deadline) {
  if (order.slot.empty()) return {pin_branch(context, order, deadline).raw, {}};
  auto held = hold_slot(context, order.slot);
  if (!held) return {held.error(), {}};
  const GitHow how{.deadline = deadline, .lock_fd = held->lock.fd()};
  if (const auto lease = read_lease(context, order.slot); lease && lease->attempt != order.attempt)
    return {refused("stale lease: " + order.slot.value + " is held by " + attempt_key(lease->attempt)), {}};

  // Pins are no salvage: a branch with nothing uncommitted must not look as if something had been.
  Reply<Salvaged> reply{pin_held(context, order, &held->slot, how).raw, {}};
  if (reply.raw.transport != Transport::answered || reply.raw.code != 0) return reply;
  if (const auto remade = remake_lost_folder(context, held->slot, order.attempt, how); !remade)
    return {remade.error(), reply.value};
  const auto shot = take_snapshot(context, held->slot, how);
  if (!shot) return {shot.error(), reply.value};
  if (shot->nothing_to_save()) {
    reply.value.note = is_loss_of(context, order.slot, order.attempt)
                           ? "the worktree's folder was gone: what was uncommitted in it is lost"
                           : "nothing was uncommitted";
    return reply;
  }
  const auto earlier = salvages_of(context, order.attempt, how);
  if (!earlier) return {earlier.error(), reply.value};
  const std::string key = shot->content_key();
  auto same = std::ranges::find(*earlier, key, &Salvage::content_key);
  if (same != earlier->end()) {
    reply.value.refs.push_back(same->ref);
    reply.value.commits.push_back({same->commit});
    reply.value.note = "saved before";
  } else {
    const auto commit = commit_snapshot(context, order, *shot, how);
    if (!commit) return {commit.error(), reply.value};
    const std::string ref = next_ref(order.attempt, *earlier);
    const RawReply written = change_refs(context, {{ref, *commit, ""}}, "holdfast: salvage", how);
    if (written.transport != Transport::answered || written.code != 0) return {written, reply.value};
    reply.value.refs.push_back(ref);
    reply.value.commits.push_back({*commit});
  }
  if (!shot->problems.empty()) {
    reply.value.note = in_words(shot->problems);
    reply.raw = refused("dirty: " + order.slot.value + " " + reply.value.note);
  }
  return reply;
}

}  // namespace holdfast
