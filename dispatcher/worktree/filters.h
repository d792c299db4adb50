// Clean and smudge filters (large-file storage, line ends, encodings, $Id$) and the bytes that lie in a
// worktree.
//
// A snapshot holds bytes, and an index what the filters make of them: the two differ also where nobody has
// changed anything. Where git, asked with the repository's own filters, makes of a file exactly what was
// staged of it, the difference is the filters' and no change.
//
// Filters are programs. One that fails or hangs costs a part of the time, and then everything counts as
// changed.
#pragma once

#include <string>

#include "dispatcher/worktree/private_git.h"

namespace holdfast {

// `before`: the tree of what was staged. In `index`, which holds the bytes, entries that are no change are
// put back to what they were. True: there were some (their cached stat data are gone).
OrReply<bool> drop_what_filters_made(const PrivateGit&, const PoolSlot&, const std::string& before,
                                     const std::string& index);

}  // namespace holdfast
