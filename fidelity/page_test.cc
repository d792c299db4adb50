// docs/fidelity.md is the table of known differences, printed.
//
// HOLDFAST_WRITE_DOCS=1 rewrites the page; commit only what you can explain.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "fidelity/facts.h"

namespace holdfast::fidelity {
namespace {

std::string page() {
  std::ostringstream out;
  out << "# Simulated and real, side by side\n\n"
         "The simulated ports are only worth something where they do what the real ones do. The tests in\n"
         "`fidelity/` ask both the same, in sequences that RapidCheck generates: the simulated ledger "
         "beside\n"
         "SQLite, the simulated board beside the built-in one, the simulated tmux beside a private server, "
         "the\n"
         "simulated repository beside a scratch one. Compared are the outcome, as `core/classify` sees it, "
         "and\n"
         "everything that the answer shows; after each command also what there is. A difference ends the "
         "test,\n"
         "unless it is one of these. This page is printed from `fidelity/differences.cc` and checked by a "
         "test;\n"
         "another test fails if one of them is not met any more.\n\n"
         "Each of these tests also has twins: the same sequences against a simulated port that is built "
         "wrongly\n"
         "in one place. A twin that nobody tells from the real part fails the test.\n";
  std::string_view port;
  for (const Difference& one : differences()) {
    if (one.port != port) {
      port = one.port;
      out << "\n## " << port
          << "\n\n| difference | real | simulated | why it may stay |\n| --- | --- | --- | --- |\n";
    }
    out << "| " << one.id << " | " << one.real << " | " << one.simulated << " | " << one.why << " |\n";
  }
  out << "\n## Not compared\n\n"
         "- **Words.** Error texts differ; what is compared is what they are taken for. (The ledger's "
         "refusals\n"
         "  are core's own words, and are compared.)\n"
         "- **Faults.** Here nothing goes wrong. That the false replies of `sim/world/strikes.cc` are those "
         "of the\n"
         "  real adapters is held by the adapters' own tests and by the scenarios.\n"
         "- **Parts.** A real command may be cut off between its steps; the simulated one has the steps "
         "that\n"
         "  matter. Interrupted git is tested in `dispatcher/worktree/interrupted_test.cc`.\n"
         "- **Records and processes.** The runner is compared with itself: its contract is\n"
         "  `dispatcher/runner/runner_test.cc`, and the end-to-end tests.\n"
         "- **Pins of where a branch began.** They hold nothing of a worker's, and the real one leaves them "
         "out where\n"
         "  it can see that without a process.\n"
         "- **Remotes.** The simulated repository has none.\n"
         "- **What no simulated worker does:** amend, rebase, stash, nested repositories, conflicts.\n";
  return out.str();
}

TEST(FidelityPage, SaysWhatTheTableHolds) {
  const std::string path = std::string(HOLDFAST_SOURCE_DIR) + "/docs/fidelity.md";
  if (std::getenv("HOLDFAST_WRITE_DOCS") != nullptr) std::ofstream(path) << page();
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_EQ(text.str(), page()) << "rewrite it with HOLDFAST_WRITE_DOCS=1, and read the difference";
}

TEST(FidelityPage, EveryDifferenceHasItsReason) {
  std::set<std::string_view> ids;
  for (const Difference& one : differences()) {
    EXPECT_TRUE(ids.insert(one.id).second) << one.id;
    for (const std::string_view words : {one.real, one.simulated, one.why})
      EXPECT_FALSE(words.empty()) << one.id;
  }
}

}  // namespace
}  // namespace holdfast::fidelity
