// The simulated repository beside git in a scratch repository: three attempts in two worktrees are prepared,
// inspected, pinned, salvaged, given back and landed, while workers commit, leave changes and rename
// branches, and people merge, squash and push. After each command every ref and every worktree is compared,
// commit by commit.
#include <gtest/gtest.h>

#include "dispatcher/core/names.h"
#include "dispatcher/worktree/scratch_repository.h"
#include "fidelity/sequences.h"
#include "fidelity/simulated.h"
#include "sim/world/ports.h"
#include "sim/world/processes.h"

namespace holdfast::fidelity::of_worktrees {
namespace {

namespace fs = std::filesystem;

enum Kind {
  prepare,
  worker_commits,
  worker_changes,
  inspect,
  pin,
  salvage,
  release,
  land,
  person_merges,
  person_squashes,
  person_pushes,
  branch_is_renamed,
  traces,
  ensure_pool,
  folder_goes
};

constexpr const char* target = "refs/heads/main";
constexpr int slots = 2;

class Repositories : public ScratchRepository {
 public:
  explicit Repositories(const sim::Defects& defects) : simulated_(defects) {
    SetUp();
    git(main_, {"checkout", "-q", "--detach"});  // nobody stands on the target: landing may move it
    names_[base_] = "c0";
    run({ensure_pool, 0, 0});
  }
  Repositories(const Repositories&) = delete;
  Repositories& operator=(const Repositories&) = delete;
  ~Repositories() override { TearDown(); }
  void TestBody() override {}

