#include "dispatcher/worktree/snapshot.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "dispatcher/system/durable_file.h"
#include "dispatcher/worktree/embedded.h"
#include "dispatcher/worktree/status.h"

namespace holdfast {
namespace {

namespace fs = std::filesystem;
using Fault = std::unexpected<RawReply>;

constexpr std::size_t longest_index = std::size_t{1} << 30;

bool is_or_is_below(const std::string& path, const std::string& folder) {
  return path == folder || (path.starts_with(folder) && path[folder.size()] == '/');
}

class Shooting {
 public:
  Shooting(const Context& context, const PoolSlot& slot, const GitHow& how, Snapshot& shot)
      : context_(context), slot_(slot), how_(how), shot_(shot), private_(shot.folder.path + "/git") {}

  OrReply<Nothing> shoot() {
    const Head head = RefFiles::read_head(slot_.admin);
    head_ = head.oid.empty() ? context_.refs.resolve(head.ref).value_or("") : head.oid;
    if (const auto made = make_private_folder(); !made) return made;
    if (const auto index = copy_index(); !index) return index;
    if (const auto found = find_embedded(); !found) return found;
    const auto same = see_whether_it_is_head();
    if (!same) return Fault(same.error());
    if (shot_.is_head) return Nothing{};
    if (const auto read = read_head(); !read) return read;
    if (const auto staged = read_staged(); !staged) return staged;
    if (const auto plain = add_all(slot_.path, shot_.index_file, inside("")); !plain) return plain;
    if (const auto tree = write_tree(slot_.path, shot_.index_file, shot_.plain_tree); !tree) return tree;
    shot_.tree = shot_.plain_tree;
    return add_embedded();
  }

 private:
  [[nodiscard]] GitPlace place(const std::string& work_tree, const std::string& index) const {
    return {.git_dir = private_,
            .work_tree = work_tree,
            .folder = work_tree,
            .index = index,
            .objects = context_.repository.common_dir + "/objects",
            .alternates = ""};
  }
  ChildEnd git(const std::string& work_tree, const std::string& index, std::vector<std::string> args,
               std::string_view input = {}) const {
    // Durable at one flush per command, not one per file.
    std::vector<std::string> all{"-c", "core.fsync=all", "-c", "core.fsyncMethod=batch"};
    all.insert(all.end(), args.begin(), args.end());
    return context_.git.run(place(work_tree, index), all,
                            {.deadline = how_.deadline, .lock_fd = how_.lock_fd, .input = input});
  }

  OrReply<Nothing> make_private_folder() {
    std::error_code failed;
    for (const char* folder : {"", "/refs", "/objects", "/info"})
      fs::create_directories(private_ + folder, failed);
    const bool sha256 = head_.size() == 64;
    const std::string config =
        std::string("[core]\n\trepositoryformatversion = ") + (sha256 ? "1" : "0") +
        "\n\tbare = false\n\tprotectNTFS = false\n\tprotectHFS = false\n\tautocrlf = false\n"
        "\tsafecrlf = false\n" +
        (sha256 ? "[extensions]\n\tobjectFormat = sha256\n" : "");
    const FileText exclude = read_file(context_.repository.common_dir + "/info/exclude", 1 << 20);
    if (replace_file(private_, "HEAD", head_.empty() ? "ref: refs/heads/none\n" : head_ + "\n") != 0 ||
        replace_file(private_, "config", config) != 0 ||
        replace_file(private_ + "/info", "attributes",
                     "* -text -filter -ident -working-tree-encoding -eol\n") != 0 ||
        replace_file(private_ + "/info", "exclude", exclude.text) != 0)
      return Fault(refused("cannot write " + private_ + ": Permission denied or disk full"));
    return Nothing{};
  }

  // Nothing is left over, staged, changed or hidden: as most workers leave it.
  OrReply<Nothing> see_whether_it_is_head() {
    if (!index_usable_ || may_hide_ || head_.empty() || !submodules_.empty() || !shot_.embedded.empty() ||
        !shot_.problems.empty())
      return Nothing{};
    const ChildEnd end = git(slot_.path, shot_.index_file, status_arguments());
    if (end.transport != Transport::answered) return Fault(raw_of(end));
    if (end.code != 0 || end.dropped) return Nothing{};  // what is wrong is told by the longer way
    const auto status = parse_status(end.out);
    if (!status || !status->clean() || status->head != head_) return Nothing{};
    shot_.head = shot_.head_tree = shot_.index_tree = shot_.plain_tree = shot_.tree = head_;
    shot_.is_head = true;
    return Nothing{};
  }

  OrReply<Nothing> read_head() {
    if (!shot_.head_tree.empty()) return Nothing{};
    const ChildEnd end = context_.git.run(slot_.place(), {"rev-parse", "HEAD^{commit}", "HEAD^{tree}"}, how_);
    if (end.transport != Transport::answered) return Fault(raw_of(end));
    const auto lines = split(end.out, '\n');
    if (end.code == 0 && lines.size() == 2) {
      shot_.head = lines[0];
      shot_.head_tree = lines[1];
      return Nothing{};
    }
    // No commit yet: the empty tree. A HEAD that names a commit which is not there is another matter.
    if (const Head head = RefFiles::read_head(slot_.admin);
        head.ref.empty() || context_.refs.resolve(head.ref))
      return Fault(refused("HEAD of " + slot_.id.value + " cannot be read: " + end.error, 128));
    return write_tree(slot_.path, shot_.folder.path + "/empty", shot_.head_tree);
  }

