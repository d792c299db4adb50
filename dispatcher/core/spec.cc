// A ticket and a worker profile become the runner's orders: argv, environment, limits. Ticket text is put in
// as whole arguments or as a file; no shell ever sees it.
#include "dispatcher/core/decide.h"
#include "dispatcher/core/names.h"

namespace holdfast {
namespace {

void replace_all(std::string& text, std::string_view what, std::string_view with) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
    text.replace(at, what.size(), with);
}

bool is_allowed(std::string_view name, const std::vector<std::string>& allow) {
  for (const std::string& pattern : allow) {
    if (pattern.ends_with('*') ? name.starts_with(std::string_view(pattern).substr(0, pattern.size() - 1))
                               : name == pattern)
      return true;
  }
  return false;
}

std::string without_nul(std::string_view text) {
  std::string out(text);
  std::erase(out, '\0');
  return out;
}

}  // namespace

std::string prompt_text(const BoardTicket& ticket, const Profile& profile) {
  std::string text = profile.preamble;
  replace_all(text, "{ticket}", ticket.id.value);
  if (!text.empty() && !text.ends_with('\n')) text += "\n";
  text += ticket.title;
  if (!ticket.body.empty()) text += "\n\n" + ticket.body;
  return without_nul(text);
}

RunnerSpec spec_for(const Attempt& a, const BoardTicket& ticket, const Profile& profile,
                    const Policy& policy) {
  RunnerSpec spec;
  spec.attempt = a.id;
  spec.token = a.token;
  spec.working_directory = a.worktree;
  for (const std::string& part : profile.command) {
    // An argument that is a placeholder and nothing else cannot be confused by what the ticket's text
    // contains.
    if (part == "{prompt}")
      spec.argv.push_back(prompt_text(ticket, profile));
    else if (part == "{title}")
      spec.argv.push_back(without_nul(ticket.title));
    else {
      std::string argument = part;
      replace_all(argument, "{ticket}", a.id.ticket.value);
      replace_all(argument, "{worktree}", a.worktree);
      spec.argv.push_back(argument);
    }
  }
  for (const std::string& entry : policy.environment) {
    const auto equals = entry.find('=');
    if (equals == std::string::npos) continue;
    const std::string name = entry.substr(0, equals);
    if (is_allowed(name, profile.environment_allow) && !profile.environment_set.contains(name))
      spec.environment.push_back(entry);
  }
  for (const auto& [name, value] : profile.environment_set) spec.environment.push_back(name + "=" + value);
  spec.ready_by = profile.ready_by;
  spec.ready_pattern = profile.ready_pattern;
  spec.enter_delay = profile.enter_delay;
  spec.term_grace = profile.term_grace;
  spec.memory_limit_bytes = profile.memory_limit_bytes;
  spec.cgroup_parent = policy.cgroup_parent;
  spec.columns = policy.columns;
  spec.rows = policy.rows;
  return spec;
}

}  // namespace holdfast
