// Preparing a slot: the one operation on the hot path.
//
// One git process looks (is it clean, and where is HEAD?); where the slot already stands at the start, which
// is where a release leaves it, the branch and HEAD are then two small files. The order is lease, branch,
// HEAD, so that a crash anywhere is finished by the same call again: a branch that the lease announced is
// ours, any other branch of that name is not.
#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <set>

#include "dispatcher/core/names.h"
#include "dispatcher/system/durable_file.h"
#include "dispatcher/worktree/operations.h"
#include "dispatcher/worktree/snapshot.h"
#include "dispatcher/worktree/status.h"

namespace holdfast {
namespace {

RawReply not_clean(const PoolSlot& slot, const std::string& what) {
  return refused("dirty: " + slot.id.value + " has " + what);
}

OrReply<WorkStatus> clean_status(const Context& context, const PoolSlot& slot, const GitHow& how) {
  if (const auto locks = git_locks(slot); !locks.empty())
    return std::unexpected(
        refused("busy: " + locks.front() + " exists: another git works there, or was killed"));
  if (const auto running = operations_in_progress(slot); !running.empty())
    return std::unexpected(not_clean(slot, "a " + running.front() + " in progress"));
  if (dot_git_of(slot) != DotGit::right)
    return std::unexpected(not_clean(slot, "lost its .git file, or had it replaced"));
  auto status = read_status(context, slot, how);
  if (status && !status->clean()) return std::unexpected(not_clean(slot, status->in_words()));
  return status;
}

// The slot is on the branch already: by an earlier call whose answer was lost. The branch's name holds the
// generation, so nobody but this attempt can have made it; where the lease did not survive a power cut, the
// start has to say where it began.
Reply<Prepared> already_on_branch(const Context& context, const PoolSlot& slot, const PrepareOrder& order,
                                  const std::optional<Lease>& lease, const GitHow& how) {
  if (lease && (lease->attempt != order.attempt || lease->branch != order.branch))
    return failed_with<Prepared>(
        refused("stale lease: " + slot.id.value + " is held by " + attempt_key(lease->attempt)));
  const auto status = clean_status(context, slot, how);
  if (!status) return failed_with<Prepared>(status.error());
  const auto base =
      lease ? OrReply<std::string>(lease->base.value) : resolve_commit(context, order.start, how);
  if (!base) return failed_with<Prepared>(base.error());
  if (status->head != *base) return failed_with<Prepared>(not_clean(slot, "commits since it was prepared"));
  return {fine(), {slot.path, {*base}}};
}

// An earlier call for this attempt was killed while it moved the slot, so no worker was ever here. What a
// half-done checkout leaves are files of either commit; only if that is all there is, is it thrown away.
OrReply<Nothing> finish_half_move(const Context& context, const PoolSlot& slot, const std::string& base,
                                  const GitHow& how) {
  for (const std::string& lock : git_locks(slot)) ::unlink(lock.c_str());
  const auto shot = take_snapshot(context, slot, how);
  if (!shot) return std::unexpected(shot.error());
  if (shot->nothing_to_save()) return Nothing{};
  std::set<std::string> unlike_old;
  for (const bool old : {true, false}) {
    const ChildEnd end = context.git.run(
        context.refs_only(),
        {"diff-tree", "-r", "-z", "--name-only", "--no-renames", old ? shot->head : base, shot->tree}, how);
    if (!end.answered()) return std::unexpected(raw_of(end));
    for (const std::string& path : split(end.out, '\0'))
      if (old)
        unlike_old.insert(path);
      else if (unlike_old.contains(path))
        return std::unexpected(not_clean(slot, "changed files: " + path));
  }
  if (!shot->embedded.empty() || !shot->problems.empty() || shot->staged_apart())
    return std::unexpected(not_clean(slot, "more than a half-done checkout"));
  if (const auto free = set_colliding_aside(context, slot, base, how); !free) return free;
  const ChildEnd end = context.git.run(slot.place(), {"reset", "-q", "--hard", base, "--"}, how);
  if (!end.answered()) return std::unexpected(raw_of(end));
  return Nothing{};
}

OrReply<Nothing> move_to(const Context& context, const PoolSlot& slot, const std::string& oid,
                         const GitHow& how) {
  if (const auto free = set_colliding_aside(context, slot, oid, how); !free) return free;
  const ChildEnd end = context.git.run(slot.place(), {"checkout", "-q", "--detach", oid, "--"}, how);
  if (!end.answered()) return std::unexpected(raw_of(end));
  return set_leftovers_aside(context, slot, how);
}

OrReply<Nothing> make_branch(const Context& context, const PrepareOrder& order, const std::string& base,
                             const std::optional<Lease>& lease, const GitHow& how) {
  const std::string ref = "refs/heads/" + order.branch.value;
  if (lease) {
    if (context.refs.resolve(ref) == base) return Nothing{};  // made by an earlier call
    context.refs.drop_lock(ref);
  }
  switch (context.refs.create(ref, base)) {
    case RefFiles::Made::now: return Nothing{};
    case RefFiles::Made::exists:
      return std::unexpected(
          refused("fatal: a branch named '" + order.branch.value + "' already exists", 128));
    case RefFiles::Made::ask_git: break;
  }
  const ChildEnd end =
      context.git.run(context.refs_only(), {"branch", "--no-track", order.branch.value, base}, how);
  if (!end.answered()) return std::unexpected(raw_of(end));
  return Nothing{};
}

}  // namespace

OrReply<std::string> resolve_commit(const Context& context, const std::string& name, const GitHow& how) {
  if (is_object_id(name)) return name;
  if (name.starts_with("refs/"))
    if (auto oid = context.refs.resolve(name)) return *oid;
  const ChildEnd end = context.git.run(
      context.refs_only(), {"rev-parse", "--verify", "--end-of-options", name + "^{commit}"}, how);
  if (!end.answered()) return std::unexpected(raw_of(end));
  return trimmed(end.out);
}

namespace {

OrReply<Nothing> move_aside(const Context& context, const PoolSlot& slot,
                            const std::vector<std::string>& paths, const std::string& as) {
  namespace fs = std::filesystem;
  const fs::path to = context.new_quarantine(slot.id.value + as);
  for (std::string path : paths) {
    if (path.ends_with('/')) path.pop_back();
    std::error_code failed;
    fs::create_directories((to / path).parent_path(), failed);
    fs::rename(fs::path(slot.path) / path, to / path, failed);
    if (failed)
      return std::unexpected(
          refused("dirty: cannot move " + path + " out of " + slot.id.value + ": " + failed.message()));
  }
  return Nothing{};
}

std::string without_slash(const std::string& path) {
  return path.ends_with('/') ? path.substr(0, path.size() - 1) : path;
}

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

// To cat-file a submodule looks like nothing: its commit is in another repository.
OrReply<std::set<std::string>> submodules_in(const Context& context, const std::string& commit,
                                             const GitHow& how) {
  const ChildEnd end =
      context.git.run(context.refs_only(), {"ls-tree", "-r", "-z", "--full-tree", commit}, how);
  if (!end.answered()) return std::unexpected(raw_of(end));
  std::set<std::string> found;
  for (const std::string& entry : split(end.out, '\0'))
    if (entry.starts_with("160000 ")) found.insert(entry.substr(entry.find('\t') + 1));
  return found;
}

}  // namespace

OrReply<Nothing> set_colliding_aside(const Context& context, const PoolSlot& slot, const std::string& commit,
                                     const GitHow& how) {
  const ChildEnd listed = context.git.run(
      slot.place(), {"ls-files", "-z", "--others", "--ignored", "--directory", "--exclude-standard"}, how);
  if (!listed.answered()) return std::unexpected(raw_of(listed));
  const auto ignored = split(listed.out, '\0');
  if (ignored.empty()) return Nothing{};
  // What the commit has at each of these paths, and at each folder that one of them lies in.
  std::vector<std::string> questions{commit + ":.gitmodules"};
  std::map<std::string, std::size_t> asked;
  const auto ask = [&](const std::string& path) {
    // One that cannot be asked about in a line is moved whatever the commit has.
    const bool askable = path.find('\n') == std::string::npos;
    if (asked.try_emplace(path, questions.size()).second)
      questions.push_back(askable ? commit + ":" + path : commit);
  };
  for (const std::string& path : ignored)
    for (std::string at = without_slash(path); !at.empty(); at = folder_of(at)) ask(at);
  std::string lines;
  for (const std::string& question : questions) lines += question + "\n";
  const ChildEnd held = context.git.run(context.refs_only(), {"cat-file", "--batch-check=%(objecttype)"},
                                        {.deadline = how.deadline, .lock_fd = how.lock_fd, .input = lines});
  if (!held.answered()) return std::unexpected(raw_of(held));
  const auto answers = split(held.out, '\n');
  if (answers.size() != questions.size())
    return std::unexpected(refused("git cat-file said something unknown about ignored files", 128));
  std::set<std::string> submodules;
  if (!answers[0].ends_with(" missing")) {
    auto of_commit = submodules_in(context, commit, how);
    if (!of_commit) return std::unexpected(of_commit.error());
    submodules = std::move(*of_commit);
  }
  std::vector<std::string> colliding;
  for (const std::string& path : ignored) {
    const std::string file = without_slash(path);
    bool in_the_way = !answers[asked.at(file)].ends_with(" missing") || submodules.contains(file);
    for (std::string at = folder_of(file); !at.empty(); at = folder_of(at))
      in_the_way = in_the_way || answers[asked.at(at)] == "blob" || answers[asked.at(at)] == "commit" ||
                   submodules.contains(at);
    if (in_the_way) colliding.push_back(file);
  }
  return colliding.empty() ? OrReply<Nothing>(Nothing{}) : move_aside(context, slot, colliding, ".ignored");
}

OrReply<Nothing> set_leftovers_aside(const Context& context, const PoolSlot& slot, const GitHow& how) {
  const ChildEnd end = context.git.run(
      slot.place(),
      {"ls-files", "-z", "--others", "--directory", "--no-empty-directory", "--exclude-standard"}, how);
  if (!end.answered()) return std::unexpected(raw_of(end));
  const auto paths = split(end.out, '\0');
  if (paths.empty()) return Nothing{};
  return move_aside(context, slot, paths, ".leftovers");
}

Reply<Prepared> prepare_slot(const Context& context, const PrepareOrder& order, const Deadline& deadline) {
  if (parse_branch(order.branch.value) != order.attempt)
    return failed_with<Prepared>(
        refused("invalid reference: " + order.branch.value + " does not name its attempt"));
  auto held = hold_slot(context, order.slot);
  if (!held) return failed_with<Prepared>(held.error());
  const PoolSlot& slot = held->slot;
  const GitHow how{.deadline = deadline, .lock_fd = held->lock.fd()};
  if (is_replaced_by_link(slot.path))
    return failed_with<Prepared>(not_clean(slot, "a symbolic link in its place"));

  const Head head = RefFiles::read_head(slot.admin);
  const auto lease = read_lease(context, slot.id);
  if (head.ref == "refs/heads/" + order.branch.value)
    return already_on_branch(context, slot, order, lease, how);
  if (!head.ref.empty()) return failed_with<Prepared>(not_clean(slot, "another branch: " + head.ref));

  const std::string ref = "refs/heads/" + order.branch.value;
  const auto before =
      lease && lease->attempt == order.attempt && lease->branch == order.branch ? lease : std::nullopt;
  auto base = resolve_commit(context, order.start, how);
  if (!base) return failed_with<Prepared>(base.error());
  const auto branch = context.refs.resolve(ref);
  // A branch of that name that no lease of ours announced is somebody's.
  if (branch && (!before || *branch != before->base.value))
    return failed_with<Prepared>(
        refused("fatal: a branch named '" + order.branch.value + "' already exists", 128));
  if (branch) base = *branch;  // made by an earlier call from an older start: it stays that start
  if (before)
    if (const auto finished = finish_half_move(context, slot, before->base.value, how); !finished)
      return failed_with<Prepared>(finished.error());

  if (const auto idle = busy_with_somebody(slot, {}); !idle) return failed_with<Prepared>(idle.error());
  const auto status = clean_status(context, slot, how);
  if (!status) return failed_with<Prepared>(status.error());
  if (!write_lease(context, slot.id, {order.attempt, order.branch, {*base}}))
    return failed_with<Prepared>(
        refused("cannot write the lease of " + slot.id.value + ": Permission denied or disk full"));
  if (status->head != *base)
    if (const auto moved = move_to(context, slot, *base, how); !moved)
      return failed_with<Prepared>(moved.error());
  if (const auto made = make_branch(context, order, *base, before, how); !made)
    return failed_with<Prepared>(made.error());
  if (!RefFiles::write_head(slot.admin, "ref: refs/heads/" + order.branch.value))
    return failed_with<Prepared>(refused("busy: " + slot.admin + "/HEAD.lock is held"));
  // Marked as ours: what the log has before it (how the slot came to its start) is not this attempt's.
  note_in_reflog(context, slot, *base, *base, "holdfast: prepared " + order.branch.value);
  return {fine(), {slot.path, {*base}}};
}

}  // namespace holdfast
