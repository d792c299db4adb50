// The simulated repository: commits with patches, refs, the pool's worktrees with their leases and
// uncommitted changes, and a main checkout that nobody may touch.
//
// Two commits with the same patch make the same change: that is how a squash or a rebase is recognised.
#include <algorithm>

#include "dispatcher/core/classify.h"
#include "dispatcher/core/names.h"
#include "sim/world/ports.h"

namespace holdfast::sim {
namespace {

constexpr const char* heads = "refs/heads/";

RawReply failed(std::string words) {
  return answered(1, std::move(words));
}

CommitNo commit_no(const std::string& text) {
  if (text.size() < 2 || text.front() != 'c') return -1;
  return std::stoi(text.substr(1));
}

std::string keep_ref(const AttemptId& id, const char* what) {
  return "refs/holdfast/keep/" + id.ticket.value + "/g" + std::to_string(id.generation.value) + "/" + what;
}

bool is_by(const Repository& git, CommitNo commit, const AttemptId& attempt) {
  return commit >= 0 && git.commits[static_cast<std::size_t>(commit)].by == attempt;
}

// The branch that the lease announced, whatever its worker has made of it.
BranchName branch_of(const Repository& git, const AttemptId& attempt) {
  const std::string_view prefix = heads;
  for (const auto& [name, tip] : git.refs)
    if (name.starts_with(prefix) && parse_branch(std::string_view(name).substr(prefix.size())) == attempt)
      return {name.substr(prefix.size())};
  return {};
}

// What a pin held stays held: where the newest does not contain it, under another name.
void pin_newest(World& w, Flight& f, const AttemptId& id, const std::string& what, CommitNo commit) {
  const std::string ref = keep_ref(id, what.c_str());
  const CommitNo before = ref_of(w.git, ref);
  if (before >= 0 && !reaches(w.git, commit, before)) {
    int n = 1;
    while (ref_of(w.git, ref + "-" + std::to_string(n)) >= 0) ++n;
    set_ref(w, ref + "-" + std::to_string(n), before, f.dispatcher);
  }
  set_ref(w, ref, commit, f.dispatcher, true);
}

// Nobody works for it any more: no process, no lease, no call.
bool is_idle(const World& w, const AttemptId& id) {
  const auto its_call = [&](const Flight& f) {
    return family_of(call_of(f.effect)) == Family::git && attempt_of(f.effect) == id;
  };
  return std::ranges::none_of(w.runtimes, [&](const Runtime& r) { return r.attempt == id && lives(w, r); }) &&
         std::ranges::none_of(w.git.slots, [&](const auto& slot) { return slot.second.lease == id; }) &&
         std::ranges::none_of(w.flights, its_call);
}

// There is nothing but where it began, or the pins hold already what is to be held.
bool is_held_already(const World& w, const BranchOrder& order) {
  const auto slot = w.git.slots.find(order.slot);
  if (slot == w.git.slots.end() || slot->second.lease != order.attempt) return false;
  const auto held = [&](CommitNo commit, const char* what) {
    return commit >= 0 &&
           (!is_by(w.git, commit, order.attempt) || ref_of(w.git, keep_ref(order.attempt, what)) == commit);
  };
  return held(slot->second.head, "head") && held(ref_of(w.git, heads + order.branch.value), "branch");
}

void pin(World& w, Flight& f, const BranchOrder& order) {
  if (is_held_already(w, order)) return;
  if (const CommitNo tip = ref_of(w.git, heads + order.branch.value); tip >= 0)
    pin_newest(w, f, order.attempt, "branch", tip);
  if (const auto slot = w.git.slots.find(order.slot);
      slot != w.git.slots.end() && slot->second.lease == order.attempt && slot->second.head >= 0)
    pin_newest(w, f, order.attempt, "head", slot->second.head);
}

// Of one that lives: each commit once, under whichever name.
void pin_seen(World& w, Flight& f, const BranchOrder& order) {
  const Worktree& tree = w.git.slots.at(order.slot);
  const std::string folder = keep_ref(order.attempt, "");
  for (const CommitNo commit : {ref_of(w.git, heads + order.branch.value), tree.head}) {
    const bool held = std::ranges::any_of(
        w.git.refs, [&](const auto& ref) { return ref.second == commit && ref.first.starts_with(folder); });
    if (!held && is_by(w.git, commit, order.attempt)) pin_newest(w, f, order.attempt, "seen", commit);
  }
}

bool is_passing(const std::string& ref) {
  return ref.starts_with("refs/holdfast/keep/") &&
         std::string_view(ref).substr(ref.rfind('/')).starts_with("/seen");
}

bool holds_all(const std::set<int>& have, const std::set<int>& want) {
  return std::ranges::includes(have, want);
}

// Commits reachable from `tip` and not from any of `without`.
std::vector<CommitNo> beyond(const Repository& git, CommitNo tip, const std::vector<CommitNo>& without) {
  std::set<CommitNo> hidden, seen;
  const auto walk = [&](auto&& self, CommitNo at, std::set<CommitNo>& into) -> void {
    while (at >= 0 && into.insert(at).second) {
      const Commit& c = git.commits[static_cast<std::size_t>(at)];
      if (c.second >= 0) self(self, c.second, into);
      at = c.parent;
    }
  };
  for (const CommitNo one : without) walk(walk, one, hidden);
  walk(walk, tip, seen);
  std::vector<CommitNo> rest;
  for (const CommitNo one : seen)
    if (!hidden.contains(one)) rest.push_back(one);
  return rest;
}

std::set<int> patches_of_all(const Repository& git, const std::vector<CommitNo>& commits) {
  std::set<int> patches;
  for (const CommitNo one : commits)
    if (const int patch = git.commits[static_cast<std::size_t>(one)].patch; patch != 0) patches.insert(patch);
  return patches;
}

SlotSighting sighting(const SlotId& id, const Worktree& tree) {
  SlotSighting seen;
  seen.slot = id;
  seen.path = "/pool/" + id.value;
  seen.registered = tree.present ? Tri::yes : Tri::no;
  seen.clean = tree.changes.empty() ? Tri::yes : Tri::no;
  seen.locked = Tri::no;
  seen.head = {commit_text(tree.head)};
  seen.branch = {tree.branch};
  return seen;
}

std::optional<AttemptId> somebody_alive_in(const World& w, const SlotId& slot, const AttemptId& but) {
  for (const Runtime& r : w.runtimes)
    if (r.slot == slot.value && r.attempt != but && lives(w, r)) return r.attempt;
  return std::nullopt;
}

void touched(World& w, const SlotId& slot, const AttemptId& by, int lost) {
  w.happened.slots.push_back({slot, by, somebody_alive_in(w, slot, by), lost});
  w.happened.anything = true;
}

}  // namespace

std::vector<int> unsaved_changes(const World& w, const Worktree& tree) {
  std::vector<int> rest;
  for (const int change : tree.changes) {
    bool saved = false;
    for (const auto& [name, tip] : w.git.refs)
      saved = saved || std::ranges::find(w.git.commits[static_cast<std::size_t>(tip)].holds, change) !=
                           w.git.commits[static_cast<std::size_t>(tip)].holds.end();
    if (!saved) rest.push_back(change);
  }
  return rest;
}

void set_ref(World& w, const std::string& ref, CommitNo to, int by, bool forced) {
  const auto found = w.git.refs.find(ref);
  if (found != w.git.refs.end() && found->second == to) return;
  const bool forward = found == w.git.refs.end() || reaches(w.git, to, found->second);
  w.happened.refs.push_back({ref, by, !forward && !forced});
  w.happened.anything = true;
  w.git.refs[ref] = to;
}

// Its branch names the attempt for as long as there is one, and a pin of what the target holds is never
// stranded; what "seen" or "head" hold as well as "branch" is held once.
void forget_idle_pins(World& w) {
  auto& refs = w.git.refs;
  const CommitNo target = ref_of(w.git, w.setup->policy.target);
  for (const auto& [id, row] : w.ledger.closed) {
    const std::string folder = keep_ref(id, "");
    auto at = refs.lower_bound(folder);
    if (at == refs.end() || !at->first.starts_with(folder) || !is_idle(w, id)) continue;
    const CommitNo of_branch = ref_of(w.git, folder + "branch");
    const bool is_named = !branch_of(w.git, id).empty();
    while (at != refs.end() && at->first.starts_with(folder)) {
      const bool is_on_target = is_named && reaches(w.git, target, at->second);
      const bool is_held_twice = at->second == of_branch && at->first != folder + "branch";
      at = is_on_target || is_held_twice ? refs.erase(at) : std::next(at);
    }
  }
}

namespace {
bool use_main_checkout(World& w, Flight& f, const PrepareWorktree& e) {
  touched(w, {}, e.order.attempt, 0);
  w.git.main_checkout.branch = e.order.branch.value;
  f.value = Prepared{"/main", {commit_text(w.git.main_checkout.head)}};
  return true;
}
}  // namespace

// Two parts: the branch, then the checkout. Where an earlier call has done both, it only looks, in one part:
// a late one that has been overtaken by its own worker moves nothing.
bool perform(World& w, Flight& f, const PrepareWorktree& e) {
  const auto found = w.git.slots.find(e.order.slot);
  if (found == w.git.slots.end() || !found->second.present) {
    if (w.setup->defects.prepare_in_main_checkout) return use_main_checkout(w, f, e);
    const bool is_somebodys = found != w.git.slots.end() && found->second.lease != e.order.attempt &&
                              found->second.branch.empty() &&
                              ref_of(w.git, heads + e.order.branch.value) >= 0;
    f.raw = is_somebodys ? answered(128, "a branch named '" + e.order.branch.value + "' already exists")
            : found == w.git.slots.end()
                ? failed("missing: " + e.order.slot.value + " is not a worktree of this repository")
                : failed("dirty: " + e.order.slot.value + " lost its .git file, or had it replaced");
    return true;
  }
  Worktree& tree = found->second;
  const std::string branch = heads + e.order.branch.value;
  if (f.part == 0) {
    const bool again = tree.branch == e.order.branch.value;
    const bool mine = tree.lease == e.order.attempt;
    const bool unfit = !again && (!tree.changes.empty() || !tree.branch.empty());
    if (unfit && w.setup->defects.prepare_in_main_checkout) return use_main_checkout(w, f, e);
    const bool takes_anything = w.setup->defects.prepare_over_dirty;
    if (again && !mine && tree.lease.generation.value != 0) {
      f.raw = failed("stale lease: " + e.order.slot.value + " is held by " + attempt_key(tree.lease));
      return true;
    }
    if (again && !takes_anything && (!tree.changes.empty() || is_by(w.git, tree.head, e.order.attempt))) {
      f.raw = failed("dirty: " + e.order.slot.value + " has changed since it was prepared");
      return true;
    }
    if (!again && !tree.branch.empty() && !takes_anything) {
      f.raw = failed("dirty: " + e.order.slot.value + " has another branch: " + tree.branch);
      return true;
    }
    const CommitNo start =
        e.order.start.starts_with("c") ? commit_no(e.order.start) : ref_of(w.git, e.order.start);
    if (start < 0) {
      f.raw = answered(128, "invalid reference: " + e.order.start);
      return true;
    }
    // A branch of that name that no lease of this slot announced is somebody's.
    if (!again && !mine && ref_of(w.git, branch) >= 0) {
      f.raw = answered(128, "a branch named '" + e.order.branch.value + "' already exists");
      return true;
    }
    if (unfit && !takes_anything) {
      f.raw = failed("dirty: " + e.order.slot.value + " has changes");
      return true;
    }
    tree.lease = e.order.attempt;
    if (ref_of(w.git, branch) < 0) set_ref(w, branch, start, f.dispatcher);
    if (!again) return false;
  }
  if (tree.branch != e.order.branch.value) {
    // What somebody has written meanwhile is in the way: git moves a worktree, it does not clean it.
    if (!tree.changes.empty() && !w.setup->defects.prepare_over_dirty) {
      f.raw = failed("dirty: " + e.order.slot.value + " has changes");
      return true;
    }
    touched(w, e.order.slot, e.order.attempt, static_cast<int>(unsaved_changes(w, tree).size()));
    tree.changes.clear();
    tree.branch = e.order.branch.value;
    tree.head = ref_of(w.git, branch);
  }
  f.value = Prepared{"/pool/" + e.order.slot.value, {commit_text(tree.head)}};
  return true;
}

bool perform(World& w, Flight& f, const InspectBranch& e) {
  const BranchOrder& order = e.order;
  const Repository& git = w.git;
  BranchFacts facts;
  const CommitNo tip = ref_of(git, heads + order.branch.value);
  const CommitNo target = ref_of(git, order.target);
  const CommitNo base = commit_no(order.base.value);
  if (tip >= 0) facts.tip = {commit_text(tip)};
  CommitNo head = -1;
  if (!order.slot.empty()) {
    const auto slot = git.slots.find(order.slot);
    if (slot == git.slots.end() || !slot->second.present) {
      facts.note = order.slot.value + " is not a worktree of this repository";
    } else if (slot->second.lease.generation.value != 0 && slot->second.lease != order.attempt) {
      facts.note = order.slot.value + " is held by " + attempt_key(slot->second.lease) + " now";
    } else {
      const Worktree& tree = slot->second;
      head = tree.branch.empty() ? tree.head : ref_of(git, heads + tree.branch);
      if (head < 0) head = tree.head;
      facts.head = {commit_text(head)};
      facts.detached = tree.branch.empty() ? Tri::yes : Tri::no;
      facts.operation_in_progress = Tri::no;
      facts.uncommitted = tree.changes.empty() ? Tri::no : Tri::yes;
      facts.untracked = Tri::no;
      if (facts.detached == Tri::yes && head != tip && reaches(git, target, head)) head = -1;
    }
  }
  facts.target_tip = commit_text(target);
  facts.unpushed = Tri::no;
  std::vector<CommitNo> tips;
  for (const CommitNo one : {tip, head})
    if (one >= 0 && std::ranges::find(tips, one) == tips.end()) tips.push_back(one);
  if (tips.empty()) {
    facts.note = "its branch is gone";
  } else {
    std::set<CommitNo> own;
    // Where its branch began is known once a spawn was announced; before, only what the target has not.
    const bool begun = base >= 0;
    for (const CommitNo one : tips)
      for (const CommitNo c : beyond(git, one, {begun ? base : target}))
        if (git.commits[static_cast<std::size_t>(c)].patch != 0) own.insert(c);
    facts.commits = static_cast<int>(own.size());
    if (own.empty() && !begun) {
      facts.note = "where its branch began is not known";
    } else if (own.empty()) {
      facts.has_commits = facts.ancestor_of_target = facts.equal_patch_on_target = Tri::no;
      if (w.setup->defects.branch_facts_without_commits_landed)
        facts.has_commits = facts.ancestor_of_target = Tri::yes;
    } else {
      facts.has_commits = Tri::yes;
      facts.ancestor_of_target = facts.equal_patch_on_target = Tri::yes;
      for (const CommitNo one : tips)
        if (one != base && !reaches(git, target, one)) facts.ancestor_of_target = Tri::no;
      if (!holds_all(patches_of(git, target), patches_of_all(git, {own.begin(), own.end()})))
        facts.equal_patch_on_target = Tri::no;
      if (facts.ancestor_of_target == Tri::yes) facts.equal_patch_on_target = Tri::no;
    }
  }
  if (tip < 0 && w.setup->defects.gone_upstream_counts_as_landed)
    facts.has_commits = facts.ancestor_of_target = Tri::yes;
  facts.stranded_known = Tri::yes;
  const std::set<int> landed = patches_of(git, target);
  for (const auto& [name, commit] : git.refs) {
    const std::string& ticket = order.attempt.ticket.value;
    bool ours = name.starts_with("refs/holdfast/keep/" + ticket + "/") ||
                name.starts_with("refs/holdfast/salvage/" + ticket + "/");
    if (name.starts_with(heads)) {
      const auto attempt = parse_branch(std::string_view(name).substr(std::string_view(heads).size()));
      ours = attempt && attempt->ticket == order.attempt.ticket && name != heads + order.branch.value;
    }
    if (!ours || is_passing(name)) continue;
    std::vector<CommitNo> known = tips;
    known.push_back(target);
    for (const Stranded& one : facts.stranded) known.push_back(commit_no(one.tip.value));
    const auto rest = beyond(git, commit, known);
    if (rest.empty()) continue;
    const std::set<int> patches = patches_of_all(git, rest);
    bool saved_work = false;  // a salvage holds changes that are on no branch
    for (const CommitNo one : rest)
      saved_work = saved_work || !git.commits[static_cast<std::size_t>(one)].holds.empty();
    if (!saved_work && holds_all(landed, patches)) continue;
    facts.stranded.push_back({name, {commit_text(commit)}, static_cast<int>(rest.size())});
  }
  f.value = std::move(facts);
  return true;
}

bool perform(World& w, Flight& f, const PinBranch& e) {
  switch (e.when) {
    case PinWhen::seen: {
      const auto slot = w.git.slots.find(e.order.slot);
      if (slot == w.git.slots.end()) {
        f.raw = failed("missing: " + e.order.slot.value + " is not a worktree of this repository");
        return true;
      }
      if (slot->second.lease.generation.value != 0 && slot->second.lease != e.order.attempt) {
        f.raw =
            failed("stale lease: " + e.order.slot.value + " is held by " + attempt_key(slot->second.lease));
        return true;
      }
      pin_seen(w, f, e.order);
      break;
    }
    case PinWhen::closing: pin(w, f, e.order); break;
  }
  f.value = Salvaged{};
  return true;
}

// Two parts: pins, then the salvage itself.
bool perform(World& w, Flight& f, const SalvageWorktree& e) {
  const auto found = w.git.slots.find(e.order.slot);
  if (found == w.git.slots.end() || !found->second.present) {
    f.raw = failed("missing: the folder of " + e.order.slot.value + " is gone");
    return true;
  }
  Worktree& tree = found->second;
  if (tree.lease.generation.value != 0 && tree.lease != e.order.attempt) {
    f.raw = failed("stale lease: " + e.order.slot.value + " is held by " + attempt_key(tree.lease));
    return true;
  }
  if (f.part == 0) {
    pin(w, f, e.order);
    return false;
  }
  Salvaged saved;
  const std::string folder = "refs/holdfast/salvage/" + e.order.attempt.ticket.value + "/g" +
                             std::to_string(e.order.attempt.generation.value) + "/";
  if (!tree.changes.empty()) {
    int n = 1;
    std::string ref;
    for (;; ++n) {
      ref = folder + "00" + std::to_string(n);
      const CommitNo there = ref_of(w.git, ref);
      if (there < 0) break;
      if (w.git.commits[static_cast<std::size_t>(there)].holds == tree.changes) break;
    }
    if (ref_of(w.git, ref) < 0) {
      Commit commit;
      commit.parent = tree.head;
      commit.holds = tree.changes;
      if (w.setup->defects.salvage_skips_untracked) commit.holds.pop_back();
      w.git.commits.push_back(commit);
      set_ref(w, ref, static_cast<CommitNo>(w.git.commits.size()) - 1, f.dispatcher);
    }
    saved.refs.push_back(ref);
    saved.commits.push_back({commit_text(ref_of(w.git, ref))});
  }
  f.value = std::move(saved);
  return true;
}

// Two parts: the worktree is brought back, then its lease is taken off.
bool perform(World& w, Flight& f, const ReleaseSlot& e) {
  const auto found = w.git.slots.find(e.order.slot);
  if (found == w.git.slots.end() || !found->second.present) {
    f.raw = failed("missing: the folder of " + e.order.slot.value + " is gone");
    return true;
  }
  Worktree& tree = found->second;
  if (f.part == 0) {
    if (tree.lease.generation.value != 0 && tree.lease != e.order.attempt) {
      f.raw = failed("stale lease: " + e.order.slot.value + " is held by " + attempt_key(tree.lease));
      return true;
    }
    const auto unsaved = unsaved_changes(w, tree);
    const CommitNo head =
        tree.branch.empty() ? tree.head : std::max(ref_of(w.git, heads + tree.branch), tree.head);
    const bool moved =
        !e.expected_head.empty() && commit_text(head) != e.expected_head.value && !tree.branch.empty();
    const bool checks = !w.setup->defects.release_without_recheck;
    if (checks && moved) {
      f.raw = failed("dirty: " + e.order.slot.value + " has moved since it was saved");
      return true;
    }
    if (!w.setup->defects.release_deletes_branch)
      pin(w, f,
          {.slot = e.order.slot,
           .attempt = e.order.attempt,
           .branch = branch_of(w.git, e.order.attempt),
           .base = {},
           .target = "",
           .remote = ""});
    if (checks && !unsaved.empty()) {
      f.raw = failed("dirty: " + e.order.slot.value + " has changed since it was saved");
      return true;
    }
    touched(w, e.order.slot, e.order.attempt, static_cast<int>(unsaved.size()));
    if (w.setup->defects.release_deletes_branch && !tree.branch.empty())
      w.git.refs.erase(heads + tree.branch);
    tree.changes.clear();
    tree.branch.clear();
    tree.head = ref_of(w.git, e.start);
    return false;
  }
  tree.lease = {};
  f.value = sighting(e.order.slot, tree);
  return true;
}

// Two parts: merge in a scratch worktree, then compare-and-swap of the target.
bool perform(World& w, Flight& f, const LandBranch& e) {
  const CommitNo tip = commit_no(e.order.tip.value);
  const CommitNo target = ref_of(w.git, e.order.target);
  if (f.part == 0) {
    if (target < 0 || tip < 0) {
      f.raw = answered(128, "not a commit: " + e.order.tip.value);
      return true;
    }
    if (reaches(w.git, target, tip)) {
      f.value = Landed{LandAnswer::already_landed, {commit_text(target)}, "", ""};
      return true;
    }
    f.value = Landed{LandAnswer::moved, {commit_text(target)}, "", ""};  // what the merge is made upon
    return false;
  }
  const CommitNo upon = commit_no(std::get<Landed>(f.value).commit.value);
  if (target != upon && !w.setup->defects.land_without_compare) {
    f.value = Landed{LandAnswer::moved, {}, "", "the target moved"};
    return true;
  }
  Commit merge;
  merge.parent = upon;
  merge.second = tip;
  w.git.commits.push_back(merge);
  const auto made = static_cast<CommitNo>(w.git.commits.size()) - 1;
  set_ref(w, e.order.target, made, f.dispatcher);
  f.value = Landed{LandAnswer::landed, {commit_text(made)}, "", ""};
  return true;
}

bool perform(World&, Flight&, const PushBranch&) {
  return true;
}

bool perform(World& w, Flight& f, const ListTraces&) {
  std::set<AttemptId> found;
  for (const auto& [name, commit] : w.git.refs)
    if (name.starts_with(heads)) {
      if (const auto attempt = parse_branch(std::string_view(name).substr(std::string_view(heads).size())))
        found.insert(*attempt);
    } else if (name.starts_with("refs/holdfast/")) {
      const auto generation = name.rfind("/g");
      const auto first = name.find('/', 14);
      if (generation == std::string::npos || first == std::string::npos) continue;
      const auto end = name.find('/', generation + 1);
      const auto attempt = parse_attempt_key(name.substr(first + 1, generation - first - 1) + "-" +
                                             name.substr(generation + 1, end - generation - 1));
      if (attempt) found.insert(*attempt);
    }
  f.value = std::vector<AttemptId>(found.begin(), found.end());
  return true;
}

bool perform(World& w, Flight& f, const EnsurePool& e) {
  std::vector<SlotSighting> seen;
  for (int i = 1; i <= e.capacity; ++i) {
    const SlotId id{"slot-" + std::to_string(i)};
    auto [at, made] = w.git.slots.try_emplace(id);
    Worktree& tree = at->second;
    if (!made && tree.lease.generation.value != 0)
      continue;  // its attempt's business, whatever state it is in
    const bool waits = tree.present && tree.changes.empty() && tree.branch.empty();
    tree.present = true;  // a folder that is gone is made again, as it was
    if (made || waits) tree.head = ref_of(w.git, e.start);
  }
  for (const auto& [id, tree] : w.git.slots) seen.push_back(sighting(id, tree));
  f.value = std::move(seen);
  return true;
}

// --- the truth

std::string commit_text(CommitNo commit) {
  return commit < 0 ? std::string() : "c" + std::to_string(commit);
}

CommitNo ref_of(const Repository& git, const std::string& ref) {
  const auto found = git.refs.find(ref);
  return found == git.refs.end() ? -1 : found->second;
}

bool reaches(const Repository& git, CommitNo from, CommitNo target) {
  if (target < 0 || from < 0) return false;
  std::vector<CommitNo> open{from};
  while (!open.empty()) {
    const CommitNo at = open.back();
    open.pop_back();
    if (at == target) return true;
    if (at < target) continue;  // parents are always older
    const Commit& c = git.commits[static_cast<std::size_t>(at)];
    if (c.parent >= 0) open.push_back(c.parent);
    if (c.second >= 0) open.push_back(c.second);
  }
  return false;
}

std::set<int> patches_of(const Repository& git, CommitNo tip) {
  return patches_of_all(git, beyond(git, tip, {}));
}

}  // namespace holdfast::sim
