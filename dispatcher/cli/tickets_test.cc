// Tickets from the command line, and what a careless or hostile caller may put into them.
#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "dispatcher/cli/shell_kit.h"

namespace holdfast::cli {
namespace {

using kit::Place;
using nlohmann::json;

TEST(Tickets, AddListShow) {
  Place place;
  place.install();
  EXPECT_EQ(
      place.run({"ticket", "add", "Fix the parser", "-b", "It fails.\nOn empty files.", "-l", "bug"}).out,
      "T-1  todo  Fix the parser\n");
  EXPECT_EQ(place
                .run({"ticket", "add", "Write notes", "--id", "DOC-7", "-d", "T-1", "-p", "50", "-F", "-"},
                     "From stdin")
                .code,
            0);
  EXPECT_EQ(place.run({"ticket", "list"}).out,
            "TICKET  STATE  PRIO  TITLE           REASON\n"
            "DOC-7   todo   50    Write notes\n"
            "T-1     todo   100   Fix the parser\n");
  EXPECT_EQ(place.run({"ticket", "show", "DOC-7"}).out,
            "DOC-7  Write notes\n"
            "state       todo\n"
            "priority    50\n"
            "depends on  T-1 (todo)\n"
            "made        2023-11-14 22:13:20Z, changed 2023-11-14 22:13:20Z\n"
            "\n  From stdin\n");
  EXPECT_EQ(place.run({"ticket", "comment", "T-1", "Urgent."}).code, 0);
  EXPECT_EQ(place.run({"ticket", "move", "T-1", "backlog", "-m", "later"}).out, "T-1  backlog\n");
  const json shown = json::parse(place.run({"ticket", "show", "T-1", "--json"}).out);
  EXPECT_EQ(shown["id"], "T-1");
  EXPECT_EQ(shown["state"], "backlog");
  EXPECT_EQ(shown["reason"], "later");
  EXPECT_EQ(shown["labels"], json({"bug"}));
  EXPECT_EQ(shown["comments"][0]["author"], "alice");
  EXPECT_EQ(shown["attempts"], json::array());
  EXPECT_EQ(json::parse(place.run({"ticket", "list", "--json", "-s", "todo"}).out).size(), 1U);
  EXPECT_EQ(place.run({"ticket", "edit", "T-1", "--priority", "1", "--label", ""}).code, 0);
  EXPECT_EQ(json::parse(place.run({"ticket", "show", "T-1", "--json"}).out)["labels"], json::array());
  EXPECT_TRUE(std::filesystem::exists(place.folder + "/state/records/wake"));
}

TEST(Tickets, TenMegabytesOfBodyGoInAndComeOut) {
  Place place;
  place.install();
  std::string body(10'000'000, 'x');
  body += "\nend";
  ASSERT_EQ(place.run({"ticket", "add", "Big", "-F", "-"}, body).code, 0);
  EXPECT_EQ(json::parse(place.run({"ticket", "show", "T-1", "--json"}).out)["body"], body);
  const std::string before = place.everything();
  const auto refused = place.run({"ticket", "add", "Too big", "-F", "-"}, std::string(17U << 20, 'x'));
  EXPECT_EQ(refused.code, 2);
  EXPECT_EQ(refused.err, "holdfast: -: is larger than 16 MiB\n");
  EXPECT_EQ(place.everything(), before);
}

TEST(Tickets, ExportAndImport) {
  Place one, two;
  one.install();
  two.install();
  one.run({"ticket", "add", "A"});
  one.run({"ticket", "add", "B", "-d", "T-1"});
  const std::string lines = one.run({"ticket", "export"}).out;
  EXPECT_EQ(two.run({"ticket", "import", "-"}, lines).out, "2 tickets imported\n");
  EXPECT_EQ(two.run({"ticket", "export"}).out, lines);
}

// A board can be carried over while it is at work: nothing is left behind, and what may still have a worker
// where it comes from is not begun here.
TEST(Tickets, AnExportOfALiveBoardComesBackWithWhatWasInProgressBlocked) {
  Place one, two;
  one.install();
  two.install();
  for (const char* state : {"in_progress", "in_review", "todo", "done"}) {
    const std::string id = "X-" + std::string(state);
    one.run({"ticket", "add", "A", "--id", id});
    ASSERT_EQ(one.run({"ticket", "move", id, state}).code, 0);
  }
  const std::string lines = one.run({"ticket", "export"}).out;
  EXPECT_EQ(two.run({"ticket", "import", "-"}, lines).out,
            "4 tickets imported, 1 of them blocked: they were in progress where they come from\n");
  const std::string shown = two.run({"ticket", "show", "X-in_progress"}).out;
  EXPECT_NE(shown.find("blocked"), std::string::npos) << shown;
  EXPECT_NE(shown.find("retry it once its worker there has ended"), std::string::npos) << shown;
  EXPECT_NE(two.run({"ticket", "show", "X-in_review"}).out.find("in_review"), std::string::npos);
  EXPECT_EQ(two.run({"ticket", "retry", "X-in_progress"}).code, 0);
  EXPECT_NE(two.run({"ticket", "show", "X-in_progress"}).out.find("todo"), std::string::npos);
}

// What a hostile or careless person may say: one line, exit code 2, nothing changed.
TEST(BadInput, OnTheBoard) {
  Place place;
  place.install();
  place.run({"ticket", "add", "First"});
  place.write("not-json.jsonl", "{\"id\":\"A\",\"title\":\"x\"}\n{\"id\":\n");
  place.write("twice.jsonl", "{\"id\":\"A\",\"title\":\"x\"}\n{\"id\":\"A\",\"title\":\"y\"}\n");
  ASSERT_EQ(::mkfifo((place.folder + "/pipe").c_str(), 0600), 0);
  const std::string before = place.everything();
  const struct {
    std::vector<std::string> args;
    const char* words;
    std::string input = {};
  } table[] = {
      {{"ticket", "add", "x", "--id", "../../etc"}, "must begin with"},
      {{"ticket", "add", "x", "--id", "a/../../etc"}, "letters, digits"},
      {{"ticket", "add", "x", "--id", "T-1-g2"}, "must not end in '-g'"},
      {{"ticket", "add", "x", "--id", "a:b"}, "letters, digits"},
      {{"ticket", "add", "x", "--id", "a.b"}, "letters, digits"},
      {{"ticket", "add", "x", "--id", "a=b"}, "letters, digits"},
      {{"ticket", "add", "x", "--id", "$(id)"}, "must begin with"},
      {{"ticket", "add", "x", "--id", "a\nb"}, "letters, digits"},
      {{"ticket", "add", "x", "--id", ""}, "is empty"},
      {{"ticket", "add", "x", "--id", std::string(65, 'a')}, "longer than 64"},
      {{"ticket", "add", "x", "--id", "T-1"}, "T-1"},
      {{"ticket", "add", "x", "-d", "T-99"}, "T-99"},
      {{"ticket", "add", ""}, "empty"},
      {{"ticket", "add", "two\nlines"}, "line breaks"},
      {{"ticket", "add", "\x1b[2Jx"}, "control characters"},
      {{"ticket", "add",
        "abc\xe2\x80\xae"
        "def"},
       "control characters"},  // U+202E
      {{"ticket", "add",
        "abc\xe2\x81\xa6"
        "def"},
       "control characters"},  // U+2066
      {{"ticket", "add", "x", "--profile", "claude", "-F", "-"}, "pastes it", std::string(2U << 20, 'x')},
      {{"events", "--follow=3"}, "--follow takes no value"},
      {{"frob"}, "'frob' is not a command; see `holdfast --help`"},
      {{"ticket", "frob"}, "'frob' is not a command of `holdfast ticket`"},
      {{"ticket", "add", "\xff\xfe"}, "not valid UTF-8"},
      {{"ticket", "add", std::string(501, 'x')}, "longer than 500"},
      {{"ticket", "add", "x", "-F", "-"}, "not valid UTF-8", "\xff"},
      {{"ticket", "add", "x", "-F", "-"}, "NUL", std::string("a\0b", 3)},
      {{"ticket", "add", "x", "-b", "1", "-F", "-"}, "cannot both be given"},
      {{"ticket", "add", "x", "-F", "missing.md"}, "No such file"},
      {{"ticket", "add", "x", "-F", "."}, "is a folder"},
      {{"ticket", "add", "x", "--state", "doing"}, "is not a state"},
      {{"ticket", "add", "x", "--priority", "high"}, "expected a whole number"},
      {{"ticket", "add", "x", "--profile", "nobody"}, "no worker profile"},
      {{"ticket", "move", "T-1", "later"}, "is not a state"},
      {{"ticket", "show", "../T-1"}, "ticket id"},
      {{"ticket", "comment", "T-1"}, "is needed"},
      {{"ticket", "import", "not-json.jsonl"}, "line 2"},
      {{"ticket", "import", "twice.jsonl"}, "line 2"},
      {{"ticket", "import", "missing.jsonl"}, "No such file"},
      // To open a pipe that nobody writes to would wait for ever.
      {{"ticket", "import", "pipe"}, "pipe: is not a regular file"},
      {{"ticket", "import", "/dev/zero"}, "is not a regular file"},
      {{"ticket", "add", "x", "-F", "pipe"}, "pipe: is not a regular file"},
      {{"ticket", "list", "--config", "pipe"}, "it is not a regular file"},
      {{"events", "--after", "x"}, "--after"},
      {{"runtime", "declare-dead", "T-1", "--evidence", "e"}, "with its generation"},
      {{"runtime", "declare-dead", "T-1-g1"}, "--evidence is needed"},
      {{"completion", "tcsh"}, "bash, zsh or fish"},
      {{"init"}, "--repo is needed"},
  };
  for (const auto& row : table) {
    const auto result = place.run(row.args, row.input);
    EXPECT_EQ(result.code, 2) << row.words << ": " << result.err;
    EXPECT_NE(result.err.find(row.words), std::string::npos) << row.words << ": " << result.err;
    EXPECT_EQ(std::ranges::count(result.err, '\n'), 1) << result.err;
    EXPECT_EQ(result.out, "");
    for (const char c : result.err)
      EXPECT_TRUE(c == '\n' || static_cast<unsigned char>(c) >= 0x20) << result.err;
  }
  EXPECT_EQ(place.everything(), before);
}

TEST(BadInput, WhatIsNotThereIsFive) {
  Place place;
  place.install();
  for (const std::vector<std::string>& args :
       std::vector<std::vector<std::string>>{{"ticket", "show", "T-9"},
                                             {"ticket", "move", "T-9", "todo"},
                                             {"ticket", "comment", "T-9", "x"},
                                             {"ticket", "cancel", "T-9"},
                                             {"ticket", "retry", "T-9"},
                                             {"ticket", "answer", "T-9", "x"},
                                             {"runtime", "show", "T-9"},
                                             {"runtime", "stop", "T-9-g1"},
                                             {"deaths", "T-9"}})
    EXPECT_EQ(place.run(args).code, 5) << args[0] << " " << args[1];
}

TEST(BadInput, ErrorsAreJsonWhereThatIsAskedFor) {
  Place place;
  place.install();
  const json error = json::parse(place.run({"ticket", "show", "T-9", "--json"}).err);
  EXPECT_EQ(error["error"]["code"], 5);
  EXPECT_EQ(error["error"]["kind"], "not_found");
  EXPECT_EQ(json::parse(place.run({"ticket", "nonsense", "--json"}).err)["error"]["code"], 2);
}

}  // namespace
}  // namespace holdfast::cli
