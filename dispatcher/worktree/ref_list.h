// Many refs in one look, and many ref changes in one transaction.
#pragma once

#include <string>
#include <vector>

#include "dispatcher/worktree/context.h"

namespace holdfast {

// `patterns` as git for-each-ref takes them: a full name, a folder, or a glob. Symbolic refs and what is no
// commit are left out.
OrReply<RefMap> list_refs(const Context&, const std::vector<std::string>& patterns, const GitHow&);

// All or nothing. An empty `old` means that the ref must not exist yet.
struct RefChange {
  std::string ref;
  std::string now;
  std::string old;
};
RawReply change_refs(const Context&, const std::vector<RefChange>&, const std::string& reason, const GitHow&);

}  // namespace holdfast
