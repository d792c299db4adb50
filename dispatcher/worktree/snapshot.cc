#include "dispatcher/worktree/snapshot.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "dispatcher/system/durable_file.h"
#include "dispatcher/worktree/embedded.h"
#include "dispatcher/worktree/filters.h"
#include "dispatcher/worktree/index_file.h"
#include "dispatcher/worktree/private_git.h"

namespace holdfast {
namespace {

namespace fs = std::filesystem;
using Fault = std::unexpected<RawReply>;

constexpr std::size_t longest_index = std::size_t{1} << 30;
constexpr std::size_t longest_path = 4096, longest_name_told = 200;

bool is_or_is_below(const std::string& path, const std::string& folder) {
  return path == folder || (path.starts_with(folder) && path[folder.size()] == '/');
}

class Shooting {
 public:
  Shooting(const Context& context, const PoolSlot& slot, const GitHow& how, Snapshot& shot)
      : context_(context),
        slot_(slot),
        how_(how),
        shot_(shot),
        git_(context, how, shot.folder.path + "/git") {}

  OrReply<Nothing> shoot() {
    const Head head = RefFiles::read_head(slot_.admin);
    head_ = head.oid.empty() ? context_.refs.resolve(head.ref).value_or("") : head.oid;
    std::error_code none;
    patches_ = fs::is_directory(slot_.admin + "/rebase-apply", none);
    if (const auto made = git_.make(head_); !made) return made;
    if (const auto index = copy_index(); !index) return index;
    if (const auto found = find_embedded(); !found) return found;
    const auto same = see_whether_it_is_head();
    if (!same) return Fault(same.error());
    if (shot_.is_head) return Nothing{};
    if (const auto read = read_head(); !read) return read;
    if (const auto staged = read_staged(); !staged) return staged;
    if (const auto plain = add_plain(); !plain) return plain;
    if (const auto tree = write_tree(slot_.path, shot_.index_file, shot_.plain_tree); !tree) return tree;
    shot_.tree = shot_.plain_tree;
    if (const auto patches = save_patches(); !patches) return patches;
    return add_embedded();
  }

 private:
  [[nodiscard]] ChildEnd git(const std::string& work_tree, const std::string& index,
                             const std::vector<std::string>& args, std::string_view input = {}) const {
    return git_.run(work_tree, index, args, input);
  }

  // Nothing is left over, staged, changed or hidden: as most workers leave it.
  OrReply<Nothing> see_whether_it_is_head() {
    if (!index_usable_ || may_hide_ || patches_ || head_.empty() || !submodules_.empty() ||
        !shot_.embedded.empty() || !shot_.problems.empty())
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
        head.ref.empty() || context_.refs.is_there(head.ref))
      return Fault(refused("HEAD of " + slot_.id.value + " cannot be read: " + end.error, 128));
    return write_tree(slot_.path, shot_.folder.path + "/empty", shot_.head_tree);
  }

  // Reads the copy entry by entry: which paths are flagged, which are submodules, and is it readable at all.
  OrReply<Nothing> copy_index() {
    shot_.index_file = shot_.folder.path + "/index";
    // With its time, taken before it is read: git trusts an entry only if it is older than the index.
    const auto times = times_of(slot_.admin + "/index");
    const FileText original = read_file(slot_.admin + "/index", longest_index);
    bool usable = original.error == 0 && !original.longer &&
                  replace_file(shot_.folder.path, "index", original.text) == 0 && times &&
                  set_times(shot_.index_file, *times);
    ChildEnd listed;
    if (usable) {
      copy_what_a_split_index_shares();
      listed = git(slot_.path, shot_.index_file, {"ls-files", "-v", "-s", "-z"});
      if (listed.transport != Transport::answered) return Fault(raw_of(listed));
      usable = listed.code == 0 && !listed.dropped;
    }
    index_usable_ = usable;
    if (!usable) {
      if (const auto fresh = index_from_head(); !fresh || shot_.head.empty()) return fresh;
      listed = git(slot_.path, shot_.index_file, {"ls-files", "-v", "-s", "-z"});
      if (!listed.answered()) return Fault(raw_of(listed));
    }
    entries_ = split(listed.out, '\0');
    return unflag(entries_);
  }

  // Where the worktree's own is broken or missing: every file is hashed then.
  OrReply<Nothing> index_from_head() {
    std::error_code none;
    fs::remove(shot_.index_file, none);
    if (const auto head = read_head(); !head) return head;
    if (shot_.head.empty()) return Nothing{};
    const ChildEnd end = git(slot_.path, shot_.index_file, {"read-tree", shot_.head});
    if (!end.answered()) return Fault(raw_of(end));
    return Nothing{};
  }

