// What both kinds of remote boards share: an HTTP answer as a raw reply.
#pragma once

#include "dispatcher/board/remote/http_client.h"
#include "dispatcher/board/remote/ticket_json.h"
#include "dispatcher/ports/reply.h"

namespace holdfast::board_json {

// The status, and the words of a problem where the body holds some. `in_doubt` answers (our own server's: it
// was begun and nobody knows its end) count as none.
RawReply raw_of(const HttpReply&);

// The body as JSON; nothing where it is none, or is said to be something else.
std::optional<Json> body_of(const HttpReply&);

// An answer that is none of this board's.
RawReply garbled(const HttpReply&, const std::string& words);

inline bool is_good(const RawReply& raw) {
  return raw.transport == Transport::answered && raw.code >= 200 && raw.code < 300;
}

HttpCall call_for(const BoardShape&, std::string method, std::string target);

}  // namespace holdfast::board_json
