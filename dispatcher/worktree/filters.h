// Clean and smudge filters (large-file storage, line ends, encodings, $Id$) and the bytes that lie in a
// worktree.
//
// A snapshot holds bytes, and an index what the filters make of them: the two differ also where nobody has
// changed anything. Where git, asked with the repository's own filters, makes of a file exactly what is in
// the index, the difference is the filters' and no change.
//
// Filters are programs. One that fails or hangs costs a part of the time, and then everything counts as
// changed.
#pragma once

#include <string>

#include "dispatcher/worktree/private_git.h"

namespace holdfast {

// The files, each with a NUL behind it, that differ from `index` only by what the filters made of them.
// REQUIRES: nothing in the index is flagged not to be looked at. Nothing is written, also not to the object
// store.
OrReply<std::string> made_by_filters(const PrivateGit&, const PoolSlot&, const std::string& index);

}  // namespace holdfast
