// What is printed about the program itself: version, schema, completion, manual page.
#include <nlohmann/json.hpp>
#include <ostream>

#include "dispatcher/cli/command.h"
#include "dispatcher/cli/completion.h"
#include "dispatcher/cli/help.h"
#include "dispatcher/cli/print.h"
#include "dispatcher/cli/session.h"

namespace holdfast::cli {
namespace {

Exit version(const Arguments&, Shell& shell) {
  if (shell.json)
    print(shell, {{"name", "holdfast"}, {"version", HOLDFAST_VERSION}});
  else
    shell.out << "holdfast " HOLDFAST_VERSION "\n";
  return Exit::ok;
}

Exit schema(const Arguments&, Shell& shell) {
  shell.out << config_schema();
  return Exit::ok;
}

Exit completion(const Arguments& args, Shell& shell) {
  const std::string name = *args.one("SHELL");
  const auto script = completion_for(command_tree(), name);
  if (!script) return shell.fail(Exit::bad_input, "'" + safe(name, 40) + "': expected bash, zsh or fish");
  if (shell.json)
    print(shell, {{"shell", name}, {"script", *script}});
  else
    shell.out << *script;
  return Exit::ok;
}

Exit man(const Arguments&, Shell& shell) {
  if (shell.json)
    print(shell, {{"page", manual_page(command_tree())}});
  else
    shell.out << manual_page(command_tree());
  return Exit::ok;
}

}  // namespace

std::vector<Command> paper_commands() {
  return {{{"schema"},
           "Prints the JSON Schema of holdfast.json.",
           "",
           {},
           {},
           {{"holdfast schema > holdfast.schema.json", ""}},
           schema},
          {{"completion"},
           "Prints the completion script of a shell.",
           "",
           {{"SHELL", "bash, zsh or fish.", Is::shell_name, true, false}},
           {},
           {{"eval \"$(holdfast completion bash)\"", ""},
            {"holdfast completion fish > ~/.config/fish/completions/holdfast.fish", ""}},
           completion},
          {{"man"}, "Prints the manual page.", "", {}, {}, {{"holdfast man | man -l -", ""}}, man},
          {{"version"}, "Prints the version.", "", {}, {}, {{"holdfast version", ""}}, version}};
}

}  // namespace holdfast::cli
