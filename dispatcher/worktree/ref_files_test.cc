// Refs read as files are what git says they are.
#include "dispatcher/worktree/ref_files.h"

#include <gmock/gmock.h>

#include <filesystem>

#include "dispatcher/worktree/scratch_repository.h"

namespace holdfast {
namespace {

namespace fs = std::filesystem;

class RefFilesTest : public ScratchRepository {
 protected:
  [[nodiscard]] std::string common() const { return (main_ / ".git").string(); }
  RefMap by_git(const std::vector<std::string>& patterns) {
    std::vector<std::string> args{"for-each-ref", "--format=%(refname) %(objectname) %(symref)"};
    args.insert(args.end(), patterns.begin(), patterns.end());
    RefMap refs;
    for (const std::string& line : split(git(main_, args), '\n'))
      if (const auto words = split(line, ' '); words.size() == 2) refs[words[0]] = words[1];
    return refs;
  }
};

TEST_F(RefFilesTest, ListsWhatGitLists) {
  const std::vector<std::string> names{"refs/heads/hf/T-1-a-g1",          "refs/heads/hf/T-1-b-g2",
                                       "refs/heads/hf/T-1-sub/deeper",    "refs/heads/hf/T-10-a-g1",
                                       "refs/holdfast/keep/T-1/g1/head",  "refs/holdfast/keep/T-1/g2/head-1",
                                       "refs/holdfast/keep/T-10/g1/head", "refs/holdfast/salvage/T-1/g1/001"};
  const std::vector<std::string> patterns{
      "refs/heads/hf/T-1-*", "refs/holdfast/keep/T-1/", "refs/holdfast/salvage/T-1/",
      "refs/heads/main",     "refs/heads/none",         "refs/stash"};
  const auto same = [&](const std::string& when) {
    const auto listed = RefFiles(common()).list(patterns);
    ASSERT_TRUE(listed) << when;
    EXPECT_EQ(*listed, by_git(patterns)) << when;
  };
  same("empty");
  for (const std::string& name : names) git(main_, {"update-ref", name, tip("main")});
  same("loose");
  git(main_, {"pack-refs", "--all"});
  same("packed");
  const std::string newer = commit(main_, "file1", "newer");
  for (const std::size_t i : {0U, 3U, 4U}) git(main_, {"update-ref", names[i], newer});
  same("some loosened, and newer than the packed ones");
  git(main_, {"update-ref", "-d", names[1]});
  git(main_, {"symbolic-ref", "refs/heads/hf/T-1-link", "refs/heads/main"});
  write(fs::path(common()) / "refs/heads/hf/T-1-x.lock", "");
  write(main_ / "file1", "stashed");
  git(main_, {"stash"});
  same("deleted, symbolic, locked, stashed");
  EXPECT_EQ(RefFiles(common()).list({"refs/stash"})->size(), 1U);
  git(main_, {"update-ref", "refs/heads/hf/T-1-packed", newer});
  git(main_, {"pack-refs", "--all"});
  git(main_, {"symbolic-ref", "refs/heads/hf/T-1-packed", "refs/heads/main"});
  same("a symbolic one over a packed one");
}

TEST_F(RefFilesTest, LeavesToGitWhatIsNothingSimple) {
  const RefFiles refs(common());
  EXPECT_FALSE(refs.list({"refs/tags/v1"})) << "a tag may be no commit";
  EXPECT_FALSE(refs.list({"refs/heads/../../../secret"}));
  EXPECT_FALSE(refs.resolve("refs/heads/../../../secret"));
  EXPECT_FALSE(refs.list({"HEAD"}));
  write(fs::path(common()) / "refs/heads/broken", "");  // as a power cut leaves one
  EXPECT_FALSE(refs.list({"refs/heads/broken"}));
  fs::create_directories(fs::path(common()) / "reftable");
  EXPECT_FALSE(refs.list({"refs/heads/main"})) << "refs are no files there";
}

TEST_F(RefFilesTest, AHeadThatWasMovedMeanwhileIsNotMoved) {
  const fs::path slot = prepared(attempt());
  const std::string admin = common() + "/worktrees/" + slot.filename().string();
  const Head before = RefFiles::read_head(admin);
  ASSERT_FALSE(before.ref.empty());
  git(slot, {"checkout", "-q", "--detach"});
  EXPECT_FALSE(RefFiles::move_head(admin, before, tip("main")));
  EXPECT_FALSE(fs::exists(admin + "/HEAD.lock"));
  EXPECT_TRUE(RefFiles::move_head(admin, RefFiles::read_head(admin), "ref: " + before.ref));
}

}  // namespace
}  // namespace holdfast
