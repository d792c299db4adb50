// The Control Room page in headless Chromium, against a dispatcher with real workers. The cases are in
// browser/control_room.mjs; here is the stage that they play on. One browser runs them all, one after the
// other.
//
// Where there is no node, npm, Chromium or registry, or Chromium does not start, it is skipped and says why.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <sstream>

#include "dispatcher/endtoend/stage.h"
#include "dispatcher/system/clocks.h"
#include "dispatcher/system/run_process.h"

namespace holdfast::stage {
namespace {

namespace fs = std::filesystem;

constexpr const char* script_folder = HOLDFAST_SOURCE_DIR "/dispatcher/endtoend/browser";
// Kept from one run to the next: installed again only where the lock file is another one.
constexpr const char* kit_folder = HOLDFAST_BUILD_DIR "/browser-kit";
constexpr const char* token = "0123456789abcdef0123456789abcdef";

// A ticket's body is a script, and the worker is its shell and nothing around it: Ctrl-C meets the script
// alone.
constexpr const char* a_shell_profile =
    R"(}, "shell": {"command": ["/bin/sh", "-c", "tail -n +3 -- \"$1\" > \"$HOLDFAST_RECORD/script\"; exec sh \"$HOLDFAST_RECORD/script\"", "script", "{prompt_file}"],
    "prompt": "file", "preamble": "", "finish_grace": "2s", "term_grace": "1s")";

std::string in_path(const std::string& program) {
  std::istringstream folders(std::getenv("PATH") == nullptr ? "" : std::getenv("PATH"));
  for (std::string folder; std::getline(folders, folder, ':');)
    if (const std::string path = folder + "/" + program; ::access(path.c_str(), X_OK) == 0) return path;
  return "";
}

std::string whole_text(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

struct Ended {
  bool well = false;
  int code = -1;  // of one that ended by itself
  std::string out;
};

Ended run_here(std::vector<std::string> argv, const std::string& folder, Duration deadline,
               const std::vector<std::string>& more_environment = {}) {
  const std::string out = std::string(kit_folder) + "/output";
  // Both streams in one file, in their order.
  std::vector<std::string> with_shell{"/bin/sh", "-c", "exec \"$@\" >\"$0\" 2>&1", out};
  with_shell.insert(with_shell.end(), argv.begin(), argv.end());
  ProcessOrder order;
  order.argv = with_shell;
  order.working_directory = folder;
  order.environment = more_environment;
  for (char** entry = environ; *entry != nullptr; ++entry) order.environment->emplace_back(*entry);
  order.deadline = deadline;
  const RawReply reply = run_process(order);
  const bool ended = reply.transport == Transport::answered;
  return {ended && reply.code == 0, ended ? static_cast<int>(reply.code) : -1,
          ended ? whole_text(out) : whole_text(out) + "\n" + reply.error};
}

// Why the browser cannot be had here; empty: it can.
std::string what_is_missing(const std::string& node, const std::string& npm, const std::string& chromium) {
  if (node.empty()) return "there is no node";
  if (npm.empty()) return "there is no npm";
  if (chromium.empty()) return "there is no chromium";
  fs::create_directories(kit_folder);
  const std::string lock = whole_text(std::string(script_folder) + "/package-lock.json");
  const std::string mark = std::string(kit_folder) + "/installed";
  for (const char* file : {"package.json", "package-lock.json", "control_room.mjs"})
    fs::copy_file(std::string(script_folder) + "/" + file, std::string(kit_folder) + "/" + file,
                  fs::copy_options::overwrite_existing);
  if (whole_text(mark) != lock) {
    const Ended installed = run_here({npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund",
                                      "--fetch-retries=1", "--fetch-timeout=30000"},
                                     kit_folder, minutes(3));
    if (!installed.well) return "npm cannot install what it needs: " + installed.out.substr(0, 400);
    std::ofstream(mark) << lock;
  }
  const Ended probe = run_here({node, "control_room.mjs", "probe"}, kit_folder, minutes(2),
                               {"HOLDFAST_CHROMIUM=" + chromium});
  return probe.well ? "" : "chromium does not start: " + probe.out.substr(0, 600);
}

std::string json_text(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '\n')
      out += "\\n";
    else if (c == '"' || c == '\\')
      out += std::string("\\") + c;
    else
      out += c;
  }
  return out + "\"";
}

std::string ticket_line(const std::string& id, const std::string& title, const std::string& state,
                        const std::string& body, const std::string& labels = "[]") {
  return R"({"id": )" + json_text(id) + R"(, "title": )" + json_text(title) + R"(, "state": )" +
         json_text(state) + R"(, "body": )" + json_text(body) + R"(, "labels": )" + labels +
         R"(, "profile": "shell"})" + "\n";
}

// Scripts as data: each is one line of a ticket's body, so that what a shell reads stands here as it is.
std::string script(std::initializer_list<const char*> lines) {
  std::string text;
  for (const char* line : lines) text += std::string(line) + "\n";
  return text;
}

