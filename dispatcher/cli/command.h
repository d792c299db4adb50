// The commands of `holdfast`, as data: what can be said, what it means, an example, and the function behind
// it. Parsing, --help, completion and the manual page are all made from this one tree, so they cannot
// disagree.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dispatcher/cli/exit_codes.h"

namespace holdfast::cli {

class Shell;

// What a value may be, for completion.
enum class Is { text, file, folder, ticket, attempt, state, profile, shell_name };

struct Option {
  std::string name;   // "body-file"
  std::string value;  // "FILE"; empty: a flag
  std::string doc;
  char letter = 0;    // 'm'
  bool many = false;  // may be repeated
  Is is = Is::text;
};

struct Positional {
  std::string name;  // "TICKET"
  std::string doc;
  Is is = Is::text;
  bool required = true;
  bool many = false;
};
inline const Positional a_ticket{"TICKET", "The ticket's id.", Is::ticket, true, false};

struct Example {
  std::string line;  // "holdfast ticket add 'Fix the parser'"
  std::string says;
};

// What was said on the command line. Names are those of the tree; asking for another one is a mistake in it.
struct Arguments {
  std::map<std::string, std::vector<std::string>> values;

  [[nodiscard]] bool has(const std::string& name) const { return values.contains(name); }
  [[nodiscard]] std::optional<std::string> one(const std::string& name) const {
    const auto found = values.find(name);
    return found == values.end() ? std::nullopt : std::optional(found->second.back());
  }
  [[nodiscard]] std::vector<std::string> many(const std::string& name) const {
    const auto found = values.find(name);
    return found == values.end() ? std::vector<std::string>{} : found->second;
  }
};

struct Command {
  std::vector<std::string> path;  // {"ticket", "add"}
  std::string summary;            // one line
  std::string details;            // paragraphs, or nothing
  std::vector<Positional> positionals;
  std::vector<Option> options;
  std::vector<Example> examples;
  Exit (*run)(const Arguments&, Shell&) = nullptr;
};

// Groups ("ticket") have a summary of their own and no function.
struct CommandTree {
  std::vector<std::pair<std::string, std::string>> groups;
  std::vector<Command> commands;
};

const CommandTree& command_tree();
const std::vector<Option>& common_options();  // of every command

std::string name_of(const Command&);  // "ticket add"

// Each family in a file of its own.
std::vector<Command> setup_commands();
std::vector<Command> up_commands();
std::vector<Command> serve_commands();
std::vector<Command> top_commands();
std::vector<Command> plan_commands();
std::vector<Command> ticket_commands();
std::vector<Command> ticket_file_commands();
std::vector<Command> wish_commands();
std::vector<Command> runtime_commands();
std::vector<Command> explain_commands();
std::vector<Command> pool_commands();
std::vector<Command> doctor_commands();
std::vector<Command> events_commands();
std::vector<Command> paper_commands();

}  // namespace holdfast::cli
