#include "dispatcher/cli/help.h"

#include <algorithm>

#include "dispatcher/cli/shell.h"

namespace holdfast::cli {
namespace {

constexpr std::size_t page_width = 100;

std::string wrapped(const std::string& text, std::size_t indent, std::size_t first_at) {
  std::string out;
  std::size_t column = first_at;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find_first_of(" \n", at), text.size());
    const std::string word = text.substr(at, end - at);
    if (column + word.size() > page_width && column > indent) {
      while (out.ends_with(' ')) out.pop_back();
      out += "\n" + std::string(indent, ' ');
      column = indent;
    }
    out += word;
    column += word.size();
    if (end < text.size()) {
      out += text[end];
      column += 1;
      if (text[end] == '\n') {
        out += std::string(indent, ' ');
        column = indent;
      }
    }
    at = end + 1;
  }
  while (out.ends_with(' ')) out.pop_back();
  return out;
}

std::string entry(const std::string& name, const std::string& doc) {
  constexpr std::size_t at = 26;
  std::string out = "  " + name;
  if (out.size() + 2 > at)
    out += "\n" + std::string(at, ' ');
  else
    out += std::string(at - out.size(), ' ');
  return out + wrapped(doc, at, at) + "\n";
}

std::string words_of(const Option& option) {
  std::string out = option.letter != 0 ? std::string("-") + option.letter + ", " : "";
  out += "--" + option.name;
  if (!option.value.empty()) out += " " + option.value;
  if (option.many) out += " ...";
  return out;
}

std::string codes() {
  std::string out = "Exit codes:\n";
  for (const ExitWords& one : exit_codes)
    out += entry(std::to_string(static_cast<int>(one.code)), std::string(one.doc));
  return out;
}

std::string options_text(const std::vector<Option>& options) {
  std::string out;
  for (const Option& option : options) out += entry(words_of(option), option.doc);
  return out;
}

std::string command_help(const Command& command) {
  std::string out = "Usage: " + usage_of(command) + "\n\n" + wrapped(command.summary, 0, 0) + "\n";
  if (!command.details.empty()) out += "\n" + wrapped(command.details, 0, 0) + "\n";
  if (!command.positionals.empty()) {
    out += "\nArguments:\n";
    for (const Positional& p : command.positionals) out += entry(p.name, p.doc);
  }
  out += "\nOptions:\n" + options_text(command.options) + options_text(common_options());
  out += "\nExamples:\n";
  for (const Example& example : command.examples) {
    out += "  " + example.line + "\n";
    if (!example.says.empty()) out += "      " + wrapped(example.says, 6, 6) + "\n";
  }
  return out + "\n" + codes();
}

std::string roff(const std::string& text) {
  std::string out;
  for (std::size_t n = 0; n < text.size(); ++n) {
    if ((n == 0 || text[n - 1] == '\n') && (text[n] == '.' || text[n] == '\'')) out += "\\&";
    if (text[n] == '\\')
      out += "\\e";
    else if (text[n] == '-')
      out += "\\-";
    else
      out += text[n];
  }
  return out;
}

std::string roff_options(const std::vector<Option>& options) {
  std::string out;
  for (const Option& option : options)
    out += ".TP\n\\fB" + roff(words_of(option)) + "\\fR\n" + roff(option.doc) + "\n";
  return out;
}

}  // namespace

std::string name_of(const Command& command) {
  std::string name;
  for (const std::string& part : command.path) name += (name.empty() ? "" : " ") + part;
  return name;
}

std::string usage_of(const Command& command) {
  std::string out = "holdfast " + name_of(command) + " [OPTIONS]";
  for (const Positional& p : command.positionals) {
    const std::string name = p.name + (p.many ? "..." : "");
    out += p.required ? " " + name : " [" + name + "]";
  }
  return out;
}

