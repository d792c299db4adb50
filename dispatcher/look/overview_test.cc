// Who comes first, and what is said of each.
#include "dispatcher/look/overview.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "dispatcher/look/screen.h"

namespace holdfast {
namespace {

struct Fleet {
  Knowledge k;
  Policy policy;
  std::vector<PlannedTicket> live;

  Fleet() { k.now = {1'000'000}; }
  TicketKnowledge& ticket(const std::string& id, BoardState state, std::int64_t changed = 1000) {
    TicketKnowledge& t = k.tickets[{id}];
    t.board.emplace();
    t.board->id = {id};
    t.board->title = "title of " + id;
    t.board->state = state;
    t.board->reason = "reason of " + id;
    t.board->changed_at = {changed};
    return t;
  }
  Attempt& runtime(const std::string& id, Phase phase, Verdict verdict = Verdict::alive,
                   std::int64_t changed = 1000) {
    TicketKnowledge& t = ticket(id, BoardState::in_progress);
    t.newest.emplace();
    t.newest->id = {{id}, {1}};
    t.newest->phase = phase;
    t.newest->step = Step::spawn_begun;
    t.newest->changed_at = {changed};
    PlannedTicket planned;
    planned.ticket = {id};
    planned.runtime = t.newest->id;
    planned.verdict = verdict;
    planned.next.why = "why of " + id;
    live.push_back(planned);
    return *t.newest;
  }
  [[nodiscard]] std::string order(bool all = false) const {
    std::string ids;
    for (const OverviewLine& line : overview_of(k, policy, live, all).lines) ids += line.ticket.value + " ";
    return ids;
  }
};

TEST(Overview, WhoNeedsAPersonComesFirst) {
  Fleet fleet;
  fleet.ticket("todo", BoardState::todo);
  fleet.ticket("backlog", BoardState::backlog);
  fleet.runtime("works", Phase::running);
  fleet.ticket("blocked", BoardState::blocked);
  fleet.ticket("review", BoardState::in_review);
  fleet.runtime("doubtful", Phase::running, Verdict::unknown);
  fleet.runtime("silent", Phase::running, Verdict::alive, 2000).attention = "no output for 30 minutes";
  fleet.runtime("asks", Phase::waiting).said_text = "left or right?";
  EXPECT_EQ(fleet.order(), "asks doubtful silent review blocked works todo ");
  EXPECT_EQ(fleet.order(true), "asks doubtful silent review blocked works todo backlog ");
}

TEST(Overview, WhoHasWaitedLongestComesFirst) {
  Fleet fleet;
  fleet.runtime("a", Phase::waiting, Verdict::alive, 3000);
  fleet.runtime("b", Phase::waiting, Verdict::alive, 2000);
  EXPECT_EQ(fleet.order(), "b a ");
}

TEST(Overview, ATicketThatWasPutToTodoBesideItsRuntimeIsToBeLookedAt) {
  Fleet fleet;
  fleet.runtime("a", Phase::running);
  fleet.runtime("b", Phase::running);
  fleet.k.tickets[{"b"}].board->state = BoardState::todo;
  const Overview o = overview_of(fleet.k, fleet.policy, fleet.live, false);
  EXPECT_EQ(o.lines.at(0).ticket.value, "b");
  EXPECT_EQ(o.lines.at(0).need, Need::look);
}

TEST(Overview, ItsWords) {
  Fleet fleet;
  fleet.runtime("asks", Phase::waiting).said_text = "left or right?";
  fleet.runtime("works", Phase::running);
  fleet.ticket("blocked", BoardState::blocked);
  fleet.k.slots[{"slot-001"}].state = SlotState::leased;
  fleet.k.slots[{"slot-002"}].state = SlotState::free;
  const Overview o = overview_of(fleet.k, fleet.policy, fleet.live, false);
  EXPECT_EQ(o.lines.at(0).what, "left or right?");
  EXPECT_EQ(o.lines.at(1).what, "reason of blocked");
  EXPECT_EQ(o.lines.at(2).what, "why of works");
  EXPECT_EQ(o.live, 2);
  EXPECT_EQ(o.free_slots, 1);
  EXPECT_EQ(o.slots, 2);
  EXPECT_EQ(o.needs.at(Need::answer), 1);
  const Json j = row_of(o);
  EXPECT_EQ(j["tickets"][0]["runtime"], "asks-g1");
  EXPECT_EQ(j["tickets"][1]["runtime"], nullptr);
}

TEST(Overview, AnAttemptThatIsOverAndToldIsNoRuntime) {
  Fleet fleet;
  Attempt& a = fleet.runtime("T-1", Phase::closed);
  a.settled = true;
  fleet.k.tickets[{"T-1"}].board->state = BoardState::in_review;
  fleet.live.clear();
  const Overview o = overview_of(fleet.k, fleet.policy, fleet.live, false);
  EXPECT_EQ(o.lines.at(0).need, Need::judgement);
  EXPECT_EQ(o.live, 0);
}

TEST(Columns, WideSignsTakeTwoAndMarksNone) {
  EXPECT_EQ(columns_of("abc"), 3U);
  EXPECT_EQ(columns_of("\xE6\xBC\xA2\xE5\xAD\x97"), 4U);  // two ideographs
  EXPECT_EQ(columns_of("e\xCC\x81"), 1U);                 // e with an acute accent
  EXPECT_EQ(columns_of("\xff\xe6"), 2U);
  EXPECT_EQ(cut_to_columns("\xE6\xBC\xA2\xE5\xAD\x97", 3), "\xE6\xBC\xA2");
  EXPECT_EQ(cut_to_columns("e\xCC\x81x", 1), "e\xCC\x81");
  EXPECT_EQ(cut_to_columns("abc", 0), "");
  EXPECT_EQ(cut_to_columns("abc", 9), "abc");
}

}  // namespace
}  // namespace holdfast
