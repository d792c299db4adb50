#include "dispatcher/worktree/filters.h"

#include <algorithm>
#include <set>

namespace holdfast {
namespace {

constexpr Duration longest_filtering = seconds(15);

struct ChangedFile {
  std::string indexed, path;
};

// Files that may differ from the index in their bytes alone.
OrReply<std::vector<ChangedFile>> changed_bytes(const PrivateGit& git, const PoolSlot& slot,
                                                const std::string& index) {
  const ChildEnd end =
      git.run(slot.path, index,
              {"diff-files", "--raw", "--no-abbrev", "-z", "--no-renames", "--ignore-submodules=all", "--"});
  if (!end.answered()) return std::unexpected(raw_of(end));
  std::vector<ChangedFile> changed;
  std::set<std::string> conflicts;
  const auto records = split(end.out, '\0');
  for (std::size_t i = 0; i + 1 < records.size(); i += 2) {
    const auto words = split(records[i], ' ');  // ":100644 100644 <in the index> <zeros> M"
    const std::string& path = records[i + 1];
    if (words.size() != 5) continue;
    if (words[4] == "U") conflicts.insert(path);
    // A name that cannot be asked about in one line counts as changed.
    const bool askable = path.find('\n') == std::string::npos && !path.starts_with('"');
    if (words[4] == "M" && askable && words[0].substr(1) == words[1] && words[1].starts_with("100"))
      changed.push_back({words[2], path});
  }
  std::erase_if(changed, [&](const ChangedFile& one) { return conflicts.contains(one.path); });
  return changed;
}

}  // namespace

OrReply<std::string> made_by_filters(const PrivateGit& git, const PoolSlot& slot, const std::string& index) {
  const auto changed = changed_bytes(git, slot, index);
  if (!changed) return std::unexpected(changed.error());
  if (changed->empty()) return "";
  std::string asked;
  for (const ChangedFile& one : *changed) asked += one.path + "\n";
  const Deadline until(Duration{std::min(git.how().deadline.left().ms / 4, longest_filtering.ms)});
  const ChildEnd end =
      git.context().git.run(slot.place(), {"-c", "core.safecrlf=false", "hash-object", "--stdin-paths"},
                            {.deadline = until, .lock_fd = git.how().lock_fd, .input = asked});
  const auto filtered = split(end.out, '\n');
  if (!end.answered() || filtered.size() != changed->size()) return "";
  std::string paths;
  for (std::size_t i = 0; i < filtered.size(); ++i)
    if (const ChangedFile& one = (*changed)[i]; filtered[i] == one.indexed) paths += one.path + '\0';
  return paths;
}

}  // namespace holdfast
