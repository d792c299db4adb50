#include "dispatcher/worktree/scratch_repository.h"

#include <stdlib.h>

#include <cstdio>
#include <fstream>
#include <sstream>

#include "dispatcher/core/names.h"

namespace holdfast {
namespace {

namespace fs = std::filesystem;

ChildEnd run_git(const fs::path& folder, const fs::path& home, const std::vector<std::string>& args) {
  ChildCommand command;
  command.argv = {"git"};
  command.argv.insert(command.argv.end(), args.begin(), args.end());
  command.env = {std::string("PATH=") + ::getenv("PATH"),
                 "HOME=" + home.string(),
                 "LC_ALL=C",
                 "GIT_EDITOR=true",
                 "GIT_AUTHOR_NAME=Worker",
                 "GIT_AUTHOR_EMAIL=w@x",
                 "GIT_COMMITTER_NAME=Worker",
                 "GIT_COMMITTER_EMAIL=w@x"};
  command.cwd = folder.string();
  return run_child(command, Deadline(seconds(60)));
}

SlotId slot_id(int slot) {
  char name[32];
  std::snprintf(name, sizeof name, "slot-%03d", slot);
  return {name};
}

}  // namespace

void ScratchRepository::SetUp() {
  std::string pattern = (fs::temp_directory_path() / "holdfast-git-XXXXXX").string();
  ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
  root_ = fs::canonical(pattern);
  main_ = root_ / "main";
  state_ = root_ / "state";
  fs::create_directories(main_);
  git(main_, {"init", "-q", "-b", "main"});
  git(main_, {"config", "core.fsync", "none"});
  for (int n = 1; n <= 12; ++n)
    write(main_ / ("file" + std::to_string(n)), "line 1\nline 2\nline 3\nline 4\n");
  write(main_ / ".gitignore", "build/\n*.o\n");
  git(main_, {"add", "-A"});
  git(main_, {"commit", "-q", "-m", "base"});
  base_ = tip("HEAD");
}

void ScratchRepository::TearDown() {
  std::error_code ignored;
  fs::remove_all(root_, ignored);
}

std::string ScratchRepository::git(const fs::path& folder, const std::vector<std::string>& args) {
  const ChildEnd end = run_git(folder, root_, args);
  std::string words;
  for (const auto& arg : args) words += arg + " ";
  EXPECT_TRUE(end.answered()) << "git " << words << ": " << end.error;
  return end.out.ends_with('\n') ? end.out.substr(0, end.out.size() - 1) : end.out;
}

int ScratchRepository::try_git(const fs::path& folder, const std::vector<std::string>& args) {
  return run_git(folder, root_, args).code;
}

void ScratchRepository::write(const fs::path& file, std::string_view contents) {
  fs::create_directories(file.parent_path());
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out.write(contents.data(), static_cast<std::streamsize>(contents.size()));
}

std::string ScratchRepository::read(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string ScratchRepository::commit(const fs::path& folder, const std::string& file,
                                      std::string_view contents, const std::string& message) {
  write(folder / file, contents);
  git(folder, {"add", "--", file});
  git(folder, {"commit", "-q", "-m", message});
  return git(folder, {"rev-parse", "HEAD"});
}

std::string ScratchRepository::picture_of_main() {
  std::ostringstream picture;
  std::set<fs::path> files;
  for (fs::recursive_directory_iterator at(main_), end; at != end; ++at) {
    if (at->path() == main_ / ".git")
      at.disable_recursion_pending();
    else
      files.insert(at->path());
  }
  for (const char* name : {"HEAD", "index", "config", "info/exclude"}) files.insert(main_ / ".git" / name);
  for (const fs::path& file : files)
    picture << file.string() << '\0' << (fs::is_regular_file(file) ? read(file) : "") << '\0'
            << fs::last_write_time(file).time_since_epoch().count() << '\n';
  for (const std::string& line :
       split(git(main_, {"for-each-ref", "--format=%(refname) %(objectname)"}), '\n'))
    if (!line.starts_with("refs/heads/hf/") && !line.starts_with("refs/holdfast/")) picture << line << '\n';
  return picture.str();
}

GitWorktrees& ScratchRepository::worktrees(WorktreeOptions options) {
  if (!worktrees_) {
    options.git.extra_env.push_back("HOME=" + root_.string());
    worktrees_ = std::make_unique<GitWorktrees>(main_.string(), state_.string(), std::move(options));
  }
  return *worktrees_;
}

PrepareOrder ScratchRepository::prepare_order(const AttemptId& attempt, int slot) const {
  return {slot_id(slot), attempt, branch_name(attempt, "Do the work"), "refs/heads/main"};
}

BranchOrder ScratchRepository::branch_order(const AttemptId& attempt, int slot) const {
  return {slot == 0 ? SlotId{} : slot_id(slot),
          attempt,
          branch_name(attempt, "Do the work"),
          {base_},
          "refs/heads/main",
          remote_};
}

fs::path ScratchRepository::prepared(const AttemptId& attempt, int slot) {
  const auto pool = worktrees().ensure_pool(slot, "refs/heads/main", soon);
  EXPECT_TRUE(done(pool.raw)) << pool.raw.error;
  const auto ready = worktrees().prepare(prepare_order(attempt, slot), soon);
  EXPECT_TRUE(done(ready.raw)) << ready.raw.error;
  return ready.value.path;
}

BranchFacts ScratchRepository::facts(const AttemptId& attempt, int slot) {
  auto reply = worktrees().inspect(branch_order(attempt, slot), soon);
  EXPECT_TRUE(done(reply.raw)) << reply.raw.error;
  return reply.value;
}

}  // namespace holdfast
