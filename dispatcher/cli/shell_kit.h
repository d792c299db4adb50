// For tests: an installation in a temporary folder with a real ledger, and commands run in this process.
#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include "dispatcher/cli/parse.h"
#include "dispatcher/core/ledger_rules_kit.h"
#include "dispatcher/ledger/sqlite_ledger.h"

namespace holdfast::cli::kit {

struct Result {
  int code = 0;
  std::string out, err;
};

class Place {
 public:
  Place() {
    std::string pattern = testing::TempDir() + "holdfast-cli-XXXXXX";
    folder = ::mkdtemp(pattern.data());
  }
  ~Place() {
    std::error_code none;
    std::filesystem::remove_all(folder, none);
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

  // A configuration, a state folder and an empty ledger; the repository is only a path.
  void install(const std::string& more = "") {
    write("holdfast.json", R"({"repository": "repo", "default_profile": "shell")" + more + "}");
    ::mkdir((folder + "/state").c_str(), 0700);
    ASSERT_TRUE(open_ledger(ledger_path(), LedgerMode::command_line));
    ::mkdir((folder + "/state/records").c_str(), 0700);
  }
  // A real repository with one commit on `main`.
  void make_repository() {
    const std::string repo = folder + "/repo";
    sh("git init -q -b main '" + repo + "' && cd '" + repo +
       "' && git -c user.name=t -c user.email=t@t commit -q --allow-empty -m first");
  }
  static void sh(const std::string& line) { ASSERT_EQ(std::system(line.c_str()), 0) << line; }  // NOLINT

  Result run(std::vector<std::string> args, const std::string& input = "") {
    std::istringstream in(input);
    std::ostringstream out, err;
    Shell shell{in,     out,
                err,    [](const std::string&) { return std::optional<std::string>(); },
                folder, [] { return Instant{1'700'000'000'000}; }};
    shell.person = "alice";
    Result result;
    result.code = static_cast<int>(run_holdfast(args, shell));
    result.out = out.str();
    result.err = err.str();
    return result;
  }

  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder + "/" + name, std::ios::binary) << text;
  }
  [[nodiscard]] std::string read(const std::string& name) const {
    std::ifstream file(folder + "/" + name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  [[nodiscard]] std::string ledger_path() const { return folder + "/state/holdfast.db"; }

  // Everything that a command could have changed, as text.
  [[nodiscard]] std::string everything() {
    std::string all = read("holdfast.json") + run({"ticket", "export"}).out + run({"events", "--json"}).out;
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
      if (const std::string path = entry.path().string();
          path.find("/state/holdfast.db") == std::string::npos)
        names.push_back(path);
    std::sort(names.begin(), names.end());
    for (const std::string& name : names) all += "\n" + name;
    return all;
  }

  // An attempt of this ticket, led to a stage; the ticket must be on the board.
  AttemptId attempt(const std::string& ticket, holdfast::kit::Stage stage) {
    auto ledger = open_ledger(ledger_path(), LedgerMode::command_line);
    EXPECT_TRUE(ledger);
    Instant now{1'700'000'001'000};
    (*ledger)->write(StoreSlot{holdfast::kit::free_slot(1)}, now);
    const auto claimed = (*ledger)->write(holdfast::kit::claim_of(ticket), now);
    EXPECT_EQ(claimed.raw.code, 0) << claimed.raw.error;
    const AttemptId id{{ticket}, {1}};
    for (const LedgerWrite& write : holdfast::kit::way_to(stage, id)) {
      now = now + seconds(1);
      const auto wrote = (*ledger)->write(write, now);
      EXPECT_EQ(wrote.raw.code, 0) << wrote.raw.error;
    }
    return id;
  }

  std::string folder;
};

}  // namespace holdfast::cli::kit