  void run(const Command& c) {
    simulated_.world.now.ms += 1000;
    const auto which = static_cast<std::size_t>(c.whom) % std::size(all_);
    Side& mine = all_[which];
    const int slot = c.how % slots + 1;
    const fs::path folder = state_ / "pool" / ("slot-00" + std::to_string(slot));
    const auto owner = owner_of(slot);
    const auto kind = static_cast<Kind>(c.kind);
    switch (kind) {
      case prepare: {
        const auto a = worktrees().prepare(prepare_order(mine.id, slot), soon);
        const auto b = simulated_.ask(
            PrepareWorktree{{sim_slot(slot), mine.id, branch_name(mine.id, "Do the work"), target}});
        const auto here = Simulated::value<Prepared>(b);
        judge.compare("prepare " + attempt_key(mine.id),
                      {{"outcome", kind_of(Call::prepare, a.raw)}, {"base", named(a.value.base.value)}},
                      {{"outcome", kind_of(Call::prepare, b.raw)}, {"base", here.base.value}});
        if (!done(a.raw) || !judge.content()) return;
        mine.slot = slot;
        mine.base = a.value.base.value;
        mine.simulated_base = here.base.value;
        break;
      }
      case worker_commits: {
        if (!owner) return;
        const std::string n = std::to_string(++files_);
        commit(folder, "work-" + n, n + "\n");
        worker(*owner, sim::Act::commit);
        know(git(folder, {"rev-parse", "HEAD"}), newest_commit());
        break;
      }
      case worker_changes: {
        if (!owner) return;
        const std::string n = std::to_string(++files_);
        if (c.whom % 2 == 0)
          write(folder / ("left-" + n), n);
        else
          write(folder / ("file" + std::to_string(files_ % 12 + 1)), n);
        worker(*owner, sim::Act::change);
        break;
      }
      case inspect: {
        const int asked = c.how % 3 == 0 ? 0 : mine.slot;
        BranchOrder order = branch_order(mine.id, asked);
        order.base = {mine.base};
        const auto a = worktrees().inspect(order, soon);
        const auto b = simulated_.ask(InspectBranch{sim_order(mine, asked)});
        judge.compare("inspect " + attempt_key(mine.id), facts_of(a.raw, a.value, true),
                      facts_of(b.raw, Simulated::value<BranchFacts>(b), false));
        break;
      }
      case pin: {
        const PinWhen when = mine.slot != 0 && c.how % 2 == 0 ? PinWhen::seen : PinWhen::closing;
        const auto a = worktrees().pin(branch_order(mine.id, mine.slot), when, soon);
        const auto b = simulated_.ask(PinBranch{sim_order(mine, mine.slot), when});
        judge.compare("pin " + attempt_key(mine.id), {{"outcome", kind_of(Call::pin, a.raw)}},
                      {{"outcome", kind_of(Call::pin, b.raw)}});
        break;
      }
      case salvage: {
        if (mine.slot == 0) return;
        const auto a = worktrees().salvage(branch_order(mine.id, mine.slot), soon);
        const auto b = simulated_.ask(SalvageWorktree{sim_order(mine, mine.slot)});
        const auto here = Simulated::value<Salvaged>(b);
        if (a.value.commits.size() == 1 && here.commits.size() == 1)
          names_.try_emplace(a.value.commits[0].value, here.commits[0].value);
        judge.compare("salvage " + attempt_key(mine.id),
                      {{"outcome", kind_of(Call::salvage, a.raw)}, {"refs", joined(a.value.refs)}},
                      {{"outcome", kind_of(Call::salvage, b.raw)}, {"refs", joined(here.refs)}});
        break;
      }
      case release: {
        if (mine.slot == 0) return;
        // Mostly where it is, else where it began.
        const bool old = c.whom % 4 == 3;
        const sim::Worktree& tree = simulated_.world.git.slots.at(sim_slot(mine.slot));
        const fs::path place = state_ / "pool" / ("slot-00" + std::to_string(mine.slot));
        const std::string head = old ? mine.base : git(place, {"rev-parse", "HEAD"});
        const std::string here_head = old ? mine.simulated_base : sim::commit_text(tree.head);
        const auto a = worktrees().release({real_slot(mine.slot), mine.id}, {head}, tip(target), soon);
        const auto b = simulated_.ask(ReleaseSlot{{sim_slot(mine.slot), mine.id}, {here_head}, target});
        judge.compare("release " + attempt_key(mine.id), {{"outcome", kind_of(Call::release, a.raw)}},
                      {{"outcome", kind_of(Call::release, b.raw)}});
        if (done(a.raw)) mine.slot = 0;
        break;
      }
      case land: {
        const std::string head = ref_or_empty(mine);
        if (head.empty()) return;
        const BranchName branch = branch_name(mine.id, "Do the work");
        const auto a =
            worktrees().land({mine.id, branch, {head}, target, "", {}, minutes(1), "Land it"}, soon);
        const CommitId here_tip{named(head)};
        const auto b =
            simulated_.ask(LandBranch{{mine.id, branch, here_tip, target, "", {}, minutes(1), "Land it"}});
        const auto here = Simulated::value<Landed>(b);
        if (a.value.answer == LandAnswer::landed && here.answer == LandAnswer::landed)
          know(a.value.commit.value, here.commit.value);
        judge.compare("land " + attempt_key(mine.id),
                      {{"outcome", kind_of(Call::land, a.raw)}, {"answer", answer(a.value)}},
                      {{"outcome", kind_of(Call::land, b.raw)}, {"answer", answer(here)}});
        break;
      }
      case person_merges:
      case person_squashes: {
        const std::string head = ref_or_empty(mine);
        if (head.empty() || try_git(main_, {"merge-base", "--is-ancestor", head, target}) == 0) return;
        merge_by_hand(head, kind == person_squashes);
        break;
      }
      case person_pushes: {
        git(main_, {"checkout", "-q", "--detach", target});
        const std::string made = commit(main_, "theirs-" + std::to_string(++files_), "x\n");
        git(main_, {"update-ref", target, made});
        sim::Repository& repository = simulated_.world.git;
        sim::Commit other;
        other.parent = sim::ref_of(repository, target);
        other.patch = repository.next_patch++;
        push(other);
        know(made, newest_commit());
        break;
      }
      case branch_is_renamed: {
        if (!owner || all_[*owner].renamed) return;
        Side& side = all_[*owner];
        side.renamed = true;
        git(folder, {"branch", "-m", "mine-" + std::to_string(*owner)});
        sim::Worktree& tree = simulated_.world.git.slots.at(sim_slot(slot));
        sim::set_ref(simulated_.world, "refs/heads/mine-" + std::to_string(*owner), tree.head,
                     sim::by_worker);
        simulated_.world.git.refs.erase("refs/heads/" + tree.branch);
        tree.branch = "mine-" + std::to_string(*owner);
        break;
      }
      case traces: {
        const auto a = worktrees().traces(soon);
        const auto b = simulated_.ask(ListTraces{});
        judge.compare("traces", {{"found", keys(a.value)}},
                      {{"found", keys(Simulated::value<std::vector<AttemptId>>(b))}});
        return;
      }
      case ensure_pool: {
        const auto a = worktrees().ensure_pool(slots, target, soon);
        const auto b = simulated_.ask(EnsurePool{slots, target});
        judge.compare("ensure pool", {{"outcome", kind_of(Call::pool_ensure, a.raw)}},
                      {{"outcome", kind_of(Call::pool_ensure, b.raw)}});
        break;
      }
      case folder_goes: {
        if (owner || simulated_.world.git.slots.at(sim_slot(slot)).lease.generation.value != 0) return;
        std::error_code ignored;
        fs::remove_all(folder, ignored);
        simulated_.world.git.slots.at(sim_slot(slot)).present = false;
        return;
      }
    }
    compare_everything();
  }

