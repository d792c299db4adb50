// What doctor finds and when `up --until-idle` ends: both are functions of knowledge.
#include "dispatcher/look/doctor.h"

#include <gtest/gtest.h>

#include <sstream>

#include "dispatcher/cli/idle.h"
#include "dispatcher/cli/progress.h"
#include "dispatcher/config/fields.h"
#include "dispatcher/core/decide.h"

namespace holdfast::cli {
namespace {

Knowledge looked() {
  Knowledge k;
  k.now = {1'000'000};
  k.ledger_loaded = k.records_listed = k.traces_listed = k.pool_ready = k.board_read = true;
  k.shards[0].reachable = true;
  return k;
}

BoardTicket ticket(const char* id, BoardState state) {
  BoardTicket t;
  t.id = {id};
  t.state = state;
  t.profile = "shell";
  return t;
}

Attempt attempt(const char* id, Phase phase) {
  Attempt a;
  a.id = {{id}, {1}};
  a.phase = phase;
  a.profile = "shell";
  return a;
}

Policy policy() {
  Policy p;
  p.shards = 1;
  p.profiles = built_in_profiles();
  return p;
}

std::string kinds(const std::vector<Finding>& found) {
  std::string all;
  for (const Finding& f : found) all += f.kind + ":" + f.about + " ";
  return all;
}

TEST(Doctor, FindsDrift) {
  Knowledge k = looked();
  k.tickets[{"A"}].board = ticket("A", BoardState::in_progress);  // and nobody works on it
  k.tickets[{"B"}].board = ticket("B", BoardState::todo);         // beside an open runtime
  k.tickets[{"B"}].newest = attempt("B", Phase::planned);
  k.tickets[{"C"}].newest = attempt("C", Phase::planned);  // not on the board
  k.tickets[{"D"}].board = ticket("D", BoardState::done);  // fine
  EXPECT_EQ(kinds(find_drift(k, policy())), "drift:A drift:B-g1 drift:C-g1 ");
}

TEST(Doctor, ATicketThatWaitsForACancelledOneIsShown) {
  Knowledge k = looked();
  k.tickets[{"A"}].board = ticket("A", BoardState::cancelled);
  k.tickets[{"B"}].board = ticket("B", BoardState::todo);
  k.tickets[{"B"}].board->depends_on = {{"A"}};
  k.tickets[{"C"}].board = ticket("C", BoardState::todo);
  k.tickets[{"C"}].board->depends_on = {{"B"}};  // that may come yet
  EXPECT_EQ(kinds(find_drift(k, policy())), "waits-for-ever:B ");
  EXPECT_EQ(decide(k, {"B"}, policy()).why, "it depends on A, which is cancelled");
}

TEST(Doctor, StraysAreNamedAndOthersSessionsAreNot) {
  Knowledge k = looked();
  k.tickets[{"T-1"}].newest = attempt("T-1", Phase::running);
  const auto pane = [&](const char* session, bool dead) {
    PaneSighting p;
    p.session = {session};
    p.dead = dead;
    k.shards[0].panes.push_back(p);
  };
  pane("hf-T-1-g1", false);   // its own
  pane("hf-T-10-g1", false);  // nobody's, and not T-1's either
  pane("hf-T-2-g1", true);    // closed, dead
  pane("hf-T-3-g1", false);   // closed, live
  pane("hf-anchor", false);
  pane("work", false);
  k.traces = {{{"T-1"}, {1}}, {{"T-7"}, {2}}};
  const KnownAttempts known = {{{"T-1"}, {1}}, {{"T-2"}, {1}}, {{"T-3"}, {1}}};
  EXPECT_EQ(kinds(find_strays(k, known)),
            "stray-session:hf-T-10-g1 dead-session:hf-T-2-g1 stray-session:hf-T-3-g1 stray-trace:T-7-g2 ");
}

TEST(Doctor, ManyTracesOfAnotherInstallationAreOneLine) {
  Knowledge k = looked();
  for (int n = 1; n <= 120; ++n) k.traces.insert({{"X-" + std::to_string(n)}, {1}});
  const auto found = find_strays(k, {});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_NE(found.front().words.find("120 attempts"), std::string::npos);
}

// One that nobody reads.
struct QuietShell {
  std::istringstream in;
  std::ostringstream out, err;
  Shell shell{in,  out,
              err, [](const std::string&) { return std::optional<std::string>(); },
              "/", [] { return Instant{}; }};
};

// Tickets waited, and neither of the two said why.
TEST(Doctor, AndUpTellThatDispatchingRestsAfterACrashLoop) {
  QuietShell quiet;
  Brain brain;
  brain.knowledge = looked();
  Progress progress;
  brain.knowledge.breaker.open_until = brain.knowledge.now + seconds(30);
  EXPECT_EQ(kinds(find_drift(brain.knowledge, policy())), "crash-loop: ");
  EXPECT_EQ(progress.changes(brain, quiet.shell).size(), 1U);
  EXPECT_TRUE(progress.changes(brain, quiet.shell).empty()) << "once";
  brain.knowledge.now = brain.knowledge.now + seconds(31);
  EXPECT_EQ(kinds(find_drift(brain.knowledge, policy())), "");
}

TEST(Up, DoesNotTellOldEndingsAgain) {
  QuietShell quiet;
  Brain brain;
  brain.knowledge = looked();
  brain.knowledge.tickets[{"T-1"}].newest = attempt("T-1", Phase::closed);
  Progress progress;
  EXPECT_TRUE(progress.changes(brain, quiet.shell).empty());
  Attempt next = attempt("T-1", Phase::planned);
  next.id.generation = {2};
  brain.knowledge.tickets[{"T-1"}].newest = next;
  EXPECT_EQ(progress.changes(brain, quiet.shell).size(), 1U);
  brain.knowledge.tickets[{"T-1"}].newest->phase = Phase::closed;
  brain.knowledge.tickets[{"T-1"}].newest->revision += 1;
  EXPECT_EQ(progress.changes(brain, quiet.shell).size(), 1U);  // its own one is told
}

TEST(Doctor, FindsLeasesOfNobodyAndMissingWorktrees) {
  Knowledge k = looked();
  k.slots[{"slot-001"}] = {{"slot-001"}, SlotState::leased, {{"T-1"}, {1}}, "/p/1", ""};
  k.slots[{"slot-002"}] = {{"slot-002"}, SlotState::quarantined, {}, "/p/2", "unsaved"};
  SlotSighting seen;
  seen.slot = {"slot-001"};
  seen.registered = Tri::yes;
  EXPECT_EQ(kinds(find_pool_trouble(k, {seen})),
            "lease:slot-001 quarantined:slot-002 missing-worktree:slot-002 ");
}

// The first to tell had been the ticket that was given it, and was blocked.
TEST(Doctor, TellsAFreeWorktreeThatIsNotClean) {
  Knowledge k = looked();
  std::vector<SlotSighting> seen;
  for (const auto& [name, clean] :
       {std::pair{"slot-001", Tri::yes}, {"slot-002", Tri::no}, {"slot-003", Tri::unknown}}) {
    k.slots[{name}] = {{name}, SlotState::free, {}, std::string("/p/") + name, ""};
    SlotSighting one;
    one.slot = {name};
    one.registered = Tri::yes;
    one.clean = clean;
    seen.push_back(one);
  }
  EXPECT_EQ(kinds(find_pool_trouble(k, seen)), "dirty-worktree:slot-002 ");
}

struct Idle : testing::Test {
  Brain brain{policy(), looked(), {}};
  void SetUp() override {
    brain.knowledge.slots[{"slot-001"}] = {{"slot-001"}, SlotState::free, {}, "/p/1", ""};
  }
  void put(const BoardTicket& t) { brain.knowledge.tickets[t.id].board = t; }
};

TEST_F(Idle, WhenNothingIsLeft) {
  put(ticket("A", BoardState::done));
  put(ticket("B", BoardState::in_review));
  EXPECT_EQ(idle(brain), "");
}
TEST_F(Idle, NotBeforeTheFirstLook) {
  brain.knowledge.board_read = false;
  EXPECT_FALSE(idle(brain));
}
TEST_F(Idle, NotWhileATicketCanBeClaimedOrWillBe) {
  put(ticket("A", BoardState::todo));
  EXPECT_FALSE(idle(brain));
  brain.knowledge.tickets[{"A"}].memory.not_before = {2'000'000};  // it backs off
  EXPECT_FALSE(idle(brain));
}
TEST_F(Idle, NotWhileAnAttemptIsOpenOrUnsettled) {
  put(ticket("A", BoardState::in_progress));
  brain.knowledge.tickets[{"A"}].newest = attempt("A", Phase::closed);
  EXPECT_FALSE(idle(brain));
  brain.knowledge.tickets[{"A"}].newest->settled = true;
  EXPECT_EQ(idle(brain), "");
}
TEST_F(Idle, ATicketThatWaitsForAPersonDoesNotHoldItUp) {
  BoardTicket t = ticket("A", BoardState::todo);
  t.depends_on = {{"B"}};
  put(t);
  put(ticket("B", BoardState::in_review));
  EXPECT_EQ(idle(brain), "");
}
// With 300 tickets in review some look at one of them was always under way, and `up --until-idle` never
// ended.
TEST_F(Idle, LookingAgainWhetherTicketsInReviewWereLandedIsNotWaitedFor) {
  brain.policy.effects_at_once = 8;
  Knowledge& k = brain.knowledge;
  for (int i = 0; i < 300; ++i) {
    const TicketId id{"R-" + std::to_string(i)};
    put(ticket(id.value.c_str(), BoardState::in_review));
    k.tickets[id].newest = attempt(id.value.c_str(), Phase::closed);
    k.tickets[id].newest->settled = true;
    k.tickets[id].newest->branch = {"hf/" + id.value + "-g1"};
    brain.agenda.queue.push_back(id);
    brain.agenda.queued.insert(id);
  }
  // Each answer comes after a quarter of a second, so that one round takes longer than the time between two.
  std::int64_t at = 1'000'000;
  std::vector<InspectBranch> flying;
  std::set<TicketId> seen;
  bool ended = false;
  for (int turn = 0; turn < 2000 && !ended; ++turn) {
    for (const Effect& e : next_effects(brain, {at}))
      if (const auto* look = std::get_if<InspectBranch>(&e)) flying.push_back(*look);
    ended = idle(brain) == "";
    EXPECT_FALSE(ended && seen.size() < 300) << "each of them is looked at once";
    at += 250;
    for (const InspectBranch& look : std::exchange(flying, {})) {
      Answer a;
      a.effect = look;
      a.raw = {Transport::answered, 0, "", ""};
      a.value = BranchFacts{};
      a.asked_at = {at - 250};
      a.at = {at};
      seen.insert(ticket_of(a.effect));
      absorb(brain, a);
    }
  }
  EXPECT_TRUE(ended);
}
TEST_F(Idle, NotWhileATicketInReviewIsAboutToBeDone) {
  put(ticket("A", BoardState::in_review));
  TicketKnowledge& t = brain.knowledge.tickets[{"A"}];
  t.newest = attempt("A", Phase::closed);
  t.newest->settled = true;
  EXPECT_FALSE(idle(brain)) << "it was not looked at yet";
  t.work.reviewed_at = brain.knowledge.now;
  t.work.facts = BranchFacts{};
  EXPECT_EQ(idle(brain), "");
  brain.agenda.busy.insert({"A"});  // not by a look: it is moved on the board
  EXPECT_FALSE(idle(brain));
}
TEST_F(Idle, WithoutAWorktreeItSaysSo) {
  put(ticket("A", BoardState::todo));
  brain.knowledge.slots[{"slot-001"}].state = SlotState::quarantined;
  EXPECT_NE(idle(brain).value().find("1 tickets cannot be claimed"), std::string::npos);
}

}  // namespace
}  // namespace holdfast::cli
