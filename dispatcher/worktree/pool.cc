// The pool: slots that exist, stand detached at the start, and are clean. Nothing a person or a worker left
// in one is ever deleted: what is in the way is moved to quarantine/.
//
//   registered, folder there    fine; moved to the start if it is free, clean and elsewhere
//   registered, folder gone     free: the folder is made again from its own index and HEAD, which keeps its
//   reflog;
//                               leased: reported only; it is made again when its attempt is closed
//   a symbolic link in its place   as if the folder were gone; the link is moved to quarantine
//   folder, not registered      moved to quarantine, then made anew
//   made half (we were killed)  ours and never handed out: reset
//   neither                     `git worktree add`, one at a time (concurrent adds read half-written
//   metadata)
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "dispatcher/system/durable_file.h"
#include "dispatcher/system/process_table.h"
#include "dispatcher/worktree/operations.h"
#include "dispatcher/worktree/status.h"

namespace holdfast {
namespace {

namespace fs = std::filesystem;

constexpr Duration longest_sight = seconds(5);

SlotId slot_number(int n) {
  char name[32];
  std::snprintf(name, sizeof name, "slot-%03d", n);
  return {name};
}

bool exists(const std::string& path) {
  std::error_code failed;
  return fs::exists(fs::symlink_status(path, failed));
}

void set_aside(const Context& context, const std::string& path, const std::string& as) {
  std::error_code failed;
  fs::rename(path, context.new_quarantine(as) + "/" + fs::path(path).filename().string(), failed);
}

// Does any process of this host stand in the slot or hold one of its files open? "No" is evidence only
// together with age: a process in another pid namespace is not seen.
bool somebody_is_in(const PoolSlot& slot) {
  std::error_code failed;
  for (fs::directory_iterator at("/proc", failed), end; !failed && at != end; at.increment(failed)) {
    if (at->path().filename().string().find_first_not_of("0123456789") != std::string::npos) continue;
    std::error_code gone;
    const auto inside = [&slot](const fs::path& link) {
      return link.string().starts_with(slot.path + "/") || link == slot.path ||
             link.string().starts_with(slot.admin + "/");
    };
    if (inside(fs::read_symlink(at->path() / "cwd", gone))) return true;
    for (fs::directory_iterator fd(at->path() / "fd", gone), last; !gone && fd != last; fd.increment(gone)) {
      std::error_code ignored;
      if (inside(fs::read_symlink(fd->path(), ignored))) return true;
    }
  }
  return false;
}

// index.lock of a git that was killed. REQUIRES our own lock on the slot: no helper of ours is left.
void clear_stale_locks(const Context& context, const PoolSlot& slot) {
  for (const std::string& lock : git_locks(slot)) {
    std::error_code failed;
    const auto written = fs::last_write_time(lock, failed);
    const auto age = fs::file_time_type::clock::now() - written;
    if (failed || age < std::chrono::milliseconds(context.options.stale_lock_age.ms)) continue;
    if (!somebody_is_in(slot)) set_aside(context, lock, slot.id.value + ".lock");
  }
}

void remember_pristine(const Context& context, const PoolSlot& slot) {
  const fs::path to = fs::path(context.state) / "pristine" / slot.id.value;
  std::error_code failed;
  fs::create_directories(to, failed);
  for (const char* name : {"config.worktree", "info/sparse-checkout"}) {
    const FileText file = read_file(slot.admin + "/" + name, 1 << 20);
    if (file.error == 0) replace_file(to.string(), fs::path(name).filename().string(), file.text);
  }
}

OrReply<Nothing> add(const Context& context, const SlotId& id, const std::string& start, const GitHow& how) {
  const std::string path = context.pool_path(id);
  const std::string making = context.state + "/making/" + id.value;
  if (replace_file(context.state + "/making", id.value, "being made\n") != 0)
    return std::unexpected(refused("cannot write " + making + ": Permission denied or disk full"));
  ChildEnd end;
  // Somebody else's add or prune in the same repository can make ours trip over a half-written entry.
  for (int attempt = 0; attempt < 3; ++attempt) {
    end = context.git.run(
        context.refs_only(),
        {"worktree", "add", "--detach", "--lock", "--reason", "pool of holdfast", path, start}, how);
    if (end.answered() || end.transport != Transport::answered || exists(path + "/.git")) break;
  }
  if (!end.answered()) return std::unexpected(raw_of(end));
  if (const auto slot = find_slot(context, id)) remember_pristine(context, *slot);
  ::unlink(making.c_str());
  return Nothing{};
}

OrReply<Nothing> finish_half_made(const Context& context, const PoolSlot& slot, const std::string& start,
                                  const GitHow& how) {
  if (is_replaced_by_link(slot.path)) set_aside(context, slot.path, slot.id.value + ".link");
  std::error_code failed;
  fs::create_directories(slot.path, failed);
  for (const std::string& lock : git_locks(slot)) set_aside(context, lock, slot.id.value + ".lock");
  if (dot_git_of(slot) == DotGit::missing) replace_file(slot.path, ".git", "gitdir: " + slot.admin + "\n");
  const ChildEnd reset = context.git.run(slot.place(), {"reset", "-q", "--hard", start, "--"}, how);
  if (!reset.answered()) return std::unexpected(raw_of(reset));
  if (!exists(slot.admin + "/locked")) replace_file(slot.admin, "locked", "pool of holdfast\n");
  remember_pristine(context, slot);
  ::unlink((context.state + "/making/" + slot.id.value).c_str());
  return Nothing{};
}

// The folder is gone, the registration, with HEAD, index and reflog, is not: make the folder from them.
OrReply<Nothing> restore_folder(const Context& context, const PoolSlot& slot, const GitHow& how) {
  if (is_replaced_by_link(slot.path)) set_aside(context, slot.path, slot.id.value + ".link");
  std::error_code failed;
  if (!fs::create_directory(slot.path, failed) && !exists(slot.path))
    return std::unexpected(refused("cannot make " + slot.path + ": Permission denied or disk full"));
  if (replace_file(slot.path, ".git", "gitdir: " + slot.admin + "\n") != 0)
    return std::unexpected(refused("cannot write " + slot.path + "/.git: Permission denied or disk full"));
  if (!exists(slot.admin + "/locked")) replace_file(slot.admin, "locked", "pool of holdfast\n");
  if (!exists(slot.admin + "/index")) {
    const ChildEnd read = context.git.run(slot.place(), {"read-tree", "HEAD"}, how);
    if (!read.answered()) return std::unexpected(raw_of(read));
  }
  const ChildEnd end = context.git.run(slot.place(), {"checkout-index", "-q", "-a", "-f", "-u"}, how);
  if (!end.answered()) return std::unexpected(raw_of(end));
  return Nothing{};
}

OrReply<Nothing> ensure_slot(const Context& context, const SlotId& id, const std::string& start,
                             const GitHow& pool_how) {
  const auto lock = context.lock(id.value);
  if (!lock && lock.error().code == EWOULDBLOCK)
    return Nothing{};  // somebody works with it: then it is there
  if (!lock) return std::unexpected(lock.error());
  const GitHow how{.deadline = pool_how.deadline, .lock_fd = lock->fd()};
  const std::string path = context.pool_path(id);
  const auto slot = find_slot(context, id);
  if (!slot) {
    if (exists(path)) set_aside(context, path, id.value + ".folder");
    return add(context, id, start, how);
  }
  const auto lease = read_lease(context, id);
  if (!lease && exists(context.state + "/making/" + id.value))
    return finish_half_made(context, *slot, start, how);
  if (lease) return Nothing{};  // its attempt's business, whatever state it is in
  if (!exists(path) || is_replaced_by_link(path)) return restore_folder(context, *slot, how);
  clear_stale_locks(context, *slot);
  // A free slot that waits at the newest start is prepared by one process less.
  const auto status = read_status(context, *slot, how);
  if (!status || !status->clean() || !status->branch.empty() || status->head == start) return Nothing{};
  if (!operations_in_progress(*slot).empty() || dot_git_of(*slot) != DotGit::right) return Nothing{};
  if (!set_colliding_aside(context, *slot, start, how)) return Nothing{};
  const ChildEnd moved = context.git.run(slot->place(), {"checkout", "-q", "--detach", start, "--"}, how);
  if (!moved.answered()) return Nothing{};  // it stays where it is; the next look tells
  return set_leftovers_aside(context, *slot, how);
}

std::vector<SlotId> known_slots(const Context& context) {
  std::vector<SlotId> slots;
  const auto take = [&slots](const std::string& name) {
    const SlotId id{name};
    if (slot_name_is_fine(id) && name.starts_with("slot-") && std::ranges::find(slots, id) == slots.end())
      slots.push_back(id);
  };
  std::error_code failed;
  for (fs::directory_iterator at(context.state + "/pool", failed), end; !failed && at != end;
       at.increment(failed))
    take(at->path().filename().string());
  // Registered, but the folder is gone.
  const std::string ours = context.state + "/pool/";
  for (fs::directory_iterator at(context.repository.common_dir + "/worktrees", failed), end;
       !failed && at != end; at.increment(failed)) {
    const std::string link = trimmed(read_file(at->path().string() + "/gitdir", 65536).text);
    if (link.starts_with(ours) && link.ends_with("/.git"))
      take(link.substr(ours.size(), link.size() - ours.size() - 5));
  }
  std::ranges::sort(slots);
  return slots;
}

}  // namespace

OrReply<Nothing> remake_lost_folder(const Context& context, const PoolSlot& slot, const AttemptId& attempt,
                                    const GitHow& how) {
  if (!folder_is_gone(context, slot)) return Nothing{};
  if (!write_loss(context, slot.id, attempt))
    return std::unexpected(
        refused("cannot write " + context.state + "/lost: Permission denied or disk full"));
  return restore_folder(context, slot, how);
}

SlotSighting sight_slot_by_its_files(const Context& context, const PoolSlot& slot) {
  SlotSighting seen;
  seen.slot = slot.id;
  seen.path = slot.path;
  seen.registered = exists(slot.path) && !is_replaced_by_link(slot.path) ? Tri::yes : Tri::no;
  seen.locked = git_locks(slot).empty() ? Tri::no : Tri::yes;
  const Head head = RefFiles::read_head(slot.admin);
  if (head.ref.starts_with("refs/heads/")) seen.branch = {head.ref.substr(11)};
  seen.head = {head.oid.empty() ? context.refs.resolve(head.ref).value_or("") : head.oid};
  if (seen.registered == Tri::yes &&
      (dot_git_of(slot) != DotGit::right || !operations_in_progress(slot).empty()))
    seen.clean = Tri::no;
  return seen;
}

SlotSighting sight_slot(const Context& context, const PoolSlot& slot, const GitHow& how) {
  SlotSighting seen = sight_slot_by_its_files(context, slot);
  if (seen.registered == Tri::no || seen.clean == Tri::no) return seen;
  if (const auto status = read_status(context, slot, how)) seen.clean = status->clean() ? Tri::yes : Tri::no;
  return seen;
}

Reply<std::vector<SlotSighting>> look_at_pool(const Context& context, const Deadline& deadline) {
  Reply<std::vector<SlotSighting>> reply;
  if (context.repository.common_dir.empty()) {
    reply.raw = not_sent("the repository cannot be found");
    return reply;
  }
  for (const SlotId& id : known_slots(context)) {
    if (deadline.passed()) {
      reply.raw = {Transport::no_answer, 0, "", "the deadline passed while looking at " + id.value};
      return reply;
    }
    SlotSighting seen;
    if (const auto slot = find_slot(context, id)) {
      // Each its own part of the time: one in which git hangs hides none of the others.
      const Deadline own(Duration{std::min(deadline.left().ms, longest_sight.ms)});
      seen = sight_slot(context, *slot, {.deadline = own});
    } else {
      seen.slot = id;
      seen.path = context.pool_path(id);
      seen.registered = Tri::no;
    }
    if (!context.lock(id.value)) seen.locked = Tri::yes;
    reply.value.push_back(std::move(seen));
  }
  reply.raw = fine();
  return reply;
}

Reply<std::vector<SlotSighting>> ensure_pool(const Context& context, int capacity, const std::string& start,
                                             const Deadline& deadline) {
  using Answer = std::vector<SlotSighting>;
  if (context.repository.common_dir.empty())
    return failed_with<Answer>(not_sent("the repository cannot be found"));
  const auto lock = context.lock("pool");
  if (!lock) return failed_with<Answer>(lock.error());
  const GitHow how{.deadline = deadline, .lock_fd = lock->fd()};
  context.remove_old_temporaries();
  const auto commit = resolve_commit(context, start, how);
  if (!commit) return failed_with<Answer>(commit.error());
  for (int n = 1; n <= capacity; ++n)
    if (const auto done = ensure_slot(context, slot_number(n), *commit, how); !done)
      return failed_with<Answer>(done.error());
  return look_at_pool(context, deadline);
}

}  // namespace holdfast
