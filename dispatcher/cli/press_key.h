// A key pressed in a runtime's terminal, as a person there would press it: the only thing that every kind of
// worker understands. Never while a person is attached, who can press it too.
#pragma once

#include "dispatcher/core/attempt.h"
#include "dispatcher/hand/hand.h"
#include "dispatcher/ports/world.h"

namespace holdfast::cli {

// `key`: "C-c" or "Escape". Refused: 409 `no_live_pane`, `attached`; 503 `no_answer` where its tmux server
// cannot be asked, and then nothing is known.
Taken<Nothing> press_key(World&, const Attempt&, const std::string& key, Duration deadline);

}  // namespace holdfast::cli
