#include "dispatcher/worktree/left_behind.h"

#include <algorithm>

namespace holdfast {
namespace {

// A commit and its parents, children first.
using Line = std::vector<std::string>;
using Lines = std::vector<Line>;

OrReply<Lines> beyond(const Context& context, const std::set<std::string>& commits,
                      const std::set<std::string>& held, const GitHow& how) {
  std::string asked;
  for (const std::string& commit : commits) asked += commit + "\n";
  for (const std::string& commit : held)
    if (!commit.empty()) asked += "^" + commit + "\n";
  const ChildEnd end = context.git.run(
      context.refs_only(), {"rev-list", "--topo-order", "--parents", "--ignore-missing", "--stdin"},
      {.deadline = how.deadline, .lock_fd = how.lock_fd, .input = asked});
  if (!end.answered()) return std::unexpected(raw_of(end));
  Lines lines;
  for (const std::string& line : split(end.out, '\n')) lines.push_back(split(line, ' '));
  return lines;
}

// Of all that other local branches hold beyond what is held.
OrReply<std::set<std::string>> on_other_branches(const Context& context, const LeftQuestion& question,
                                                 const GitHow& how) {
  std::string asked;
  for (const std::string& commit : question.held)
    if (!commit.empty()) asked += "^" + commit + "\n";
  const ChildEnd end = context.git.run(
      context.refs_only(),
      {"rev-list", "--ignore-missing", "--exclude=" + question.branch, "--branches", "--stdin"},
      {.deadline = how.deadline, .lock_fd = how.lock_fd, .input = asked});
  if (!end.answered()) return std::unexpected(raw_of(end));
  const auto lines = split(end.out, '\n');
  return std::set<std::string>(lines.begin(), lines.end());
}

// The newest of each line of those that are wanted; what is below one of them, or below one that is known to
// be held, is held by it. `held` grows.
template <class Wanted>
std::vector<std::string> newest_of(const Lines& lines, std::set<std::string>& held, Wanted wanted) {
  std::vector<std::string> found;
  for (const Line& line : lines) {
    if (line.empty()) continue;
    if (!held.contains(line[0]) && wanted(line[0])) {
      found.push_back(line[0]);
      held.insert(line[0]);
    }
    if (held.contains(line[0])) held.insert(line.begin() + 1, line.end());
  }
  return found;
}

}  // namespace

OrReply<LeftBehind> left_behind(const Context& context, const HeadLog& log, const LeftQuestion& question,
                                const GitHow& how) {
  LeftBehind left;
  if (log.straight) return left;
  std::set<std::string> commits = log.made;
  commits.insert(log.unclear.begin(), log.unclear.end());
  std::erase_if(commits, [&](const std::string& commit) { return question.held.contains(commit); });
  if (commits.empty()) return left;
  const auto lines = beyond(context, commits, question.held, how);
  if (!lines) return std::unexpected(lines.error());
  std::set<std::string> held;
  if (question.aside && std::ranges::any_of(*lines, [&](const Line& line) {
        return !line.empty() && log.made.contains(line[0]);
      })) {
    const auto others = on_other_branches(context, question, how);
    if (!others) return std::unexpected(others.error());
    left.aside = newest_of(*lines, held, [&](const std::string& commit) {
      return log.made.contains(commit) && others->contains(commit);
    });
  }
  held.insert(question.pinned.begin(), question.pinned.end());
  left.replaced =
      newest_of(*lines, held, [&](const std::string& commit) { return commits.contains(commit); });
  return left;
}

}  // namespace holdfast
