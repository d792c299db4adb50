// holdfast-runner: the small parent process in every pane. It decides with the dispatcher who comes first,
// starts the worker, and writes down how it ended, whether or not any dispatcher is alive.
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <string>
#include <vector>

#include "dispatcher/runner/hooks.h"
#include "dispatcher/runner/journal.h"
#include "dispatcher/runner/shift.h"
#include "dispatcher/runner/spec_text.h"
#include "dispatcher/system/durable_file.h"
#include "dispatcher/system/process_identity.h"

namespace {

using namespace holdfast;

constexpr int lost_the_decision = 75, bad_usage = 64, bad_folder = 66;

constexpr const char* help =
    "usage: holdfast-runner <record-folder>\n"
    "       holdfast-runner say DONE|REVIEW|QUESTION [text...]   what the worker has to say\n"
    "       holdfast-runner ready                                the worker can take its prompt\n"
    "       holdfast-runner busy                                 the worker takes no input until `ready`\n"
    "       holdfast-runner accepted                             the worker has taken its prompt\n"
    "       holdfast-runner --version | --help\n"
    "\n"
    "The first form runs one attempt by the orders in <record-folder>/spec. The others are for hooks of a\n"
    "worker that runs under it, and find their files by HOLDFAST_* in the environment.\n";

// Out of job control's reach; and 0, 1, 2 exist, so that no file of ours becomes one of them. A hang-up and a
// TERM wait until the shift hears them: one that came between the decision and the shift would end this
// process without a recorded end, and nobody could say how the attempt died.
void settle_down() {
  sigset_t later;
  ::sigemptyset(&later);
  for (const int signal : {SIGHUP, SIGTERM}) ::sigaddset(&later, signal);
  ::sigprocmask(SIG_BLOCK, &later, nullptr);
  for (const int signal : {SIGPIPE, SIGINT, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU, SIGUSR1, SIGUSR2}) {
    ::signal(signal, SIG_IGN);
  }
  while (true) {
    const int fd = ::open("/dev/null", O_RDWR);
    if (fd < 0) return;
    if (fd > STDERR_FILENO) {
      ::close(fd);
      return;
    }
  }
}

std::optional<std::string> real_path(const char* folder) {
  char* const resolved = ::realpath(folder, nullptr);
  if (resolved == nullptr) return std::nullopt;
  std::string path{resolved};
  ::free(resolved);
  return path;
}

int run(const std::string& folder) {
  const auto cannot = [](const std::string& what, int error) {
    ::fprintf(stderr, "holdfast-runner: %s: %s\n", what.c_str(), errno_words(error).c_str());
    return bad_folder;
  };
  // Opened before the decision, whose flush of the folder covers its name too. Nothing is written into it by
  // one that loses the decision.
  Journal journal{folder};
  const int not_opened = journal.open();
  if (not_opened == ENOENT || not_opened == ENOTDIR) return cannot(folder, not_opened);
  const auto decision =
      create_exclusively(folder, "decision", started_text(SystemClock{}.now(), own_identity()));
  switch (decision.created) {
    case Created::now: break;
    case Created::existed:
      ::fprintf(stderr, "holdfast-runner: this attempt is decided already: %s",
                read_file(folder + "/decision", 4096).text.c_str());
      return lost_the_decision;
    case Created::failed: return cannot(folder, decision.error);
  }
  if (not_opened != 0) return cannot("record", not_opened);
  if (const int error = journal.write("started", {{"version", HOLDFAST_VERSION}}); error != 0)
    return cannot("record", error);
  const auto file = read_file(folder + "/spec", largest_spec);
  auto reading = file.error == 0 ? decode_spec(file.text) : SpecReading{{}, errno_words(file.error)};
  if (!reading.spec) {
    WorkerEnd end;
    end.reason = "exec-failed: spec: " + reading.error;
    end.tree_empty = true;
    journal.write("end", end_fields(end));
    ::fprintf(stderr, "holdfast-runner: spec: %s\n", reading.error.c_str());
    return lost_the_decision;
  }
  return Shift{journal, std::move(*reading.spec)}.run();
}

}  // namespace

int main(int count, char** arguments) {
  const std::vector<std::string> words{arguments + 1, arguments + count};
  if (words.size() == 1 && words[0] == "--version") {
    ::printf("holdfast-runner %s\n", HOLDFAST_VERSION);
    return 0;
  }
  if (words.size() == 1 && (words[0] == "--help" || words[0] == "-h")) {
    ::fputs(help, stdout);
    return 0;
  }
  if (const int status = run_hook(words); status >= 0) return status;
  if (words.size() != 1 || words[0].starts_with("-")) {
    ::fputs(help, stderr);
    return bad_usage;
  }
  settle_down();
  const auto folder = real_path(words[0].c_str());
  if (!folder) {
    ::fprintf(stderr, "holdfast-runner: %s: no such folder\n", words[0].c_str());
    return bad_folder;
  }
  return run(*folder);
}
