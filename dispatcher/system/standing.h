// Whose working directory, or root, lies in a folder: such a process is still at work there, or may be at any
// moment.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "dispatcher/core/instant.h"

namespace holdfast {

struct Stander {
  std::int64_t pid = 0;
  std::string name;  // comm
};

// Any process but this one, whoever started it. Waits for at most `patience` until the last of them has gone:
// a session that was just ended takes a moment to die. Each look is one pass over /proc. A process that may
// not be looked at (another user's) is not seen. REQUIRES: `folder` is a canonical path.
std::optional<Stander> somebody_stands_in(const std::string& folder, Duration patience);

}  // namespace holdfast