  Judge judge{"git"};

 private:
  struct Side {
    AttemptId id;
    int slot = 0;  // 0: it has none
    std::string base{}, simulated_base{};
    bool renamed = false;
  };

  static SlotId sim_slot(int n) { return {"slot-" + std::to_string(n)}; }
  static SlotId real_slot(int n) { return {"slot-00" + std::to_string(n)}; }

  [[nodiscard]] std::optional<std::size_t> owner_of(int slot) const {
    for (std::size_t i = 0; i < std::size(all_); ++i)
      if (all_[i].slot == slot) return i;
    return std::nullopt;
  }

  static BranchOrder sim_order(const Side& side, int slot) {
    return {slot == 0 ? SlotId{} : sim_slot(slot),
            side.id,
            branch_name(side.id, "Do the work"),
            {side.simulated_base},
            target,
            ""};
  }

  void worker(std::size_t who, sim::Act act) {
    sim::Runtime r;
    r.attempt = all_[who].id;
    r.worker = sim::WorkerStage::at_work;
    r.slot = sim_slot(all_[who].slot).value;
    sim::worker_act(simulated_.world, r, act);
  }

  void push(const sim::Commit& made) {
    simulated_.world.git.commits.push_back(made);
    sim::set_ref(simulated_.world, target,
                 static_cast<sim::CommitNo>(simulated_.world.git.commits.size()) - 1, sim::by_person);
  }

  void merge_by_hand(const std::string& head, bool squash) {
    sim::Repository& repository = simulated_.world.git;
    const sim::CommitNo base = sim::ref_of(repository, target);
    const sim::CommitNo tip_here = std::stoi(named(head).substr(1));
    git(main_, {"checkout", "-q", "--detach", target});
    if (!squash) {
      git(main_, {"merge", "-q", "--no-ff", "-m", "by hand", head});
      sim::Commit merge;
      merge.parent = base;
      merge.second = tip_here;
      push(merge);
      know(git(main_, {"rev-parse", "HEAD"}), newest_commit());
    } else {
      // Each commit of its own, as a rebase does; merges are left out.
      std::vector<sim::CommitNo> own;
      for (sim::CommitNo at = tip_here; at >= 0 && !sim::reaches(repository, base, at);
           at = repository.commits[static_cast<std::size_t>(at)].parent)
        own.insert(own.begin(), at);
      for (const sim::CommitNo one : own) {
        git(main_, {"cherry-pick", "-x", "--allow-empty", "--keep-redundant-commits",
                    hash_of("c" + std::to_string(one))});
        sim::Commit copy;
        copy.parent = sim::ref_of(repository, target);
        copy.patch = repository.commits[static_cast<std::size_t>(one)].patch;
        push(copy);
        know(git(main_, {"rev-parse", "HEAD"}), newest_commit());
      }
    }
    git(main_, {"update-ref", target, "HEAD"});
  }

