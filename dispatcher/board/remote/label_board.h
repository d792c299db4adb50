// A board of issues whose states are labels, like GitHub's REST API. It has no versions, no conditional
// writes and no idempotency, so here is what stands in for them, and docs/remote-board.md says what can be
// lost all the same:
//
//   version     the time of the last change, and a count of what was seen to differ within it
//   condition   the issue is read just before it is written; between the two somebody else may write
//   one write   labels and open or closed change in one PATCH, so there is no state in between
//   who moved   known of our own moves for as long as this process lives and the issue stays as they left it
//   once        a comment carries its key in a remark that is not shown, and is looked for before it is made
//   polling     the list is asked for with its ETag; 304 costs nothing of the rate limit
#pragma once

#include "dispatcher/board/remote/remote_board.h"

namespace holdfast {

std::unique_ptr<Board> make_label_board(RemoteBoardParts);

}  // namespace holdfast
