#include "dispatcher/runner/worker_environment.h"

#include <stdlib.h>
#include <unistd.h>

#include <algorithm>

namespace holdfast {

std::vector<std::string> worker_environment(const RunnerSpec& spec, const std::string& folder) {
  std::vector<std::string> environment;
  bool has_term = false;
  for (const auto& entry : spec.environment) {
    if (entry.starts_with("HOLDFAST_"))
      continue;  // a nested installation must not take this worker for its own
    has_term = has_term || entry.starts_with("TERM=");
    environment.push_back(entry);
  }
  if (!has_term) {
    const char* const term = ::getenv("TERM");
    environment.push_back(std::string{"TERM="} + (term != nullptr ? term : "screen-256color"));
  }
  const auto add = [&environment](const char* name, const std::string& value) {
    environment.push_back(std::string{"HOLDFAST_"} + name + "=" + value);
  };
  add("TICKET", spec.attempt.ticket.value);
  add("GENERATION", std::to_string(spec.attempt.generation.value));
  add("TOKEN", spec.token);
  add("RECORD", folder);
  add("READY_FILE", folder + "/ready");
  add("BUSY_FILE", folder + "/busy");
  add("ACCEPTED_FILE", folder + "/accepted");
  add("SAID_FILE", folder + "/said");
  add("WORKTREE", spec.working_directory);
  if (::access((folder + "/prompt").c_str(), F_OK) == 0) add("PROMPT_FILE", folder + "/prompt");
  return environment;
}

}  // namespace holdfast
