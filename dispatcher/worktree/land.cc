#include "dispatcher/worktree/operations.h"
namespace holdfast {
Reply<Landed> land_branch(const Context&, const LandOrder&, const Deadline&) {
  return failed_with<Landed>(not_sent("not yet"));
}
Reply<Nothing> push_branch(const Context&, const BranchOrder&, const Deadline&) {
  return failed_with<Nothing>(not_sent("not yet"));
}
}  // namespace holdfast