  // Reads the copy entry by entry: which paths are flagged, which are submodules, and is it readable at all.
  OrReply<Nothing> copy_index() {
    shot_.index_file = shot_.folder.path + "/index";
    const FileText original = read_file(slot_.admin + "/index", longest_index);
    bool usable = original.error == 0 && !original.longer &&
                  replace_file(shot_.folder.path, "index", original.text) == 0;
    ChildEnd listed;
    if (usable) {
      listed = git(slot_.path, shot_.index_file, {"ls-files", "-v", "-s", "-z"});
      if (listed.transport != Transport::answered) return Fault(raw_of(listed));
      usable = listed.code == 0 && !listed.dropped;
    }
    index_usable_ = usable;
    if (!usable) {  // broken, split or missing: start from HEAD, and hash every file
      std::error_code none;
      fs::remove(shot_.index_file, none);
      if (const auto head = read_head(); !head) return head;
      if (shot_.head.empty()) return Nothing{};
      const ChildEnd end = git(slot_.path, shot_.index_file, {"read-tree", shot_.head});
      if (!end.answered()) return Fault(raw_of(end));
      listed = git(slot_.path, shot_.index_file, {"ls-files", "-v", "-s", "-z"});
      if (!listed.answered()) return Fault(raw_of(listed));
    }
    return unflag(split(listed.out, '\0'));
  }

  OrReply<Nothing> read_staged() {
    if (!index_usable_) return Nothing{};
    const ChildEnd tree = git(slot_.path, shot_.index_file, {"write-tree"});
    if (tree.transport != Transport::answered) return Fault(raw_of(tree));
    if (tree.code == 0) shot_.index_tree = trimmed(tree.out);  // else: conflicts
    return Nothing{};
  }

  OrReply<Nothing> unflag(const std::vector<std::string>& entries) {
    std::error_code none;
    const bool sparse = fs::exists(slot_.admin + "/info/sparse-checkout", none);
    may_hide_ = sparse;
    std::string assumed, skipped;
    for (const std::string& entry : entries) {  // "<tag> <mode> <object> <stage>\t<path>"
      may_hide_ = may_hide_ || entry[0] != 'H';
      const auto tab = entry.find('\t');
      if (tab == std::string::npos || entry.size() < 10) continue;
      const std::string path = entry.substr(tab + 1);
      if (entry.compare(2, 6, "160000") == 0) submodules_[path] = split(entry, ' ')[2];
      const char tag = entry[0];
      if (tag >= 'a' && tag <= 'z') assumed += path + '\0';
      const bool there = fs::exists(fs::symlink_status(fs::path(slot_.path) / path, none));
      if ((tag == 'S' || tag == 's') && (!sparse || there)) skipped += path + '\0';
    }
    for (const auto& [flag, paths] :
         {std::pair{"--no-assume-unchanged", &assumed}, std::pair{"--no-skip-worktree", &skipped}}) {
      if (paths->empty()) continue;
      const ChildEnd end = git(slot_.path, shot_.index_file, {"update-index", flag, "-z", "--stdin"}, *paths);
      if (!end.answered()) return Fault(raw_of(end));
    }
    return Nothing{};
  }

  OrReply<Nothing> find_embedded() {
    const WorktreeWalk walk = walk_worktree(slot_.path, dot_git_of(slot_) != DotGit::replaced);
    if (walk.repositories.empty() && walk.unreadable.empty()) return Nothing{};
    std::string asked;
    for (const auto* paths : {&walk.repositories, &walk.unreadable})
      for (const std::string& path : *paths)
        if (!path.empty()) asked += path + '\0';
    std::set<std::string> ignored;
    if (!asked.empty()) {
      const ChildEnd end =
          git(slot_.path, shot_.index_file, {"check-ignore", "--no-index", "-z", "--stdin"}, asked);
      if (end.transport != Transport::answered || end.code > 1) return Fault(raw_of(end));
      for (const std::string& path : split(end.out, '\0')) ignored.insert(path);
    }
    for (const std::string& path : walk.unreadable)
      if (!ignored.contains(path)) shot_.problems.push_back("cannot list the folder \"" + path + "\"");
    for (const std::string& path : walk.repositories) {
      const auto submodule = submodules_.find(path);
      if (submodule == submodules_.end() && ignored.contains(path)) continue;
      if (submodule != submodules_.end() &&
          submodule_is_as_recorded(context_, slot_.path + "/" + path, submodule->second, how_))
        continue;
      shot_.embedded.push_back({path, "", ""});
    }
    return Nothing{};
  }

