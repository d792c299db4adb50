// Giving a slot back: detached at the start, clean. Nothing is forced.
//
// What lies in the slot must be what HEAD, a salvage of this attempt, or the start holds; that is looked at
// again, under the slot's lock (see snapshot.h). Then git itself switches from that tree to the start (a
// two-tree merge whose old side matches the index), so a file that changes at the last moment makes git
// refuse, not lose it. Files come before HEAD: a crash between them looks like a dirty slot, never like a
// clean one at the wrong place. Where everything is as HEAD has it and HEAD is the start, only HEAD is
// detached. What is in the way of being clean (repositories inside the worktree, already salvaged) is moved
// to quarantine, not deleted.
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>

#include "dispatcher/core/names.h"
#include "dispatcher/system/durable_file.h"
#include "dispatcher/worktree/embedded.h"
#include "dispatcher/worktree/pin.h"
#include "dispatcher/worktree/salvage.h"
#include "dispatcher/worktree/status.h"

namespace holdfast {
namespace {

namespace fs = std::filesystem;
using Fault = std::unexpected<RawReply>;

// Its session was ended just now, and takes a moment to die.
constexpr Duration patience_with_a_session = seconds(2);

class Release {
 public:
  Release(const Context& context, const PoolSlot& slot, const SlotOrder& order, std::string start,
          const GitHow& how)
      : context_(context), slot_(slot), order_(order), start_(std::move(start)), how_(how) {}

  // Afterwards: is it known to be clean, without another look?
  OrReply<Tri> run(const CommitId& expected_head) {
    if (const auto fine = is_where_expected(expected_head); !fine) return Fault(fine.error());
    if (const auto pinned = pin(); !pinned) return Fault(pinned.error());
    if (const auto remade = remake_lost_folder(context_, slot_, order_.attempt, how_); !remade)
      return Fault(remade.error());
    auto shot = take_snapshot(context_, slot_, how_);
    if (!shot) return Fault(shot.error());
    if (const auto saved = is_saved(*shot); !saved) return Fault(saved.error());
    if (!shot->embedded.empty()) {
      auto moved = move_embedded(*shot);
      if (!moved) return Fault(moved.error());
      shot = std::move(moved);
    }
    clear_locks();
    if (dot_git_of(slot_) == DotGit::missing &&
        replace_file(slot_.path, ".git", "gitdir: " + slot_.admin + "\n") != 0)
      return dirty("cannot have its .git file back");
    const bool stays = shot->is_head && shot->head == start_;
    if (!stays) {
      if (!write_moving(context_, slot_.id, order_.attempt, start_))
        return Fault(refused("cannot write " + context_.state + "/moving: Permission denied or disk full"));
      if (const auto switched = switch_files(*shot); !switched) return Fault(switched.error());
    }
    if (const auto detached = detach(); !detached) return Fault(detached.error());
    clear_operations();
    restore_pristine();
    if (!shot->is_head)
      if (const auto unflagged = unflag(); !unflagged) return Fault(unflagged.error());
    // Without their stat data as they are now each look would run the filters again.
    if (shot->filtered) static_cast<void>(git({"update-index", "-q", "--refresh"}));
    if (context_.options.ignored == IgnoredFiles::set_aside)
      if (const auto aside = ignored_aside(); !aside) return Fault(aside.error());
    return stays ? Tri::yes : Tri::unknown;
  }

 private:
  [[nodiscard]] Fault dirty(const std::string& what) const {
    return Fault(refused("dirty: " + slot_.id.value + " " + what));
  }
  [[nodiscard]] ChildEnd git(const std::vector<std::string>& args, std::string_view input = {}) const {
    return context_.git.run(slot_.place(), args,
                            {.deadline = how_.deadline, .lock_fd = how_.lock_fd, .input = input});
  }

  OrReply<Nothing> is_where_expected(const CommitId& expected) {
    const Head head = found_ = RefFiles::read_head(slot_.admin);
    const std::string at = head.oid.empty() ? context_.refs.resolve(head.ref).value_or("") : head.oid;
    // At the start already, or where that was then: this is the rest of an earlier call that was cut off or
    // whose answer was lost.
    head_ = at;
    if (at == expected.value) return Nothing{};
    // On a branch without a commit: whatever it was expected at, no commit is left by moving it.
    if (at.empty() && !head.ref.empty() && !context_.refs.is_there(head.ref)) return Nothing{};
    if (!head.oid.empty() && (at == start_ || at == moving_to(context_, slot_.id, order_.attempt)))
      return Nothing{};
    return dirty("has its HEAD at " + (at.empty() ? "no commit" : at) + ", not at " + expected.value);
  }

