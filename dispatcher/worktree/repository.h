// Where a repository keeps its things, and whether Holdfast can work with it.
#pragma once

#include <string>
#include <vector>

#include "dispatcher/worktree/git.h"

namespace holdfast {

struct Repository {
  std::string common_dir;  // absolute; empty: not a repository
  std::string main_path;   // the main checkout; empty: a bare repository
};

// By looking at files alone, so that nothing ever runs inside the main checkout. `path` is a checkout (also a
// linked worktree), its .git, or a bare repository.
Repository locate_repository(const std::string& path);

// For configuration files: everything that is wrong, one clear sentence each; empty: fine. `target` is a full
// ref name.
std::vector<std::string> check_repository(const std::string& path, const std::string& target,
                                          const GitSettings&, Duration deadline);

// The same of a remote's name, and of the ref that work starts from where that is the remote's: by the
// repository's own configuration and refs, without asking the remote.
std::vector<std::string> check_remote(const std::string& path, const std::string& remote,
                                      const std::string& start, const GitSettings&, Duration deadline);

}  // namespace holdfast
