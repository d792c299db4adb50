// Landing exactly one commit: merged in memory, checked in a scratch worktree, then one compare-and-swap of a
// ref.
//
//   a remote                       merged onto the remote's tip; pushed, if it still is the tip (a lease, and
//   never
//                                  anything but a descendant of it)
//   target checked out nowhere     update-ref with the old value
//   target checked out somewhere   refs/heads/holdfast/landed, which always contains the target and what was
//   parked
//                                  before: a ref under a checkout is never moved, the command for a person is
//                                  told
//
// The merge never happens in a worktree, so there is no half-merged state to clean up; what was checked is,
// tree for tree, what lands. One landing at a time: the lock is inherited by git, and not by the check.
#include <filesystem>

#include "dispatcher/core/names.h"
#include "dispatcher/system/durable_file.h"
#include "dispatcher/worktree/landed.h"
#include "dispatcher/worktree/operations.h"
#include "dispatcher/worktree/ref_list.h"
#include "dispatcher/worktree/remote.h"

namespace holdfast {
namespace {

namespace fs = std::filesystem;
using Fault = std::unexpected<RawReply>;

constexpr const char* parking = "refs/heads/holdfast/landed";
constexpr std::size_t output_kept = 16 << 10;

std::string tail(const std::string& text) {
  return text.size() > output_kept ? text.substr(text.size() - output_kept) : text;
}

struct Merged {
  std::string commit;  // empty: it conflicts
  std::string words;
};

class Lander {
 public:
  Lander(const Context& context, const LandOrder& order, const GitHow& how)
      : context_(context), order_(order), how_(how), history_(context, how) {}

  Reply<Landed> run() {
    auto answer = order_.remote.empty() ? here() : on_remote();
    if (!answer) return failed_with<Landed>(answer.error());
    return {fine(), std::move(*answer)};
  }

 private:
  ChildEnd git(const std::vector<std::string>& args) const {
    return context_.git.run(context_.refs_only(), args, how_);
  }
  static Landed says(LandAnswer answer, const std::string& commit = "", const std::string& output = "",
                     std::string note = "") {
    return {answer, {commit}, tail(output), std::move(note)};
  }

  // The folder in which `ref` is checked out, or being rebased; empty: none.
  OrReply<std::string> checked_out(const std::string& ref) const {
    const ChildEnd list = git({"worktree", "list", "--porcelain", "-z"});
    if (!list.answered()) return Fault(raw_of(list));
    std::string folder;
    for (const std::string& line : split(list.out, '\0')) {
      if (line.starts_with("worktree ")) folder = line.substr(9);
      if (line == "branch " + ref) return folder;
    }
    std::error_code failed;
    std::vector<fs::path> admins{context_.repository.common_dir};
    for (fs::directory_iterator at(context_.repository.common_dir + "/worktrees", failed), end;
         !failed && at != end; at.increment(failed))
      admins.push_back(at->path());
    for (const fs::path& admin : admins)
      for (const char* file : {"rebase-merge/head-name", "rebase-apply/head-name"})
        if (trimmed(read_file((admin / file).string(), 65536).text) == ref) return admin.string();
    return "";
  }

  OrReply<Merged> merge(const std::string& onto, const std::string& tip, const std::string& message) const {
    const ChildEnd merged = git({"merge-tree", "--write-tree", "--messages", "--name-only", "-z", onto, tip});
    if (merged.transport != Transport::answered || merged.code > 1 || merged.dropped)
      return Fault(raw_of(merged));
    if (merged.code == 1) {
      Merged conflict;  // "<tree> NUL <path> NUL ... NUL NUL <messages>"
      const auto end = merged.out.find(std::string(2, '\0'));
      const auto pieces = split(std::string_view(merged.out).substr(0, end), '\0');
      for (std::size_t n = 1; n < pieces.size(); ++n) conflict.words += "conflict: " + pieces[n] + "\n";
      return conflict;
    }
    const ChildEnd made =
        context_.git.run(context_.refs_only(),
                         {"-c", "core.fsync=all", "commit-tree",
                          trimmed(std::string_view(merged.out).substr(0, merged.out.find('\0'))), "-p", onto,
                          "-p", tip, "-F", "-"},
                         {.deadline = how_.deadline, .lock_fd = how_.lock_fd, .input = message});
    if (!made.answered()) return Fault(raw_of(made));
    return Merged{trimmed(made.out), ""};
  }

