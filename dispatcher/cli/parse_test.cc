// The command line: what each form of it means, and the one line that a wrong one gets.
#include "dispatcher/cli/parse.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include "dispatcher/cli/completion.h"
#include "dispatcher/cli/help.h"

namespace holdfast::cli {
namespace {

// The words of an example as a shell would see them, up to a pipe or a redirection.
std::vector<std::string> words_of(const std::string& line) {
  std::vector<std::string> words;
  std::string word;
  bool quoted = false, any = false;
  for (const char c : line) {
    if (c == '\'') {
      quoted = !quoted;
      any = true;
    } else if (!quoted && (c == ' ' || c == '|' || c == '>')) {
      if (any) words.push_back(word);
      word.clear();
      any = false;
      if (c != ' ') return words;
    } else {
      word += c;
      any = true;
    }
  }
  if (any) words.push_back(word);
  return words;
}

TEST(CommandTree, EveryCommandIsWhole) {
  std::set<std::string> names;
  for (const Command& command : command_tree().commands) {
    EXPECT_TRUE(names.insert(name_of(command)).second) << name_of(command);
    EXPECT_NE(command.run, nullptr) << name_of(command);
    EXPECT_TRUE(command.summary.ends_with('.')) << name_of(command);
    EXPECT_FALSE(command.examples.empty()) << name_of(command);
    for (const Option& option : command.options) EXPECT_TRUE(option.doc.ends_with('.')) << option.name;
  }
  for (const char* name : {"init",
                           "up",
                           "top",
                           "plan",
                           "ticket add",
                           "ticket list",
                           "ticket show",
                           "ticket move",
                           "ticket comment",
                           "ticket import",
                           "ticket export",
                           "ticket cancel",
                           "ticket retry",
                           "ticket park",
                           "ticket answer",
                           "ticket approve",
                           "ticket waive",
                           "runtime list",
                           "runtime show",
                           "runtime attach",
                           "runtime send",
                           "runtime interrupt",
                           "runtime stop",
                           "runtime declare-dead",
                           "explain",
                           "deaths",
                           "pool status",
                           "pool gc",
                           "doctor",
                           "events",
                           "version",
                           "completion",
                           "man"})
    EXPECT_TRUE(names.contains(name)) << name;
}

TEST(CommandTree, EveryExampleParses) {
  for (const Command& command : command_tree().commands)
    for (const Example& example : command.examples) {
      const auto at = example.line.find("holdfast ");
      ASSERT_NE(at, std::string::npos) << example.line;
      auto words = words_of(example.line.substr(at));
      words.erase(words.begin());
      if (example.line.find("$(") != std::string::npos) words = {"completion", "bash"};
      const Parsed parsed = parse_arguments(command_tree(), words);
      EXPECT_TRUE(parsed.command != nullptr || example.line.find("ssh") != std::string::npos)
          << example.line << ": " << parsed.words;
    }
}

TEST(CommandTree, EveryCommandTakesJsonAndHelp) {
  for (const Command& command : command_tree().commands) {
    auto words = command.path;
    for (const Positional& p : command.positionals)
      if (p.required) words.push_back("x");
    words.push_back("--json");
    const Parsed parsed = parse_arguments(command_tree(), words);
    ASSERT_NE(parsed.command, nullptr) << name_of(command) << ": " << parsed.words;
    EXPECT_TRUE(parsed.arguments.has("json"));
    words.push_back("--help");
    const Parsed help = parse_arguments(command_tree(), words);
    EXPECT_EQ(help.code, Exit::ok);
    for (const char* part : {"Usage: holdfast ", "Examples:\n", "Exit codes:\n", "--json"})
      EXPECT_NE(help.words.find(part), std::string::npos) << name_of(command);
  }
}

TEST(Parse, WhatIsWrongIsOneLineAndBadInput) {
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"nonsense"},
                                             {"ticket"},
                                             {"ticket", "nonsense"},
                                             {"ticket", "add"},
                                             {"ticket", "add", "a", "b"},
                                             {"ticket", "add", "a", "--nonsense"},
                                             {"ticket", "add", "a", "--body"},
                                             {"ticket", "add", "a", "--body", "x", "--body", "y"},
                                             {"ticket", "add", "a", "--\x1b[2J\n"},
                                             {"up", "now"},
                                             {"--config"}}) {
    const Parsed parsed = parse_arguments(command_tree(), words);
    EXPECT_EQ(parsed.command, nullptr) << words.front();
    EXPECT_EQ(parsed.code, Exit::bad_input) << words.front();
    EXPECT_EQ(parsed.words.find('\n'), std::string::npos) << parsed.words;
    EXPECT_EQ(parsed.words.find('\x1b'), std::string::npos) << parsed.words;
    EXPECT_NE(parsed.words.find("--help"), std::string::npos) << parsed.words;
  }
}

