#include "dispatcher/worktree/ref_list.h"

#include <set>

#include "dispatcher/core/names.h"
#include "dispatcher/worktree/operations.h"

namespace holdfast {

OrReply<RefMap> list_refs(const Context& context, const std::vector<std::string>& patterns,
                          const GitHow& how) {
  if (auto refs = context.refs.list(patterns)) return *std::move(refs);
  std::vector<std::string> args{"for-each-ref", "--format=%(refname) %(objectname) %(objecttype) %(symref)"};
  args.insert(args.end(), patterns.begin(), patterns.end());
  const ChildEnd end = context.git.run(context.refs_only(), args, how);
  if (!end.answered()) return std::unexpected(raw_of(end));
  RefMap refs;
  for (const std::string& line : split(end.out, '\n')) {
    const auto words = split(line, ' ');
    if (words.size() == 3 && words[2] == "commit") refs[words[0]] = words[1];
  }
  return refs;
}

RawReply change_refs(const Context& context, const std::vector<RefChange>& changes, const std::string& reason,
                     const GitHow& how) {
  if (changes.empty()) return fine();
  std::string script = "start\n";
  for (const RefChange& change : changes)
    script += change.old.empty() ? "create " + change.ref + " " + change.now + "\n"
                                 : "update " + change.ref + " " + change.now + " " + change.old + "\n";
  script += "prepare\ncommit\n";
  // What is saved must survive a power cut before anything may be cleaned up because it is saved.
  const ChildEnd end =
      context.git.run(context.refs_only(),
                      {"-c", "core.fsync=reference", "update-ref", "--no-deref", "-m", reason, "--stdin"},
                      {.deadline = how.deadline, .lock_fd = how.lock_fd, .input = script});
  return raw_of(end);
}

Reply<std::vector<AttemptId>> traces_in_refs(const Context& context, const Deadline& deadline) {
  const ChildEnd end =
      context.git.run(context.refs_only(),
                      {"for-each-ref", "--format=%(refname)", "refs/heads/hf", "refs/holdfast/keep",
                       "refs/holdfast/salvage", "refs/remotes/*/hf", "refs/holdfast/remote/*/hf"},
                      {.deadline = deadline});
  Reply<std::vector<AttemptId>> reply{raw_of(end), {}};
  if (!end.answered()) return reply;
  reply.raw.text.clear();
  std::set<AttemptId> seen;
  for (const std::string& ref : split(end.out, '\n')) {
    for (const char* area : {"refs/holdfast/keep/", "refs/holdfast/salvage/"}) {
      if (!ref.starts_with(area)) continue;
      const auto parts = split(std::string_view(ref).substr(std::string_view(area).size()), '/');
      if (parts.size() >= 2)
        if (const auto attempt = parse_attempt_key(parts[0] + "-" + parts[1])) seen.insert(*attempt);
    }
    if (const auto at = ref.find("/hf/"); at != std::string::npos)
      if (const auto attempt = parse_branch(std::string_view(ref).substr(at + 1))) seen.insert(*attempt);
  }
  reply.value.assign(seen.begin(), seen.end());
  return reply;
}

}  // namespace holdfast
