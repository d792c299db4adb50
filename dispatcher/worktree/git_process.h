// One child process, run to its end or to a deadline. No shell, no inherited environment, no inherited
// descriptor except the lock of whatever it touches.
//
// What it adds to run_process: large outputs through files, the tail instead of the head of an output, and an
// end that gives git the time to remove its lock files. The child leads a group of its own, which is ended
// with it, or at the deadline. The lock descriptor stays open in the whole family, so that the lock is free
// only when nothing of it can change the world any more, also if this program dies first. What the child put
// into a group of its own (a daemon) is not waited for and holds no lock once its caller drops that.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "dispatcher/core/raw_reply.h"
#include "dispatcher/system/clocks.h"

namespace holdfast {

struct ChildCommand {
  std::vector<std::string> argv;  // argv[0] is looked up on our own PATH
  std::vector<std::string> env;   // all of it: "NAME=value"
  std::string cwd = "/";
  std::string input = {};                     // on its standard input; empty: nothing to read
  int input_fd = -1;                          // instead of `input`
  int output_fd = -1;                         // its standard output goes there and is not captured
  int lock_fd = -1;                           // inherited by it and by its children
  std::size_t keep = std::size_t{256} << 20;  // more than this on one channel: the rest is dropped
  bool merge_output = false;                  // standard error into standard output, in the order of writing
  bool keep_tail = false;                     // what is dropped is the beginning
};

struct ChildEnd {
  Transport transport = Transport::never_sent;
  int code = 0;  // exit status, 128+n for a signal
  std::string out;
  std::string error;     // its standard error, or our own words about the transport
  bool dropped = false;  // more was said than `keep`

  [[nodiscard]] bool answered(int wanted = 0) const {
    return transport == Transport::answered && code == wanted && !dropped;
  }
};

// Blocks until the child is gone, or the deadline has passed and the child was told to end (TERM, so that git
// can remove its lock files, then KILL). Any thread.
ChildEnd run_child(const ChildCommand&, const Deadline&);

// Kills what run_child() waits for now, groups and all: for a program that is about to end, since a git that
// hangs would keep its worktree's lock for ever. What they did is as after a crash. Any thread.
void end_running_children();

}  // namespace holdfast
