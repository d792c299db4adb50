#include "dispatcher/worktree/embedded.h"

#include <algorithm>
#include <filesystem>

#include "dispatcher/system/durable_file.h"
#include "dispatcher/worktree/status.h"

namespace holdfast {
namespace {

namespace fs = std::filesystem;

void walk(const fs::path& root, const fs::path& inside, bool own_git, WorktreeWalk& found) {
  std::vector<fs::path> folders;
  std::error_code failed;
  fs::directory_iterator at(root / inside, failed);
  for (const fs::directory_iterator end; !failed && at != end; at.increment(failed)) {
    const fs::path name = at->path().filename();
    if (name == ".git") {
      if (!inside.empty() || !own_git) found.repositories.push_back(inside.string());
      continue;
    }
    std::error_code unseen;
    const fs::file_type type = at->symlink_status(unseen).type();
    if (type == fs::file_type::directory) folders.push_back(inside / name);
    if (type == fs::file_type::none) found.unreadable.push_back((inside / name).string());  // too long a name
  }
  if (failed) found.unreadable.push_back(inside.string());
  for (const fs::path& folder : folders) walk(root, folder, own_git, found);
}

}  // namespace

WorktreeWalk walk_worktree(const std::string& root, bool own_git) {
  WorktreeWalk found;
  walk(root, "", own_git, found);
  std::ranges::sort(found.repositories);
  std::ranges::sort(found.unreadable);
  return found;
}

std::string git_folder_of(const std::string& root) {
  std::error_code failed;
  fs::path folder = fs::path(root) / ".git";
  if (fs::is_regular_file(fs::symlink_status(folder, failed))) {
    const std::string line = trimmed(read_file(folder.string(), 65536).text);
    if (!line.starts_with("gitdir: ")) return "";
    folder = fs::weakly_canonical(fs::path(root) / line.substr(8), failed);
  }
  const bool is_one = !failed && fs::is_directory(folder, failed) && fs::exists(folder / "HEAD", failed);
  return is_one ? folder.string() : "";
}

bool holds_a_worktree(const Context& context, const PoolSlot& slot) {
  const std::string inside = slot.path + "/";
  std::error_code failed;
  fs::directory_iterator at(context.repository.common_dir + "/worktrees", failed);
  for (const fs::directory_iterator end; !failed && at != end; at.increment(failed)) {
    if (at->path() == slot.admin) continue;
    const std::string leads_to = trimmed(read_file((at->path() / "gitdir").string(), 65536).text);
    if (leads_to.starts_with(inside)) return true;
  }
  return false;
}

bool is_worktree_of(const Context& context, const std::string& root) {
  const std::string folder = git_folder_of(root);
  return !folder.empty() && fs::path(folder).parent_path() == context.repository.common_dir + "/worktrees";
}

bool worktree_holds_nothing_new(const Context& context, const PoolSlot& outer, const std::string& root,
                                const GitHow& how) {
  const PoolSlot inner{{}, root, git_folder_of(root)};
  if (!operations_in_progress(inner).empty()) return false;
  const auto status = read_status(context, inner, how);
  if (!status || !status->clean() || status->head.empty()) return false;
  const ChildEnd end =
      context.git.run(outer.place(), {"merge-base", "--is-ancestor", status->head, "HEAD"}, how);
  return end.answered(0);
}

std::size_t bytes_below(const std::string& folder, std::size_t at_most) {
  std::size_t sum = 0;
  std::error_code failed;
  fs::recursive_directory_iterator at(folder, fs::directory_options::skip_permission_denied, failed);
  for (const fs::recursive_directory_iterator end; !failed && at != end && sum <= at_most;
       at.increment(failed)) {
    std::error_code gone;
    if (at->symlink_status(gone).type() == fs::file_type::regular)
      sum += static_cast<std::size_t>(at->file_size(gone));
  }
  return sum;
}

bool holds_something(const std::string& folder) {
  std::error_code failed;
  if (!fs::is_directory(fs::symlink_status(folder, failed))) return false;
  const fs::directory_iterator at(folder, failed);
  return failed || at != fs::directory_iterator();
}

bool submodule_is_as_recorded(const Context& context, const std::string& root, const std::string& recorded,
                              const GitHow& how) {
  const std::string git_folder = git_folder_of(root);
  if (git_folder.empty()) return false;
  const PoolSlot inner{{}, root, git_folder};
  if (!operations_in_progress(inner).empty()) return false;
  const auto status = read_status(context, inner, how);
  if (!status || !status->clean() || status->head != recorded) return false;
  const ChildEnd listed = context.git.run(inner.place(), {"ls-files", "-v", "-s", "-z"}, how);
  if (!listed.answered()) return false;
  for (const std::string& entry : split(listed.out, '\0')) {
    if (entry[0] != 'H') return false;
    const auto tab = entry.find('\t');
    if (tab == std::string::npos || entry.compare(2, 6, "160000") != 0) continue;
    const std::string nested = root + "/" + entry.substr(tab + 1);
    std::error_code none;
    const bool initialised = fs::exists(fs::symlink_status(nested + "/.git", none));
    if (initialised ? !submodule_is_as_recorded(context, nested, split(entry, ' ')[2], how)
                    : holds_something(nested))
      return false;
  }
  // What no remote has was made here, and is nowhere else.
  const ChildEnd own = context.git.run(
      {.git_dir = git_folder},
      {"rev-list", "--max-count=1", "--all", "--reflog", "--not", "--remotes", "--tags"}, how);
  return own.answered() && trimmed(own.out).empty();
}

}  // namespace holdfast
