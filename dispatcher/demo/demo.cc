// The demonstration: a real repository, a real board, real tmux and workers that do well, ask, crash, run out
// of memory and lose their session, in a folder of its own. The shipped dispatcher does the work; this
// program only sets the stage, plays the person and the accidents, and tells in the end how everything went.
//
//   holdfast-demo [--folder DIR]
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "dispatcher/board/desk.h"
#include "dispatcher/core/markers.h"
#include "dispatcher/core/names.h"
#include "dispatcher/core/words.h"
#include "dispatcher/ledger/sqlite_ledger.h"
#include "dispatcher/system/clocks.h"
#include "dispatcher/system/file_records.h"
#include "dispatcher/system/run_process.h"

namespace {

using namespace holdfast;
namespace fs = std::filesystem;

struct Scene {
  const char* id;
  const char* title;
  std::vector<std::string> script;
  const char* depends_on = "";
  int priority = 100;
};

const std::vector<Scene>& scenes() {
  static const std::vector<Scene> all{
      {"D-01",
       "Write the greeting",
       {"write greeting.txt hello", "commit Add the greeting", "done wrote greeting.txt"}},
      {"D-02", "Write the menu", {"write menu.txt soup", "commit Add the menu", "done wrote menu.txt"}},
      {"D-03",
       "Ask for a review",
       {"write draft.txt words", "commit Add a draft", "review please read draft.txt"}},
      {"D-04",
       "Ask a question",
       {"ask Which colour shall it be?", "commit Add the answer", "done coloured as told"}},
      {"D-05",
       "Fail once, then work",
       {"@1 exit 3", "write five.txt 5", "commit Add five", "done on the second try"}},
      {"D-06",
       "Crash once, then work",
       {"@1 abort", "write six.txt 6", "commit Add six", "done after a crash"}},
      {"D-07",
       "Use all memory once, then work",
       {"@1 oom", "write seven.txt 7", "commit Add seven", "done with less memory"}},
      {"D-08",
       "Lose its session once, then work",
       {"@1 hang", "write eight.txt 8", "commit Add eight", "done in a new session"}},
      {"D-09", "Leave a branch stranded", {"write nine.txt 9", "commit Add nine", "die 9"}},
      {"D-10",
       "Leave uncommitted work",
       {"@1 write ten.txt precious", "@1 exit 1", "write ten.txt 10", "commit Add ten",
        "done but see what was salvaged"}},
      {"D-11",
       "Wait for D-01",
       {"append greeting.txt world", "commit Greet the world", "done greeted"},
       "D-01"},
      {"D-12",
       "Leave a process behind",
       {"child 60000", "write twelve.txt 12", "commit Add twelve", "done with a stray child"}},
      {"D-13",
       "Be killed from outside once",
       {"@1 hang", "write thirteen.txt 13", "commit Add thirteen", "done all the same"}},
      {"D-14",
       "Contradict the menu",
       {"wait menu-landed", "write menu.txt salad", "commit Change the menu", "done changed the menu"},
       "",
       50},
  };
  return all;
}

std::string beside(const std::string& name) {
  std::array<char, 4096> self{};
  const ssize_t n = ::readlink("/proc/self/exe", self.data(), self.size() - 1);
  return n <= 0 ? name : (fs::path(self.data()).parent_path() / name).string();
}

bool ok(const std::vector<std::string>& argv, const std::string& folder = {}) {
  ProcessOrder order;
  order.argv = argv;
  order.working_directory = folder;
  const RawReply reply = run_process(order);
  if (reply.transport == Transport::answered && reply.code == 0) return true;
  std::cerr << "holdfast-demo: " << argv.front() << ": " << printable(reply.error, 400) << "\n";
  return false;
}

bool set_the_stage(const std::string& top) {
  const std::string repo = top + "/repo", origin = top + "/origin.git";
  if (!ok({"git", "init", "-q", "--bare", "-b", "main", origin}) || !ok({"git", "clone", "-q", origin, repo}))
    return false;
  std::ofstream(repo + "/README") << "The demonstration's repository.\n";
  for (const std::vector<std::string>& more :
       std::vector<std::vector<std::string>>{{"config", "user.name", "Demonstration"},
                                             {"config", "user.email", "demo@localhost"},
                                             {"checkout", "-q", "-b", "main"},
                                             {"add", "README"},
                                             {"commit", "-q", "-m", "Begin"},
                                             {"push", "-q", "-u", "origin", "main"}}) {
    std::vector<std::string> argv{"git", "-C", repo};
    argv.insert(argv.end(), more.begin(), more.end());
    if (!ok(argv)) return false;
  }
  std::ofstream(top + "/holdfast.json") << R"({
  // The demonstration's installation. `gate: land` merges what is in order onto main, at `origin`.
  "repository": "repo", "target": "main", "remote": "origin", "state": "state",
  "capacity": 5, "shards": 2, "gate": "land",
  "default_profile": "puppet",
  "profiles": {"puppet": {
    "command": [")" << beside("holdfast-puppet")
                                        << R"("], "preamble": "",
    "environment_allow": ["PATH", "HOME"], "environment": {"PUPPET_STAGE": ")"
                                        << top << R"(/yard"},
    "ready": "hook", "enter_delay": "0ms", "finish_grace": "2s", "term_grace": "1s", "memory": "96MiB"}},
  "budgets": {"backoff_first": "1s", "backoff_max": "4s"},
  "patience": {"look_every": "2s", "review_every": "2s", "board_every": "1s", "servers_every": "2s"}
}
)";
  std::error_code error;
  fs::create_directories(top + "/yard", error);
  return !error;
}