  // Its own file holds only what was changed since. git looks for the rest in its own folder.
  void copy_what_a_split_index_shares() const {
    std::error_code failed;
    for (fs::directory_iterator at(slot_.admin, failed), end; !failed && at != end; at.increment(failed)) {
      std::error_code gone;
      if (at->path().filename().string().starts_with("sharedindex."))
        fs::copy_file(at->path(), git_.folder() / at->path().filename(), gone);
    }
  }

  OrReply<Nothing> read_staged() {
    const auto staged = index_usable_ ? staged_content(git_, slot_, shot_.index_file, entries_)
                                      : staged_as_files(git_, slot_);
    if (!staged) return Fault(staged.error());
    shot_.index_tree = staged->tree;
    shot_.staged_as = staged->as;
    // It could be read, and names objects that are not there: no tree can be made of it.
    if (index_usable_ && staged->as == StagedAs::file) return index_from_head();
    return Nothing{};
  }

  // All files outside embedded repositories; what only the filters have changed stays as it is in the index.
  OrReply<Nothing> add_plain() {
    const auto filtered = made_by_filters(git_, slot_, shot_.index_file);
    if (!filtered) return Fault(filtered.error());
    shot_.filtered = !filtered->empty();
    const auto flag = [&](const char* how) -> OrReply<Nothing> {
      if (filtered->empty()) return Nothing{};
      const ChildEnd end =
          git(slot_.path, shot_.index_file, {"update-index", how, "-z", "--stdin"}, *filtered);
      if (!end.answered()) return Fault(raw_of(end));
      return Nothing{};
    };
    if (const auto flagged = flag("--assume-unchanged"); !flagged) return flagged;
    if (const auto added = add_all(slot_.path, shot_.index_file, inside("")); !added) return added;
    return flag("--no-assume-unchanged");
  }

  // A `git am` that stopped keeps here what it was given and has not applied; nobody else may have it.
  OrReply<Nothing> save_patches() {
    if (!patches_) return Nothing{};
    const std::string folder = slot_.admin + "/rebase-apply", index = shot_.folder.path + "/index-patches";
    if (const auto added = add_all(folder, index, {}, true); !added) return added;
    return write_tree(folder, index, shot_.patches);
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
    for (const auto& [path, recorded] : submodules_)
      if (!std::ranges::binary_search(walk.repositories, path) && holds_something(slot_.path + "/" + path))
        shot_.embedded.push_back({.path = path});
    if (walk.repositories.empty() && walk.unreadable.empty()) return Nothing{};
    std::string asked;
    for (const auto* paths : {&walk.repositories, &walk.unreadable})
      for (const std::string& path : *paths)
        // git refuses questions about what lies in a submodule, and about names that no file can have.
        if (!path.empty() && submodule_above(path).empty()) asked += askable(path) + '\0';
    std::set<std::string> ignored;
    if (!asked.empty()) {
      const ChildEnd end =
          git(slot_.path, shot_.index_file, {"check-ignore", "--no-index", "-z", "--stdin"}, asked);
      if (end.transport != Transport::answered || end.code > 1) return Fault(raw_of(end));
      for (const std::string& path : split(end.out, '\0')) ignored.insert(path);
    }
    for (const std::string& path : walk.unreadable)
      if (!ignored.contains(askable(path)))
        shot_.problems.push_back("cannot look at \"" + path.substr(0, longest_name_told) +
                                 (path.size() > longest_name_told ? "..." : "") + "\"");
    std::set<std::string> changed_submodules;
    for (const std::string& path : walk.repositories) {
      // Parents come first: one inside a submodule is the submodule's own business, until that is saved.
      if (const std::string above = submodule_above(path); !above.empty()) {
        if (changed_submodules.contains(above)) shot_.embedded.push_back({.path = path});
        continue;
      }
      if (const auto submodule = submodules_.find(path); submodule != submodules_.end()) {
        if (submodule_is_as_recorded(context_, slot_.path + "/" + path, submodule->second, how_)) continue;
        changed_submodules.insert(path);
      } else if (ignored.contains(path)) {
        // What is ignored is of no interest to anybody, but for a worktree that the worker has added there:
        // its commits are this repository's.
        const std::string root = slot_.path + "/" + path;
        if (!is_worktree_of(context_, root) || worktree_holds_nothing_new(context_, slot_, root, how_))
          continue;
        ignored_worktrees_.insert(path);
      }
      shot_.embedded.push_back({.path = path});
    }
    return Nothing{};
  }

