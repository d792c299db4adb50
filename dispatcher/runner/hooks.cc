#include "dispatcher/runner/hooks.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "dispatcher/system/durable_file.h"
#include "dispatcher/system/fd.h"

namespace holdfast {
namespace {

constexpr int usage_error = 64, cannot_write = 74;
constexpr std::size_t longest_saying = 4096;

int append_to(const char* variable, const std::string& text) {
  const char* const path = ::getenv(variable);
  if (path == nullptr || *path == '\0') {
    ::fprintf(stderr, "holdfast-runner: %s is not set; this is no worker of Holdfast's\n", variable);
    return usage_error;
  }
  const Fd file{::open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600)};
  int error = file.open() ? 0 : errno;
  // Sayings of several processes must not mix within a line.
  if (error == 0 && ::flock(file.get(), LOCK_EX) != 0) error = errno;
  if (error == 0) error = write_all(file.get(), text);
  if (error == 0 && ::fsync(file.get()) != 0) error = errno;
  if (error == 0) return 0;
  ::fprintf(stderr, "holdfast-runner: %s: %s\n", path, errno_words(error).c_str());
  return cannot_write;
}

int say(const std::vector<std::string>& words) {
  const auto& kind = words.size() > 1 ? words[1] : std::string{};
  if (kind != "DONE" && kind != "REVIEW" && kind != "QUESTION") {
    ::fprintf(stderr, "usage: holdfast-runner say DONE|REVIEW|QUESTION [text...]\n");
    return usage_error;
  }
  std::string line = kind + ":";
  for (std::size_t i = 2; i < words.size(); ++i) line += " " + words[i];
  // One saying is one line.
  std::ranges::replace_if(line, [](char c) { return c == '\n' || c == '\r' || c == '\0'; }, ' ');
  line.resize(std::min(line.size(), longest_saying));
  return append_to("HOLDFAST_SAID_FILE", line + "\n");
}

}  // namespace

int run_hook(const std::vector<std::string>& words) {
  if (words.empty()) return -1;
  if (words[0] == "say") return say(words);
  if (words[0] == "ready" && words.size() == 1) {
    const char* const busy = ::getenv("HOLDFAST_BUSY_FILE");
    if (busy != nullptr && *busy != '\0') ::unlink(busy);
    return append_to("HOLDFAST_READY_FILE", "");
  }
  if (words[0] == "busy" && words.size() == 1) return append_to("HOLDFAST_BUSY_FILE", "");
  if (words[0] == "accepted" && words.size() == 1) return append_to("HOLDFAST_ACCEPTED_FILE", "");
  return -1;
}

}  // namespace holdfast
