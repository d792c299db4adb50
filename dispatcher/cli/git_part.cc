#include "dispatcher/cli/git_part.h"

#include "dispatcher/config/config.h"
#include "dispatcher/worktree/git_worktrees.h"
#include "dispatcher/worktree/repository.h"

namespace holdfast::cli {

std::unique_ptr<Worktrees> make_worktrees(const Config& config, bool fetch) {
  WorktreeOptions options;
  options.git.name = config.git_name;
  options.git.email = config.git_email;
  options.ignored = config.set_ignored_aside ? IgnoredFiles::set_aside : IgnoredFiles::keep;
  if (!fetch) options.fetch_every = {0};
  return std::make_unique<GitWorktrees>(config.repository, config.state, options);
}

std::vector<std::string> what_is_wrong_with_repository(const std::string& repository,
                                                       const std::string& target, Duration deadline) {
  return check_repository(repository, target, GitSettings{}, deadline);
}

std::vector<std::string> what_is_wrong_with_remote(const Config& config) {
  const Policy& policy = config.policy;
  if (policy.remote.empty()) return {};
  return check_remote(config.repository, policy.remote, policy.start, GitSettings{}, policy.git_deadline);
}

std::string checkout_of(const std::string& path) {
  const Repository found = locate_repository(path);
  return found.main_path.empty() ? path : found.main_path;
}

std::string home_of_repository(const std::string& path) {
  return locate_repository(path).common_dir;
}

}  // namespace holdfast::cli
