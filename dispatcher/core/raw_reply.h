// What an adapter saw, before anybody has said what it means.
//
// Adapters never decide whether something happened. They report how far the request got and what came back;
// core/classify alone turns that into Done, Refused or Unknown. The founding incident was an adapter that
// took a 409 for "the spawn has failed".
#pragma once

#include <string>

namespace holdfast {

enum class Transport {
  answered,    // a complete answer came back: `code` and the texts are what was said
  never_sent,  // nothing left this process: no connection, exec failed, lock not free
  no_answer,   // sent, at least in part, and the deadline passed
  cut,         // sent, at least in part, and the connection or the helper process died
};

struct RawReply {
  Transport transport = Transport::never_sent;
  // The peer's own number: exit status of git (128+n for a signal), 0 (%end) or 1 (%error) of tmux, errno of
  // a file operation (0: fine), SQLite's extended result code, the HTTP status.
  int code = 0;
  std::string text;   // what the peer said on its normal channel, at most 64 KiB kept
  std::string error;  // what the peer said on its error channel, or our own words about the transport

  friend bool operator==(const RawReply&, const RawReply&) = default;
};

}  // namespace holdfast