  [[nodiscard]] std::string message() const {
    return order_.message.empty() ? "Land " + order_.branch.value + "\n" : order_.message + "\n";
  }

  // Was `tip`, an ancestor of the target, reverted there? Its landing is the oldest merge on the target's own
  // line that brought it; where it was moved forward to it, there is nothing to tell its beginning by.
  OrReply<bool> was_reverted(const std::string& target) const {
    const auto line =
        history_.list({"--first-parent", "--ancestry-path", target, "^" + order_.tip.value}, 100'000);
    if (!line) return Fault(line.error());
    if (line->empty()) return false;
    const auto base = history_.merge_base(line->front() + "^", order_.tip.value);
    if (!base) return Fault(base.error());
    if (base->empty() || *base == order_.tip.value) return false;
    return judge_landing(history_, target, order_.tip.value, *base).ancestor == Tri::no;
  }

  // nullopt: there is something to land on `target`.
  OrReply<std::optional<Landed>> already(const std::string& target) const {
    const auto ancestor = history_.is_ancestor(order_.tip.value, target);
    if (!ancestor) return Fault(ancestor.error());
    if (*ancestor) {
      const auto reverted = was_reverted(target);
      if (!reverted) return Fault(reverted.error());
      if (*reverted)
        return says(LandAnswer::conflict, target, "",
                    "it was landed and then reverted on the target: merging it again changes nothing; revert "
                    "the revert");
      return says(LandAnswer::already_landed, target);
    }
    if (judge_landing(history_, target, order_.tip.value, "").equal_patch == Tri::yes)
      return says(LandAnswer::already_landed, target, "", "its changes are on the target already");
    return std::optional<Landed>{};
  }

  OrReply<std::optional<Landed>> check(const std::string& commit) const {
    if (order_.check.empty()) return std::optional<Landed>{};
    const std::string path = context_.state + "/scratch/landing";
    if (const auto ready = scratch_at(path, commit); !ready) return Fault(ready.error());
    ChildCommand command{.argv = order_.check, .env = context_.git.environment({}), .cwd = path};
    // It does not inherit the landing's lock: a daemon that it starts would hold that after we were killed.
    command.keep = output_kept;
    command.keep_tail = command.merge_output = true;
    const Deadline until(std::min(order_.check_timeout, how_.deadline.left()));
    const ChildEnd end = run_child(command, until);
    if (end.answered()) return std::optional<Landed>{};
    std::string note = "the check ended with " + std::to_string(end.code);
    if (end.transport == Transport::no_answer) note = "the check was not done in time";
    if (end.transport != Transport::answered) note += "; " + trimmed(end.error);
    return says(LandAnswer::check_failed, commit, end.out, note);
  }

  OrReply<Nothing> scratch_at(const std::string& path, const std::string& commit) const {
    PoolSlot scratch{{"landing"}, path, ""};
    for (int attempt = 0; attempt < 2; ++attempt) {
      scratch.admin = admin_of(path);
      if (scratch.admin.empty() || dot_git_of(scratch) != DotGit::right) {
        std::error_code failed;
        fs::remove_all(path, failed);  // ours alone, nothing of anybody's is made there
        git({"worktree", "unlock", path});
        git({"worktree", "remove", "--force", path});
        const ChildEnd added = git({"worktree", "add", "--detach", "--force", "--lock", "--reason",
                                    "landings of holdfast", path, commit});
        if (!added.answered()) return Fault(raw_of(added));
        return Nothing{};
      }
      std::error_code none;
      fs::remove(scratch.admin + "/index.lock", none);  // we hold the only lock under which git runs there
      const ChildEnd moved =
          context_.git.run(scratch.place(), {"checkout", "-q", "-f", "--detach", commit, "--"}, how_);
      const ChildEnd cleaned = context_.git.run(scratch.place(), {"clean", "-ffdxq"}, how_);
      if (moved.answered() && cleaned.answered()) return Nothing{};
      if (how_.deadline.passed()) return Fault(raw_of(moved.answered() ? cleaned : moved));
      fs::remove_all(path, none);
    }
    return Fault(refused("the scratch worktree cannot be made: " + path, 128));
  }

  [[nodiscard]] std::string admin_of(const std::string& path) const {
    std::error_code failed;
    for (fs::directory_iterator at(context_.repository.common_dir + "/worktrees", failed), end;
         !failed && at != end; at.increment(failed))
      if (trimmed(read_file(at->path().string() + "/gitdir", 65536).text) == path + "/.git")
        return at->path().string();
    return "";
  }

  // Merge `tip` onto `onto`, check it: the commit to put in place, or the answer.
  OrReply<Landed> merged_and_checked(const std::string& onto) const {
    const auto merged = merge(onto, order_.tip.value, message());
    if (!merged) return Fault(merged.error());
    if (merged->commit.empty())
      return says(LandAnswer::conflict, onto, merged->words, "it conflicts with the target");
    auto red = check(merged->commit);
    if (!red) return Fault(red.error());
    if (*red) return std::move(**red);
    return says(LandAnswer::landed, merged->commit);
  }

  OrReply<LandAnswer> swap(const std::string& ref, const std::string& now, const std::string& old) const {
    const RawReply raw =
        change_refs(context_, {{ref, now, old}}, "holdfast: land " + order_.branch.value, how_);
    if (raw.transport == Transport::answered && raw.code == 0) return LandAnswer::landed;
    const auto is_now = context_.refs.resolve(ref).value_or("");
    if (raw.transport == Transport::answered && is_now != old) return LandAnswer::moved;
    return Fault(raw);
  }

  OrReply<Landed> here() {
    const auto refs = list_refs(context_, {order_.target, parking}, how_);
    if (!refs) return Fault(refs.error());
    if (!refs->contains(order_.target))
      return Fault(refused("invalid reference: the target " + order_.target + " does not exist", 128));
    const std::string target = refs->at(order_.target);
    auto before = already(target);
    if (!before) return Fault(before.error());
    if (*before) return std::move(**before);
    const auto folder = checked_out(order_.target);
    if (!folder) return Fault(folder.error());
    if (!folder->empty()) return park(target, refs->contains(parking) ? refs->at(parking) : "", *folder);
    auto made = merged_and_checked(target);
    if (!made || made->answer != LandAnswer::landed) return made;
    // Somebody may have checked it out while the check ran.
    const auto still = checked_out(order_.target);
    if (!still) return Fault(still.error());
    if (!still->empty())
      return says(LandAnswer::moved, target, "", "the target was checked out meanwhile in " + *still);
    const auto swapped = swap(order_.target, made->commit.value, target);
    if (!swapped) return Fault(swapped.error());
    made->answer = *swapped;
    return made;
  }

  // On top of what is parked already, as long as that contains the target; else on the target, with what is
  // parked and not landed merged in first.
  OrReply<Landed> park(const std::string& target, const std::string& parked, const std::string& folder) {
    const std::string command = "git -C " + folder + " merge --ff-only holdfast/landed";
    const auto in_use = checked_out(parking);
    if (!in_use) return Fault(in_use.error());
    if (!in_use->empty())
      return Fault(refused("'holdfast/landed' is already checked out at '" + *in_use + "'", 128));
    std::string onto = target;
    if (!parked.empty()) {
      const auto holds_target = history_.is_ancestor(target, parked);
      const auto is_landed = history_.is_ancestor(parked, target);
      if (!holds_target || !is_landed) return Fault(!holds_target ? holds_target.error() : is_landed.error());
      if (*holds_target) {
        onto = parked;
      } else if (!*is_landed) {
        const auto both =
            merge(target, parked, "Carry what waits on holdfast/landed over to the moved target\n");
        if (!both) return Fault(both.error());
        if (both->commit.empty())
          return says(LandAnswer::conflict, target, both->words,
                      "what waits on holdfast/landed conflicts with the target, which moved on");
        onto = both->commit;
      }
      const auto waits = history_.is_ancestor(order_.tip.value, onto);
      if (!waits) return Fault(waits.error());
      if (*waits && onto == parked) return says(LandAnswer::parked, parked, "", command);
    }
    auto made = merged_and_checked(onto);
    if (!made || made->answer != LandAnswer::landed) return made;
    const auto swapped = swap(parking, made->commit.value, parked);
    if (!swapped) return Fault(swapped.error());
    made->answer = *swapped == LandAnswer::landed ? LandAnswer::parked : *swapped;
    if (made->answer == LandAnswer::parked) made->note = command;
    return made;
  }

  // First on the last picture of the remote: the push holds only if that is what the remote still has. Where
  // it is not, where nothing seems to be left to do, and before a check that costs something, the remote is
  // asked.
  OrReply<Landed> on_remote() {
    const std::string branch = name_on_remote(order_.target, order_.remote);
    const std::string mirror = mirror_of(order_.remote, branch);
    const std::string known = context_.refs.resolve(mirror).value_or("");
    if (!known.empty() && order_.check.empty()) {
      const auto before = already(known);
      if (before && !*before) {
        auto landed = push_onto(known, branch, mirror);
        if (landed && landed->answer == LandAnswer::landed) return landed;
      }
    }
    const ChildEnd fetched = fetch_into_mirror(context_, order_.remote, branch, how_);
    if (!fetched.answered()) return Fault(raw_of(fetched));
    const std::string target = context_.refs.resolve(mirror).value_or("");
    if (target.empty()) return Fault(refused("couldn't find remote ref " + branch, 128));
    auto before = already(target);
    if (!before) return Fault(before.error());
    if (*before) return std::move(**before);
    return push_onto(target, branch, mirror);
  }

  OrReply<Landed> push_onto(const std::string& target, const std::string& branch, const std::string& mirror) {
    auto made = merged_and_checked(target);
    if (!made || made->answer != LandAnswer::landed) return made;
    const std::string there = "refs/heads/" + branch;
    const ChildEnd pushed =
        context_.git.run(context_.before_remotes(),
                         {"push", "--porcelain", "--no-verify", "--no-follow-tags", "--recurse-submodules=no",
                          "--force-with-lease=" + there + ":" + target, "--end-of-options", order_.remote,
                          made->commit.value + ":" + there},
                         how_);
    if (pushed.answered()) {
      change_refs(context_, {{mirror, made->commit.value, target}}, "holdfast: landed", how_);
      return made;
    }
    if (pushed.transport == Transport::answered && pushed.out.find("(stale info)") != std::string::npos)
      return says(LandAnswer::moved, target, "", "the remote moved on");
    RawReply raw = raw_of(pushed);
    raw.error = pushed.out + raw.error;  // the reason for each ref is on the normal channel
    return Fault(std::move(raw));
  }

  const Context& context_;
  const LandOrder& order_;
  const GitHow& how_;
  History history_;
};

}  // namespace

Reply<Landed> land_branch(const Context& context, const LandOrder& order, const Deadline& deadline) {
  if (context.repository.common_dir.empty())
    return failed_with<Landed>(not_sent("the repository cannot be found"));
  if (!is_object_id(order.tip.value))
    return failed_with<Landed>(refused("not a valid object name: " + order.tip.value));
  // One at a time in the whole repository: there is one scratch worktree.
  const auto lock = context.lock("landing");
  if (!lock) return failed_with<Landed>(lock.error());
  return Lander(context, order, {.deadline = deadline, .lock_fd = lock->fd()}).run();
}

Reply<Nothing> push_branch(const Context& context, const BranchOrder& order, const Deadline& deadline) {
  if (context.repository.common_dir.empty())
    return failed_with<Nothing>(not_sent("the repository cannot be found"));
  if (order.remote.empty())
    return failed_with<Nothing>(refused("invalid reference: there is no remote to push to"));
  const auto lock = context.lock("push-" + attempt_key(order.attempt));
  if (!lock) return failed_with<Nothing>(lock.error());
  const std::string ref = "refs/heads/" + order.branch.value;
  const ChildEnd end =
      context.git.run(context.before_remotes(),
                      {"push", "--porcelain", "--no-verify", "--no-follow-tags", "--recurse-submodules=no",
                       "--end-of-options", order.remote, ref + ":" + ref},
                      {.deadline = deadline, .lock_fd = lock->fd()});
  Reply<Nothing> reply{raw_of(end), {}};
  if (!end.answered()) reply.raw.error = end.out + reply.raw.error;
  return reply;
}

}  // namespace holdfast
