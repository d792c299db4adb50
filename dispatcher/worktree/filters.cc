#include "dispatcher/worktree/filters.h"

#include <algorithm>

namespace holdfast {
namespace {

constexpr Duration longest_filtering = seconds(15);

struct ChangedFile {
  std::string mode, staged, path;
};

// Files that differ in their bytes alone.
OrReply<std::vector<ChangedFile>> changed_bytes(const PrivateGit& git, const PoolSlot& slot,
                                                const std::string& before, const std::string& index) {
  const ChildEnd end = git.run(slot.path, index,
                               {"diff-index", "--cached", "--raw", "--no-abbrev", "-z", "--no-renames",
                                "--diff-filter=M", before, "--"});
  if (!end.answered()) return std::unexpected(raw_of(end));
  std::vector<ChangedFile> changed;
  const auto records = split(end.out, '\0');
  for (std::size_t i = 0; i + 1 < records.size(); i += 2) {
    const auto words = split(records[i], ' ');  // ":100644 100644 <staged> <bytes> M"
    const std::string& path = records[i + 1];
    // A name that cannot be asked about in one line counts as changed.
    const bool askable = path.find('\n') == std::string::npos && !path.starts_with('"');
    if (words.size() == 5 && askable && words[0].substr(1) == words[1] && words[1].starts_with("100"))
      changed.push_back({words[1], words[2], path});
  }
  return changed;
}

}  // namespace

OrReply<bool> drop_what_filters_made(const PrivateGit& git, const PoolSlot& slot, const std::string& before,
                                     const std::string& index) {
  const auto changed = changed_bytes(git, slot, before, index);
  if (!changed) return std::unexpected(changed.error());
  if (changed->empty()) return false;
  std::string paths;
  for (const ChangedFile& one : *changed) paths += one.path + "\n";
  const Deadline until(Duration{std::min(git.how().deadline.left().ms / 4, longest_filtering.ms)});
  const ChildEnd asked =
      git.context().git.run(slot.place(), {"-c", "core.safecrlf=false", "hash-object", "--stdin-paths"},
                            {.deadline = until, .lock_fd = git.how().lock_fd, .input = paths});
  const auto filtered = split(asked.out, '\n');
  if (!asked.answered() || filtered.size() != changed->size()) return false;
  std::string entries;
  for (std::size_t i = 0; i < filtered.size(); ++i)
    if (const ChangedFile& one = (*changed)[i]; filtered[i] == one.staged)
      entries += one.mode + " " + one.staged + " 0\t" + one.path + '\0';
  if (entries.empty()) return false;
  const ChildEnd put = git.run(slot.path, index, {"update-index", "-z", "--index-info"}, entries);
  if (!put.answered()) return std::unexpected(raw_of(put));
  return true;
}

}  // namespace holdfast
