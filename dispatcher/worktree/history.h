// Questions about commits. Nothing that is asked leaves a trace in the repository: merges in memory write
// their objects into a folder of their own.
#pragma once

#include <string>
#include <vector>

#include "dispatcher/worktree/context.h"

namespace holdfast {

enum class InMemory { changes_nothing, changes, conflicts };  // what merging would do to "ours"

class History {
 public:
  History(const Context& context, const GitHow& how) : context_(context), how_(how) {}

  [[nodiscard]] OrReply<bool> is_ancestor(const std::string& older, const std::string& newer) const;
  [[nodiscard]] OrReply<std::string> merge_base(const std::string& a,
                                                const std::string& b) const;  // empty: none
  // rev-list with these arguments: ids, oldest first; at most `most`, the newest ones.
  [[nodiscard]] OrReply<std::vector<std::string>> list(std::vector<std::string> what, int most) const;
  [[nodiscard]] OrReply<int> count(std::vector<std::string> what) const;
  [[nodiscard]] OrReply<std::vector<std::string>> trees(const std::vector<std::string>& commits) const;

  [[nodiscard]] OrReply<InMemory> merge(const std::string& ours, const std::string& theirs) const;
  // As if `base` were their only common history: applies the change base..theirs to ours.
  [[nodiscard]] OrReply<InMemory> apply(const std::string& base, const std::string& ours,
                                        const std::string& theirs) const;

  // Patch ids (stable against line numbers and white space), each commit against its first parent.
  struct Patch {
    std::string id;
    std::string commit;
  };
  enum class Direction { forward, reverse };
  [[nodiscard]] OrReply<std::vector<Patch>> patches(const std::vector<std::string>& commits, Direction) const;
  [[nodiscard]] OrReply<std::string> patch_between(const std::string& from,
                                                   const std::string& to) const;  // empty: no change
  [[nodiscard]] OrReply<std::vector<std::string>> paths_between(const std::string& from,
                                                                const std::string& to) const;

 private:
  [[nodiscard]] GitPlace scratch() const;
  [[nodiscard]] ChildEnd git(const std::vector<std::string>& args, std::string_view input = {}) const;
  [[nodiscard]] OrReply<std::vector<Patch>> patch_ids(const std::vector<std::string>& diff,
                                                      std::string_view input) const;

  const Context& context_;
  GitHow how_;
  mutable Context::TemporaryFolder folder_;
};

}  // namespace holdfast