std::string overview(const CommandTree& tree) {
  std::string out =
      "holdfast: gives each ticket a leased git worktree and a live tmux session with a worker in it, finds "
      "out\n"
      "truthfully how it ended, and never puts a ticket back whose worker is alive.\n\n"
      "Usage: holdfast COMMAND [OPTIONS] [ARGUMENTS]\n\nCommands:\n";
  for (const Command& command : tree.commands)
    if (command.path.size() == 1) out += entry(name_of(command), command.summary);
  for (const auto& [group, summary] : tree.groups) {
    out += "\n" + summary + ":\n";
    for (const Command& command : tree.commands)
      if (command.path.size() == 2 && command.path.front() == group)
        out += entry(name_of(command), command.summary);
  }
  out += "\nOptions of every command:\n" + options_text(common_options());
  out +=
      "\nExamples:\n"
      "  holdfast init --repo ~/src/project      a new installation in this folder\n"
      "  holdfast ticket add 'Fix the parser'    the first ticket\n"
      "  holdfast up                             run the dispatcher until Ctrl-C; workers stay\n"
      "  holdfast explain T-1                    why it is as it is, and what comes next\n\n";
  return out + codes() + "\n`holdfast COMMAND --help` tells more, with examples.\n";
}

std::string help_for(const CommandTree& tree, const std::vector<std::string>& path) {
  if (path.empty()) return overview(tree);
  for (const Command& command : tree.commands)
    if (command.path == path) return command_help(command);
  std::string out;
  for (const auto& [group, summary] : tree.groups)
    if (group == path.front())
      out.append("Usage: holdfast ")
          .append(group)
          .append(" COMMAND [OPTIONS]\n\n")
          .append(summary)
          .append(":\n");
  for (const Command& command : tree.commands)
    if (command.path.front() == path.front()) out += entry(name_of(command), command.summary);
  return out + "\nExamples:\n  holdfast " + path.front() + " " +
         std::ranges::find_if(tree.commands, [&](const Command& c) { return c.path.front() == path.front(); })
             ->path.back() +
         " --help\n";
}

std::string manual_page(const CommandTree& tree) {
  std::string out =
      ".\\\" Made by `holdfast man`.\n.TH HOLDFAST 1 \"\" \"holdfast\" \"User Commands\"\n.SH NAME\nholdfast "
      "\\- gives "
      "tickets to workers in tmux and git worktrees, and never takes a live one back\n.SH SYNOPSIS\n.B "
      "holdfast\n"
      "\\fICOMMAND\\fR [\\fIOPTIONS\\fR] [\\fIARGUMENTS\\fR]\n.SH DESCRIPTION\n"
      "Holdfast picks up tickets from a board, gives each a leased git worktree and a live tmux session with "
      "a worker "
      "in it, delivers the prompt, watches, finds out how it ended, and moves the ticket on.\n"
      "A ticket whose runtime is alive is never put back to\n.IR todo .\n.SH COMMANDS\n";
  for (const Command& command : tree.commands) {
    out += ".SS " + roff(usage_of(command)) + "\n" + roff(command.summary) + "\n";
    if (!command.details.empty()) out += ".PP\n" + roff(command.details) + "\n";
    for (const Positional& p : command.positionals)
      out += ".TP\n\\fI" + roff(p.name) + "\\fR\n" + roff(p.doc) + "\n";
    out += roff_options(command.options);
    for (const Example& example : command.examples)
      out += ".PP\n.EX\n" + roff(example.line) + "\n.EE\n" +
             (example.says.empty() ? "" : roff(example.says) + "\n");
  }
  out += ".SH OPTIONS OF EVERY COMMAND\n" + roff_options(common_options()) + ".SH EXIT STATUS\n";
  for (const ExitWords& one : exit_codes)
    out += ".TP\n\\fB" + std::to_string(static_cast<int>(one.code)) + "\\fR\n" + roff(std::string(one.doc)) +
           "\n";
  out +=
      ".SH ENVIRONMENT\n.TP\n\\fBHOLDFAST_CONFIG\\fR\nThe configuration, where \\-\\-config does not name "
      "one.\n"
      ".TP\n\\fBNO_COLOR\\fR\nNo colours, also on terminals.\n"
      ".SH FILES\n.TP\n\\fIholdfast.json\\fR\nThe configuration, looked for in the working directory and "
      "above it.\n"
      ".TP\n\\fIstate/\\fR\nLedger, records, worktrees and locks of the installation.\n";
  return out;
}

}  // namespace holdfast::cli
