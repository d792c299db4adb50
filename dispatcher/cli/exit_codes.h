// How `holdfast` ends, for scripts. The numbers never change their meaning.
#pragma once

#include <array>
#include <string_view>

namespace holdfast::cli {

enum class Exit {
  ok = 0,
  failure = 1,  // something that should have worked did not
  bad_input =
      2,  // what was said, the configuration, a tool, the repository or the ledger's file; nothing changed
  taken = 3,      // another dispatcher runs on this ledger
  conflict = 4,   // not now: the runtime is not ready, or it was changed meanwhile; the answer says how it is
  not_found = 5,  // no such ticket, runtime, slot
  findings = 6,   // `doctor` found something
};

struct ExitWords {
  Exit code;
  std::string_view name;  // in JSON errors
  std::string_view doc;
};
inline constexpr std::array<ExitWords, 7> exit_codes{{
    {Exit::ok, "ok", "done"},
    {Exit::failure, "failure", "something that should have worked did not"},
    {Exit::bad_input, "bad_input",
     "bad input: arguments, configuration, repository, tools, or the ledger's file; nothing was changed"},
    {Exit::taken, "taken", "refused: another dispatcher runs on this ledger"},
    {Exit::conflict, "conflict",
     "conflict: not now (the runtime is not ready, or something was changed meanwhile); the message says how "
     "it is"},
    {Exit::not_found, "not_found", "no such ticket, runtime or attempt"},
    {Exit::findings, "findings", "doctor found something that a person should see"},
}};

constexpr std::string_view name_of(Exit code) {
  for (const ExitWords& one : exit_codes)
    if (one.code == code) return one.name;
  return "";
}

}  // namespace holdfast::cli
