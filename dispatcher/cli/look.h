// The parts of an installation, opened for one look at it: read-only, and closed when it is over.
#pragma once

#include <memory>

#include "dispatcher/cli/installation.h"
#include "dispatcher/look/doctor.h"
#include "dispatcher/look/look.h"

namespace holdfast::cli {

// What is looked at lives as long as the look.
class OwnLook final : public LookAround {
 public:
  OwnLook(const Config&, std::unique_ptr<Installation>, std::unique_ptr<Desk>);

  Config config;
  std::unique_ptr<Installation> parts;
  std::unique_ptr<Desk> own_desk;
};

// `worktrees`: also ask git about the pool and its refs.
Or<std::unique_ptr<OwnLook>> look_around(const Config&, bool worktrees);

// What only this program can see: tools, repository, the ledger's file. For `doctor`.
std::vector<Finding> find_what_is_broken(OwnLook&);

}  // namespace holdfast::cli
