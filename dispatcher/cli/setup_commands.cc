// `init`: a new installation, which is a commented holdfast.json and a state folder beside it.
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <ostream>

#include "dispatcher/cli/command.h"
#include "dispatcher/cli/git_part.h"
#include "dispatcher/cli/print.h"
#include "dispatcher/cli/session.h"
#include "dispatcher/cli/tmux_folder.h"
#include "dispatcher/config/fields.h"
#include "dispatcher/system/durable_file.h"
#include "dispatcher/terminal/tmux_terminal.h"

namespace holdfast::cli {
namespace {

namespace fs = std::filesystem;

std::string in_json(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string first_config(const std::string& repository, const std::string& target,
                         const std::string& profile) {
  return "// Holdfast's configuration. Comments are allowed; every field is described in "
         "holdfast.schema.json\n"
         "// (`holdfast schema`), and a mistake is reported with its line and path.\n"
         "{\n"
         "  // The git repository that the work is about, and the branch that work starts from and lands "
         "on.\n"
         "  \"repository\": " +
         in_json(repository) +
         ",\n"
         "  \"target\": " +
         in_json(target) +
         ",\n"
         "  // A git remote to push finished branches to.\n"
         "  // \"remote\": \"origin\",\n"
         "\n"
         "  // Ledger, records and worktrees. Must not lie inside the repository's checkout.\n"
         "  \"state\": \"state\",\n"
         "\n"
         "  // Workers that live at once; each has a worktree of its own.\n"
         "  \"capacity\": 4,\n"
         "\n"
         "  // After a DONE: \"review\" leaves landing to you, \"land\" merges when the check has passed.\n"
         "  \"gate\": \"review\",\n"
         "  // \"check\": [\"make\", \"test\"],\n"
         "\n"
         "  // Who works. Built in are \"shell\" (the ticket's text is a script), \"claude\" and \"codex\".\n"
         "  \"default_profile\": " +
         in_json(profile) +
         ",\n"
         "  \"profiles\": {\n"
         "    // A worker of your own, which reads its prompt from its terminal:\n"
         "    // \"mine\": {\"command\": [\"my-agent\", \"--interactive\"], \"memory\": \"4GiB\"}\n"
         "  }\n"
         "}\n";
}

Exit init(const Arguments& args, Shell& shell) {
  if (!args.has("repo"))
    return shell.fail(Exit::bad_input, "--repo is needed: the git repository that the work is about");
  const fs::path folder = (fs::path(shell.folder) / args.one("DIR").value_or(".")).lexically_normal();
  const std::string target = args.one("target").value_or("main");
  const std::string profile = args.one("profile").value_or("shell");
  const fs::path repository = (fs::path(shell.folder) / *args.one("repo")).lexically_normal();

  if (!is_plain_branch(target))
    return shell.fail(Exit::bad_input,
                      "--target: expected a branch name such as \"main\", not '" + target + "'");
  const fs::path file = folder / "holdfast.json";
  std::error_code none;
  if (fs::exists(fs::symlink_status(file, none)))
    return shell.fail(Exit::bad_input, file.string() + " is there already; it is never overwritten");
  if (const auto wrong = what_is_wrong_with_tmux("tmux")) return shell.fail(Exit::bad_input, *wrong);
  if (const auto wrong =
          what_is_wrong_with_repository(repository.string(), "refs/heads/" + target, seconds(30));
      !wrong.empty())
    return shell.fail(Exit::bad_input, wrong.front());
  std::string whole = fs::weakly_canonical(checkout_of(repository.string()), none).string();
  if (none) whole = repository.string();
  const std::string text = first_config(whole, target, profile);
  const auto config = parse_config(text, file.string());  // with what was given, before anything is made
  if (!config) return shell.fail(Exit::bad_input, config.error().words);

  fs::create_directories(folder, none);
  if (none) return shell.fail(Exit::bad_input, folder.string() + ": " + none.message());
  if (::mkdir(config->state.c_str(), 0700) != 0 && errno != EEXIST)
    return shell.fail(Exit::bad_input, config->state + ": " + errno_words(errno));
  const auto ledger = open_ledger(places_of(*config).ledger, LedgerMode::command_line);
  if (!ledger) return shell.fail(Exit::bad_input, ledger.error());
  if (const int error = make_folder(places_of(*config).records); error != 0)
    return shell.fail(Exit::bad_input, places_of(*config).records + ": " + errno_words(error));
  if (const auto home = check_is_at_home(config->state, true); !home) return fail(shell, home.error());
  const auto tmux = choose_tmux_folder(config->state, (*ledger)->installation(), config->policy.shards, true);
  if (!tmux) return shell.fail(Exit::bad_input, tmux.error());
  const CreateAnswer made = create_exclusively(folder.string(), "holdfast.json", text);
  switch (made.created) {
    case Created::now: break;
    case Created::existed: return shell.fail(Exit::bad_input, file.string() + " is there already");
    case Created::failed: return shell.fail(Exit::bad_input, file.string() + ": " + errno_words(made.error));
  }
  if (shell.json) {
    print(shell,
          {{"config", file.string()}, {"state", config->state}, {"repository", whole}, {"target", target}});
    return Exit::ok;
  }
  shell.out << "made " << safe(file.string()) << "\n"
            << "made " << safe(config->state) << "\n\n"
            << "Next, in that folder:\n"
            << "  holdfast ticket add 'The first ticket' --body 'What is to be done'\n"
            << "  holdfast up --live\n";
  return Exit::ok;
}

}  // namespace

std::vector<Command> setup_commands() {
  return {
      {{"init"},
       "Makes a new installation: a commented holdfast.json and its state folder.",
       "Nothing that is there already is overwritten. The repository is only looked at.",
       {{"DIR", "Where to; else the working directory. Not inside the repository.", Is::folder, false,
         false}},
       {{"repo", "PATH", "The git repository that the work is about. Needed.", 'r', false, Is::folder},
        {"target", "BRANCH", "The branch that work starts from and lands on; main, unless said otherwise.",
         't', false, Is::text},
        {"profile", "NAME", "The usual worker: shell, claude or codex; shell, unless said otherwise.", 'p',
         false, Is::profile}},
       {{"holdfast init ~/holdfast --repo ~/src/project", ""},
        {"holdfast init --repo ../project --target develop --profile claude", ""}},
       init}};
}

}  // namespace holdfast::cli
