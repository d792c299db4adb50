// The facts about an attempt's branch. Each is yes, no or unknown; one that cannot be verified makes no other
// one unknown, and the note says why.
//
// "Has commits" is about commits of its own. A branch that was only moved forward to a newer target (a pull,
// a merge without anything to merge) holds nothing of its worker's, though its tip is not where it began.
#include <algorithm>
#include <filesystem>
#include <set>

#include "dispatcher/core/names.h"
#include "dispatcher/system/durable_file.h"
#include "dispatcher/worktree/landed.h"
#include "dispatcher/worktree/left_behind.h"
#include "dispatcher/worktree/operations.h"
#include "dispatcher/worktree/ref_list.h"
#include "dispatcher/worktree/remote.h"
#include "dispatcher/worktree/snapshot.h"

namespace holdfast {
namespace {

bool is_pin_called(const std::string& ref, std::string_view begin) {
  return ref.starts_with("refs/holdfast/keep/") &&
         std::string_view(ref).substr(ref.rfind('/') + 1).starts_with(begin);
}
// Of where a worker once stood, or of what it made and itself replaced.
bool is_passing(const std::string& ref) {
  return is_pin_called(ref, "seen") || is_pin_called(ref, "made");
}

std::size_t rank_of(const std::string& ref) {
  return ref.starts_with("refs/heads/") ? 0 : ref.find("/salvage/") != std::string::npos ? 1 : 2;
}

class Inspection {
 public:
  Inspection(const Context& context, const BranchOrder& order, const GitHow& how)
      : context_(context), order_(order), how_(how), history_(context, how) {}

  Reply<BranchFacts> run() {
    if (context_.repository.common_dir.empty())
      return failed_with<BranchFacts>(not_sent("the repository cannot be found"));
    if (!order_.remote.empty())
      remote_ = look_at_remote(context_, order_.remote, order_.target, how_.deadline);
    if (!order_.slot.empty()) look_at_slot();
    const std::string ticket = order_.attempt.ticket.value;
    const std::string mirror = mirror_of(order_.remote, name_on_remote(order_.target, order_.remote));
    std::vector<std::string> patterns{"refs/heads/" + order_.branch.value, "refs/heads/hf/" + ticket + "-*",
                                      "refs/holdfast/keep/" + ticket + "/",
                                      "refs/holdfast/salvage/" + ticket + "/"};
    if (!order_.target.empty()) patterns.push_back(order_.target);
    if (!order_.remote.empty()) patterns.push_back(mirror);
    if (!head_ref_.empty()) patterns.push_back(head_ref_);
    const auto refs = list_refs(context_, patterns, how_);
    if (!refs) return failed_with<BranchFacts>(refs.error());
    refs_ = *refs;
    facts_.tip = {ref("refs/heads/" + order_.branch.value)};
    if (!head_ref_.empty()) facts_.head = {ref(head_ref_)};
    facts_.target_tip = target_tip(mirror);
    own_commits();
    unpushed();
    stranded();
    return {fine(), std::move(facts_)};
  }

 private:
  [[nodiscard]] std::string ref(const std::string& name) const {
    const auto at = refs_.find(name);
    return at == refs_.end() ? "" : at->second;
  }
  void note(const std::string& words) {
    if (words.empty() || facts_.note.find(words) != std::string::npos) return;
    facts_.note += (facts_.note.empty() ? "" : "; ") + words;
  }

  void look_at_slot() {
    const auto slot = find_slot(context_, order_.slot);
    if (!slot) return note(order_.slot.value + " is not a worktree of this repository");
    if (const auto lease = read_lease(context_, order_.slot); lease && lease->attempt != order_.attempt)
      return note(order_.slot.value + " is held by " + attempt_key(lease->attempt) + " now");
    slot_ = slot;
    const Head head = RefFiles::read_head(slot->admin);
    head_ref_ = head.ref;
    facts_.head = {head.oid};
    facts_.detached = !head.readable() ? Tri::unknown : head.ref.empty() ? Tri::yes : Tri::no;
    const auto operations = operations_in_progress(*slot);
    facts_.operation_in_progress = operations.empty() ? Tri::no : Tri::yes;
    if (!head.ref.empty() && head.ref != "refs/heads/" + order_.branch.value)
      note("its HEAD is on " + head.ref);
    // Made again it is clean, which says nothing about what the worker had in it.
    if (folder_is_gone(context_, *slot) || is_loss_of(context_, order_.slot, order_.attempt))
      return note("the folder of its worktree was gone: what was uncommitted in it is lost");
    if (dot_git_of(*slot) != DotGit::right)
      return note("the .git of " + order_.slot.value + " was removed or replaced");
    const auto status = read_status_closely(context_, *slot, how_);
    if (!status) return note("git status: " + trimmed(status.error().error));
    const bool changes = status->tracked_changes && !is_half_given_back(*slot);
    facts_.uncommitted = changes ? Tri::yes : Tri::no;
    facts_.untracked = status->untracked ? Tri::yes : Tri::no;
  }

