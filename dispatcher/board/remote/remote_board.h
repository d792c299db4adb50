// A board over HTTP that moves tickets under a condition: our own interface of another installation, and
// whatever can be mapped onto it (config/board_shape.h).
//
// Every write names the version that it goes by and carries an Idempotency-Key. Nothing is decided here: what
// came back is handed on as it came, and core/board_answers says what it means.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "dispatcher/board/remote/http_client.h"
#include "dispatcher/config/board_shape.h"
#include "dispatcher/ports/board.h"

namespace holdfast {

struct RemoteBoardParts {
  BoardShape shape;
  std::unique_ptr<HttpClient> client;
  std::function<std::string()> random_name;  // unguessable: names of requests
};

std::unique_ptr<Board> make_remote_board(RemoteBoardParts);

}  // namespace holdfast
