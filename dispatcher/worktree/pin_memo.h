// How an attempt's refs looked, as files, when it was pinned last. With five hundred attempts looked at every
// second, one that looks the same must cost no process.
//
// A look is taken before the pin reads anything, so what changes meanwhile is a change to the next look. git
// replaces refs by renaming and only ever appends to reflogs: another commit is another inode, or another
// size.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "dispatcher/worktree/context.h"

namespace holdfast {

struct FileLook {
  std::string path;
  std::int64_t mtime_ns = -1;  // -1: there is no such file
  std::int64_t size = 0;
  std::uint64_t inode = 0;
  friend bool operator==(const FileLook&, const FileLook&) = default;
};
using PinLook = std::vector<FileLook>;  // empty: its slot was not found, which is like nothing

// HEAD, its reflog, the refs that it and the attempt's branch are, packed refs, the stash.
PinLook look_before_pin(const Context&, const BranchOrder&);

class PinMemo {
 public:
  [[nodiscard]] bool is_as_at_the_last_pin(const AttemptId& attempt, const PinLook& now) const {
    const auto found = last_.find(attempt);
    return !now.empty() && found != last_.end() && found->second == now;
  }
  void pinned(const AttemptId& attempt, PinLook look) { last_[attempt] = std::move(look); }
  void forget(const AttemptId& attempt) { last_.erase(attempt); }

 private:
  std::map<AttemptId, PinLook> last_;
};

}  // namespace holdfast