std::string the_tickets() {
  const char* const hostile =
      R"([ $((n % 5)) = 1 ] && printf '\033[31m<img src=x onerror=hacked=1>\033[0m \342\200\256 turned \033]0;title\007\n')";
  std::string lines;
  lines += ticket_line(
      "S-1", "Port the importer to the new format", "todo",
      script({"trap 'hit=\", it WAS INTERRUPTED\"' INT", "n=0", "while :; do", "n=$((n+1))", hostile,
              "echo \"read record $((n * 7))$hit\"", "echo \"tick $n\"", "sleep 0.3", "done"}),
      R"(["importer"])");
  lines += ticket_line("L-1", "Measure the cold start", "todo",
                       script({"echo 'building with the release flags'", "echo '[214/214] linked'",
                               "for run in 1 2 3; do echo \"run $run: 41$run ms\"; done",
                               "echo 'waiting for a quiet machine'", "while :; do sleep 1; done"}),
                       R"(["bench"])");
  lines += ticket_line("Q-1", "Choose a colour for the warning", "todo",
                       script({"echo 'looking at the palette'", "echo 'QUESTION: Which colour shall it be?'",
                               "read -r colour", "echo \"DONE: coloured $colour\""}));
  lines +=
      ticket_line("R-1", "Write down how to restore a backup", "todo",
                  script({"echo steps > RESTORE", "git add RESTORE", "git commit -q -m 'Say how to restore'",
                          "echo 'REVIEW: please read RESTORE'"}),
                  R"(["docs"])");
  lines += ticket_line("X-1", "Make the nightly job survive a full disk", "todo",
                       script({"echo 'last gasp'", "exit 3"}), R"(["nightly", "bug"])");
  lines += ticket_line("EVIL-1", "<script>hacked=1</script> \"><img src=x onerror=hacked=1>", "backlog",
                       "nothing", R"(["<b>label</b>"])");
  const char* const subjects[] = {"Tidy the settings", "Speed up the search", "Translate the help",
                                  "Test the exporter"};
  const char* const states[] = {"backlog", "backlog", "backlog", "backlog", "done"};
  for (int n = 1; n <= 1300; ++n)
    lines +=
        ticket_line("MANY-" + std::to_string(n),
                    std::string(subjects[n % 4]) + ", number " + std::to_string(n), states[n % 5], "later");
  return lines;
}

// For the pictures of the docs: a log with a day in it, since figures of a minute show little.
std::string the_day_before(std::int64_t now_ms) {
  std::string rows;
  const auto add = [&](int hours_ago, const std::string& kind, const std::string& cause) {
    rows += (rows.empty() ? "" : ", ") + ("(" + std::to_string(now_ms - hours_ago * 3'600'000LL)) +
            ", 'OLD-1', 1, '" + kind + "', '" + cause + "', '')";
  };
  const int done[] = {3, 4, 6, 5, 7, 6, 4, 2, 1, 0, 0, 1, 2, 4, 5, 6, 8, 7, 5, 6, 4, 3, 4};
  for (int hour = 1; hour <= 23; ++hour) {
    for (int n = 0; n < done[hour - 1]; ++n) {
      add(hour, "closed", n % 3 == 2 ? "in_review" : "done");
      add(hour, "died", "clean_exit");
    }
    if (hour % 5 == 0) add(hour, "closed", "todo");
    if (hour % 5 == 0) add(hour, "lost", hour % 10 == 0 ? "oom_kill" : "exit_code");
    if (hour % 9 == 0) add(hour, "closed", "blocked");
    if (hour % 9 == 0) add(hour, "lost", "session_killed");
  }
  return "INSERT INTO events(at, ticket, generation, kind, cause, evidence) VALUES " + rows;
}

TEST(Browser, TheControlRoom) {
  const std::string node = in_path("node"), npm = in_path("npm");
  std::string chromium = in_path("chromium");
  if (chromium.empty()) chromium = in_path("chromium-browser");
  if (const std::string missing = what_is_missing(node, npm, chromium); !missing.empty())
    GTEST_SKIP() << missing;

  const std::string token_file = std::string(kit_folder) + "/token";
  std::ofstream(token_file) << token << "\n";
  ASSERT_EQ(::chmod(token_file.c_str(), 0600), 0);
  Stage stage(
      {.capacity = 5,
       .gate = "review",
       .extra = R"(, "server": {"listen": "127.0.0.1:0", "token_file": )" + json_text(token_file) + "}",
       .profile_extra = a_shell_profile,
       .attempts_max = 1});
  const auto imported = stage.holdfast({"ticket", "import", "-"}, the_tickets());
  ASSERT_EQ(imported.code, 0) << imported.err;
  const auto commented =
      stage.holdfast({"ticket", "comment", "EVIL-1", "<svg onload=hacked=1> \xE2\x80\xAEturned\x1b[31m"});
  ASSERT_EQ(commented.code, 0) << commented.err;
  if (std::getenv("HOLDFAST_PICTURES") != nullptr) {
    ASSERT_EQ(stage.sql(the_day_before(SystemClock{}.now().ms)), "");
  }
  stage.start();
  std::string address;
  ASSERT_TRUE(stage.wait([&] {
    address = whole_text(stage.state() + "/http-address");
    return address.ends_with("\n");
  })) << stage.story();
  address.pop_back();

  std::vector<std::string> argv{node, "control_room.mjs", "run", address, token};
  if (const char* pictures = std::getenv("HOLDFAST_PICTURES")) argv.emplace_back(pictures);
  const Ended browser = run_here(argv, kit_folder, minutes(5), {"HOLDFAST_CHROMIUM=" + chromium});
  std::printf("%s", browser.out.c_str());
  if (browser.code == 3) GTEST_SKIP() << "chromium did not live through it: " << browser.out;
  EXPECT_TRUE(browser.well) << browser.out << stage.story().substr(0, 6000);
  // What was approved on the page is on the target, and whoever was stopped is gone.
  EXPECT_NE(stage.git(stage.origin(), {"log", "--format=%s", "main"}).out.find("Say how to restore"),
            std::string::npos);
  EXPECT_EQ(stage.open_attempts().size(), 0U);
  EXPECT_EQ(stage.stop(SIGTERM), 0);
}

}  // namespace
}  // namespace holdfast::stage
