#include "dispatcher/worktree/context.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "dispatcher/core/names.h"
#include "dispatcher/system/durable_file.h"
#include "dispatcher/system/orphans.h"
#include "dispatcher/system/standing.h"

namespace holdfast {
namespace {

namespace fs = std::filesystem;

std::string absolute(const std::string& path) {
  std::error_code failed;
  fs::create_directories(path, failed);
  const fs::path full = fs::weakly_canonical(fs::absolute(path, failed), failed);
  return full.string();
}

bool there(const std::string& path) {
  struct stat ignored{};
  return ::lstat(path.c_str(), &ignored) == 0;
}

}  // namespace

namespace {
// Whoever finds a helper without its dispatcher knows whose it was.
WorktreeOptions marked(WorktreeOptions options, const std::string& state) {
  for (std::string& mark : helper_marks(state)) options.git.extra_env.push_back(std::move(mark));
  return options;
}
}  // namespace

Context::Context(const std::string& repository_path, const std::string& state_folder, WorktreeOptions chosen)
    : options(marked(std::move(chosen), absolute(state_folder))),
      git(options.git),
      repository(locate_repository(repository_path)),
      refs(repository.common_dir),
      state(absolute(state_folder)) {
  for (const char* folder :
       {"pool", "scratch", "locks", "leases", "quarantine", "tmp", "making", "pristine", "lost", "moving"}) {
    std::error_code failed;
    fs::create_directories(state + "/" + folder, failed);
  }
}

OrReply<FileLock> Context::lock(std::string_view resource) const {
  std::string name;
  for (const char c : resource) {
    const bool plain =
        (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
    if (plain) {
      name += c;
    } else {
      constexpr const char* hex = "0123456789abcdef";
      const auto byte = static_cast<unsigned char>(c);
      name += {'%', hex[byte >> 4], hex[byte & 15]};
    }
  }
  LockAnswer answer = try_lock(state + "/locks/" + name + ".lock");
  if (answer.lock) {
    answer.lock->free_when_dropped();  // run_child() says where somebody could not be ended
    return std::move(*answer.lock);
  }
  if (answer.raw.code == EWOULDBLOCK)
    answer.raw.error = "busy: the lock of " + std::string(resource) + " is held";
  return std::unexpected(std::move(answer.raw));
}

std::string Context::new_quarantine(const std::string& of) const {
  for (int n = 1;; ++n) {
    std::string path = state + "/quarantine/" + of + "." + std::to_string(n);
    if (::mkdir(path.c_str(), 0700) == 0 || errno != EEXIST) return path;
  }
}

Context::TemporaryFolder Context::temporary() const {
  constexpr int rivals_at_most = 100;
  for (int n = 0; n < rivals_at_most; ++n) {
    TemporaryFolder made;
    std::string pattern = state + "/tmp/XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) return {};
    made.path = pattern;
    made.lock = Fd(::open(pattern.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    // Somebody who removes old ones may have come between.
    if (made.lock.open() && ::flock(made.lock.get(), LOCK_EX | LOCK_NB) == 0 && there(made.path)) return made;
  }
  return {};
}

Context::TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  if (!path.empty()) fs::remove_all(path, ignored);
}

void Context::remove_old_temporaries() const {
  std::error_code failed;
  for (fs::directory_iterator at(state + "/tmp", failed), end; !failed && at != end; at.increment(failed)) {
    std::error_code ignored;
    if (!fs::is_directory(at->symlink_status(ignored))) continue;
    const Fd folder(::open(at->path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
    if (folder.open() && ::flock(folder.get(), LOCK_EX | LOCK_NB) == 0) fs::remove_all(at->path(), ignored);
  }
}

bool slot_name_is_fine(const SlotId& slot) {
  return !slot.empty() && slot.value.size() <= 64 && slot.value.front() != '-' &&
         std::ranges::all_of(
             slot.value, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '-'; });
}

std::optional<PoolSlot> find_slot(const Context& context, const SlotId& id) {
  if (!slot_name_is_fine(id)) return std::nullopt;
  const std::string path = context.pool_path(id);
  const std::string wanted = path + "/.git";
  const std::string all = context.repository.common_dir + "/worktrees";
  const auto is_it = [&wanted](const std::string& admin) {
    return trimmed(read_file(admin + "/gitdir", 65536).text) == wanted;
  };
  if (is_it(all + "/" + id.value)) return PoolSlot{id, path, all + "/" + id.value};
  // git gives the registration another name when the plain one was taken.
  std::error_code failed;
  for (fs::directory_iterator at(all, failed), end; !failed && at != end; at.increment(failed))
    if (is_it(at->path().string())) return PoolSlot{id, path, at->path().string()};
  return std::nullopt;
}

DotGit dot_git_of(const PoolSlot& slot) {
  if (!there(slot.path + "/.git")) return DotGit::missing;
  const FileText file = read_file(slot.path + "/.git", 65536);
  return file.error == 0 && trimmed(file.text) == "gitdir: " + slot.admin ? DotGit::right : DotGit::replaced;
}

std::vector<std::string> operations_in_progress(const PoolSlot& slot) {
  constexpr std::pair<const char*, const char*> signs[] = {
      {"rebase-merge", "rebase"}, {"rebase-apply", "rebase"},
      {"MERGE_HEAD", "merge"},    {"CHERRY_PICK_HEAD", "cherry-pick"},
      {"REVERT_HEAD", "revert"},  {"sequencer", "sequence of picks"},
      {"BISECT_LOG", "bisect"}};
  std::vector<std::string> found;
  for (const auto& [file, name] : signs)
    if (there(slot.admin + "/" + file)) found.emplace_back(name);
  return found;
}

std::vector<std::string> git_locks(const PoolSlot& slot) {
  std::vector<std::string> found;
  for (const char* name : {"/index.lock", "/HEAD.lock"})
    if (there(slot.admin + name)) found.push_back(slot.admin + name);
  return found;
}

void note_in_reflog(const Context& context, const PoolSlot& slot, const std::string& from,
                    const std::string& to, const std::string& words) {
  const Fd log(::open((slot.admin + "/logs/HEAD").c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  if (!log.open()) return;
  const GitSettings& who = context.git.settings();
  write_all(log.get(), from + " " + to + " " + who.name + " <" + who.email + "> " +
                           std::to_string(::time(nullptr)) + " +0000\t" + words + "\n");
}

bool is_replaced_by_link(const std::string& path) {
  struct stat seen{};
  return ::lstat(path.c_str(), &seen) == 0 && S_ISLNK(seen.st_mode);
}

OrReply<Nothing> busy_with_somebody(const PoolSlot& slot, Duration patience) {
  const auto somebody = somebody_stands_in(slot.path, patience);
  if (!somebody) return Nothing{};
  return std::unexpected(not_sent("busy: process " + std::to_string(somebody->pid) + " (" + somebody->name +
                                  ") stands in " + slot.id.value));
}

bool folder_is_gone(const Context& context, const PoolSlot& slot) {
  if (is_replaced_by_link(slot.path)) return true;
  struct stat ignored{};
  if (::lstat(slot.path.c_str(), &ignored) == 0 || errno != ENOENT) return false;
  std::error_code unreadable;
  const fs::directory_iterator pool(context.state + "/pool", unreadable);
  return !unreadable;
}

bool write_loss(const Context& context, const SlotId& slot, const AttemptId& attempt) {
  return replace_file(context.state + "/lost", slot.value, attempt_key(attempt) + "\n") == 0;
}

bool is_loss_of(const Context& context, const SlotId& slot, const AttemptId& attempt) {
  return trimmed(read_file(context.state + "/lost/" + slot.value, 4096).text) == attempt_key(attempt);
}

bool write_moving(const Context& context, const SlotId& slot, const AttemptId& attempt,
                  const std::string& start) {
  return replace_file(context.state + "/moving", slot.value, attempt_key(attempt) + " " + start + "\n",
                      Durable::no) == 0;
}

std::string moving_to(const Context& context, const SlotId& slot, const AttemptId& attempt) {
  const auto words = split(trimmed(read_file(context.state + "/moving/" + slot.value, 4096).text), ' ');
  const bool ours = words.size() == 2 && words[0] == attempt_key(attempt) && is_object_id(words[1]);
  return ours ? words[1] : "";
}

OrReply<HeldSlot> hold_slot(const Context& context, const SlotId& id) {
  if (context.repository.common_dir.empty())
    return std::unexpected(not_sent("the repository cannot be found"));
  if (!slot_name_is_fine(id)) return std::unexpected(refused("\"" + id.value + "\" is no name of a slot"));
  auto lock = context.lock(id.value);
  if (!lock) return std::unexpected(lock.error());
  auto slot = find_slot(context, id);
  if (!slot)
    return std::unexpected(refused("missing: " + id.value + " is not a worktree of this repository"));
  return HeldSlot{std::move(*slot), std::move(*lock)};
}

std::optional<Lease> read_lease(const Context& context, const SlotId& slot) {
  const auto lines = split(read_file(context.state + "/leases/" + slot.value, 65536).text, '\n');
  if (lines.size() != 3) return std::nullopt;
  const auto attempt = parse_attempt_key(lines[0]);
  if (!attempt || !is_object_id(lines[2])) return std::nullopt;
  return Lease{*attempt, {lines[1]}, {lines[2]}};
}

bool write_lease(const Context& context, const SlotId& slot, const Lease& lease) {
  const std::string path = context.state + "/leases/" + slot.value;
  const std::string fresh =
      context.state + "/tmp/" + slot.value + ".lease";  // ours alone: the slot's lock is held
  const std::string text =
      attempt_key(lease.attempt) + "\n" + lease.branch.value + "\n" + lease.base.value + "\n";
  const Fd file(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  return file.open() && write_all(file.get(), text) == 0 && std::rename(fresh.c_str(), path.c_str()) == 0;
}

void remove_lease(const Context& context, const SlotId& slot) {
  std::error_code ignored;
  fs::remove(context.state + "/leases/" + slot.value, ignored);
  fs::remove(context.state + "/moving/" + slot.value, ignored);
}

std::string ref_folder(const AttemptId& attempt) {
  return attempt.ticket.value + "/g" + std::to_string(attempt.generation.value);
}

}  // namespace holdfast
