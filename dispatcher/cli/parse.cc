#include "dispatcher/cli/parse.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <ostream>

#include "dispatcher/cli/help.h"

namespace holdfast::cli {
namespace {

// Where CLI11 puts what it found.
struct Slots {
  const Command* command;
  CLI::App* app;
  std::map<std::string, std::vector<std::string>> values;
  std::map<std::string, bool> flags;
};

void declare(Slots& slots, const Option& option) {
  std::string names = "--" + option.name;
  if (option.letter != 0) names = std::string("-") + option.letter + "," + names;
  if (option.value.empty()) {
    slots.app->add_flag(names, slots.flags[option.name]);
    return;
  }
  CLI::Option* made = slots.app->add_option(names, slots.values[option.name]);
  made->type_size(1)->expected(1)->allow_extra_args(false);
  made->multi_option_policy(option.many ? CLI::MultiOptionPolicy::TakeAll : CLI::MultiOptionPolicy::Throw);
}

void declare(Slots& slots, const Positional& positional) {
  CLI::Option* made = slots.app->add_option(positional.name, slots.values[positional.name]);
  if (positional.many)
    made->expected(positional.required ? 1 : 0, 1 << 20);
  else
    made->type_size(1)->expected(1)->allow_extra_args(false);
  if (positional.required) made->required();
}

std::string one_line(std::string text) {
  std::ranges::replace(text, '\n', ' ');
  while (text.ends_with(' ') || text.ends_with('.')) text.pop_back();
  return text;
}

bool is_help(const std::string& word) {
  return word == "--help" || word == "-h";
}

// The words that lead to a command or a group, options left out.
std::vector<std::string> path_in(const CommandTree& tree, const std::vector<std::string>& args) {
  std::vector<std::string> path;
  for (const std::string& word : args) {
    if (word.starts_with('-')) continue;
    auto longer = path;
    longer.push_back(word);
    const bool leads = std::ranges::any_of(tree.commands, [&](const Command& c) {
      return c.path.size() >= longer.size() && std::equal(longer.begin(), longer.end(), c.path.begin());
    });
    if (!leads) break;
    path = std::move(longer);
  }
  return path;
}

// What CLI11 would say without naming it, or would take: a word that leads nowhere, a value for a flag.
std::string what_is_wrong(const CommandTree& tree, const std::vector<std::string>& path,
                          const std::vector<std::string>& words) {
  std::string name = "holdfast";
  for (const std::string& part : path) name += " " + part;
  const auto command = std::ranges::find(tree.commands, path, &Command::path);
  if (command == tree.commands.end()) {
    std::size_t at = 0;
    for (const std::string& word : words) {
      if (word.starts_with('-')) continue;
      if (at++ < path.size()) continue;
      return "'" + safe(word, 80) + "' is not a command" + (path.empty() ? "" : " of `" + name + "`") +
             "; see `" + name + " --help`";
    }
    return "";
  }
  for (const std::string& word : words) {
    if (word == "--") break;
    const auto equals = word.find('=');
    if (!word.starts_with("--") || equals == std::string::npos) continue;
    const auto is_flag = [&](const Option& o) {
      return o.value.empty() && word.substr(2, equals - 2) == o.name;
    };
    if (std::ranges::any_of(command->options, is_flag) || std::ranges::any_of(common_options(), is_flag))
      return safe(word.substr(0, equals), 80) + " takes no value; see `" + name + " --help`";
  }
  return "";
}

}  // namespace

Parsed parse_arguments(const CommandTree& tree, const std::vector<std::string>& args) {
  // "holdfast --json ticket list" means the same as "holdfast ticket list --json".
  std::vector<std::string> words(args), leading;
  while (!words.empty() && words.front().starts_with("--")) {
    const std::string word = words.front();
    const auto known = std::ranges::find_if(common_options(), [&](const Option& o) {
      return word == "--" + o.name || word.starts_with("--" + o.name + "=");
    });
    if (known == common_options().end()) break;
    const bool takes_next = !known->value.empty() && word == "--" + known->name && words.size() > 1;
    for (int n = takes_next ? 2 : 1; n > 0; --n) {
      leading.push_back(words.front());
      words.erase(words.begin());
    }
  }
  const auto path = path_in(tree, words);
  const auto end_of_options = std::ranges::find(args, "--");
  if (args.empty()) return {nullptr, {}, Exit::bad_input, overview(tree)};
  if (std::any_of(args.begin(), end_of_options, is_help))
    return {nullptr, {}, Exit::ok, help_for(tree, path)};
  if (args.size() == 1 && args[0] == "help") return {nullptr, {}, Exit::ok, overview(tree)};

  if (const std::string wrong = what_is_wrong(tree, path, words); !wrong.empty())
    return {nullptr, {}, Exit::bad_input, wrong};

  CLI::App root("holdfast", "holdfast");
  root.set_help_flag();
  root.require_subcommand(1);
  std::map<std::string, CLI::App*> groups;
  std::vector<std::unique_ptr<Slots>> all;
  for (const auto& [name, summary] : tree.groups) {
    groups[name] = root.add_subcommand(name, summary);
    groups[name]->set_help_flag();
    groups[name]->require_subcommand(1);
  }
  for (const Command& command : tree.commands) {
    CLI::App* parent = command.path.size() == 2 ? groups.at(command.path.front()) : &root;
    auto slots =
        std::make_unique<Slots>(Slots{&command, parent->add_subcommand(command.path.back()), {}, {}});
    slots->app->set_help_flag();
    for (const Positional& positional : command.positionals) declare(*slots, positional);
    for (const Option& option : command.options) declare(*slots, option);
    for (const Option& option : common_options()) declare(*slots, option);
    all.push_back(std::move(slots));
  }

  words.insert(words.begin() + static_cast<std::ptrdiff_t>(std::min(path.size(), words.size())),
               leading.begin(), leading.end());

  try {
    std::ranges::reverse(words);  // CLI11 takes them from the back
    root.parse(words);
  } catch (const CLI::ParseError& error) {
    std::string name = "holdfast";
    for (const std::string& part : path) name += " " + part;
    return {nullptr, {}, Exit::bad_input, safe(one_line(error.what())) + "; see `" + name + " --help`"};
  }
  for (const auto& slots : all) {
    if (!slots->app->parsed()) continue;
    Parsed parsed{slots->command, {}, Exit::ok, {}};
    for (auto& [name, values] : slots->values)
      if (!values.empty()) parsed.arguments.values[name] = std::move(values);
    for (const auto& [name, set] : slots->flags)
      if (set) parsed.arguments.values[name] = {""};
    return parsed;
  }
  return {nullptr, {}, Exit::bad_input, "no command; see `holdfast --help`"};
}

Exit run_holdfast(const std::vector<std::string>& args, Shell& shell) {
  if (args.size() == 1 && (args[0] == "--version" || args[0] == "-V"))
    return run_holdfast({"version"}, shell);
  shell.json = shell.json || std::ranges::find(args, "--json") != args.end();
  const Parsed parsed = parse_arguments(command_tree(), args);
  if (parsed.command == nullptr) {
    if (parsed.code == Exit::ok)
      shell.out << parsed.words;
    else if (args.empty())
      shell.err << parsed.words;
    else
      return shell.fail(parsed.code, parsed.words);
    return parsed.code;
  }
  shell.json = parsed.arguments.has("json");
  if (auto file = parsed.arguments.one("config")) shell.config_file = *file;
  if (auto person = parsed.arguments.one("by")) shell.person = *person;
  if (parsed.arguments.has("no-color")) shell.color = false;
  const Exit code = parsed.command->run(parsed.arguments, shell);
  shell.out.flush();
  if (code == Exit::ok && !shell.out) return shell.fail(Exit::failure, "the output could not be written");
  return code;
}

}  // namespace holdfast::cli