  // By a release that was cut off after it had moved the files and before it moved HEAD.
  bool is_half_given_back(const PoolSlot& slot) const {
    const std::string start = moving_to(context_, order_.slot, order_.attempt);
    if (start.empty()) return false;
    for (const std::vector<std::string>& args :
         {std::vector<std::string>{"diff", "--quiet", "--no-ext-diff", "--no-textconv", start, "--"},
          std::vector<std::string>{"diff", "--quiet", "--no-ext-diff", "--no-textconv", "--cached", start,
                                   "--"}})
      if (!context_.git.run(slot.place(), args, how_).answered()) return false;
    return true;
  }

  // With a remote, the target is what the remote has; a local branch of that name may lag behind, or be
  // ahead.
  std::string target_tip(const std::string& mirror) {
    std::string local = ref(order_.target);
    if (local.empty()) local = context_.refs.resolve(order_.target).value_or("");  // a symbolic one
    std::string there = order_.remote.empty() ? "" : ref(mirror);
    if (there.empty() || there == local) return local;
    if (local.empty()) return there;
    const auto behind = history_.is_ancestor(there, local);
    return behind && *behind ? local : there;
  }

  void own_commits() {
    // A detached HEAD that the target holds is nobody's work: a dispatcher that was killed between giving the
    // slot back and closing the attempt finds it at the newest target, with other tickets' commits below it.
    std::string head = facts_.head.value;
    if (facts_.detached == Tri::yes && !facts_.target_tip.empty() && head != facts_.tip.value) {
      const auto held = history_.is_ancestor(head, facts_.target_tip);
      if (held && *held) head.clear();
    }
    for (const std::string& tip : {facts_.tip.value, head})
      if (!tip.empty() && std::ranges::find(tips_, tip) == tips_.end()) tips_.push_back(tip);
    if (tips_.empty()) return own_commits_by_pin();
    if (facts_.target_tip.empty()) return note("the target " + order_.target + " does not exist");
    judge_tips();
  }

  // Merged, and then deleted, as forges do it: what it was is pinned. Only that it is landed follows from a
  // pin; whether its branch was deleted on purpose nobody can tell.
  void own_commits_by_pin() {
    note("its branch is gone");
    const std::string pin = ref("refs/holdfast/keep/" + ref_folder(order_.attempt) + "/branch");
    if (pin.empty() || facts_.target_tip.empty()) return;
    const BranchFacts before = facts_;
    tips_ = {pin};
    judge_tips();
    if (facts_.has_commits == Tri::yes &&
        (facts_.ancestor_of_target == Tri::yes || facts_.equal_patch_on_target == Tri::yes))
      return;
    facts_ = before;
    tips_.clear();
  }