  [[nodiscard]] std::string newest_commit() const {
    return "c" + std::to_string(simulated_.world.git.commits.size() - 1);
  }
  void know(const std::string& hash, const std::string& name) { names_[hash] = name; }
  [[nodiscard]] std::string named(const std::string& hash) const {
    if (hash.empty()) return "";
    const auto found = names_.find(hash);
    return found == names_.end() ? "a commit of its own" : found->second;
  }
  [[nodiscard]] std::string hash_of(const std::string& name) const {
    for (const auto& [hash, one] : names_)
      if (one == name) return hash;
    return "";
  }
  std::string ref_or_empty(const Side& side) {
    const std::string ref = "refs/heads/" + branch_name(side.id, "Do the work").value;
    return try_git(main_, {"rev-parse", "--verify", "-q", ref}) == 0 ? tip(ref) : "";
  }

  static std::string joined(const std::vector<std::string>& words) {
    std::string all;
    for (const std::string& one : words) all += (all.empty() ? "" : " ") + one;
    return all;
  }
  static std::string keys(const std::vector<AttemptId>& ids) {
    std::set<std::string> sorted;
    for (const AttemptId& id : ids) sorted.insert(attempt_key(id));
    return joined({sorted.begin(), sorted.end()});
  }
  static std::string answer(const Landed& landed) {
    switch (landed.answer) {
      case LandAnswer::landed: return "landed";
      case LandAnswer::already_landed: return "already landed";
      case LandAnswer::parked: return "parked";
      case LandAnswer::conflict: return "conflict";
      case LandAnswer::check_failed: return "check failed";
      case LandAnswer::moved: return "moved";
    }
    __builtin_unreachable();
  }

  Facts facts_of(const RawReply& raw, const BranchFacts& f, bool real) const {
    const auto commit = [&](const std::string& id) { return real ? named(id) : id; };
    Facts facts{{"outcome", kind_of(Call::inspect, raw)}};
    facts["tip"] = commit(f.tip.value);
    facts["head"] = commit(f.head.value);
    facts["target"] = commit(f.target_tip);
    facts["commits"] = std::to_string(f.commits);
    facts["has commits"] = word(f.has_commits);
    facts["ancestor of target"] = word(f.ancestor_of_target);
    facts["equal patch on target"] = word(f.equal_patch_on_target);
    // Either is "not saved yet" to the core; the simulated worktree does not tell tracked from untracked.
    facts["unsaved"] = f.uncommitted == Tri::yes || f.untracked == Tri::yes ? "yes"
                       : f.uncommitted == Tri::no && f.untracked == Tri::no ? "no"
                                                                            : "unknown";
    facts["unpushed"] = word(f.unpushed);
    facts["detached"] = word(f.detached);
    facts["operation"] = word(f.operation_in_progress);
    facts["stranded known"] = word(f.stranded_known);
    std::set<std::string> stranded;
    for (const Stranded& one : f.stranded) stranded.insert(one.ref + "=" + commit(one.tip.value));
    facts["stranded"] = joined({stranded.begin(), stranded.end()});
    return facts;
  }

  void compare_everything() {
    Facts a, b;
    for (const std::string& line : split(
             git(main_, {"for-each-ref", "--format=%(refname) %(objectname)", "refs/heads", "refs/holdfast"}),
             '\n')) {
      const auto blank = line.find(' ');
      if (blank != std::string::npos) a[line.substr(0, blank)] = named(line.substr(blank + 1));
    }
    for (const auto& [name, at] : simulated_.world.git.refs) b[name] = sim::commit_text(at);
    const auto pool = worktrees().look_at_pool(soon);
    for (std::size_t i = 0; i < pool.value.size(); ++i) {
      const SlotSighting& seen = pool.value[i];
      const std::string name = "slot " + std::to_string(i + 1);
      a[name + " branch"] = seen.branch.value;
      a[name + " clean"] = word(seen.clean);
      a[name + " head"] = named(seen.head.value);
    }
    int n = 0;
    for (const auto& [id, tree] : simulated_.world.git.slots) {
      const std::string name = "slot " + std::to_string(++n);
      b[name + " branch"] = tree.branch;
      b[name + " clean"] = !tree.present ? "unknown" : tree.changes.empty() ? "yes" : "no";
      b[name + " head"] = sim::commit_text(tree.head);
    }
    // A pin of where the branch began holds nothing of its worker's: git's files decide whether it is
    // written.
    for (const Side& side : all_)
      for (Facts* facts : {&a, &b})
        std::erase_if(*facts, [&](const auto& fact) {
          return fact.second == side.simulated_base &&
                 fact.first.starts_with("refs/holdfast/keep/" + side.id.ticket.value + "/g" +
                                        std::to_string(side.id.generation.value) + "/");
        });
    judge.compare("what there is", a, b);
  }

