// The index read as a file, against what git writes.
#include "dispatcher/worktree/index_file.h"

#include "dispatcher/worktree/scratch_repository.h"

namespace holdfast {
namespace {

class IndexFile : public ScratchRepository {
 protected:
  [[nodiscard]] bool may_hide() const { return index_may_hide((main_ / ".git").string()); }
};

TEST_F(IndexFile, APlainOneHidesNothingInAnyVersion) {
  write(main_ / "a folder/with a long name, of many letters/file", "x");
  std::filesystem::create_symlink("file1", main_ / "link");
  git(main_, {"add", "-A"});
  for (const char* version : {"2", "3", "4"}) {
    git(main_, {"update-index", "--index-version", version});
    EXPECT_FALSE(may_hide()) << version;
    write(main_ / "intended", "i");
    git(main_, {"add", "-N", "intended"});  // an entry with more flags than usual
    EXPECT_FALSE(may_hide()) << version;
    for (const char* flag : {"assume-unchanged", "skip-worktree"}) {
      git(main_, {"update-index", std::string("--") + flag, "file9"});
      EXPECT_TRUE(may_hide()) << version << flag;
      git(main_, {"update-index", std::string("--no-") + flag, "file9"});
      EXPECT_FALSE(may_hide()) << version << flag;
    }
    git(main_, {"rm", "-q", "--cached", "intended"});
  }
  git(main_, {"update-index", "--split-index"});
  EXPECT_TRUE(may_hide());
}

TEST_F(IndexFile, WhatCannotBeUnderstoodMayHideAnything) {
  const auto index = main_ / ".git/index";
  const std::string bytes = read(index);
  for (std::size_t length = 0; length < bytes.size(); length += 7)
    EXPECT_TRUE(index_text_may_hide(std::string_view(bytes).substr(0, length), 20)) << length;
  EXPECT_TRUE(index_text_may_hide(bytes, 32));
  EXPECT_FALSE(index_text_may_hide(bytes, 20));
  std::filesystem::remove(index);
  EXPECT_FALSE(may_hide()) << "then everything is untracked, and seen";
}

}  // namespace
}  // namespace holdfast