// The person and the accidents.
void play(const std::string& top, SqliteLedger& ledger, Desk& desk, const std::atomic<bool>& over) {
  FileRecords records(top + "/state/records");
  std::set<std::string> played;
  const auto running = [&](const char* id) -> std::optional<Attempt> {
    auto all = ledger.attempts_of({id}).value;
    if (all.empty() || played.contains(id)) return std::nullopt;
    const Attempt& newest = *std::ranges::max_element(all, {}, &Attempt::id);
    if (newest.phase != Phase::running && newest.phase != Phase::waiting) return std::nullopt;
    return newest;
  };
  while (!over) {
    if (const auto a = running("D-04"); a && a->phase == Phase::waiting) {
      ok({beside("holdfast"), "--config", top + "/holdfast.json", "ticket", "answer", "D-04", "blue"});
      played.insert("D-04");
    }
    if (const auto a = running("D-08"); a && a->id.generation.value == 1)
      for (const auto& entry : fs::recursive_directory_iterator(top + "/state/tmux"))
        if (entry.is_socket() && entry.path().filename().string().ends_with("-" + std::to_string(a->shard)) &&
            ok({"tmux", "-N", "-S", entry.path(), "kill-session", "-t", "=" + a->session.value}))
          played.insert("D-08");
    if (const auto a = running("D-13"); a && a->id.generation.value == 1) {
      if (const auto seen = records.read(a->id); seen.value.worker.known()) {
        ::kill(static_cast<pid_t>(seen.value.worker.pid), SIGKILL);
        played.insert("D-13");
      }
    }
    if (const auto a = running("D-14"); a) {
      const auto menu = desk.show({"D-02"});
      if (menu && menu->ticket.state == BoardState::done) {
        std::ofstream(a->worktree + "/menu-landed") << "";
        played.insert("D-14");
      }
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

void tell(const std::string& top, SqliteLedger& ledger, Desk& desk) {
  std::cout << "\nHow it went\n";
  for (const Scene& scene : scenes()) {
    const auto page = desk.show({scene.id});
    if (!page) continue;
    std::cout << "\n" << scene.id << "  " << words_for(page->ticket.state) << "  " << scene.title << "\n";
    if (!page->ticket.reason.empty()) std::cout << "      " << printable(page->ticket.reason, 200) << "\n";
    auto attempts = ledger.attempts_of({scene.id}).value;
    std::ranges::sort(attempts, {}, &Attempt::id);
    for (const Attempt& a : attempts) {
      std::cout << "  g" << a.id.generation.value << "  " << sentence_for(a.cause, a.exit_code)
                << "\n      evidence  " << printable(a.evidence, 220) << "\n      commits   "
                << a.branch.value << ": " << printable(a.branch_facts, 160) << "\n";
      for (const std::string& ref : a.salvage_refs) std::cout << "      salvaged  " << ref << "\n";
    }
  }
  std::cout << "\nEverything is still there to look at:\n  " << beside("holdfast") << " --config " << top
            << "/holdfast.json ticket list\n  " << beside("holdfast") << " --config " << top
            << "/holdfast.json explain D-07\n  git -C " << top << "/origin.git log --oneline main\n";
}

}  // namespace

int main(int argc, char** argv) {
  std::string top;
  if (argc == 3 && std::string(argv[1]) == "--folder") {
    top = fs::absolute(argv[2]).string();
    std::error_code error;
    if (fs::exists(top) || !fs::create_directories(top, error)) {
      std::cerr << "holdfast-demo: " << printable(top, 300) << " cannot be made, or is there already\n";
      return 2;
    }
  } else if (argc != 1) {
    std::cerr << "usage: holdfast-demo [--folder DIR]   (the folder must not exist yet)\n";
    return 2;
  } else {
    char name[] = "/tmp/holdfast-demo-XXXXXX";
    if (::mkdtemp(name) == nullptr) {
      std::cerr << "holdfast-demo: no temporary folder: errno " << errno << "\n";
      return 1;
    }
    top = name;
  }
  std::cout << "A demonstration in " << top << ": " << scenes().size() << " tickets, 5 workers at once\n"
            << std::flush;
  std::error_code error;
  fs::create_directories(top + "/state", error);
  if (!set_the_stage(top)) return 1;

  auto ledger = open_ledger(top + "/state/holdfast.db", LedgerMode::command_line);
  auto desk = open_desk(top + "/state/holdfast.db", LedgerMode::command_line);
  if (!ledger || !desk) {
    std::cerr << "holdfast-demo: " << (ledger ? desk.error() : ledger.error()) << "\n";
    return 1;
  }
  for (const Scene& scene : scenes()) {
    NewTicket ticket;
    ticket.id = {scene.id};
    ticket.priority = scene.priority;
    ticket.title = scene.title;
    ticket.body = "#!puppet\n";
    for (const std::string& line : scene.script) ticket.body += line + "\n";
    ticket.body += "end.";
    if (*scene.depends_on != '\0') ticket.depends_on = {{scene.depends_on}};
    if (const auto added = (*desk)->add(ticket, "demonstration", SystemClock{}.now()); !added) {
      std::cerr << "holdfast-demo: " << added.error().words << "\n";
      return 1;
    }
  }

  // The shipped dispatcher, on this terminal; it ends by itself when nothing is left to do.
  std::vector<std::string> command{beside("holdfast"), "--config", top + "/holdfast.json", "up",
                                   "--until-idle"};
  if (::isatty(1) != 0) command.emplace_back("--live");
  std::vector<char*> raw;
  for (const std::string& part : command) raw.push_back(const_cast<char*>(part.c_str()));
  raw.push_back(nullptr);
  const pid_t dispatcher = ::fork();
  if (dispatcher == 0) {
    ::execv(raw[0], raw.data());
    ::_exit(127);
  }
  std::atomic<bool> over = false;
  std::thread person([&] { play(top, **ledger, **desk, over); });
  int status = 0;
  while (::waitpid(dispatcher, &status, 0) < 0 && errno == EINTR) {
  }
  over = true;
  person.join();
  tell(top, **ledger, **desk);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