  Simulated simulated_;
  Side all_[3] = {{{{"T-1"}, {1}}}, {{{"T-1"}, {2}}}, {{{"T-2"}, {1}}}};
  std::map<std::string, std::string> names_;  // of commits: the real hash, the simulated name
  int files_ = 0;
};

Judge play(const std::vector<Command>& sequence, const sim::Defects& defects = {}) {
  Repositories repositories(defects);
  for (const Command& c : sequence) {
    repositories.run(c);
    if (!repositories.judge.content()) break;
  }
  return repositories.judge;
}

rc::Gen<std::vector<Command>> anything() {
  return commands({6, 6, 3, 5, 2, 4, 4, 3, 1, 1, 2, 1, 1, 1, 1}, 3, 12);
}

TEST(WorktreeFidelity, TheSimulatedOneAgreesWithGit) {
  std::set<std::string_view> met;
  const auto playing = [&](const std::vector<Command>& sequence) {
    const Judge judge = play(sequence);
    met.insert(judge.met().begin(), judge.met().end());
    return judge;
  };
  // A life that lands, one that leaves changes, one that is squashed.
  const Judge lives = playing({{prepare, 0, 0},
                               {worker_commits, 0, 0},
                               {inspect, 0, 1},
                               {person_pushes, 0, 0},
                               {pin, 0, 0},
                               {land, 0, 0},
                               {inspect, 0, 1},
                               {release, 0, 0},
                               {prepare, 1, 0},
                               {worker_changes, 0, 0},
                               {release, 1, 0},
                               {salvage, 1, 0},
                               {salvage, 1, 0},
                               {release, 1, 0},
                               {inspect, 1, 0},
                               {prepare, 2, 1},
                               {worker_commits, 0, 1},
                               {person_squashes, 2, 1},
                               {inspect, 2, 1},
                               {traces, 0, 0},
                               {branch_is_renamed, 0, 1},
                               {inspect, 2, 1},
                               {pin, 2, 0},
                               {folder_goes, 0, 0}});
  ASSERT_TRUE(lives.content()) << lives.in_words();
  expect_agreement(anything(), 40, 40, playing);
  expect_all_met("git", met);
}

struct Broken {
  const char* name;
  bool sim::Defects::* defect;
};
class WorktreeTwins : public testing::TestWithParam<Broken> {};
TEST_P(WorktreeTwins, AreFound) {
  sim::Defects defects;
  defects.*GetParam().defect = true;
  const int found =
      sequences_until_caught(anything(), 40, 40, [&](const auto& s) { return play(s, defects); });
  EXPECT_GT(found, 0) << "a repository that is built wrongly agrees with git";
  RecordProperty("sequences", found);
}
INSTANTIATE_TEST_SUITE_P(
    All, WorktreeTwins,
    testing::Values(Broken{"empty_branch_is_merged", &sim::Defects::branch_facts_without_commits_landed},
                    Broken{"release_without_recheck", &sim::Defects::release_without_recheck},
                    Broken{"prepare_over_dirty", &sim::Defects::prepare_over_dirty},
                    Broken{"release_deletes_branch", &sim::Defects::release_deletes_branch}),
    [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace holdfast::fidelity::of_worktrees
