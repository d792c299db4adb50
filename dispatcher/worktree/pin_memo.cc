#include "dispatcher/worktree/pin_memo.h"

#include <sys/stat.h>

namespace holdfast {
namespace {

FileLook look_at_file(std::string path) {
  struct stat seen{};
  FileLook look{.path = std::move(path)};
  if (::stat(look.path.c_str(), &seen) != 0) return look;
  look.mtime_ns = std::int64_t{seen.st_mtim.tv_sec} * 1'000'000'000 + seen.st_mtim.tv_nsec;
  look.size = seen.st_size;
  look.inode = seen.st_ino;
  return look;
}

}  // namespace

PinLook look_before_pin(const Context& context, const BranchOrder& order) {
  PinLook look;
  const auto slot = find_slot(context, order.slot);
  if (!slot) return look;
  const std::string& common = context.repository.common_dir;
  const auto add = [&look](const std::string& path) { look.push_back(look_at_file(path)); };
  add(slot->admin + "/HEAD");
  const Head head = RefFiles::read_head(slot->admin);
  add(slot->admin + "/logs/HEAD");
  for (const char* autostash : {"/rebase-merge/autostash", "/rebase-apply/autostash", "/MERGE_AUTOSTASH"})
    add(slot->admin + autostash);
  const std::string branch = "refs/heads/" + order.branch.value;
  add(common + "/" + branch);
  // A worker can write anything into its HEAD: a path that leads elsewhere is looked at, never read.
  if (!head.ref.empty() && head.ref != branch) add(common + "/" + head.ref);
  for (const char* name : {"/packed-refs", "/refs/stash", "/logs/refs/stash", "/reftable/tables.list"})
    add(common + name);
  add(slot->admin + "/reftable/tables.list");
  return look;
}

}  // namespace holdfast