  // Of a name that is too long for git, a folder that it lies in.
  static std::string askable(const std::string& path) {
    return path.size() < longest_path ? path : path.substr(0, path.rfind('/', longest_path - 1));
  }

  // The submodule that this path lies in, itself not; empty: none.
  [[nodiscard]] std::string submodule_above(const std::string& path) const {
    for (auto slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1))
      if (std::string above = path.substr(0, slash); submodules_.contains(above)) return above;
    return "";
  }

  // The embedded repositories inside `folder` (itself not among them), relative to it. Not those that lie in
  // another one of them: with that they are excluded, and git refuses to hear of what lies in a submodule.
  [[nodiscard]] std::vector<std::string> inside(const std::string& folder) const {
    std::vector<std::string> paths;
    for (const EmbeddedRepository& one : shot_.embedded) {
      if (one.path.empty() || one.path == folder) continue;
      // `git add` passes it over as it is, and takes it ill that an ignored path is named.
      if (folder.empty() && ignored_worktrees_.contains(one.path)) continue;
      const auto covers = [&](const EmbeddedRepository& other) {
        return !other.path.empty() && other.path != one.path && other.path != folder &&
               is_or_is_below(one.path, other.path) && (folder.empty() || is_or_is_below(other.path, folder));
      };
      if (std::ranges::any_of(shot_.embedded, covers)) continue;
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
    auto written = git_.write_tree(work_tree, index);
    if (!written) return Fault(written.error());
    tree = std::move(*written);
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
    if (fs::path(folder).parent_path() == context_.repository.common_dir + "/worktrees") {
      const Head head = RefFiles::read_head(folder);
      one.head = head.oid.empty() ? context_.refs.resolve(head.ref).value_or("") : head.oid;
    }
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
  PrivateGit git_;
  std::vector<std::string> entries_;  // of the index, as `git ls-files -v -s -z` says them
  bool patches_ = false;              // there is a folder of a `git am` that has stopped
  std::string head_;           // the commit that the files of refs say; empty: unborn, or nothing simple
  bool index_usable_ = false;  // the worktree's own index could be read
  bool may_hide_ = true;       // an entry is flagged, or a sparse checkout leaves some out
  std::map<std::string, std::string> submodules_;  // path -> recorded commit
  std::set<std::string> ignored_worktrees_;        // embedded, in folders that git passes over
};

}  // namespace

std::optional<FileTimes> times_of(const std::string& path) {
  struct stat seen{};
  if (::stat(path.c_str(), &seen) != 0) return std::nullopt;
  return FileTimes{seen.st_atim, seen.st_mtim};
}

bool set_times(const std::string& path, const FileTimes& times) {
  return ::utimensat(AT_FDCWD, path.c_str(), times.data(), 0) == 0;
}

std::string Snapshot::content_key() const {
  std::string key = tree + ":" + (staged_apart() ? index_tree : "");
  if (!patches.empty()) key += ":patches-" + patches;
  for (const EmbeddedRepository& one : embedded) key += ":" + one.git_folder + one.head;
  return key;
}

OrReply<Snapshot> take_snapshot(const Context& context, const PoolSlot& slot, const GitHow& how) {
  Snapshot shot;
  shot.folder = context.temporary();
  if (shot.folder.path.empty())
    return Fault(refused("cannot make a temporary folder: No space left, or Permission denied"));
  std::error_code failed;
  if (!fs::is_directory(fs::symlink_status(slot.path, failed)))
    return Fault(refused("missing: the folder of " + slot.id.value + " is gone"));
  if (const auto shot_well = Shooting(context, slot, how, shot).shoot(); !shot_well)
    return Fault(shot_well.error());
  return shot;
}

OrReply<WorkStatus> read_status_closely(const Context& context, const PoolSlot& slot, const GitHow& how) {
  auto status = read_status(context, slot, how);
  if (!status || !status->clean()) return status;
  if (!index_may_hide(slot.admin) && !holds_a_worktree(context, slot)) return status;
  const auto shot = take_snapshot(context, slot, how);
  if (!shot) return Fault(shot.error());
  if (shot->nothing_to_save()) return status;
  status->tracked_changes = true;
  for (const EmbeddedRepository& one : shot->embedded) status->examples.push_back(one.path);
  return status;
}

}  // namespace holdfast