  OrReply<Nothing> pin() const {
    BranchOrder order{
        .slot = order_.slot, .attempt = order_.attempt, .branch = {}, .base = {}, .target = "", .remote = ""};
    if (const auto lease = read_lease(context_, slot_.id)) {
      order.branch = lease->branch;
      order.base = lease->base;
    }
    const auto pinned = pin_held(context_, order, &slot_, how_);
    if (pinned.raw.transport != Transport::answered || pinned.raw.code != 0) return Fault(pinned.raw);
    return Nothing{};
  }

  OrReply<Nothing> is_saved(const Snapshot& shot) const {
    if (!shot.problems.empty()) return dirty("holds what cannot be saved: " + shot.problems.front());
    if (shot.nothing_to_save()) return Nothing{};
    // The start, or where it was when an earlier call was cut off.
    std::vector<std::string> starts{start_};
    if (const std::string before = moving_to(context_, slot_.id, order_.attempt); !before.empty())
      starts.push_back(before);
    for (const std::string& start : starts) {
      const ChildEnd tree = git({"rev-parse", "--verify", start + "^{tree}"});
      if (!tree.answered()) return Fault(raw_of(tree));
      if (shot.tree == trimmed(tree.out) && !shot.staged_apart() && shot.patches.empty() &&
          shot.embedded.empty())
        return Nothing{};
    }
    const auto salvages = salvages_of(context_, order_.attempt, how_);
    if (!salvages) return Fault(salvages.error());
    if (std::ranges::find(*salvages, shot.content_key(), &Salvage::content_key) != salvages->end())
      return Nothing{};
    return dirty("holds changes that no salvage has");
  }

  // Saved already; moved, because their ignored files are not. Afterwards nothing may be there that was not
  // before.
  OrReply<Snapshot> move_embedded(const Snapshot& shot) const {
    const fs::path to = context_.new_quarantine(slot_.id.value + ".repositories");
    for (const EmbeddedRepository& one : shot.embedded) {
      const std::string path = one.path.empty() ? ".git" : one.path;
      std::error_code failed;
      if (!fs::exists(fs::symlink_status(fs::path(slot_.path) / path, failed)))
        continue;  // inside one that was moved
      const std::string git_folder = git_folder_of(slot_.path + "/" + one.path);
      fs::create_directories((to / path).parent_path(), failed);
      fs::rename(fs::path(slot_.path) / path, to / path, failed);
      if (!failed && git_folder.starts_with(slot_.admin + "/modules/"))
        failed = move_git_folder_of_submodule(git_folder, to / path / ".git");
      if (failed)
        return dirty("has a repository at \"" + path + "\" that cannot be moved: " + failed.message());
    }
    if (dot_git_of(slot_) != DotGit::right &&
        replace_file(slot_.path, ".git", "gitdir: " + slot_.admin + "\n") != 0)
      return dirty("cannot have its .git file back");
    auto after = take_snapshot(context_, slot_, how_);
    if (!after) return after;
    const ChildEnd changes =
        git({"diff-tree", "-r", "--no-renames", "--name-status", "--diff-filter=d", shot.tree, after->tree});
    if (!changes.answered()) return Fault(raw_of(changes));
    if (!after->embedded.empty() || !after->problems.empty() || !changes.out.empty())
      return dirty("changed while it was given back");
    return after;
  }

  // Its branches and stashes would be taken for the next worker's. With its files it is a repository again.
  [[nodiscard]] std::error_code move_git_folder_of_submodule(const std::string& from,
                                                             const fs::path& to) const {
    std::error_code failed;
    fs::remove(to, failed);  // the file that led there
    if (!failed) fs::rename(from, to, failed);
    if (!failed)
      static_cast<void>(context_.git.run(
          {}, {"config", "--file", (to / "config").string(), "--unset", "core.worktree"}, how_));
    return failed;
  }

