// A worktree as trees in the object store, without touching the worktree, its index or its configuration.
//
// It is read through a private git folder (see private_git.h), so that what is saved are the bytes that lay
// there. The index is a copy of the worktree's, for its cached stat data; entries that are flagged not to be
// looked at (assume-unchanged, skip-worktree) are unflagged in the copy, so that nothing hides behind them.
//
// `git add` would store a repository inside the worktree as a bare link and lose its content. So each one is
// saved as two trees: its files, and its git folder as it lies there (history, stash, reflogs). Files in the
// folder of a submodule that was never initialised, which git does not look at either, are saved likewise.
//
// Most worktrees are left as their last commit has them. Two processes see that: one that finds no entry
// flagged to hide something, and one `git status` by the same private folder. Only where it sees anything are
// trees made.
#pragma once

#include <sys/types.h>
#include <time.h>

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "dispatcher/worktree/context.h"
#include "dispatcher/worktree/staged.h"
#include "dispatcher/worktree/status.h"

namespace holdfast {

struct EmbeddedRepository {
  std::string path =
      {};  // relative to the worktree; empty: the worktree's own .git was replaced by a repository
  std::string files = {};       // tree
  std::string git_folder = {};  // tree; empty: it has none of its own
  std::string head =
      {};  // commit; of a worktree of this very repository, whose commits only its HEAD may hold
};

struct Snapshot {
  Context::TemporaryFolder folder;
  std::string index_file;  // matches the files, stat data included, except below embedded repositories
  std::string head;        // commit; empty: unborn
  std::string head_tree;
  std::string index_tree;  // what was staged; empty: there was no index
  StagedAs staged_as = StagedAs::tree;
  std::string plain_tree;  // the files, without embedded repositories
  std::string tree;        // the files, with those of embedded repositories
  std::string patches;  // tree: the folder of a `git am` (or a rebase by patches) that has stopped; or empty
  bool filtered = false;  // files whose bytes are as the filters made them count as unchanged
  // All is exactly as HEAD has it, and nothing can hide in it; the four above are HEAD itself then (a commit
  // stands for its tree wherever git takes a tree).
  bool is_head = false;
  std::vector<EmbeddedRepository> embedded;
  std::vector<std::string> problems;  // what could not be saved, in words

  [[nodiscard]] bool staged_apart() const {
    return !index_tree.empty() && index_tree != head_tree && index_tree != plain_tree;
  }
  [[nodiscard]] bool nothing_to_save() const {
    return tree == head_tree && !staged_apart() && patches.empty() && embedded.empty() && problems.empty();
  }
  // Equal for equal content: how a repeated salvage finds the earlier one.
  [[nodiscard]] std::string content_key() const;
};

// The copy of an index must be as old as the index is: a file that was changed in the second in which the
// index was written is looked into by git only because of that.
using FileTimes = std::array<timespec, 2>;  // of access, of change
std::optional<FileTimes> times_of(const std::string& path);
bool set_times(const std::string& path, const FileTimes&);

OrReply<Snapshot> take_snapshot(const Context&, const PoolSlot&, const GitHow&);

// What git's status says, and where something can hide from that, what a snapshot sees: a change that a
// salvage would save counts as a changed file.
OrReply<WorkStatus> read_status_closely(const Context&, const PoolSlot&, const GitHow&);

}  // namespace holdfast
