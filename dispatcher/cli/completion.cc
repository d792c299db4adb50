#include "dispatcher/cli/completion.h"

#include <map>
#include <set>

namespace holdfast::cli {
namespace {

constexpr const char* tickets =
    "holdfast ticket list --json 2>/dev/null | sed -n 's/^ *\"id\": \"\\([^\"]*\\)\".*/\\1/p'";
constexpr const char* states = "backlog todo in_progress in_review blocked done cancelled";

std::string options_of(const Command& command) {
  std::string words;
  for (const auto* list : {&command.options, &common_options()})
    for (const Option& option : *list) words += (words.empty() ? "--" : " --") + option.name;
  return words;
}

// First words, or what may follow a group.
std::string names_after(const CommandTree& tree, const std::string& group) {
  std::set<std::string> names;
  for (const Command& command : tree.commands) {
    if (group.empty()) names.insert(command.path.front());
    if (command.path.size() == 2 && command.path.front() == group) names.insert(command.path.back());
  }
  std::string words;
  for (const std::string& name : names) words += (words.empty() ? "" : " ") + name;
  return words;
}

// A shell word list for a value, or nothing where files are meant.
std::string source_of(Is is) {
  switch (is) {
    case Is::ticket:
    case Is::attempt: return std::string("$(") + tickets + ")";
    case Is::state: return states;
    case Is::profile: return "generic shell claude codex";
    case Is::shell_name: return "bash zsh fish";
    case Is::text:
    case Is::file:
    case Is::folder: return "";
  }
  __builtin_unreachable();
}

std::string bash(const CommandTree& tree) {
  std::string out =
      "# Completion of holdfast for bash: eval \"$(holdfast completion bash)\"\n"
      "_holdfast() {\n"
      "  local cur=\"${COMP_WORDS[COMP_CWORD]}\" prev=\"${COMP_WORDS[COMP_CWORD-1]}\" path=\"\" place=0 i "
      "word words\n"
      "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
      "    word=\"${COMP_WORDS[i]}\"\n"
      "    case \"$word\" in -*) continue ;; esac\n"
      "    case \"$path/$word\" in\n";
  std::set<std::string> known;
  for (const Command& command : tree.commands) {
    known.insert("/" + command.path.front());
    if (command.path.size() == 2) known.insert("/" + command.path.front() + "/" + command.path.back());
  }
  std::string patterns;
  for (const std::string& one : known) patterns += (patterns.empty() ? "" : "|") + one;
  out +=
      "      " + patterns + ") path=\"$path/$word\" ;;\n      *) place=$((place + 1)) ;;\n    esac\n  done\n";
  out += "  case \"$path $prev\" in\n";
  for (const Command& command : tree.commands) {
    std::string path;
    for (const std::string& part : command.path) path += "/" + part;
    for (const auto* list : {&command.options, &common_options()})
      for (const Option& option : *list) {
        if (option.value.empty()) continue;
        const std::string source = source_of(option.is);
        out += "    '" + path + " --" + option.name + "') ";
        out += source.empty() ? "COMPREPLY=($(compgen -f -- \"$cur\"))"
                              : "COMPREPLY=($(compgen -W \"" + source + "\" -- \"$cur\"))";
        out += "; return ;;\n";
      }
  }
  out += "  esac\n  case \"$path $place\" in\n    ' 0') words=\"" + names_after(tree, "") +
         " --help --version\" ;;\n";
  for (const auto& [group, summary] : tree.groups)
    out += "    '/" + group + " 0') words=\"" + names_after(tree, group) + "\" ;;\n";
  for (const Command& command : tree.commands) {
    std::string path;
    for (const std::string& part : command.path) path += "/" + part;
    for (std::size_t n = 0; n < command.positionals.size(); ++n) {
      const std::string source = source_of(command.positionals[n].is);
      const bool file = command.positionals[n].is == Is::file || command.positionals[n].is == Is::folder;
      out.append("    '").append(path).append(" ").append(std::to_string(n)).append("') words=\"");
      out.append(options_of(command)).append(" ").append(source).append("\"");
      out += file ? "; COMPREPLY=($(compgen -f -- \"$cur\")) ;;\n" : " ;;\n";
    }
    out += "    '" + path + " '*) words=\"" + options_of(command) + "\" ;;\n";
  }
  return out +
         "  esac\n  COMPREPLY+=($(compgen -W \"$words\" -- \"$cur\"))\n}\ncomplete -F _holdfast holdfast\n";
}

std::string zsh(const CommandTree& tree) {
  return "#compdef holdfast\n# Completion of holdfast for zsh: holdfast completion zsh > ~/.zfunc/_holdfast\n"
         "autoload -Uz bashcompinit && bashcompinit\n" +
         bash(tree);
}

std::string in_single_quotes(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

std::string fish(const CommandTree& tree) {
  std::string out =
      "# Completion of holdfast for fish: holdfast completion fish > "
      "~/.config/fish/completions/holdfast.fish\n"
      "complete -c holdfast -f\n";
  std::map<std::string, std::string> firsts;
  for (const auto& [group, summary] : tree.groups) firsts[group] = summary;
  for (const Command& command : tree.commands)
    if (command.path.size() == 1) firsts[command.path.front()] = command.summary;
  for (const auto& [name, summary] : firsts)
    out += "complete -c holdfast -n __fish_use_subcommand -a " + name + " -d " + in_single_quotes(summary) +
           "\n";
  for (const Command& command : tree.commands) {
    std::string when = "__fish_seen_subcommand_from " + command.path.front();
    if (command.path.size() == 2) {
      out += "complete -c holdfast -n '" + when + "; and not __fish_seen_subcommand_from " +
             names_after(tree, command.path.front()) + "' -a " + command.path.back() + " -d " +
             in_single_quotes(command.summary) + "\n";
      when += "; and __fish_seen_subcommand_from " + command.path.back();
    }
    for (const auto* list : {&command.options, &common_options()})
      for (const Option& option : *list) {
        out += "complete -c holdfast -n '" + when + "' -l " + option.name;
        if (option.letter != 0) out += std::string(" -s ") + option.letter;
        if (!option.value.empty()) out += option.is == Is::file || option.is == Is::folder ? " -rF" : " -x";
        if (const std::string source = option.value.empty() ? "" : source_of(option.is); !source.empty())
          out += " -a \"" + (source.starts_with("$(") ? "(" + source.substr(2) : source) + "\"";
        out += " -d " + in_single_quotes(option.doc) + "\n";
      }
    for (const Positional& p : command.positionals) {
      if (p.is == Is::file || p.is == Is::folder) out += "complete -c holdfast -n '" + when + "' -F\n";
      if (const std::string source = source_of(p.is); !source.empty())
        out += "complete -c holdfast -n '" + when + "' -a \"" +
               (source.starts_with("$(") ? "(" + source.substr(2) : source) + "\"\n";
    }
  }
  return out;
}

}  // namespace

std::optional<std::string> completion_for(const CommandTree& tree, const std::string& shell_name) {
  if (shell_name == "bash") return bash(tree);
  if (shell_name == "zsh") return zsh(tree);
  if (shell_name == "fish") return fish(tree);
  return std::nullopt;
}

}  // namespace holdfast::cli