  // Left by a git that was killed: the caller holds the certificate that no worker lives, and we the lock.
  void clear_locks() const {
    for (const std::string& lock : git_locks(slot_)) {
      std::error_code failed;
      fs::rename(lock,
                 context_.new_quarantine(slot_.id.value + ".lock") + "/" + fs::path(lock).filename().string(),
                 failed);
    }
  }

  // The snapshot's index matches the files. It becomes the slot's, under git's own lock.
  OrReply<Nothing> switch_files(const Snapshot& shot) const {
    const std::string lock = slot_.admin + "/index.lock";
    const auto times = times_of(shot.index_file);
    const FileText index = read_file(shot.index_file, std::size_t{1} << 30);
    const Fd fd(::open(lock.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
    if (!fd.open()) return Fault(refused("busy: " + lock + " exists"));
    if (index.error != 0 && index.error != ENOENT) return dirty("cannot be read any more");
    if (write_all(fd.get(), index.text) != 0 || (times && !set_times(lock, *times)) ||
        std::rename(lock.c_str(), (slot_.admin + "/index").c_str()) != 0) {
      ::unlink(lock.c_str());
      return Fault(
          refused("cannot write the index of " + slot_.id.value + ": No space left or Permission denied"));
    }
    if (index.text.empty()) ::unlink((slot_.admin + "/index").c_str());
    if (const auto free = set_colliding_aside(context_, slot_, start_, how_); !free)
      return Fault(free.error());
    // A file that was written in the second of the index's own time is marked to be compared again, and
    // read-tree takes the mark for a change. Comparing is done here, with the filters.
    if (shot.filtered) static_cast<void>(git({"update-index", "-q", "--refresh"}));
    const ChildEnd end = git({"read-tree", "-m", "-u", shot.plain_tree, start_});
    if (end.answered()) return Nothing{};
    if (end.transport == Transport::answered)
      return dirty("would not let go of its files: " + trimmed(end.error));
    return Fault(raw_of(end));
  }

  OrReply<Nothing> detach() const {
    const Head head = RefFiles::read_head(slot_.admin);
    if (head.oid == start_) return Nothing{};
    const bool unborn = !head.ref.empty() && !context_.refs.resolve(head.ref);
    if (!unborn && head == found_ && RefFiles::move_head(slot_.admin, found_, start_)) {
      note_in_reflog(context_, slot_, head_, start_, "holdfast: release");
      return Nothing{};
    }
    const ChildEnd end =
        unborn ? git({"checkout", "-q", "--detach", start_, "--"})
               : git({"update-ref", "--no-deref", "-m", "holdfast: release", "HEAD", start_, head_});
    if (!end.answered()) return Fault(raw_of(end));
    return Nothing{};
  }

  void clear_operations() const {
    std::error_code failed;
    for (const char* name :
         {"MERGE_HEAD",          "MERGE_MSG",    "MERGE_MODE",          "MERGE_RR",
          "MERGE_AUTOSTASH",     "AUTO_MERGE",   "CHERRY_PICK_HEAD",    "REVERT_HEAD",
          "REBASE_HEAD",         "SQUASH_MSG",   "COMMIT_EDITMSG",      "BISECT_LOG",
          "BISECT_START",        "BISECT_NAMES", "BISECT_TERMS",        "BISECT_EXPECTED_REV",
          "BISECT_ANCESTORS_OK", "BISECT_RUN",   "BISECT_FIRST_PARENT", "rebase-merge",
          "rebase-apply",        "sequencer",    "refs/bisect",         "refs/rewritten"})
      fs::remove_all(slot_.admin + "/" + name, failed);
  }

  // The worker's own settings and sparse patterns must not reach the next one.
  void restore_pristine() const {
    for (const char* name : {"config.worktree", "info/sparse-checkout"}) {
      const std::string there = slot_.admin + "/" + name;
      const FileText before = read_file(
          context_.state + "/pristine/" + slot_.id.value + "/" + fs::path(name).filename().string(), 1 << 20);
      const FileText now = read_file(there, 1 << 20);
      if (before.error == now.error && before.text == now.text) continue;
      std::error_code failed;
      if (now.error == 0)
        fs::rename(
            there,
            context_.new_quarantine(slot_.id.value + ".settings") + "/" + fs::path(name).filename().string(),
            failed);
      if (before.error == 0)
        replace_file(fs::path(there).parent_path().string(), fs::path(there).filename().string(),
                     before.text);
    }
  }

  // An entry that is flagged not to be looked at would hide from the next worker that its file is missing.
  OrReply<Nothing> unflag() const {
    std::error_code none;
    if (fs::exists(slot_.admin + "/info/sparse-checkout", none)) return Nothing{};
    const ChildEnd listed = git({"ls-files", "-v", "-z"});
    if (!listed.answered()) return Fault(raw_of(listed));
    std::string paths;
    for (const std::string& entry : split(listed.out, '\0'))
      if (entry.size() > 2 && entry[0] != 'H') paths += entry.substr(2) + '\0';
    if (paths.empty()) return Nothing{};
    for (const std::vector<std::string>& args :
         {std::vector<std::string>{"update-index", "--no-assume-unchanged", "-z", "--stdin"},
          std::vector<std::string>{"update-index", "--no-skip-worktree", "-z", "--stdin"},
          std::vector<std::string>{"checkout-index", "-q", "-u", "-z", "--stdin"}})
      if (const ChildEnd end = git(args, paths); end.transport != Transport::answered)
        return Fault(raw_of(end));
    return Nothing{};
  }

  OrReply<Nothing> ignored_aside() const {
    const ChildEnd end =
        git({"ls-files", "-z", "--others", "--ignored", "--directory", "--exclude-standard"});
    if (!end.answered()) return Fault(raw_of(end));
    const auto paths = split(end.out, '\0');
    if (paths.empty()) return Nothing{};
    const fs::path to = context_.new_quarantine(slot_.id.value + ".ignored");
    for (std::string path : paths) {
      if (path.ends_with('/')) path.pop_back();
      std::error_code failed;
      fs::create_directories((to / path).parent_path(), failed);
      fs::rename(fs::path(slot_.path) / path, to / path, failed);
      if (failed) return dirty("keeps the ignored " + path + ": " + failed.message());
    }
    return Nothing{};
  }

  const Context& context_;
  const PoolSlot& slot_;
  const SlotOrder& order_;
  std::string start_;
  const GitHow& how_;
  Head found_;  // as it was found, and the commit that it meant
  std::string head_;
};

}  // namespace

Reply<SlotSighting> release_slot(const Context& context, const SlotOrder& order,
                                 const CommitId& expected_head, const std::string& start,
                                 const Deadline& deadline) {
  auto held = hold_slot(context, order.slot);
  if (!held) return failed_with<SlotSighting>(held.error());
  const GitHow how{.deadline = deadline, .lock_fd = held->lock.fd()};
  const PoolSlot& slot = held->slot;
  const auto commit = resolve_commit(context, start, how);
  if (!commit) return failed_with<SlotSighting>(commit.error());

  const auto done = [&](Tri clean) -> Reply<SlotSighting> {
    SlotSighting seen =
        clean == Tri::yes ? sight_slot_by_its_files(context, slot) : sight_slot(context, slot, how);
    if (clean == Tri::yes && seen.registered == Tri::yes && seen.clean == Tri::unknown) seen.clean = Tri::yes;
    if (clean == Tri::unknown && seen.clean == Tri::no)
      if (set_leftovers_aside(context, slot, how)) seen = sight_slot(context, slot, how);
    if (seen.clean == Tri::yes && seen.branch.empty() && seen.head.value == *commit) {
      remove_lease(context, slot.id);
      return {fine(), std::move(seen)};
    }
    return {refused("dirty: " + slot.id.value + " could not be brought back: quarantine it"),
            std::move(seen)};
  };
  const auto lease = read_lease(context, slot.id);
  if (!lease && RefFiles::read_head(slot.admin).oid == *commit)
    if (auto already = done(Tri::no); already.raw.code == 0)
      return already;  // given back before, or never prepared
  if (lease && lease->attempt != order.attempt)
    return failed_with<SlotSighting>(
        refused("stale lease: " + slot.id.value + " is held by " + attempt_key(lease->attempt)));
  if (const auto busy = busy_with_somebody(slot, patience_with_a_session); !busy)
    return failed_with<SlotSighting>(busy.error());
  const auto released = Release(context, slot, order, *commit, how).run(expected_head);
  if (!released) return {released.error(), sight_slot(context, slot, how)};
  return done(*released);
}

}  // namespace holdfast