TEST(Parse, ValuesComeAsTheyWere) {
  const Parsed parsed =
      parse_arguments(command_tree(), {"--json", "--config", "ticket", "ticket", "add", "-l", "a b",
                                       "--label=c", "-b", "-x\n$(id)", "--", "-t"});
  ASSERT_NE(parsed.command, nullptr) << parsed.words;
  EXPECT_EQ(parsed.arguments.one("TITLE"), "-t");
  EXPECT_EQ(parsed.arguments.one("config"), "ticket");
  EXPECT_EQ(parsed.arguments.many("label"), (std::vector<std::string>{"a b", "c"}));
  EXPECT_EQ(parsed.arguments.one("body"), "-x\n$(id)");
  EXPECT_TRUE(parsed.arguments.has("json"));
  EXPECT_FALSE(parsed.arguments.has("body-file"));
}

TEST(Papers, TheManualPageIsTheTrees) {
  std::ifstream file(HOLDFAST_SOURCE_DIR "/docs/man/holdfast.1");
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_EQ(text.str(), manual_page(command_tree()))
      << "write it anew with `holdfast man > docs/man/holdfast.1`";
}

TEST(Papers, CompletionNamesEveryCommandAndOption) {
  for (const char* name : {"bash", "zsh", "fish"}) {
    const auto script = completion_for(command_tree(), name);
    ASSERT_TRUE(script);
    for (const Command& command : command_tree().commands) {
      EXPECT_NE(script->find(command.path.back()), std::string::npos) << name;
      for (const Option& option : command.options)
        EXPECT_NE(script->find(option.name), std::string::npos) << name;
    }
  }
  EXPECT_FALSE(completion_for(command_tree(), "tcsh"));
}

TEST(Papers, BashTakesItsCompletion) {
  const std::string path = testing::TempDir() + "holdfast-completion.bash";
  std::ofstream(path) << completion_for(command_tree(), "bash").value()
                      << "COMP_WORDS=(holdfast ticket m) COMP_CWORD=2; _holdfast; echo \"${COMPREPLY[@]}\" > "
                      << path << ".out\n";
  ASSERT_EQ(std::system(("bash " + path).c_str()), 0);  // NOLINT
  std::ifstream out(path + ".out");
  std::string line;
  std::getline(out, line);
  EXPECT_EQ(line, "move");
}

TEST(Text, TablesAndWidths) {
  std::ostringstream out, err;
  std::istringstream in;
  Shell shell{in, out, err, {}, "/", {}};
  EXPECT_EQ(table({"A", "LONGER"}, {{"xyz", "1"}, {"ä", "2"}}, shell), "A    LONGER\nxyz  1\nä    2\n");
  EXPECT_EQ(width_of("\x1b[31mab\x1b[0m"), 2U);
  EXPECT_EQ(safe_lines("a\n\x1b[2Jb\n", "  ").find('\x1b'), std::string::npos);
  EXPECT_EQ(clock_words({1'700'000'000'000}), "2023-11-14 22:13:20Z");
  EXPECT_EQ(span_words(seconds(200)), "3 min");
}

TEST(Colours, OnlyWhereTheyAreWanted) {
  std::ostringstream out, err;
  std::istringstream in;
  Shell shell{in, out, err, {}, "/", {}};
  EXPECT_EQ(shell.paint(red, "x"), "x");
  shell.color = true;
  EXPECT_EQ(shell.paint(red, "x"), "\x1b[31mx\x1b[0m");
}

}  // namespace
}  // namespace holdfast::cli
