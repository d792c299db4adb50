// A plain client that asks a tmux server whether it answers at all.
//
// tmux 3.3a falls over a control client that is still introducing itself when the server tells its control
// clients some news, and takes every session along. Against a server that goes its round that is a matter of
// microseconds. One that stood still goes through all at once who came and who left meanwhile, and falls. So
// none comes before a plain client, which gets no news, was answered.
//
// Not safe for several threads at once. One that was not answered is kept and waited for again: the next one
// would only stand in line behind it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dispatcher/core/raw_reply.h"
#include "dispatcher/system/clocks.h"
#include "dispatcher/system/fd.h"

namespace holdfast {

class Knock {
 public:
  Knock(std::vector<std::string> argv, std::vector<std::string> environment);
  ~Knock();
  Knock(const Knock&) = delete;
  Knock& operator=(const Knock&) = delete;

  // Waits for the client that is on its way, or for a new one. answered: it ended, `error` are its words.
  // no_answer: it is still on its way. never_sent, cut: as with run_process.
  RawReply wait(const Deadline&);

 private:
  std::vector<std::string> argv_, environment_;
  std::int64_t pid_ = 0;  // 0: none is on its way
  Fd errors_;
};

}  // namespace holdfast
