// For tests: a repository with a person's checkout, a state folder, and a worker who uses git as workers do.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "dispatcher/worktree/git_worktrees.h"

namespace holdfast {

class ScratchRepository : public testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  // git as a person or a worker runs it, in `folder`. The output without the last newline; a failure fails
  // the test.
  std::string git(const std::filesystem::path& folder, const std::vector<std::string>& args);
  // As above, when failing is part of the story.
  int try_git(const std::filesystem::path& folder, const std::vector<std::string>& args);
  static void write(const std::filesystem::path& file, std::string_view contents);
  static std::string read(const std::filesystem::path& file);
  // Writes the file, adds it, commits; the commit's id.
  std::string commit(const std::filesystem::path& folder, const std::string& file, std::string_view contents,
                     const std::string& message = "work");
  std::string tip(const std::string& ref) { return git(main_, {"rev-parse", ref}); }

  // The checkout byte for byte, its index, HEAD, configuration, and every ref that is not ours.
  std::string picture_of_main();

  GitWorktrees& worktrees(WorktreeOptions options = {});
  AttemptId attempt(const std::string& ticket = "T-1", std::uint32_t generation = 1) const {
    return {{ticket}, {generation}};
  }
  PrepareOrder prepare_order(const AttemptId&, int slot = 1) const;
  BranchOrder branch_order(const AttemptId&, int slot = 1) const;
  // Pool and prepared slot, as a worker finds it; its folder.
  std::filesystem::path prepared(const AttemptId&, int slot = 1);
  BranchFacts facts(const AttemptId&, int slot = 1);

  static constexpr Duration soon = seconds(60);
  std::filesystem::path root_, main_, state_;
  std::string base_;
  std::string remote_;  // name, for orders
  std::unique_ptr<GitWorktrees> worktrees_;
};

// "Done" as core would classify it.
inline bool done(const RawReply& raw) {
  return raw.transport == Transport::answered && raw.code == 0;
}

}  // namespace holdfast
