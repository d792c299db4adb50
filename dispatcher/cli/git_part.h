// GitWorktrees behind its port, kept apart so that its headers meet no others.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "dispatcher/core/instant.h"
#include "dispatcher/ports/worktrees.h"

namespace holdfast {
struct Config;
}

namespace holdfast::cli {

// `fetch`: the picture of the remote may be renewed while looking.
std::unique_ptr<Worktrees> make_worktrees(const Config&, bool fetch);

// What is wrong with repository, target or git, one sentence each.
std::vector<std::string> what_is_wrong_with_repository(const std::string& repository,
                                                       const std::string& target, Duration deadline);
// What is wrong with the configured remote, by its name alone; nothing where none is configured.
std::vector<std::string> what_is_wrong_with_remote(const Config&);
// Where a repository keeps its things: the same for all its checkouts; empty: there is none.
std::string home_of_repository(const std::string& path);
// The checkout that a path is in, or the path itself where it is none.
std::string checkout_of(const std::string& path);

}  // namespace holdfast::cli
