// A person's side of the board: adding, editing, moving, listing, showing; and hostile texts refused at the
// door.
#include "dispatcher/board/desk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dispatcher/board/ticket_checks.h"
#include "dispatcher/core/ledger_rules_kit.h"
#include "dispatcher/ledger/sqlite_ledger.h"
#include "dispatcher/ledger/temp_folder.h"

namespace holdfast {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct DeskTest : testing::Test {
  TempFolder folder;
  std::unique_ptr<Desk> desk = open_desk(folder / "ledger.db", LedgerMode::command_line).value();

  BoardTicket add(const std::string& id, NewTicket more = {}) {
    more.id = {id};
    if (more.title.empty()) more.title = "Title of " + id;
    auto added = desk->add(more, "alice", {1000});
    EXPECT_TRUE(added) << added.error().words;
    return added.value_or(BoardTicket{});
  }
  std::vector<std::string> listed(const TicketFilter& filter) {
    std::vector<std::string> ids;
    const auto found = desk->list(filter).value();
    ids.reserve(found.size());
    for (const auto& ticket : found) ids.push_back(ticket.id.value);
    return ids;
  }
};

TEST_F(DeskTest, TicketsAreNumberedWhereNoIdIsGiven) {
  EXPECT_EQ(desk->add({{}, "one", ""}, "", {1})->id, TicketId{"T-1"});
  add("T-41");
  add("T-99x");
  add("T-007");
  EXPECT_EQ(desk->add({{}, "two", ""}, "", {1})->id, TicketId{"T-42"});
}

TEST_F(DeskTest, ATicketIsSignedByItsMaker) {
  EXPECT_EQ(add("A").moved_by, "person:alice");
  EXPECT_EQ(desk->add({{"B"}, "t", ""}, "", {1})->moved_by, "person");
}

TEST_F(DeskTest, WrongValuesAreRefusedInWords) {
  const auto refused = [&](NewTicket t) {
    if (t.id.empty()) t.id = {"X"};
    if (t.title.empty()) t.title = "t";
    const auto answer = desk->add(t, "", {1});
    return answer ? std::string("added") : std::to_string(answer.error().status) + " " + answer.error().words;
  };
  EXPECT_THAT(refused({{"../x"}, "t", ""}), HasSubstr("422 id "));
  EXPECT_THAT(refused({{"X"}, "a\nb", ""}), HasSubstr("422 title must not hold control characters"));
  EXPECT_THAT(refused({{"X"}, "a\033[2J", ""}), HasSubstr("control characters"));
  EXPECT_THAT(refused({{"X"}, "a\xC2\x85z", ""}), HasSubstr("control characters")) << "C1";
  EXPECT_THAT(refused({{"X"}, "a\xE2\x80\xA8z", ""}), HasSubstr("line breaks")) << "U+2028";
  EXPECT_THAT(refused({{"X"}, "a\xFFz", ""}), HasSubstr("not valid UTF-8"));
  EXPECT_THAT(refused({{"X"}, std::string(501, 'x'), ""}), HasSubstr("longer than 500 bytes"));
  EXPECT_THAT(refused({{"X"}, "   ", ""}), HasSubstr("title is empty"));
  EXPECT_THAT(refused({{"X"}, "t", std::string("a\0b", 3)}), HasSubstr("body must not hold NUL"));
  EXPECT_THAT(refused({{"X"}, "t", std::string((16U << 20) + 1, 'x')}), HasSubstr("body is longer"));
  EXPECT_THAT(refused({{"X"}, "t", "", BoardState::todo, 1, "p q"}), HasSubstr("profile "));
  EXPECT_THAT(refused({{"X"}, "t", "", BoardState::todo, 1, "", {"a", "a"}}),
              HasSubstr("labels/1 is there twice"));
  EXPECT_THAT(refused({{"X"}, "t", "", BoardState::todo, 1, "", {"a b"}}), HasSubstr("labels/0 "));
  EXPECT_THAT(refused({{"X"}, "t", "", BoardState::todo, 1, "", {}, {{"X"}}}),
              HasSubstr("is the ticket itself"));
  EXPECT_THAT(refused({{"X"}, "t", "", BoardState::todo, 1, "", {}, {{"Y"}}}), HasSubstr("422 no ticket Y"));
  EXPECT_THAT(desk->list({}).value(), IsEmpty());
  add("X");
  EXPECT_THAT(refused({{"X"}, "t", ""}), HasSubstr("409 X is there already"));
}

TEST_F(DeskTest, Utf8IsCheckedAsTheStandardSays) {
  EXPECT_TRUE(is_utf8("plain, \xC3\xA9, \xE2\x82\xAC, \xF0\x9F\x99\x82"));
  for (const char* bad : {"\x80", "\xC0\x80", "\xC3", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80",
                          "\xF8\x88\x80\x80\x80", "\xE2\x82", "a\xE2\x28\xA1"})
    EXPECT_FALSE(is_utf8(bad)) << testing::PrintToString(bad);
}

TEST_F(DeskTest, AnEditKeepsWhatItDoesNotName) {
  const auto was = add("T-1", {{}, "old", "body", BoardState::todo, 5, "agent", {"a"}});
  TicketEdit edit;
  edit.title = "new";
  edit.labels = {"b", "c"};
  const auto is = desk->edit({"T-1"}, edit, {2000}).value();
  EXPECT_EQ(is.title, "new");
  EXPECT_THAT(is.labels, ElementsAre("b", "c"));
  EXPECT_EQ(is.body, "body");
  EXPECT_EQ(is.state, BoardState::todo);
  EXPECT_EQ(is.version, was.version + 1);
  EXPECT_EQ(desk->edit({"T-1"}, edit, {3000})->version, is.version) << "nothing new, nothing written";

  edit.priority = 1;
  edit.expected_version = was.version;
  EXPECT_EQ(desk->edit({"T-1"}, edit, {3000}).error().status, 409);
  EXPECT_EQ(desk->edit({"T-9"}, edit, {3000}).error().status, 404);
  EXPECT_EQ(desk->show({"T-1"})->ticket, is);
}

TEST_F(DeskTest, DependenciesThatWouldWaitForEachOtherAreRefused) {
  add("A");
  add("B", {{}, "", "", BoardState::todo, 1, "", {}, {{"A"}}});
  add("C", {{}, "", "", BoardState::todo, 1, "", {}, {{"B"}}});
  TicketEdit ring;
  ring.depends_on = {{"C"}};
  const auto refused = desk->edit({"A"}, ring, {2000});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().words, HasSubstr("C waits for A already"));
  const auto page = desk->show({"B"}).value();
  ASSERT_EQ(page.depends_on.size(), 1U);
  EXPECT_EQ(page.depends_on[0].state, BoardState::todo);
  EXPECT_THAT(page.dependents, ElementsAre(TicketId{"C"}));
}

