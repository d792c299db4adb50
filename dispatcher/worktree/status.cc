#include "dispatcher/worktree/status.h"

namespace holdfast {

std::string WorkStatus::in_words() const {
  std::string words = conflicts ? "conflicts" : tracked_changes ? "changed files" : "untracked files";
  for (const auto& path : examples) words += (&path == examples.data() ? ": " : ", ") + path;
  return words;
}

OrReply<WorkStatus> parse_status(std::string_view text) {
  WorkStatus status;
  const auto records = split(text, '\0');
  bool head_seen = false;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const std::string& record = records[i];
    if (record.starts_with("# branch.oid ")) {
      head_seen = true;
      if (const std::string oid = record.substr(13); is_object_id(oid)) status.head = oid;
    } else if (record.starts_with("# branch.head ")) {
      if (const std::string name = record.substr(14); name != "(detached)") status.branch = name;
    } else if (!record.empty() && record[0] != '#' && record[0] != '!') {
      const std::size_t fields = record[0] == '?' ? 1 : record[0] == '1' ? 8 : record[0] == '2' ? 9 : 10;
      std::size_t at = 0;
      for (std::size_t n = 0; n < fields && at != std::string::npos; ++n) at = record.find(' ', at + 1);
      if (at == std::string::npos)
        return std::unexpected(refused("git status said something unknown: " + record, 128));
      if (record[0] == '?') {
        status.untracked = true;
      } else {
        status.tracked_changes = true;
        status.conflicts = status.conflicts || record[0] == 'u';
        if (record[0] == '2') ++i;  // the old name is a record of its own
      }
      if (status.examples.size() < 5) status.examples.push_back(record.substr(at + 1));
    }
  }
  if (!head_seen) return std::unexpected(refused("git status said nothing about HEAD", 128));
  return status;
}

std::vector<std::string> status_arguments() {
  return {"status",
          "--porcelain=v2",
          "--branch",
          "-z",
          "--no-ahead-behind",
          "--no-renames",
          "--untracked-files=normal",
          "--ignore-submodules=none"};
}

OrReply<WorkStatus> read_status(const Context& context, const PoolSlot& slot, const GitHow& how) {
  const ChildEnd end = context.git.run(slot.place(), status_arguments(), how);
  if (!end.answered()) return std::unexpected(raw_of(end));
  return parse_status(end.out);
}

}  // namespace holdfast
