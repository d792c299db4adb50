// How git is called: always with the same clean environment and the same settings, always with an explicit
// repository, never found by walking up from a working directory.
//
// A worktree is hostile ground. Its worker may have replaced `.git`, edited the configuration, hooks and
// attributes. What can run code or wait for a person is switched off here: hooks, fsmonitor, pager, editor,
// signing, prompts, external diffs, `ext::` remotes, background maintenance. What remains on purpose are the
// repository's own clean/smudge filters and merge drivers (large-file storage needs them): they run as the
// same user as the worker, in a group of their own and under a deadline. What salvage saves never comes out
// of one; it only asks them, for a part of its time, what is no change. Settings by which git would look at a
// file less closely than it can (by its time alone, by half of what the disk says) are overridden likewise.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "dispatcher/ports/reply.h"
#include "dispatcher/worktree/git_process.h"

namespace holdfast {

// What a git command works on. `folder` is its working directory; never the main checkout.
struct GitPlace {
  std::string git_dir = {};
  std::string work_tree = {};  // empty: none is needed
  std::string folder = "/";
  std::string index = {};       // empty: the repository's own
  std::string objects = {};     // where new objects go; empty: the repository's own
  std::string alternates = {};  // where old objects are, when `objects` is set
};

struct GitSettings {
  std::string program = "git";
  std::string name = "Holdfast";  // author and committer of salvages and merges
  std::string email = "holdfast@localhost";
  std::vector<std::string> extra_env = {};  // added last
};

struct GitHow {
  const Deadline& deadline;
  int lock_fd = -1;
  std::string_view input = {};
  int input_fd = -1;
  int output_fd = -1;
};

class Git {
 public:
  explicit Git(GitSettings settings);

  [[nodiscard]] ChildEnd run(const GitPlace&, const std::vector<std::string>& args, const GitHow&) const;

  // A child that is not git (a landing's check), with the same kind of environment.
  [[nodiscard]] std::vector<std::string> environment(const GitPlace&) const;
  [[nodiscard]] const GitSettings& settings() const { return settings_; }

 private:
  GitSettings settings_;
  std::vector<std::string> base_env_;
};

// A step that failed, as the port's caller will see it; "" steps never happen.
template <class T>
using OrReply = std::expected<T, RawReply>;

RawReply raw_of(const ChildEnd&);
RawReply refused(std::string why, int code = 1);  // an answer of ours, after looking: nothing was changed
RawReply not_sent(std::string why);               // not even tried
RawReply fine();

std::vector<std::string> split(std::string_view text, char separator);  // no empty last piece
std::string trimmed(std::string_view text);
bool is_object_id(std::string_view text);  // 40 or 64 hex digits

}  // namespace holdfast
