// What preparing a slot costs, measured against bare git in the same run, turn by turn, so that a noisy
// machine is noisy for both. Prints medians and ratios. Not a test: `worktree_prepare_benchmark [rounds]
// [files]`.
#include <stdlib.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "dispatcher/core/names.h"
#include "dispatcher/worktree/git_worktrees.h"

namespace {

namespace fs = std::filesystem;
using namespace holdfast;

constexpr Duration long_enough = minutes(10);

struct World {
  fs::path root, main, state;
  std::vector<std::string> env{std::string("PATH=") + ::getenv("PATH"),
                               "GIT_AUTHOR_NAME=b",
                               "GIT_AUTHOR_EMAIL=b@b",
                               "GIT_COMMITTER_NAME=b",
                               "GIT_COMMITTER_EMAIL=b@b",
                               "HOME=/nonexistent"};

  void git(const fs::path& folder, std::vector<std::string> args) const {
    ChildCommand command;
    command.argv = {"git"};
    command.argv.insert(command.argv.end(), args.begin(), args.end());
    command.env = env;
    command.cwd = folder.string();
    const ChildEnd end = run_child(command, Deadline(long_enough));
    if (!end.answered()) {
      std::fprintf(stderr, "git %s: %s\n", args.front().c_str(), end.error.c_str());
      ::exit(1);
    }
  }
};

template <class Work>
double microseconds(const Work& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count();
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 60;
  const int files = argc > 2 ? std::atoi(argv[2]) : 50;
  World world;
  std::string pattern = (fs::temp_directory_path() / "holdfast-bench-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) return 1;
  world.root = pattern;
  world.main = world.root / "main";
  world.state = world.root / "state";
  fs::create_directories(world.main);
  world.git(world.main, {"init", "-q", "-b", "main"});
  for (int n = 0; n < files; ++n) {
    const fs::path file = world.main / ("dir" + std::to_string(n % 50)) / ("file" + std::to_string(n));
    fs::create_directories(file.parent_path());
    std::ofstream(file) << "contents " << n << "\n";
  }
  world.git(world.main, {"add", "-A"});
  world.git(world.main, {"commit", "-q", "-m", "base"});
  GitWorktrees worktrees(world.main.string(), world.state.string());
  const auto pool = worktrees.ensure_pool(2, "refs/heads/main", long_enough);
  if (pool.raw.code != 0) return 1;
  const fs::path bare = world.state / "pool/slot-002";

  std::vector<double> ours, checkout, status_and_checkout, three;
  for (int round = 0; round < rounds; ++round) {
    const AttemptId attempt{{"T-" + std::to_string(round)}, {1}};
    const BranchName branch = branch_name(attempt, "bench");
    ours.push_back(microseconds([&] {
      const auto reply = worktrees.prepare({{"slot-001"}, attempt, branch, "refs/heads/main"}, long_enough);
      if (reply.raw.code != 0 || reply.value.base.empty()) ::exit(1);
    }));
    if (worktrees.release({{"slot-001"}, attempt}, pool.value[0].head, "refs/heads/main", long_enough)
            .raw.code != 0)
      return 1;
    const std::string name = "b" + std::to_string(round);
    checkout.push_back(
        microseconds([&] { world.git(bare, {"checkout", "-q", "--no-track", "-b", name, "main"}); }));
    world.git(bare, {"checkout", "-q", "--detach"});
    status_and_checkout.push_back(microseconds([&] {
      world.git(bare, {"status", "--porcelain=v2", "--branch", "-z"});
      world.git(bare, {"checkout", "-q", "--no-track", "-b", name + "s", "main"});
    }));
    world.git(bare, {"checkout", "-q", "--detach"});
    three.push_back(microseconds([&] {
      world.git(bare, {"status", "--porcelain=v2", "--branch", "-z"});
      world.git(bare, {"update-ref", "refs/heads/" + name + "u", "main", ""});
      world.git(bare, {"symbolic-ref", "HEAD", "refs/heads/" + name + "u"});
    }));
    world.git(bare, {"checkout", "-q", "--detach"});
  }
  const double base = median(checkout);
  std::printf(
      "%d files, %d rounds, median microseconds (ratio to bare git checkout -b, which does not look for "
      "dirt)\n",
      files, rounds);
  for (const auto& [name, values] : {std::pair{"prepare()", &ours}, std::pair{"git checkout -b", &checkout},
                                     std::pair{"git status + checkout -b", &status_and_checkout},
                                     std::pair{"git status + update-ref + symbolic-ref", &three}})
    std::printf("%-42s %8.0f  %5.2f\n", name, median(*values), median(*values) / base);
  fs::remove_all(world.root);
  return 0;
}
