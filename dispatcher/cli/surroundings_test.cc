// Bad surroundings: configuration, tools, repository, the ledger's file. One line, exit code 2, nothing
// changed.
#include <sys/mount.h>
#include <sys/wait.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <functional>
#include <nlohmann/json.hpp>

#include "dispatcher/cli/installation.h"
#include "dispatcher/cli/shell_kit.h"
#include "dispatcher/cli/tmux_folder.h"
#include "dispatcher/ledger/dispatcher_lock.h"
#include "dispatcher/look/hindrances.h"

namespace holdfast::cli {
namespace {

using kit::Place;
using kit::Result;

void expect_refused(const Result& result, const std::string& words, int code = 2) {
  EXPECT_EQ(result.code, code) << result.err;
  EXPECT_NE(result.err.find(words), std::string::npos) << result.err;
  EXPECT_EQ(std::ranges::count(result.err, '\n'), 1) << result.err;
}

// A PATH of our own, put back afterwards.
class Path {
 public:
  explicit Path(const std::string& path) : before_(::getenv("PATH")) { ::setenv("PATH", path.c_str(), 1); }
  ~Path() { ::setenv("PATH", before_.c_str(), 1); }
  Path(const Path&) = delete;
  Path& operator=(const Path&) = delete;

 private:
  std::string before_;
};

std::string tool(const Place& place, const std::string& name, const std::string& says) {
  const std::string folder = place.folder + "/bin-" + name;
  ::mkdir(folder.c_str(), 0755);
  place.write("bin-" + name + "/" + name, "#!/bin/sh\necho '" + says + "'\n");
  ::chmod((folder + "/" + name).c_str(), 0755);
  return folder;
}

TEST(Init, MakesAnInstallationAndOverwritesNothing) {
  Place place;
  place.make_repository();
  const auto made = place.run({"init", "hf", "--repo", "repo"});
  ASSERT_EQ(made.code, 0) << made.err;
  const std::string config = place.read("hf/holdfast.json");
  EXPECT_NE(config.find("// Holdfast's configuration"), std::string::npos);
  EXPECT_TRUE(std::filesystem::exists(place.folder + "/hf/state/holdfast.db"));
  EXPECT_EQ(place.run({"--config", "hf/holdfast.json", "ticket", "add", "First"}).code, 0);
  expect_refused(place.run({"init", "hf", "--repo", "repo"}), "is there already");
  EXPECT_EQ(place.read("hf/holdfast.json"), config);
}

TEST(Init, RefusesWhatCannotWorkAndMakesNothing) {
  Place place;
  place.make_repository();
  ::mkdir((place.folder + "/plain").c_str(), 0755);
  const struct {
    std::vector<std::string> args;
    const char* words;
  } table[] = {
      {{"init", "hf", "--repo", "plain"}, "is not a git repository"},
      {{"init", "hf", "--repo", "missing"}, "is not a git repository"},
      {{"init", "hf", "--repo", "repo", "--target", "nope"}, "does not exist"},
      {{"init", "hf", "--repo", "repo", "--target", "-x"}, "branch name"},
      {{"init", "hf", "--repo", "repo", "--profile", "nobody"}, "name of a profile"},
      {{"init", "repo", "--repo", "repo"}, "outside the repository"},
      {{"init", "hf", "--repo", "repo", "--profile", "generic"}, "with a command"},
  };
  for (const auto& row : table) {
    expect_refused(place.run(row.args), row.words);
    EXPECT_FALSE(std::filesystem::exists(place.folder + "/hf")) << row.words;
    EXPECT_FALSE(std::filesystem::exists(place.folder + "/repo/holdfast.json")) << row.words;
  }
}

TEST(Installation, ACopyDoesNotDriveTheOriginalsWorkers) {
  Place place;
  place.make_repository();
  ASSERT_EQ(place.run({"init", "hf", "--repo", "repo"}).code, 0);
  Place::sh("cp -a '" + place.folder + "/hf' '" + place.folder + "/copy'");
  for (const char* command : {"up", "plan", "doctor"})
    expect_refused(place.run({"--config", "copy/holdfast.json", command}), "would drive the same workers");
  EXPECT_EQ(place.run({"--config", "copy/holdfast.json", "ticket", "list"}).code, 0);  // it may be read
  EXPECT_EQ(place.run({"--config", "hf/holdfast.json", "plan"}).code, 0);
  // Moved: the original is not there, and a person says so.
  std::filesystem::remove_all(place.folder + "/hf");
  expect_refused(place.run({"--config", "copy/holdfast.json", "plan"}), "copy/state/installed-at");
  std::filesystem::remove(place.folder + "/copy/state/installed-at");
  EXPECT_EQ(place.run({"--config", "copy/holdfast.json", "plan"}).code, 0);
}

// With a clone in its place a live worker's folder was taken for lost, and made anew from the clone.
TEST(Installation, KeepsToItsRepositoryWhileItsWorktreesHoldAnything) {
  Place place;
  place.make_repository();
  place.install();
  Place::sh("git clone -q '" + place.folder + "/repo' '" + place.folder + "/first'");
  place.write("state/repository", std::filesystem::canonical(place.folder + "/first/.git").string() + "\n");
  EXPECT_EQ(place.run({"plan"}).code, 0) << "nothing is in its worktrees";
  {
    const auto ledger = open_ledger(place.ledger_path(), LedgerMode::command_line);
    ASSERT_TRUE(ledger);
    Slot apart = holdfast::kit::free_slot(1);
    apart.state = SlotState::quarantined;
    ASSERT_EQ((*ledger)->write(StoreSlot{apart}, Instant{1}).raw.code, 0);
  }
  expect_refused(place.run({"plan"}), "is another one");
  expect_refused(place.run({"up"}), "is another one");
  std::filesystem::remove_all(place.folder + "/first");
  EXPECT_EQ(place.run({"plan"}).code, 0) << "it was moved";
}

TEST(Up, RefusesBadSurroundings) {
  Place place;
  place.install();
  ::mkdir((place.folder + "/repo").c_str(), 0755);
  const std::string before = place.everything();
  expect_refused(place.run({"up"}), "is not a git repository");
  std::filesystem::remove_all(place.folder + "/repo");
  place.make_repository();
  {
    const Path none(place.folder);
    expect_refused(place.run({"up"}), "tmux");
  }
  {
    const Path old(tool(place, "tmux", "tmux 2.1") + ":" + ::getenv("PATH"));
    expect_refused(place.run({"up"}), "tmux");
  }
  {
    const Path old(tool(place, "git", "git version 2.20.1") + ":" + ::getenv("PATH"));
    expect_refused(place.run({"up"}), "git is too old");
  }
  for (const char* rest : {"repo", "bin-tmux", "bin-git"})
    std::filesystem::remove_all(place.folder + "/" + rest);
  ::mkdir((place.folder + "/repo").c_str(), 0755);
  EXPECT_EQ(place.everything(), before);
}

TEST(Up, AWrongOrIncompleteRemoteIsSaidAtOnce) {
  Place place;
  place.install(R"(, "remote": "nope")");
  place.make_repository();
  const std::string repo = place.folder + "/repo";
  expect_refused(place.run({"up"}), "the remote \"nope\" has no address");
  const auto doctor = place.run({"doctor"});
  EXPECT_NE(doctor.out.find("the remote \"nope\""), std::string::npos) << doctor.out << doctor.err;
  Place::sh("git -C '" + repo + "' config remote.nope.pushurl somewhere");
  expect_refused(place.run({"up"}), "the remote \"nope\" has no address");
  Place::sh("git -C '" + repo + "' remote add other ../other && git -C '" + repo +
            "' remote add third ../third");
  expect_refused(place.run({"up"}), "its remotes: nope, other, third");
  // There is an address, and nothing was ever fetched from it.
  Place::sh("git -C '" + repo + "' config remote.nope.url ../elsewhere");
  expect_refused(place.run({"up"}), "does not have refs/remotes/nope/main");
}

TEST(Hindrances, AreSaidOncePerReasonAndLeftForOthersToRead) {
  Place place;
  place.install();
  Hindrances hindrances;
  BranchOrder order;
  order.attempt = {{"T-1"}, {1}};
  order.branch = {"hf/T-1-first-g1"};
  Answer answer{PushBranch{order}, {}, {}, {}, {}};
  answer.raw = {Transport::answered, 128, "", "ssh: Could not resolve hostname\n"};
  answer.at = {5000};
  EXPECT_TRUE(hindrances.take(answer).empty());  // perhaps the next try makes it good
  ASSERT_EQ(hindrances.take(answer).size(), 1U);
  EXPECT_TRUE(hindrances.take(answer).empty());
  answer.raw.error = "fatal: not found";
  ASSERT_EQ(hindrances.take(answer).size(), 1U);
  write_hindrances(place.folder + "/state", hindrances.all());
  place.run({"ticket", "add", "First"});
  EXPECT_NE(place.run({"explain", "T-1"}).out.find("fatal: not found"), std::string::npos);
  EXPECT_NE(place.run({"plan"}).out.find("fatal: not found"), std::string::npos);
  answer.raw = {Transport::answered, 0, "", ""};
  const auto again = hindrances.take(answer);
  ASSERT_EQ(again.size(), 1U);
  EXPECT_NE(again.front().find("works now"), std::string::npos);
  write_hindrances(place.folder + "/state", hindrances.all());
  EXPECT_EQ(place.run({"plan"}).out.find("fatal: not found"), std::string::npos);
}

TEST(Up, AStateFolderThatCannotBeWrittenIsNotAnotherDispatcher) {
  Place place;
  place.install();
  place.make_repository();
  const std::string state = place.folder + "/state";
  if (::mount(state.c_str(), state.c_str(), nullptr, MS_BIND, nullptr) != 0)
    GTEST_SKIP() << "this needs to mount";
  ASSERT_EQ(::mount(nullptr, state.c_str(), nullptr, MS_BIND | MS_REMOUNT | MS_RDONLY, nullptr), 0);
  expect_refused(place.run({"up"}), "read-only");
  expect_refused(place.run({"ticket", "add", "First"}), "read-only");
  ::umount2(state.c_str(), MNT_DETACH);
  std::filesystem::create_directory(state + "/dispatcher.lock");
  expect_refused(place.run({"up"}), "check that the state folder exists and may be written");
}

TEST(Up, ASecondOneIsRefused) {
  Place place;
  place.install();
  place.make_repository();
  const auto lock = lock_dispatcher(place.folder + "/state");
  ASSERT_TRUE(lock);
  expect_refused(place.run({"up"}), "pid " + std::to_string(::getpid()), 3);
}

TEST(Ledger, DamagedMissingOrSomebodyElses) {
  Place place;
  place.install();
  place.run({"ticket", "add", "First"});
  std::filesystem::remove(place.ledger_path() + "-wal");
  std::filesystem::remove(place.ledger_path() + "-shm");
  const std::string garbage(8192, 'x');
  place.write("state/holdfast.db", garbage);
  for (const std::vector<std::string>& args : std::vector<std::vector<std::string>>{
           {"ticket", "list"}, {"ticket", "add", "x"}, {"runtime", "list"}, {"events"}})
    expect_refused(place.run(args), "is damaged");
  EXPECT_EQ(place.read("state/holdfast.db"), garbage);
  std::filesystem::remove(place.ledger_path());
  expect_refused(place.run({"ticket", "add", "x"}), "is not there");
  EXPECT_FALSE(std::filesystem::exists(place.ledger_path()));
}

TEST(Ledger, EmptiedBesideAUsedInstallationIsNotMadeNew) {
  Place place;
  place.install();
  place.make_repository();
  place.run({"ticket", "add", "First"});
  ::mkdir((place.folder + "/state/records/T-1-g1").c_str(), 0700);
  for (const char* rest : {"-wal", "-shm"}) std::filesystem::remove(place.ledger_path() + rest);
  place.write("state/holdfast.db", "");
  for (const std::vector<std::string>& args :
       std::vector<std::vector<std::string>>{{"ticket", "add", "x"}, {"ticket", "list"}, {"plan"}, {"up"}})
    expect_refused(place.run(args), "the ledger was damaged");
  EXPECT_EQ(place.read("state/holdfast.db"), "");
}

// Root may write everything, so what is tested is somebody else.
int as_nobody(const std::function<int()>& body) {
  if (::geteuid() != 0) return body();
  const pid_t child = ::fork();
  if (child == 0) ::_exit(::setgid(65534) == 0 && ::setuid(65534) == 0 ? body() : 99);
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 98;
}

TEST(Ledger, ThatCannotBeWritten) {
  Place place;
  place.install();
  place.run({"ticket", "add", "First"});
  const std::string before = place.everything();
  if (::geteuid() == 0) Place::sh("chown -R 65534:65534 " + place.folder);
  ::chmod(place.ledger_path().c_str(), 0400);
  const int said = as_nobody([&] {
    const Result result = place.run({"ticket", "add", "x"});
    const bool clear = result.err.find("cannot be written") != std::string::npos ||
                       result.err.find("permission") != std::string::npos;
    if (!clear) std::fprintf(stderr, "%s", result.err.c_str());
    return clear ? result.code : 97;
  });
  EXPECT_EQ(said, 2);
  ::chmod(place.ledger_path().c_str(), 0600);
  EXPECT_EQ(place.everything(), before);
}

TEST(Ledger, OnAFullDisk) {
  Place place;
  const std::string disk = place.folder + "/disk";
  ::mkdir(disk.c_str(), 0700);
  if (::mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=512k") != 0)
    GTEST_SKIP() << "this needs a small file system";
  const std::string outer = std::exchange(place.folder, disk);
  place.install();
  place.run({"ticket", "add", "First"});
  const std::string before = place.run({"ticket", "export"}).out;
  std::string filler(1U << 20, 'x');
  place.write("filler", filler);
  expect_refused(place.run({"ticket", "add", "x", "-F", "-"}, std::string(400'000, 'y')), "the disk is full");
  std::filesystem::remove(disk + "/filler");
  EXPECT_EQ(place.run({"ticket", "export"}).out, before);
  EXPECT_EQ(place.run({"ticket", "add", "Second"}).code, 0);
  ::umount2(disk.c_str(), MNT_DETACH);
  place.folder = outer;
}

TEST(Configuration, ThatIsWrongIsSaidByEveryCommand) {
  Place place;
  place.install();
  place.write("holdfast.json", "{\n  \"repository\": \"repo\",\n  \"capacity\": \"many\"\n}");
  for (const std::vector<std::string>& args : std::vector<std::vector<std::string>>{{"ticket", "list"},
                                                                                    {"ticket", "add", "x"},
                                                                                    {"up"},
                                                                                    {"plan"},
                                                                                    {"doctor"},
                                                                                    {"pool", "status"},
                                                                                    {"explain", "T-1"}})
    expect_refused(place.run(args), "holdfast.json:3:15: /capacity: expected a whole number");
  expect_refused(place.run({"ticket", "list", "--config", "nope.json"}), "cannot be read");
  std::filesystem::remove(place.folder + "/holdfast.json");
  expect_refused(place.run({"ticket", "list"}), "holdfast init");
}

TEST(Look, StoppedTmuxServersCostOneDeadlineAndAreSaidToBeSilent) {
  Place place;
  place.install(R"(, "shards": 2, "patience": {"call_deadline": "3s"})");
  place.make_repository();
  place.run({"ticket", "add", "First"});
  place.attempt("T-1", holdfast::kit::Stage::running);
  std::vector<std::int64_t> servers;
  {
    const auto config = load_config(place.folder + "/holdfast.json");
    ASSERT_TRUE(config) << config.error().words;
    const auto parts = open_installation(*config, LedgerMode::dispatcher);
    ASSERT_TRUE(parts) << parts.error().words;
    for (int shard = 0; shard < 3; ++shard)
      servers.push_back((*parts)->world().terminal.start_server(shard, seconds(60)).value.pid);
  }
  for (const std::int64_t pid : servers) {
    ASSERT_GT(pid, 1);
    ASSERT_EQ(::kill(static_cast<pid_t>(pid), SIGSTOP), 0);
  }
  const auto began = std::chrono::steady_clock::now();
  const auto plan = place.run({"plan"});
  const auto took = std::chrono::steady_clock::now() - began;
  const auto explained = place.run({"explain", "T-1"});
  for (const std::int64_t pid : servers) ::kill(static_cast<pid_t>(pid), SIGKILL);
  EXPECT_EQ(plan.code, 0) << plan.err;
  // Three deadlines one after the other would be nine seconds at least, on any machine; what else `plan` does
  // has all the time between.
  EXPECT_LT(took, std::chrono::milliseconds(8900)) << "one after the other";
  EXPECT_NE(plan.out.find("tmux server 2 was asked and did not answer"), std::string::npos) << plan.out;
  EXPECT_NE(explained.out.find("asked, did not answer"), std::string::npos) << explained.out;
}

TEST(TmuxFolder, IsBesideTheLedgerWhereThePathIsShort) {
  Place place;
  const std::string id = "0123456789abcdef0123456789abcdef";
  const std::string shallow = "/tmp/hf-" + std::to_string(::getpid());
  ::mkdir(shallow.c_str(), 0700);
  EXPECT_EQ(choose_tmux_folder(shallow, id, 2, true).value(), shallow + "/tmux");
  std::filesystem::remove_all(shallow);

  std::string deep = place.folder;
  for (int n = 0; n < 4; ++n) ::mkdir((deep += "/a-folder-with-a-rather-long-name").c_str(), 0700);
  const std::string folder = choose_tmux_folder(deep, id, 2, true).value();
  EXPECT_LE(socket_path_bytes(folder, 64), socket_path_max);
  struct stat seen{};
  ASSERT_EQ(::stat(folder.c_str(), &seen), 0);
  EXPECT_EQ(seen.st_mode & 0777U, 0700U);
  EXPECT_EQ(choose_tmux_folder(deep, "another-installation", 2, false).value(), folder);  // remembered
  ::chmod(folder.c_str(), 0777);
  EXPECT_FALSE(choose_tmux_folder(deep, id, 2, true));  // others could put sockets there
  std::filesystem::remove_all(folder);
  EXPECT_EQ(::symlink("/tmp", folder.c_str()), 0);
  EXPECT_FALSE(choose_tmux_folder(deep, id, 2, true));
  std::filesystem::remove(folder);
}

}  // namespace
}  // namespace holdfast::cli