  void judge_tips() {
    // It never moved: no history has to be asked about that.
    if (std::ranges::all_of(tips_, [&](const std::string& tip) { return tip == order_.base.value; })) {
      facts_.has_commits = facts_.ancestor_of_target = facts_.equal_patch_on_target = Tri::no;
      return;
    }
    std::vector<std::string> beyond = tips_;
    beyond.push_back("^" + facts_.target_tip);
    if (!order_.base.empty()) beyond.push_back("^" + order_.base.value);
    const auto ahead = history_.count(beyond);
    if (!ahead) return note(trimmed(ahead.error().error));
    if (*ahead > 0) {
      facts_.commits = *ahead;
      facts_.has_commits = Tri::yes;
      return landing();
    }
    if (order_.base.empty()) return note("where its branch began is not known");
    std::vector<std::string> since = tips_;
    since.push_back("^" + order_.base.value);
    const auto all = history_.list(since, 10'000);
    if (!all) return note(trimmed(all.error().error));
    if (all->empty()) {
      facts_.has_commits = facts_.ancestor_of_target = facts_.equal_patch_on_target = Tri::no;
      return;
    }
    facts_.commits = static_cast<int>(all->size());
    if (!made_here(*all)) return note("its commits cannot be told from the target's own");
    facts_.has_commits = Tri::yes;
    landing();
  }

  // A slot's HEAD has a longer history than an attempt: what came before it was given back is another's.
  // Where the branch is gone its own log is too, and where the slot is another's now, this attempt's part of
  // that slot's log is the one that its preparation begins.
  std::vector<std::vector<std::string>> logs_of_this_attempt() const {
    const auto lines = [](const std::string& log) {
      return split(read_file(log, std::size_t{16} << 20).text, '\n');
    };
    const auto is_ours = [](const std::string& entry) {
      return entry.find("\tholdfast: ") != std::string::npos;
    };
    std::vector<std::vector<std::string>> found;
    std::vector<std::string> logs{context_.repository.common_dir + "/logs/refs/heads/" + order_.branch.value};
    if (slot_) logs.push_back(slot_->admin + "/logs/HEAD");
    for (const std::string& log : logs) {
      auto entries = lines(log);
      const auto last = std::find_if(entries.rbegin(), entries.rend(), is_ours);
      entries.erase(entries.begin(), last.base());
      found.push_back(std::move(entries));
    }
    if (!facts_.tip.empty()) return found;
    const std::string begins = "\tholdfast: prepared " + order_.branch.value;
    std::error_code failed;
    for (std::filesystem::directory_iterator at(context_.repository.common_dir + "/worktrees", failed), end;
         !failed && at != end; at.increment(failed)) {
      const auto entries = lines(at->path().string() + "/logs/HEAD");
      const auto first =
          std::ranges::find_if(entries, [&](const auto& entry) { return entry.ends_with(begins); });
      if (first != entries.end())
        found.emplace_back(first + 1, std::find_if(first + 1, entries.end(), is_ours));
    }
    return found;
  }

  // All of it is on the target. If it came there by a merge commit, the tip is beside the target's own line.
  // If it is on that line, then either the target was moved forward to it, or it was moved forward to the
  // target; only the reflogs tell who made the commits.
  bool made_here(const std::vector<std::string>& commits) {
    const auto line = history_.list({"--first-parent", facts_.target_tip, "^" + order_.base.value}, 100'000);
    if (!line) return false;
    const std::set<std::string> target_line(line->begin(), line->end());
    if (std::ranges::any_of(commits, [&](const auto& commit) { return !target_line.contains(commit); }))
      return true;
    for (const std::vector<std::string>& entries : logs_of_this_attempt()) {
      for (const std::string& entry : entries) {
        const auto tab = entry.find('\t');
        const auto ids = split(std::string_view(entry).substr(0, tab), ' ');
        if (tab == std::string::npos || ids.size() < 2) continue;
        const std::string words = entry.substr(tab + 1);
        constexpr const char* makers[] = {"commit", "cherry-pick", "revert", "am", "rebase"};
        const bool made =
            std::ranges::any_of(makers, [&](const char* maker) { return words.starts_with(maker); }) &&
            !words.starts_with("rebase (start)") && !words.starts_with("rebase (finish)") &&
            words.find("checkout") == std::string::npos && words.find("ast-forward") == std::string::npos;
        if (made && std::ranges::find(commits, ids[1]) != commits.end()) return true;
      }
    }
    return false;
  }

  void landing() {
    facts_.ancestor_of_target = facts_.equal_patch_on_target = Tri::yes;
    bool every_one = true;
    Tri unsure = Tri::no;
    for (const std::string& tip : tips_) {
      if (tip == order_.base.value) continue;  // HEAD went back to the start; the branch has the commits
      const Landing line = judge_landing(history_, facts_.target_tip, tip, order_.base.value);
      note(line.note);
      every_one = every_one && line.landed();
      if (line.ancestor == Tri::unknown || line.equal_patch == Tri::unknown) unsure = Tri::unknown;
      if (line.ancestor != Tri::yes) facts_.ancestor_of_target = line.ancestor;
      if (line.equal_patch != Tri::yes) facts_.equal_patch_on_target = line.equal_patch;
    }
    // One tip by this way and the other by that one: landed all the same.
    if (every_one && facts_.ancestor_of_target != Tri::yes) facts_.equal_patch_on_target = Tri::yes;
    if (!every_one && facts_.ancestor_of_target == Tri::yes) facts_.ancestor_of_target = unsure;
  }

  void unpushed() {
    if (order_.remote.empty()) {
      facts_.unpushed = Tri::no;
      return;
    }
    if (tips_.empty()) return;
    std::vector<std::string> what = tips_;
    what.emplace_back("--not");
    if (remote_ != RemoteSeen::fresh) what.push_back("--remotes=" + order_.remote);
    what.push_back("--glob=refs/holdfast/remote/" + order_.remote + "/*");
    const auto missing = history_.count(what);
    if (!missing) return note(trimmed(missing.error().error));
    if (*missing > 0) {
      facts_.unpushed = Tri::yes;
      return;
    }
    switch (remote_) {
      case RemoteSeen::fresh: facts_.unpushed = Tri::no; return;
      case RemoteSeen::unreachable: return note("the remote " + order_.remote + " could not be asked");
      case RemoteSeen::not_asked: break;
    }
    // By the last picture of it; but of a remote that does not exist there is no picture.
    const ChildEnd url =
        context_.git.run(context_.refs_only(), {"config", "--get", "remote." + order_.remote + ".url"}, how_);
    if (url.answered())
      facts_.unpushed = Tri::no;
    else
      note("there is no remote " + order_.remote);
  }

  void stranded() {
    if (facts_.target_tip.empty()) return;
    std::vector<std::pair<std::string, std::string>> lines;  // commit, ref
    for (const auto& [name, commit] : refs_) {
      const bool branch = name.starts_with("refs/heads/");
      if (branch) {
        const auto attempt = parse_branch(std::string_view(name).substr(11));
        if (!attempt || attempt->ticket != order_.attempt.ticket ||
            name == "refs/heads/" + order_.branch.value)
          continue;
      } else if (is_passing(name)) {
        continue;  // what its worker itself replaced is kept, and not asked about
      } else if (!name.starts_with("refs/holdfast/keep/") && !name.starts_with("refs/holdfast/salvage/")) {
        continue;
      }
      lines.emplace_back(commit, name);
    }
    std::ranges::sort(lines, [](const auto& a, const auto& b) {
      return std::tuple(rank_of(a.second), a.second) < std::tuple(rank_of(b.second), b.second);
    });
    facts_.stranded_known = Tri::yes;
    left_aside();
    for (const auto& [commit, name] : lines)  // its own tip under another name strands nothing
      if (std::ranges::find(tips_, commit) == tips_.end()) consider(commit, name);
  }

  // Before anything is pinned: the work that its worker has left on branches of its own.
  void left_aside() {
    if (!slot_) return;
    LeftQuestion question{.branch = order_.branch.value, .held = {order_.base.value}, .pinned = {}};
    question.held.insert(tips_.begin(), tips_.end());
    const auto left = left_behind(context_, read_head_log(*slot_), question, how_);
    if (!left) {
      facts_.stranded_known = Tri::unknown;
      return note("what it left on other branches: " + trimmed(left.error().error));
    }
    for (const std::string& commit : left->aside)
      consider(commit, "refs/holdfast/keep/" + ref_folder(order_.attempt) + "/side");
  }

  // What people know it by, also after it was pinned; the pin's own name once that branch is gone.
  std::string branch_with(const std::string& commit, const std::string& pin) const {
    const ChildEnd end =
        context_.git.run(context_.refs_only(),
                         {"for-each-ref", "--contains", commit, "--format=%(refname)", "refs/heads"}, how_);
    for (const std::string& ref : split(end.out, '\n'))
      if (ref != "refs/heads/" + order_.branch.value) return ref;
    return pin;
  }

  void consider(const std::string& commit, const std::string& name) {
    const auto unsure = [&](const RawReply& raw) {
      facts_.stranded_known = Tri::unknown;
      note(name + ": " + trimmed(raw.error));
    };
    std::vector<std::string> beyond{commit, "^" + facts_.target_tip};
    for (const std::string& tip : tips_) beyond.push_back("^" + tip);
    for (const Stranded& one : facts_.stranded) beyond.push_back("^" + one.tip.value);
    const auto commits = history_.count(beyond);
    if (!commits) return unsure(commits.error());
    if (*commits == 0)
      return;  // an ancestor of the target, of this attempt's own tip, or of a line that is told already
    const Landing line = judge_landing(history_, facts_.target_tip, commit, "");
    if (line.landed()) return;
    for (const std::string& tip : tips_) {
      const auto contained = is_contained(history_, tip, commit);
      if (!contained) return unsure(contained.error());
      if (*contained) return;
    }
    if (line.equal_patch == Tri::unknown) note(name + ": " + line.note);
    facts_.stranded.push_back(
        {is_pin_called(name, "side") ? branch_with(commit, name) : name, {commit}, *commits});
  }

  const Context& context_;
  const BranchOrder& order_;
  const GitHow& how_;
  History history_;
  RemoteSeen remote_ = RemoteSeen::not_asked;
  RefMap refs_;
  std::optional<PoolSlot> slot_;  // where it is this attempt's
  std::string head_ref_;
  std::vector<std::string> tips_;
  BranchFacts facts_;
};

}  // namespace

Reply<BranchFacts> inspect_branch(const Context& context, const BranchOrder& order,
                                  const Deadline& deadline) {
  return Inspection(context, order, {.deadline = deadline}).run();
}

}  // namespace holdfast
