// A git folder of our own from which a worktree is read: the worker's configuration, filters, hooks and
// fsmonitor do not run, .gitattributes are overridden, so that what is read are the bytes that lie there.
// Objects go into the repository's store, each command's durable at one flush.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "dispatcher/worktree/context.h"

namespace holdfast {

class PrivateGit {
 public:
  PrivateGit(const Context& context, const GitHow& how, std::string folder)
      : context_(context), how_(how), folder_(std::move(folder)) {}

  // `head`: a commit; empty: unborn.
  [[nodiscard]] OrReply<Nothing> make(const std::string& head) const;

  [[nodiscard]] ChildEnd run(const std::string& work_tree, const std::string& index,
                             const std::vector<std::string>& args, std::string_view input = {}) const;
  [[nodiscard]] OrReply<std::string> write_tree(const std::string& work_tree, const std::string& index) const;

  [[nodiscard]] const std::string& folder() const { return folder_; }
  [[nodiscard]] const Context& context() const { return context_; }
  [[nodiscard]] const GitHow& how() const { return how_; }

 private:
  const Context& context_;
  const GitHow& how_;
  std::string folder_;
};

}  // namespace holdfast
