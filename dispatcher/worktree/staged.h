// What is staged in a worktree, as a tree.
//
//   an index without conflicts  the tree that a commit would make of it
//   one with conflicts          the same, and beside it each stage of a conflicted path, under names of their
//                               own: "path~base", "path~ours", "path~theirs"
//   one that git cannot read    the file of the index itself, as "index" (and what it shares, if it is split)
#pragma once

#include <string>
#include <vector>

#include "dispatcher/worktree/private_git.h"

namespace holdfast {

enum class StagedAs { tree, stages, file };

struct Staged {
  std::string tree;  // empty: there is no index
  StagedAs as = StagedAs::tree;
};

// `index`: a readable copy of the index, `entries` what `git ls-files -v -s -z` says of it.
OrReply<Staged> staged_content(const PrivateGit&, const PoolSlot&, const std::string& index,
                               const std::vector<std::string>& entries);

// Of a worktree whose index is no good.
OrReply<Staged> staged_as_files(const PrivateGit&, const PoolSlot&);

}  // namespace holdfast
