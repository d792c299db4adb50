// For tests of salvage and release: both calls in short, and a salvage written out.
#pragma once

#include <gmock/gmock.h>

#include <filesystem>
#include <string>

#include "dispatcher/worktree/scratch_repository.h"

namespace holdfast {

class SalvageKit : public ScratchRepository {
 protected:
  Reply<Salvaged> salvage(const AttemptId& of, int slot = 1) {
    return worktrees().salvage(branch_order(of, slot), soon);
  }
  Reply<SlotSighting> release(const AttemptId& of, const std::string& head, int slot = 1) {
    return worktrees().release({branch_order(of, slot).slot, of}, {head}, "refs/heads/main", soon);
  }
  // The salvage's tree, written out; its folder.
  std::filesystem::path restored(const std::string& ref) {
    const std::filesystem::path to = root_ / "restored";
    std::filesystem::remove_all(to);
    git(main_, {"worktree", "add", "-q", "--detach", to.string(), ref});
    return to;
  }
  static std::string salvage_ref(const Reply<Salvaged>& reply) {
    for (const std::string& ref : reply.value.refs)
      if (ref.starts_with("refs/holdfast/salvage/")) return ref;
    return "";
  }
};

}  // namespace holdfast
