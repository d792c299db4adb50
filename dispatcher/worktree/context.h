// What every operation on worktrees has in common: the repository, the state folder, the settings, and the
// slot under its lock.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "dispatcher/core/branch_facts.h"
#include "dispatcher/system/file_lock.h"
#include "dispatcher/worktree/git.h"
#include "dispatcher/worktree/ref_files.h"
#include "dispatcher/worktree/repository.h"

namespace holdfast {

// Ignored files (build outputs, also a forgotten .env) when a slot is given back. They are never salvaged, so
// `keep` is the default: it destroys nothing and leaves the next build warm. `set_aside` moves them to the
// quarantine folder: choose it where one ticket must not see what another left behind.
enum class IgnoredFiles { keep, set_aside };

struct WorktreeOptions {
  GitSettings git;
  IgnoredFiles ignored = IgnoredFiles::keep;
  Duration stale_lock_age = minutes(10);  // a younger index.lock may be a person's
  Duration fetch_every =
      seconds(30);  // how old the picture of the remote may be; 0: never fetched while inspecting
  std::size_t embedded_bytes_max = std::size_t{2} << 30;  // of one repository found inside a worktree
};

struct Context {
  Context(const std::string& repository, const std::string& state_folder, WorktreeOptions);

  WorktreeOptions options;
  Git git;
  Repository repository;
  RefFiles refs;
  std::string state;  // pool/ scratch/ locks/ leases/ quarantine/ tmp/ lost/ moving/

  // When each remote was asked last, and whether it answered.
  struct RemoteLook {
    std::int64_t asked_ms = 0;  // monotonic; 0: never
    bool answered = false;
  };
  mutable std::mutex remotes_mutex;
  mutable std::map<std::string, RemoteLook> remotes;

  [[nodiscard]] GitPlace refs_only() const { return {.git_dir = repository.common_dir}; }
  // For fetch and push: a remote's address may be relative, and means the checkout's folder then.
  [[nodiscard]] GitPlace before_remotes() const {
    return {.git_dir = repository.common_dir,
            .folder = repository.main_path.empty() ? repository.common_dir : repository.main_path};
  }
  [[nodiscard]] std::string pool_path(const SlotId& slot) const { return state + "/pool/" + slot.value; }
  // Waits for nobody who works (see system/file_lock.h); names may hold anything.
  [[nodiscard]] OrReply<FileLock> lock(std::string_view resource) const;
  // A new name under quarantine/, for what is moved away instead of being deleted.
  [[nodiscard]] std::string new_quarantine(const std::string& of) const;
  // A new empty folder under tmp/, removed with the value. It is locked as long as its maker lives.
  struct TemporaryFolder {
    std::string path;
    Fd lock;
    TemporaryFolder() = default;
    TemporaryFolder(TemporaryFolder&& other) noexcept
        : path(std::exchange(other.path, "")), lock(std::move(other.lock)) {}
    TemporaryFolder& operator=(TemporaryFolder&& other) noexcept {
      std::swap(path, other.path);
      std::swap(lock, other.lock);
      return *this;
    }
    ~TemporaryFolder();
  };
  [[nodiscard]] TemporaryFolder temporary() const;
  // Removes the temporary folders whose makers were killed.
  void remove_old_temporaries() const;
};

// Not `Slot`: core has one of its own, and one program with two types of one name is broken without a word.
struct PoolSlot {
  SlotId id;
  std::string path;   // of the worktree
  std::string admin;  // <common>/worktrees/<name>: the worktree's own part of the repository

  [[nodiscard]] GitPlace place() const { return {.git_dir = admin, .work_tree = path, .folder = path}; }
};

// Found by what the repository says, never by the worktree's own .git file, which its worker may have
// replaced.
std::optional<PoolSlot> find_slot(const Context&, const SlotId&);
bool slot_name_is_fine(const SlotId&);

enum class DotGit { right, missing, replaced };
DotGit dot_git_of(const PoolSlot&);
std::vector<std::string> operations_in_progress(const PoolSlot&);  // "rebase", "merge", ...
std::vector<std::string> git_locks(const PoolSlot&);               // paths: index.lock, HEAD.lock

// What git itself would note in the reflog of the slot's HEAD. Nobody depends on it, so nothing fails over
// it.
void note_in_reflog(const Context&, const PoolSlot&, const std::string& from, const std::string& to,
                    const std::string& words);

// A symbolic link stands in its place. It may lead into another worker's worktree, so it is never followed.
bool is_replaced_by_link(const std::string& path);

// Certain that the worktree's folder is not there: its name leads nowhere, in a pool folder that can be read,
// or only by a symbolic link to elsewhere. An unmounted disk, or a folder that may not be looked into, is no
// such evidence.
bool folder_is_gone(const Context&, const PoolSlot&);

// A slot is handed on only when it is idle: never_sent, "busy: process N (name) stands in ...".
OrReply<Nothing> busy_with_somebody(const PoolSlot&, Duration patience);

// Written before a lost folder is made again, so that nobody takes what is then clean for what its worker
// left.
bool write_loss(const Context&, const SlotId&, const AttemptId&);
bool is_loss_of(const Context&, const SlotId&, const AttemptId&);

// Written when all that lies in the slot is known to be saved, before its files are moved to the start. A
// slot of this attempt with exactly the start's files was then left so by a release that was cut off, not by
// its worker. Gone with the lease.
bool write_moving(const Context&, const SlotId&, const AttemptId&, const std::string& start);
std::string moving_to(const Context&, const SlotId&, const AttemptId&);  // empty: it is not being moved

// The slot with its lock, which every git that works in it inherits.
struct HeldSlot {
  PoolSlot slot;
  FileLock lock;
};
OrReply<HeldSlot> hold_slot(const Context&, const SlotId&);

// Who has the slot, written before it is changed, so that a forced operation can recheck it under the lock.
struct Lease {
  AttemptId attempt;
  BranchName branch;
  CommitId base;
};
std::optional<Lease> read_lease(const Context&, const SlotId&);
// Complete or not there, but not flushed: the ledger is what is durable, and a missing lease is answered by
// looking.
bool write_lease(const Context&, const SlotId&, const Lease&);
void remove_lease(const Context&, const SlotId&);

// "<ticket>/g<generation>", below refs/holdfast/keep/ and refs/holdfast/salvage/.
std::string ref_folder(const AttemptId&);

}  // namespace holdfast
