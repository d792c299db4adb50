#include "dispatcher/worktree/private_git.h"

#include <filesystem>

#include "dispatcher/system/durable_file.h"

namespace holdfast {

OrReply<Nothing> PrivateGit::make(const std::string& head) const {
  std::error_code failed;
  for (const char* part : {"", "/refs", "/objects", "/info"})
    std::filesystem::create_directories(folder_ + part, failed);
  const bool sha256 = head.size() == 64;
  const std::string config =
      std::string("[core]\n\trepositoryformatversion = ") + (sha256 ? "1" : "0") +
      "\n\tbare = false\n\tprotectNTFS = false\n\tprotectHFS = false\n\tautocrlf = false\n"
      "\tsafecrlf = false\n\tsplitIndex = false\n" +
      (sha256 ? "[extensions]\n\tobjectFormat = sha256\n" : "");
  const FileText exclude = read_file(context_.repository.common_dir + "/info/exclude", 1 << 20);
  if (replace_file(folder_, "HEAD", head.empty() ? "ref: refs/heads/none\n" : head + "\n") != 0 ||
      replace_file(folder_, "config", config) != 0 ||
      replace_file(folder_ + "/info", "attributes", "* -text -filter -ident -working-tree-encoding -eol\n") !=
          0 ||
      replace_file(folder_ + "/info", "exclude", exclude.text) != 0)
    return std::unexpected(refused("cannot write " + folder_ + ": Permission denied or disk full"));
  return Nothing{};
}

ChildEnd PrivateGit::run(const std::string& work_tree, const std::string& index,
                         const std::vector<std::string>& args, std::string_view input) const {
  // Compressed a little: what may be large is to be safe soon, and a later gc packs it better.
  std::vector<std::string> all{"-c", "core.fsync=all",    "-c", "core.fsyncMethod=batch",
                               "-c", "core.compression=1"};
  all.insert(all.end(), args.begin(), args.end());
  const GitPlace place{.git_dir = folder_,
                       .work_tree = work_tree,
                       .folder = work_tree,
                       .index = index,
                       .objects = context_.repository.common_dir + "/objects",
                       .alternates = ""};
  return context_.git.run(place, all, {.deadline = how_.deadline, .lock_fd = how_.lock_fd, .input = input});
}

OrReply<std::string> PrivateGit::write_tree(const std::string& work_tree, const std::string& index) const {
  const ChildEnd end = run(work_tree, index, {"write-tree"});
  if (!end.answered()) return std::unexpected(raw_of(end));
  return trimmed(end.out);
}

}  // namespace holdfast
