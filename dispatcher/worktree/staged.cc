#include "dispatcher/worktree/staged.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <set>

#include "dispatcher/system/durable_file.h"

namespace holdfast {
namespace {

constexpr std::size_t longest_index_saved = std::size_t{1} << 30;

struct IndexEntry {  // "<tag> <mode> <object> <stage>\t<path>"
  std::string mode, object, path;
  char stage = '0';
};

std::vector<IndexEntry> parsed(const std::vector<std::string>& entries) {
  std::vector<IndexEntry> all;
  for (const std::string& entry : entries) {
    const auto tab = entry.find('\t');
    if (tab == std::string::npos) continue;
    const auto words = split(std::string_view(entry).substr(0, tab), ' ');
    if (words.size() == 4 && words[3].size() == 1)
      all.push_back({words[1], words[2], entry.substr(tab + 1), words[3][0]});
  }
  return all;
}

const char* name_of_stage(char stage) {
  return stage == '1' ? "~base" : stage == '2' ? "~ours" : "~theirs";
}

// Every stage as an entry without conflicts.
std::string without_stages(const std::vector<IndexEntry>& entries) {
  std::set<std::string> taken;
  for (const IndexEntry& one : entries) taken.insert(one.path);
  std::string lines;
  for (const IndexEntry& one : entries) {
    std::string path = one.path;
    if (one.stage != '0') {
      path += name_of_stage(one.stage);
      while (taken.contains(path)) path += '~';
      taken.insert(path);
    }
    lines += one.mode + " " + one.object + " 0\t" + path + '\0';
  }
  return lines;
}

}  // namespace

OrReply<Staged> staged_content(const PrivateGit& git, const PoolSlot& slot, const std::string& index,
                               const std::vector<std::string>& entries) {
  const auto all = parsed(entries);
  const bool conflicts = std::ranges::any_of(all, [](const IndexEntry& one) { return one.stage != '0'; });
  std::string from = index;
  if (conflicts) {
    from = index + "-stages";
    const ChildEnd made =
        git.run(slot.path, from, {"update-index", "-z", "--index-info"}, without_stages(all));
    if (made.transport != Transport::answered) return std::unexpected(raw_of(made));
    if (!made.answered()) return staged_as_files(git, slot);
  }
  const ChildEnd tree = git.run(slot.path, from, {"write-tree"});
  if (tree.transport != Transport::answered) return std::unexpected(raw_of(tree));
  if (!tree.answered()) return staged_as_files(git, slot);  // it names objects that are not there
  return Staged{trimmed(tree.out), conflicts ? StagedAs::stages : StagedAs::tree};
}

OrReply<Staged> staged_as_files(const PrivateGit& git, const PoolSlot& slot) {
  namespace fs = std::filesystem;
  std::vector<std::string> names{"index"};
  std::error_code failed;
  for (fs::directory_iterator at(slot.admin, failed), end; !failed && at != end; at.increment(failed))
    if (const std::string name = at->path().filename().string(); name.starts_with("sharedindex."))
      names.push_back(name);
  std::ranges::sort(names);
  std::string lines;
  for (const std::string& name : names) {
    const FileText file = read_file(slot.admin + "/" + name, longest_index_saved);
    if (file.error == ENOENT || (file.error == 0 && file.text.empty())) continue;
    if (file.error != 0 || file.longer)
      return std::unexpected(refused("dirty: the " + name + " of " + slot.id.value + " cannot be saved: " +
                                     (file.longer ? "it is too large" : errno_words(file.error))));
    const ChildEnd blob = git.run(slot.path, "", {"hash-object", "-w", "--stdin"}, file.text);
    if (!blob.answered()) return std::unexpected(raw_of(blob));
    lines += "100644 blob " + trimmed(blob.out) + "\t" + name + "\n";
  }
  if (lines.empty()) return Staged{};
  const ChildEnd tree = git.run(slot.path, "", {"mktree"}, lines);
  if (!tree.answered()) return std::unexpected(raw_of(tree));
  return Staged{trimmed(tree.out), StagedAs::file};
}

}  // namespace holdfast
