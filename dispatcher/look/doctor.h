// What is not as it should be between board, ledger and world. Finding is pure; only reading and mending
// touch anything.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "dispatcher/core/knowledge.h"
#include "dispatcher/core/policy.h"
#include "dispatcher/rows/rows.h"

namespace holdfast {

class LookAround;

enum class Weight { note, warning, problem };

struct Finding {
  Weight weight = Weight::warning;
  std::string kind;   // "drift", "stray-session", ... stable
  std::string about;  // ticket, runtime, slot, session
  std::string words;
  std::string remedy;  // what a person can do; empty: the dispatcher does it
};

const char* words_of(Weight);
Json row_of(const Finding&);

// Attempts that the ledger knows, open or closed: everything else with such a name is a stray.
using KnownAttempts = std::set<AttemptId>;

std::vector<Finding> find_drift(const Knowledge&, const Policy&);
std::vector<Finding> find_strays(const Knowledge&, const KnownAttempts&);
std::vector<Finding> find_pool_trouble(const Knowledge&, const std::vector<SlotSighting>&);
// Commits of finished tickets that are on no target: asked of git ticket by ticket.
std::vector<Finding> find_stranded(LookAround&);

// All of them and what could not be seen, behind `already`, the heaviest first. The look must have included
// the worktrees.
std::vector<Finding> examine(LookAround&, const KnownAttempts&, std::vector<Finding> already);
KnownAttempts known_attempts(LookAround&);

}  // namespace holdfast
