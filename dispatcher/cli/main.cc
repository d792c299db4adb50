// `holdfast`: everything around the commands that only a real process has.
#include <pwd.h>
#include <unistd.h>

#include <cstdlib>
#include <exception>
#include <filesystem>
#include <iostream>

#include "dispatcher/cli/installation.h"
#include "dispatcher/cli/parse.h"

int main(int count, char** words) {
  using namespace holdfast::cli;
  std::ios::sync_with_stdio(false);
  const auto environment = [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  };
  std::error_code none;
  Shell shell{std::cin,
              std::cout,
              std::cerr,
              environment,
              std::filesystem::current_path(none).string(),
              wall_clock,
              ::isatty(STDOUT_FILENO) == 1};
  const std::string no_color = environment("NO_COLOR").value_or("");
  shell.color = shell.out_is_terminal && no_color.empty() && environment("TERM").value_or("dumb") != "dumb";
  if (const passwd* user = ::getpwuid(::geteuid()); user != nullptr) shell.person = user->pw_name;
  if (shell.person.empty()) shell.person = "uid " + std::to_string(::geteuid());
  try {
    return static_cast<int>(run_holdfast({words + 1, words + count}, shell));
  } catch (const std::exception& error) {  // out of memory, and what nobody expects
    return static_cast<int>(shell.fail(Exit::failure, error.what()));
  }
}
