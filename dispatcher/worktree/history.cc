#include "dispatcher/worktree/history.h"

#include <fcntl.h>
#include <unistd.h>

#include <charconv>

namespace holdfast {
namespace {

using Fault = std::unexpected<RawReply>;

}  // namespace

GitPlace History::scratch() const {
  if (folder_.path.empty()) {
    auto made = context_.temporary();
    std::swap(folder_.path, made.path);
  }
  return {.git_dir = context_.repository.common_dir,
          .work_tree = "",
          .folder = "/",
          .index = "",
          .objects = folder_.path,
          .alternates = context_.repository.common_dir + "/objects"};
}

ChildEnd History::git(const std::vector<std::string>& args, std::string_view input) const {
  return context_.git.run(scratch(), args,
                          {.deadline = how_.deadline, .lock_fd = how_.lock_fd, .input = input});
}

OrReply<bool> History::is_ancestor(const std::string& older, const std::string& newer) const {
  const ChildEnd end = git({"merge-base", "--is-ancestor", older, newer});
  if (end.answered(0)) return true;
  if (end.answered(1)) return false;
  return Fault(raw_of(end));
}

OrReply<std::string> History::merge_base(const std::string& a, const std::string& b) const {
  const ChildEnd end = git({"merge-base", a, b});
  if (end.answered(0)) return trimmed(end.out);
  if (end.answered(1) && trimmed(end.error).empty()) return "";
  return Fault(raw_of(end));
}

OrReply<std::vector<std::string>> History::list(std::vector<std::string> what, int most) const {
  what.insert(what.begin(), {"--literal-pathspecs", "rev-list", "--reverse", "--topo-order",
                             "--max-count=" + std::to_string(most)});
  const ChildEnd end = git(what);
  if (!end.answered()) return Fault(raw_of(end));
  return split(end.out, '\n');
}

OrReply<int> History::count(std::vector<std::string> what) const {
  what.insert(what.begin(), {"rev-list", "--count"});
  const ChildEnd end = git(what);
  if (!end.answered()) return Fault(raw_of(end));
  const std::string text = trimmed(end.out);
  int number = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), number).ec != std::errc{})
    return Fault(refused("git rev-list --count said \"" + text + "\"", 128));
  return number;
}

OrReply<std::vector<std::string>> History::trees(const std::vector<std::string>& commits) const {
  std::vector<std::string> args{"rev-parse"};
  for (const std::string& commit : commits) args.push_back(commit + "^{tree}");
  const ChildEnd end = git(args);
  if (!end.answered()) return Fault(raw_of(end));
  auto found = split(end.out, '\n');
  if (found.size() != commits.size()) return Fault(refused("git rev-parse did not name every tree", 128));
  return found;
}

OrReply<InMemory> History::merge(const std::string& ours, const std::string& theirs) const {
  const ChildEnd end = git({"merge-tree", "--write-tree", "--no-messages", "--name-only", ours, theirs});
  if (end.answered(1)) return InMemory::conflicts;
  if (!end.answered()) return Fault(raw_of(end));
  const auto before = trees({ours});
  if (!before) return Fault(before.error());
  return trimmed(end.out) == before->front() ? InMemory::changes_nothing : InMemory::changes;
}

OrReply<InMemory> History::apply(const std::string& base, const std::string& ours,
                                 const std::string& theirs) const {
  const auto all = trees({base, ours, theirs});
  if (!all) return Fault(all.error());
  if ((*all)[1] == (*all)[2])
    return InMemory::changes_nothing;  // both sides are the same: no merge is needed
  const auto commit = [this](const std::string& tree, const std::string& parent) -> OrReply<std::string> {
    std::vector<std::string> args{"commit-tree", tree, "-m", "in memory"};
    if (!parent.empty()) args.insert(args.end(), {"-p", parent});
    const ChildEnd end = git(args);
    if (!end.answered()) return Fault(raw_of(end));
    return trimmed(end.out);
  };
  const auto root = commit((*all)[0], "");
  if (!root) return Fault(root.error());
  const auto left = commit((*all)[1], *root);
  if (!left) return Fault(left.error());
  const auto right = commit((*all)[2], *root);
  if (!right) return Fault(right.error());
  return merge(*left, *right);
}

OrReply<std::vector<History::Patch>> History::patch_ids(const std::vector<std::string>& diff,
                                                        std::string_view input) const {
  // Through a file: a diff may be larger than what we would hold in memory.
  std::string name = scratch().objects + "/diff.XXXXXX";
  const Fd file(::mkostemp(name.data(), O_CLOEXEC));
  if (!file.open())
    return Fault(refused("cannot make a temporary file: No space left, or Permission denied"));
  ::unlink(name.c_str());
  const ChildEnd made = context_.git.run(scratch(), diff,
                                         {.deadline = how_.deadline,
                                          .lock_fd = how_.lock_fd,
                                          .input = input,
                                          .input_fd = -1,
                                          .output_fd = file.get()});
  if (!made.answered()) return Fault(raw_of(made));
  if (::lseek(file.get(), 0, SEEK_SET) != 0) return Fault(refused("cannot read a diff back"));
  const ChildEnd ids = context_.git.run(
      scratch(), {"patch-id", "--stable"},
      {.deadline = how_.deadline, .lock_fd = how_.lock_fd, .input = {}, .input_fd = file.get()});
  if (!ids.answered()) return Fault(raw_of(ids));
  std::vector<Patch> found;
  for (const std::string& line : split(ids.out, '\n')) {
    const auto words = split(line, ' ');
    if (words.size() == 2) found.push_back({words[0], words[1]});
  }
  return found;
}

namespace {
const std::vector<std::string> as_patch{
    "-p",           "-r",         "--full-index", "--no-ext-diff",   "--no-textconv",
    "--no-renames", "--no-color", "-U3",          "--src-prefix=a/", "--dst-prefix=b/"};
}

OrReply<std::vector<History::Patch>> History::patches(const std::vector<std::string>& commits,
                                                      Direction direction) const {
  if (commits.empty()) return std::vector<Patch>{};
  std::vector<std::string> args{"diff-tree", "--stdin", "--root"};
  args.insert(args.end(), as_patch.begin(), as_patch.end());
  // -R swaps the prefixes too, and patch ids hold them: swapped once more, later ones win.
  if (direction == Direction::reverse) args.insert(args.end(), {"-R", "--src-prefix=b/", "--dst-prefix=a/"});
  std::string input;
  for (const std::string& commit : commits) input += commit + "\n";
  return patch_ids(args, input);
}

OrReply<std::string> History::patch_between(const std::string& from, const std::string& to) const {
  std::vector<std::string> args{"diff-tree"};
  args.insert(args.end(), as_patch.begin(), as_patch.end());
  args.insert(args.end(), {from, to});
  const auto found = patch_ids(args, {});
  if (!found) return Fault(found.error());
  return found->empty() ? "" : found->front().id;
}

OrReply<std::vector<std::string>> History::paths_between(const std::string& from,
                                                         const std::string& to) const {
  const ChildEnd end = git({"diff-tree", "-r", "-z", "--name-only", "--no-renames", from, to});
  if (!end.answered()) return Fault(raw_of(end));
  return split(end.out, '\0');
}

}  // namespace holdfast
