// Runs a helper program to its end, or to the deadline. Never forks this process (which may have grown
// large): the kernel starts the child in a process group of its own, with nothing open but what it is given.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "dispatcher/core/instant.h"
#include "dispatcher/core/raw_reply.h"

namespace holdfast {

struct ProcessOrder {
  std::vector<std::string> argv = {};  // argv[0] is looked up in this process's PATH where it has no slash
  std::string working_directory = {};  // empty: this process's own
  std::optional<std::vector<std::string>> environment =
      {};                  // "KEY=VALUE", complete; nullopt: this process's own
  std::string input = {};  // what it reads on its standard input
  Duration deadline = seconds(30);
  std::size_t output_limit = 64 << 10;  // of each of the two outputs; what is past it is read and dropped
  int lock_fd = -1;                     // kept open in the child and its children, as descriptor 3
};

// answered: it exited; code is its exit status. cut: a signal ended it, code 128+n. no_answer: the deadline
// passed and its whole group was killed. never_sent: it could not be started, code errno. The two outputs are
// text and error.
//
// Where the helper has left children in the background they are not waited for; a lock_fd stays held by them.
RawReply run_process(const ProcessOrder&);

}  // namespace holdfast
