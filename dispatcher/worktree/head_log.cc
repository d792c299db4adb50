#include "dispatcher/worktree/head_log.h"

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "dispatcher/system/durable_file.h"

namespace holdfast {
namespace {

constexpr std::size_t longest_log = std::size_t{16} << 20;

bool is_null(const std::string& oid) {
  return oid.find_first_not_of('0') == std::string::npos;
}

// "<old> <new> Name <mail> 1700000000 +0000": the last but one.
std::int64_t seconds_in(std::string_view before_tab) {
  const auto zone = before_tab.rfind(' ');
  if (zone == std::string_view::npos || zone == 0) return 0;
  const auto begin = before_tab.rfind(' ', zone - 1);
  if (begin == std::string_view::npos) return 0;
  std::int64_t seconds = 0;
  const auto end = std::from_chars(before_tab.data() + begin + 1, before_tab.data() + zone, seconds);
  return end.ec == std::errc() ? seconds : 0;
}

void take_branches(std::string_view words, std::set<std::string>& branches) {
  constexpr std::string_view begin = "checkout: moving from ";
  if (!words.starts_with(begin)) return;
  words.remove_prefix(begin.size());
  const auto to = words.rfind(" to ");  // no name of a branch has a space
  if (to == std::string_view::npos) return;
  branches.emplace(words.substr(0, to));
  branches.emplace(words.substr(to + 4));
}

}  // namespace

HeadStep step_of(std::string_view words) {
  const auto colon = words.find(": ");
  const std::string_view action = words.substr(0, colon);
  const std::string_view text = colon == std::string_view::npos ? "" : words.substr(colon + 2);
  const auto is = [&action](std::string_view what) {
    return action == what || action.starts_with(std::string(what) + " ");
  };
  if (is("commit")) return HeadStep::made;
  if (text == "fast-forward" || text.starts_with("Fast-forward")) return HeadStep::moved;
  if (is("cherry-pick") || is("revert") || is("am")) return HeadStep::made;
  for (const char* mover : {"checkout", "reset", "clone", "branch", "Branch", "rebase finished"})
    if (is(mover)) return HeadStep::moved;
  for (const char* ending : {"(start)", "(finish)", "(abort)", "(reset)"})
    if (action.ends_with(ending)) return HeadStep::moved;
  if (is("rebase")) return text.starts_with("checkout ") ? HeadStep::moved : HeadStep::made;
  if (is("pull") && action.ends_with(")")) return HeadStep::made;  // a step of its rebase
  if (is("pull") || is("merge")) return text.starts_with("Merge made") ? HeadStep::made : HeadStep::moved;
  return HeadStep::unclear;
}

HeadLog read_head_log(const PoolSlot& slot) {
  HeadLog log;
  bool began = false;  // with the entry that says so
  for (const std::string& entry : split(read_file(slot.admin + "/logs/HEAD", longest_log).text, '\n')) {
    const auto tab = entry.find('\t');
    const std::string_view before = std::string_view(entry).substr(0, tab);
    const auto ids = split(before, ' ');
    if (ids.size() < 2 || !is_object_id(ids[0]) || !is_object_id(ids[1])) continue;
    const std::string_view words = tab == std::string::npos ? "" : std::string_view(entry).substr(tab + 1);
    if (words.starts_with("holdfast: ")) {
      log = {};
      log.since = seconds_in(before);
      began = true;
      continue;
    }
    if (log.since == 0) log.since = seconds_in(before);
    const bool first = is_null(ids[0]);
    const bool follows = first || ids[0] == ids[1] || words.starts_with("commit: ") ||
                         words.starts_with("commit (merge): ") || words.starts_with("cherry-pick: ") ||
                         words.starts_with("revert: ");
    log.straight = log.straight && follows;
    // Where the log does not begin with the attempt, what it began with was not seen to be made.
    if (!began && !first && log.stood.empty()) log.unclear.insert(ids[0]);
    if (!first) log.stood.insert(ids[0]);
    if (is_null(ids[1])) continue;
    log.stood.insert(ids[1]);
    take_branches(words, log.branches);
    switch (step_of(words)) {
      case HeadStep::made: log.made.insert(ids[1]); break;
      case HeadStep::unclear: log.unclear.insert(ids[1]); break;
      case HeadStep::moved: break;
    }
  }
  std::error_code none;
  for (std::filesystem::directory_iterator at(slot.admin + "/refs/rewritten", none), end; !none && at != end;
       at.increment(none))
    if (const std::string oid = trimmed(read_file(at->path().string(), 4096).text); is_object_id(oid)) {
      log.unclear.insert(oid);
      log.straight = false;
    }
  for (const std::string& commit : log.made) log.unclear.erase(commit);
  return log;
}

}  // namespace holdfast