  // The embedded repositories directly or deeper inside `folder` (itself not among them), relative to it.
  [[nodiscard]] std::vector<std::string> inside(const std::string& folder) const {
    std::vector<std::string> paths;
    for (const EmbeddedRepository& one : shot_.embedded) {
      if (one.path.empty() || one.path == folder) continue;
      if (folder.empty())
        paths.push_back(one.path);
      else if (is_or_is_below(one.path, folder))
        paths.push_back(one.path.substr(folder.size() + 1));
    }
    return paths;
  }

  OrReply<Nothing> add_all(const std::string& work_tree, const std::string& index,
                           const std::vector<std::string>& except, bool ignored_too = false) {
    std::string paths = std::string(":/") + '\0';
    for (const std::string& path : except) paths += ":(exclude,literal,top)" + path + '\0';
    std::vector<std::string> args{
        "add", "-A", "--sparse", "--ignore-errors", "--pathspec-from-file=-", "--pathspec-file-nul"};
    if (ignored_too) args.emplace_back("-f");
    const ChildEnd end = git(work_tree, index, args, paths);
    if (end.transport != Transport::answered) return Fault(raw_of(end));
    // What could be added is in the index; what could not is told.
    if (end.code != 0) shot_.problems.push_back("git add: " + trimmed(end.error));
    return Nothing{};
  }

  OrReply<Nothing> write_tree(const std::string& work_tree, const std::string& index,
                              std::string& tree) const {
    const ChildEnd end = git(work_tree, index, {"write-tree"});
    if (!end.answered()) return Fault(raw_of(end));
    tree = trimmed(end.out);
    return Nothing{};
  }

  OrReply<Nothing> add_embedded() {
    if (shot_.embedded.empty()) return Nothing{};
    const std::string full = shot_.folder.path + "/index-full";
    std::error_code nothing_there;  // no index file: not a single plain file
    fs::copy_file(shot_.index_file, full, fs::copy_options::overwrite_existing, nothing_there);
    int n = 0;
    for (EmbeddedRepository& one : shot_.embedded) {
      const std::string root = one.path.empty() ? slot_.path : slot_.path + "/" + one.path;
      const std::string number = std::to_string(++n);
      if (!one.path.empty()) {  // the worktree's own files are in the index already
        const std::string index = shot_.folder.path + "/index-files-" + number;
        if (const auto added = add_all(root, index, inside(one.path)); !added) return added;
        if (const auto tree = write_tree(root, index, one.files); !tree) return tree;
        const ChildEnd removed = git(slot_.path, full,
                                     {"--literal-pathspecs", "rm", "-r", "-q", "-f", "--cached", "--sparse",
                                      "--ignore-unmatch", "--", one.path});
        if (!removed.answered()) return Fault(raw_of(removed));
        const ChildEnd placed = git(slot_.path, full, {"read-tree", "--prefix=" + one.path + "/", one.files});
        if (!placed.answered()) return Fault(raw_of(placed));
      }
      if (const auto saved = save_git_folder(one, root, shot_.folder.path + "/index-git-" + number); !saved)
        return saved;
    }
    return write_tree(slot_.path, full, shot_.tree);
  }

  OrReply<Nothing> save_git_folder(EmbeddedRepository& one, const std::string& root,
                                   const std::string& index) {
    const std::string folder = git_folder_of(root);
    if (folder.empty()) return Nothing{};
    const std::size_t limit = context_.options.embedded_bytes_max;
    if (bytes_below(folder, limit) > limit) {
      shot_.problems.push_back("the repository inside at \"" + one.path + "\" is larger than " +
                               std::to_string(limit) + " bytes");
      return Nothing{};
    }
    if (const auto added = add_all(folder, index, {}, true); !added) return added;
    return write_tree(folder, index, one.git_folder);
  }

  const Context& context_;
  const PoolSlot& slot_;
  const GitHow& how_;
  Snapshot& shot_;
  std::string private_;
  std::string head_;           // the commit that the files of refs say; empty: unborn, or nothing simple
  bool index_usable_ = false;  // the worktree's own index could be read
  bool may_hide_ = true;       // an entry is flagged, or a sparse checkout leaves some out
  std::map<std::string, std::string> submodules_;  // path -> recorded commit
};

}  // namespace

std::string Snapshot::content_key() const {
  std::string key = tree + ":" + (staged_apart() ? index_tree : "");
  for (const EmbeddedRepository& one : embedded) key += ":" + one.git_folder;
  return key;
}

OrReply<Snapshot> take_snapshot(const Context& context, const PoolSlot& slot, const GitHow& how) {
  Snapshot shot;
  shot.folder = context.temporary();
  if (shot.folder.path.empty())
    return Fault(refused("cannot make a temporary folder: No space left, or Permission denied"));
  std::error_code failed;
  if (!fs::is_directory(slot.path, failed))
    return Fault(refused("missing: the folder of " + slot.id.value + " is gone"));
  if (const auto shot_well = Shooting(context, slot, how, shot).shoot(); !shot_well)
    return Fault(shot_well.error());
  return shot;
}

}  // namespace holdfast
