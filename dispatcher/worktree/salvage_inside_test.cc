// Salvage where what lies in a worktree is not what git keeps of it: submodules, and files that filters make.
#include <filesystem>

#include "dispatcher/system/clocks.h"
#include "dispatcher/worktree/salvage_kit.h"

namespace holdfast {
namespace {

namespace fs = std::filesystem;

class SalvageOfSubmodules : public SalvageKit {
 protected:
  // With a submodule at lib/, which is initialised in the slot where that is wanted.
  fs::path prepared_with_submodule(bool initialised = true) {
    const fs::path other = root_ / "other";
    git(root_, {"init", "-q", "-b", "main", other.string()});
    commit(other, "inside", "one");
    git(main_, {"-c", "protocol.file.allow=always", "submodule", "add", "-q", other.string(), "lib"});
    git(main_, {"commit", "-q", "-m", "with a submodule"});
    base_ = tip("HEAD");
    const fs::path slot = prepared(attempt());
    if (initialised) update(slot);
    return slot;
  }
  void update(const fs::path& slot) {
    git(slot, {"-c", "protocol.file.allow=always", "submodule", "update", "-q", "--init", "--recursive"});
  }
};

TEST_F(SalvageOfSubmodules, NothingHidesInOne) {
  struct Case {
    const char* name;
    std::function<void(const fs::path& lib)> story;
    const char* file;
    const char* contents;
  };
  const Case cases[] = {
      {"changed, and ignored by a setting",
       [this](const fs::path& lib) {
         git(lib.parent_path(), {"config", "submodule.lib.ignore", "all"});
         write(lib / "inside", "changed");
       },
       "inside", "changed"},
      {"untracked, and not shown",
       [this](const fs::path& lib) {
         git(lib, {"config", "status.showUntrackedFiles", "no"});
         write(lib / "new", "untracked");
       },
       "new", "untracked"},
      {"assume-unchanged",
       [this](const fs::path& lib) {
         git(lib, {"update-index", "--assume-unchanged", "inside"});
         write(lib / "inside", "hidden");
       },
       "inside", "hidden"},
      {"a branch of its own",
       [this](const fs::path& lib) {
         git(lib, {"checkout", "-q", "-b", "own"});
         commit(lib, "inside", "on a branch");
         git(lib, {"checkout", "-q", "--detach", "origin/main"});
       },
       "inside", "one"},
      {"a stash",
       [this](const fs::path& lib) {
         write(lib / "inside", "stashed");
         git(lib, {"stash", "-q"});
       },
       "inside", "one"},
  };
  const fs::path slot = prepared_with_submodule();
  ASSERT_TRUE(done(release(attempt(), base_).raw));
  int n = 1;
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    const AttemptId of = attempt("T-" + std::to_string(++n));
    ASSERT_TRUE(done(worktrees().prepare(prepare_order(of), soon).raw));
    update(slot);
    EXPECT_EQ(facts(of).uncommitted, Tri::no);
    c.story(slot / "lib");
    EXPECT_EQ(facts(of).uncommitted, Tri::yes);
    const auto saved = salvage(of);
    ASSERT_TRUE(done(saved.raw)) << saved.raw.error;
    ASSERT_FALSE(saved.value.refs.empty());
    EXPECT_EQ(git(main_, {"show", salvage_ref(saved) + ":lib/" + c.file}), c.contents);
    ASSERT_TRUE(done(release(of, base_).raw));
    EXPECT_EQ(git(slot, {"status", "--porcelain"}), "");
  }
}

TEST_F(SalvageOfSubmodules, FilesInOneThatIsNotInitialisedAreSaved) {
  const fs::path slot = prepared_with_submodule(false);
  EXPECT_TRUE(salvage(attempt()).value.refs.empty()) << "an empty folder is as it should be";
  write(slot / "lib/notes/by hand", "precious");
  EXPECT_EQ(git(slot, {"status", "--porcelain"}), "");
  EXPECT_EQ(facts(attempt()).uncommitted, Tri::yes);
  const auto saved = salvage(attempt());
  ASSERT_TRUE(done(saved.raw)) << saved.raw.error;
  EXPECT_EQ(git(main_, {"show", salvage_ref(saved) + ":lib/notes/by hand"}), "precious");
  ASSERT_TRUE(done(release(attempt(), base_).raw));
  EXPECT_FALSE(fs::exists(slot / "lib/notes"));
  EXPECT_TRUE(fs::is_directory(slot / "lib"));
}

TEST_F(SalvageOfSubmodules, OneInsideAnotherIsNoChange) {
  const fs::path deep = root_ / "deep";
  git(root_, {"init", "-q", "-b", "main", deep.string()});
  commit(deep, "deepest", "d");
  git(root_, {"init", "-q", "-b", "main", "other"});
  git(root_ / "other", {"-c", "protocol.file.allow=always", "submodule", "add", "-q", deep.string(), "sub"});
  git(root_ / "other", {"commit", "-q", "-m", "nested"});
  const fs::path slot = prepared_with_submodule();
  ASSERT_TRUE(fs::exists(slot / "lib/sub/deepest"));
  const auto clean = salvage(attempt());
  ASSERT_TRUE(done(clean.raw)) << clean.raw.error;
  EXPECT_TRUE(clean.value.refs.empty());
  git(slot / "lib/sub", {"update-index", "--assume-unchanged", "deepest"});
  write(slot / "lib/sub/deepest", "hidden deep");
  const auto saved = salvage(attempt());
  ASSERT_TRUE(done(saved.raw)) << saved.raw.error;
  EXPECT_EQ(git(main_, {"show", salvage_ref(saved) + ":lib/sub/deepest"}), "hidden deep");
}

class SalvageWithFilters : public SalvageKit {
 protected:
  // Large-file storage in small: what is committed is a pointer, and what lies there is not.
  fs::path prepared_with_filter() {
    write(main_ / ".gitattributes", "*.big filter=store\n*.dos text eol=crlf\n*.id ident\n");
    git(main_, {"config", "filter.store.clean", "sed s/^/pointer-to-/"});
    git(main_, {"config", "filter.store.smudge", "sed s/^pointer-to-//"});
    write(main_ / "a.dos", "one\r\ntwo\r\n");
    write(main_ / "a.id", "$Id$\n");
    commit(main_, "a.big", "content\n");
    git(main_, {"add", "-A"});
    git(main_, {"commit", "-q", "-m", "filtered"});
    base_ = tip("HEAD");
    const fs::path slot = prepared(attempt());
    EXPECT_EQ(read(slot / "a.big"), "content\n");
    // As after a checkout in one and the same second: nothing but a look at the content can tell.
    for (const char* file : {"a.big", "a.dos", "a.id"})
      fs::last_write_time(slot / file, fs::file_time_type::clock::now());
    return slot;
  }
};

TEST_F(SalvageWithFilters, WhatTheyMadeIsNoChange) {
  const fs::path slot = prepared_with_filter();
  const auto clean = salvage(attempt());
  ASSERT_TRUE(done(clean.raw)) << clean.raw.error;
  EXPECT_TRUE(clean.value.refs.empty()) << "only the filters have changed anything";
  commit(slot, "file1", "work");
  write(slot / "a.big", "changed\n");
  const auto saved = salvage(attempt());
  ASSERT_TRUE(done(saved.raw)) << saved.raw.error;
  ASSERT_FALSE(saved.value.refs.empty());
  EXPECT_EQ(git(main_, {"cat-file", "blob", salvage_ref(saved) + ":a.big"}), "changed");
  EXPECT_EQ(git(main_, {"diff", "--name-only", salvage_ref(saved) + "^1", salvage_ref(saved)}), "a.big");
  // What was written in the second of the index's own time git looks at again, with the filters, and finds it
  // changed: then it is tried again, as the dispatcher does.
  const std::string head = git(slot, {"rev-parse", "HEAD"});
  auto released = release(attempt(), head);
  for (const Deadline deadline(minutes(1)); !done(released.raw) && !deadline.passed();)
    released = release(attempt(), head);
  ASSERT_TRUE(done(released.raw)) << released.raw.error;
  EXPECT_EQ(read(slot / "a.big"), "content\n");
  EXPECT_EQ(git(slot, {"status", "--porcelain"}), "");
}

// The last act of a worker is to commit such a file: git had marked it to be compared again, and gave no such
// slot back, however often it was asked.
TEST_F(SalvageWithFilters, WhatWasCommittedLastIsGivenBackAtOnce) {
  const fs::path slot = prepared_with_filter();
  write(slot / "a.big", "CONTENT\n");
  git(slot, {"commit", "-q", "-a", "-m", "filtered work"});
  const std::string head = git(slot, {"rev-parse", "HEAD"});
  EXPECT_EQ(git(slot, {"show", "HEAD:a.big"}), "pointer-to-CONTENT");
  const auto saved = salvage(attempt());
  ASSERT_TRUE(done(saved.raw)) << saved.raw.error;
  EXPECT_TRUE(saved.value.refs.empty()) << "all is committed";
  const auto released = release(attempt(), head);
  ASSERT_TRUE(done(released.raw)) << released.raw.error;
  EXPECT_EQ(read(slot / "a.big"), "content\n");
  EXPECT_EQ(git(slot, {"status", "--porcelain"}), "");
}

// One that fails, or that hangs, is no evidence that nothing was changed; and it costs only a part of the
// time.
TEST_F(SalvageWithFilters, OneThatDoesNotAnswerHidesNothing) {
  prepared_with_filter();
  for (const char* clean : {"false", "sleep 1000"}) {
    git(main_, {"config", "filter.store.clean", clean});
    git(main_, {"config", "filter.store.required", "true"});
    const auto saved = worktrees().salvage(branch_order(attempt()), seconds(40));
    ASSERT_TRUE(done(saved.raw)) << saved.raw.error;
    ASSERT_FALSE(saved.value.refs.empty());
    EXPECT_EQ(git(main_, {"cat-file", "blob", salvage_ref(saved) + ":a.big"}), "content");
  }
}

}  // namespace
}  // namespace holdfast
