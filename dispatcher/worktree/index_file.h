// The index of a worktree, read as a file: can anything hide behind it?
//
// `git status` believes an index that says "do not look" (assume-unchanged, skip-worktree), and knows nothing
// of what lies in a submodule that ignores changes or was never initialised. To see that an index has none of
// these takes no process: most have not, and then git's status is the whole truth.
#pragma once

#include <string>
#include <string_view>

namespace holdfast {

// Of the index in this git folder. True also where it is split, cannot be read or cannot be understood; false
// where there is none (everything is untracked then, which status tells).
bool index_may_hide(const std::string& git_folder);

// The same of its bytes. `id_bytes`: 20, or 32 where ids are SHA-256.
bool index_text_may_hide(std::string_view text, std::size_t id_bytes);

}  // namespace holdfast
