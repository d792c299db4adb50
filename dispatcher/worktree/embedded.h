// Repositories inside a worktree: where they are, and which of them hold something of their own.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "dispatcher/worktree/context.h"

namespace holdfast {

struct WorktreeWalk {
  std::vector<std::string> repositories;  // folders that hold a .git, relative; sorted
  std::vector<std::string> unreadable;    // what could not be looked at; git would only warn
};
// `own_git`: the worktree's .git is its own and no embedded repository. Symbolic links are not followed.
WorktreeWalk walk_worktree(const std::string& root, bool own_git);

// The git folder of a repository at `root`; empty: it has none (a dangling .git file).
std::string git_folder_of(const std::string& root);

// Another worktree of this very repository lies inside that slot, and git has it in its list: one that its
// worker added, perhaps in a folder that is ignored. A few small files are read for it.
bool holds_a_worktree(const Context&, const PoolSlot&);
// The folder's own .git leads to such a one.
bool is_worktree_of(const Context&, const std::string& root);
// It has no changes, and its commit is contained in what the slot's HEAD stands at: nothing is only in it.
bool worktree_holds_nothing_new(const Context&, const PoolSlot& outer, const std::string& root,
                                const GitHow&);

// The bytes below it, counted no further than `at_most`.
std::size_t bytes_below(const std::string& folder, std::size_t at_most);

// There is a folder of that name, and something lies in it (also where it cannot be looked into).
bool holds_something(const std::string& folder);

// True only if it is verified that everything in a submodule is what the outer repository recorded, that
// nothing hides in it, and that its remote has every commit of every branch, stash and reflog in it.
bool submodule_is_as_recorded(const Context&, const std::string& root, const std::string& recorded,
                              const GitHow&);

}  // namespace holdfast
