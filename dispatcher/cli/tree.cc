// All families of commands in the order in which --help shows them.
#include <iterator>

#include "dispatcher/cli/command.h"

namespace holdfast::cli {

const CommandTree& command_tree() {
  static const CommandTree tree = [] {
    CommandTree t;
    t.groups = {{"ticket", "Tickets on the board"},
                {"runtime", "Runtimes: the live side of an attempt"},
                {"pool", "The pool of worktrees"}};
    for (auto family :
         {setup_commands, up_commands, serve_commands, top_commands, plan_commands, explain_commands,
          doctor_commands, events_commands, ticket_commands, ticket_file_commands, wish_commands,
          runtime_commands, pool_commands, paper_commands}) {
      auto commands = family();
      t.commands.insert(t.commands.end(), std::make_move_iterator(commands.begin()),
                        std::make_move_iterator(commands.end()));
    }
    return t;
  }();
  return tree;
}

const std::vector<Option>& common_options() {
  static const std::vector<Option> all{
      {"config", "FILE",
       "The configuration; else $HOLDFAST_CONFIG, else the nearest holdfast.json here or above.", 0, false,
       Is::file},
      {"json", "", "Answer in JSON; lists as one array, streams as one object on each line.", 0, false,
       Is::text},
      {"by", "NAME", "Who does this; else the name of the user.", 0, false, Is::text},
      {"no-color", "", "No colours, as with NO_COLOR.", 0, false, Is::text},
      {"help", "", "This text.", 'h', false, Is::text}};
  return all;
}

}  // namespace holdfast::cli