TEST_F(DeskTest, APersonMovesAnythingAnywhereAndItIsOnRecord) {
  add("T-1");
  for (const BoardState to :
       {BoardState::done, BoardState::todo, BoardState::cancelled, BoardState::in_progress})
    EXPECT_EQ(desk->move({"T-1"}, to, "I say so", "bob", {2000})->state, to);
  const auto page = desk->show({"T-1"}).value();
  ASSERT_EQ(page.history.size(), 5U);
  EXPECT_FALSE(page.history[0].from);
  EXPECT_EQ(page.history[4].from, BoardState::cancelled);
  EXPECT_EQ(page.history[4].to, BoardState::in_progress);
  EXPECT_EQ(page.history[4].moved_by, "person:bob");
  EXPECT_EQ(page.history[4].reason, "I say so");
}

TEST_F(DeskTest, TodoBesideALiveRuntimeIsRefusedWithTheReason) {
  add("T-1");
  auto ledger = open_ledger(folder / "ledger.db", LedgerMode::dispatcher).value();
  ledger->write(StoreSlot{kit::free_slot(1)}, {1});
  ASSERT_EQ(ledger->write(kit::claim_of("T-1"), {2}).raw.code, 0);
  ASSERT_TRUE(desk->move({"T-1"}, BoardState::blocked, "", "bob", {3}));
  const auto refused = desk->move({"T-1"}, BoardState::todo, "", "bob", {4});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().status, 409);
  EXPECT_THAT(refused.error().words, HasSubstr("alive or not yet accounted for"));
  EXPECT_EQ(desk->show({"T-1"})->ticket.state, BoardState::blocked);
}

TEST_F(DeskTest, ListsByStateLabelAndText) {
  add("A", {{}, "Fix the Parser", "", BoardState::todo, 10, "", {"bug"}});
  add("B", {{}, "docs", "about the parser", BoardState::done, 5, "", {"docs", "bug"}});
  add("C", {{}, "other", "100%_sure", BoardState::blocked, 1});
  EXPECT_THAT(listed({}), ElementsAre("C", "B", "A"));
  EXPECT_THAT(listed({{BoardState::todo, BoardState::done}, {}, ""}), ElementsAre("B", "A"));
  EXPECT_THAT(listed({{}, {"bug"}, ""}), ElementsAre("B", "A"));
  EXPECT_THAT(listed({{}, {"bug", "docs"}, ""}), ElementsAre("B"));
  EXPECT_THAT(listed({{}, {}, "PARSER"}), ElementsAre("B", "A"));
  EXPECT_THAT(listed({{}, {}, "0%_s"}), ElementsAre("C")) << "no wildcards";
  EXPECT_THAT(listed({{}, {}, "'; DROP TABLE tickets; --"}), IsEmpty());
  EXPECT_THAT(listed({{}, {}, "", 1}), ElementsAre("C"));
}

TEST_F(DeskTest, CommentsAreKeptInTheirOrder) {
  add("T-1");
  ASSERT_TRUE(desk->comment({"T-1"}, "first\nline", "bob", {5}));
  ASSERT_TRUE(desk->comment({"T-1"}, "second", "", {6}));
  EXPECT_EQ(desk->comment({"T-1"}, "", "bob", {7}).error().status, 422);
  EXPECT_EQ(desk->comment({"T-1"}, "\xFF", "bob", {7}).error().status, 422);
  EXPECT_EQ(desk->comment({"T-1"}, "x", "b\nob", {7}).error().status, 422);
  EXPECT_EQ(desk->comment({"T-9"}, "x", "bob", {7}).error().status, 404);
  const auto comments = desk->show({"T-1"})->comments;
  ASSERT_EQ(comments.size(), 2U);
  EXPECT_EQ(comments[0].author, "bob");
  EXPECT_EQ(comments[1].text, "second");
}

}  // namespace
}  // namespace holdfast
