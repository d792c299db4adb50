// A board that is away holds up nothing that lives.
#include <gtest/gtest.h>

#include "dispatcher/core/classify.h"
#include "dispatcher/core/toy_play.h"

namespace holdfast::board_away {
namespace {

using toy::Play;

std::optional<ToyWorld::Fault> nobody_there(const Effect& e) {
  if (family_of(call_of(e)) != Family::board) return std::nullopt;
  return ToyWorld::Fault{{Transport::never_sent, 0, "", "connection refused"}, false};
}

// The board said todo, could not be told otherwise, and a newborn worker was never let go.
TEST(BoardAway, ANewbornGetsItsGoAheadAndItsPrompt) {
  Play p;
  p.world.add("T-1");
  bool away = false;
  p.world.fault = [&](const Effect& e) {
    if (std::holds_alternative<SpawnSession>(e)) {
      p.person_moves(BoardState::todo);
      absorb(p.brain, BoardNews{});
    }
    if (std::holds_alternative<MoveTicket>(e) && p.newest().step == Step::spawn_begun) away = true;
    return away ? nobody_there(e) : std::nullopt;
  };
  p.pass(seconds(30));
  ASSERT_TRUE(away) << p.trace();
  EXPECT_EQ(p.newest().phase, Phase::running) << p.trace();
  EXPECT_EQ(p.world.posted[p.newest().id].size(), 1U);
  EXPECT_EQ(p.count("spawn the session"), 1);
}

// And one that had asked got no answer.
TEST(BoardAway, AnAskerGetsItsAnswer) {
  Play p;
  p.world.add("T-1");
  p.pass(seconds(1));
  p.world.say(p.ticket, "QUESTION: which?");
  p.pass(millis(300));
  ASSERT_EQ(p.newest().phase, Phase::waiting) << p.trace();
  p.person_moves(BoardState::todo);
  p.pass(millis(50));
  p.world.fault = nobody_there;
  p.person_moves(BoardState::todo);
  p.pass(seconds(20));
  p.person_writes("the red one");
  p.pass(seconds(3));
  EXPECT_EQ(p.world.posted[p.newest().id].back(), "the red one") << p.trace();
  EXPECT_EQ(p.newest().phase, Phase::running) << p.trace();
}

// Messages to workers waited as long as the board's ticket was waited for.
TEST(BoardAway, MessagesGoOnAtOnce) {
  Play p;
  p.world.add("T-1");
  p.pass(seconds(1));
  p.person_moves(BoardState::todo);
  p.world.fault = [](const Effect& e) -> std::optional<ToyWorld::Fault> {
    if (!std::holds_alternative<MoveTicket>(e) && !std::holds_alternative<ReadTicket>(e)) return std::nullopt;
    return ToyWorld::Fault{{Transport::no_answer, 0, "", "deadline"}, false};
  };
  p.pass(minutes(10));  // by now its next try is half a minute away
  const Instant asked = p.world.now;
  p.person_writes("and the manual");
  p.pass(seconds(1));
  EXPECT_EQ(p.world.posted[p.newest().id].back(), "and the manual") << p.trace();
  EXPECT_LE((p.world.now - asked).ms, 2000);
}

TEST(BoardAway, WhatIsSaidAndHowItEndsIsRecordedAndToldWhenItIsBack) {
  Play p;
  p.world.add("T-1");
  p.pass(seconds(1));
  p.world.fault = nobody_there;
  p.pass(minutes(1));
  p.person_leaves_commits();
  p.world.say(p.ticket, "DONE: it");
  p.world.exit(p.ticket, 0);
  p.pass(minutes(1));
  EXPECT_EQ(p.newest().phase, Phase::closed) << p.trace();
  EXPECT_EQ(p.world.slots.begin()->second.state, SlotState::free);
  p.restart();
  p.pass(minutes(30));
  EXPECT_EQ(p.board(), BoardState::in_progress);
  EXPECT_FALSE(p.newest().settled);
  p.world.fault = nullptr;
  p.pass(seconds(10));
  EXPECT_EQ(p.board(), BoardState::in_review) << p.trace();
  EXPECT_TRUE(p.newest().settled);
}

// Where its list cannot be read, a hundred tickets need not find out one by one.
TEST(BoardAway, NothingButItsListIsAskedForAndNothingNewIsBegun) {
  Play p(3);
  for (const char* id : {"T-1", "T-2", "T-3", "T-4"}) p.world.add(id);
  p.pass(seconds(1));
  for (const char* id : {"T-1", "T-2", "T-3"}) p.world.say({id}, "QUESTION: which?");
  p.world.fault = nobody_there;
  p.pass(seconds(5));
  const auto asked = [&] {
    return std::ranges::count_if(p.world.trace, [](const auto& line) {
      return line.find("comment on the ticket") != std::string::npos ||
             line.find("read the ticket") != std::string::npos ||
             line.find("move the ticket") != std::string::npos;
    });
  };
  const auto before = asked();
  p.world.exit({"T-1"}, 0);
  p.pass(minutes(30));
  EXPECT_EQ(asked(), before) << p.trace();
  EXPECT_EQ(p.world.newest({"T-4"}), nullptr) << p.trace();
  p.world.fault = nullptr;
  p.pass(seconds(10));
  EXPECT_NE(p.world.newest({"T-4"}), nullptr) << p.trace();
}

// A board that lets everybody wait takes half of the places and no more.
TEST(BoardAway, ABoardThatLetsWaitLeavesPlacesForOthers) {
  Play p(6);
  p.brain.policy.effects_at_once = 4;
  for (const char* id : {"T-1", "T-2", "T-3", "T-4", "T-5"}) p.world.add(id);
  p.pass(seconds(3));
  for (const char* id : {"T-1", "T-2", "T-3", "T-4", "T-5"}) {
    p.world.say({id}, "QUESTION: which?");
    absorb(p.brain, AttemptNews{p.world.newest({id})->id});
  }
  int comments = 0;
  bool others = true;
  for (int turn = 0; turn < 60 && others; ++turn) {
    const auto effects = next_effects(p.brain, p.world.now);
    others = false;
    for (const Effect& e : effects) {
      if (std::holds_alternative<CommentTicket>(e)) {
        ++comments;  // and no answer comes
        continue;
      }
      others = true;
      absorb(p.brain, p.world.perform(e));
    }
  }
  EXPECT_EQ(comments, 2);
  for (const char* id : {"T-1", "T-2", "T-3", "T-4", "T-5"})
    EXPECT_EQ(p.world.newest({id})->phase, Phase::waiting) << id;
}

// It was gone while its worker ran, and is there again, which is no news: what has become of it is told all
// the same.
TEST(BoardAway, ATicketThatIsThereAgainIsToldWhatBecameOfIt) {
  Play p;
  p.world.add("T-1");
  p.pass(seconds(1));
  bool gone = true;
  p.world.fault = [&](const Effect& e) -> std::optional<ToyWorld::Fault> {
    if (!gone || family_of(call_of(e)) != Family::board || std::holds_alternative<ReadBoard>(e))
      return std::nullopt;
    return ToyWorld::Fault{{Transport::answered, 404, "", "no such ticket"}, false};
  };
  p.person_moves(BoardState::todo);
  p.pass(minutes(1));
  ASSERT_EQ(p.brain.knowledge.tickets[p.ticket].work.board_gone, BoardGone::sure) << p.trace();
  gone = false;
  p.pass(minutes(1));
  p.person_leaves_commits();
  p.world.say(p.ticket, "DONE: it");
  p.world.exit(p.ticket, 0);
  p.pass(minutes(1));
  EXPECT_EQ(p.board(), BoardState::in_review) << p.trace();
}

// Each read that follows went well, and the move was asked for ten times a second.
TEST(BoardAway, AMoveThatGoesWrongAgainAndAgainIsAskedForSeldom) {
  Play p;
  p.world.add("T-1");
  p.pass(seconds(1));
  p.world.fault = [](const Effect& e) -> std::optional<ToyWorld::Fault> {
    if (!std::holds_alternative<MoveTicket>(e)) return std::nullopt;
    return ToyWorld::Fault{{Transport::answered, 500, "", "failed"}, false};
  };
  p.person_leaves_commits();
  p.world.say(p.ticket, "DONE: it");
  p.world.exit(p.ticket, 0);
  const int before = p.count("move the ticket");
  p.pass(minutes(60));
  EXPECT_LE(p.count("move the ticket") - before, 140) << p.trace();
  EXPECT_GE(p.count("move the ticket") - before, 60) << p.trace();
  p.world.fault = nullptr;
  p.pass(minutes(1));
  EXPECT_EQ(p.board(), BoardState::in_review) << p.trace();
}

// A board that was restored from an older copy counts from less: it is read from its beginning.
TEST(BoardAway, ABoardThatWasRestoredIsReadFromItsBeginning) {
  Play p;
  p.world.add("T-1");
  p.pass(seconds(1));
  p.brain.agenda.board_cursor = 77;  // the toy's list ends at 1
  absorb(p.brain, BoardNews{});
  std::vector<std::int64_t> asked;
  p.world.fault = [&](const Effect& e) -> std::optional<ToyWorld::Fault> {
    if (const auto* list = std::get_if<ReadBoard>(&e)) asked.push_back(list->cursor);
    return std::nullopt;
  };
  p.pass(seconds(1));
  ASSERT_GE(asked.size(), 2U) << p.trace();
  EXPECT_EQ(asked[0], 77);
  EXPECT_EQ(asked[1], 0);
}

Play with_argument(const std::string& body) {
  Play p;
  Profile& profile = p.brain.policy.profiles.begin()->second;
  profile.prompt_by = PromptBy::argument;
  p.world.add("T-1");
  p.world.board.at(p.ticket).body = body;
  p.pass(seconds(1));
  return p;
}

// With the view of the ticket its text was forgotten too, and the prompt's own DONE, drawn by the worker,
// passed for the worker's.
TEST(BoardAway, AfterALostMoveAnEchoOfThePromptIsStillAnEcho) {
  Play p = with_argument("when ready, say\nDONE: all tests pass\n");
  p.person_moves(BoardState::todo);
  p.world.fault = [](const Effect& e) -> std::optional<ToyWorld::Fault> {
    if (family_of(call_of(e)) != Family::board) return std::nullopt;
    return ToyWorld::Fault{{Transport::no_answer, 0, "", "deadline"}, false};
  };
  // Only what is asked of the ticket itself at first, so that the move is tried.
  const auto all_of_it = p.world.fault;
  p.world.fault = [&](const Effect& e) -> std::optional<ToyWorld::Fault> {
    return std::holds_alternative<ReadBoard>(e) ? std::nullopt : all_of_it(e);
  };
  p.pass(seconds(3));
  ASSERT_FALSE(p.brain.knowledge.tickets[p.ticket].board) << p.trace();
  p.world.fault = all_of_it;
  p.world.say(p.ticket, "DONE: all tests pass");
  p.pass(seconds(5));
  EXPECT_EQ(p.newest().phase, Phase::running) << p.trace();
  p.world.say(p.ticket, "DONE: it is mended");
  p.pass(seconds(1));
  EXPECT_EQ(p.newest().said_text, "it is mended") << p.trace();
}

// A dispatcher that begins while the board is away does not know the prompt at all. It believes nothing that
// may be it, and waits with the death of one that is dead for the text.
TEST(BoardAway, ADispatcherThatBeginsThenTakesNothingForItsWordThatMayBeItsPrompt) {
  for (const bool own_words : {false, true}) {
    Play p = with_argument("when ready, say\nDONE: all tests pass\n");
    p.person_leaves_commits();
    p.world.fault = nobody_there;
    p.restart();
    p.pass(seconds(3));
    p.world.say(p.ticket, own_words ? "DONE: mended" : "DONE: all tests pass");
    p.pass(seconds(5));
    EXPECT_EQ(p.newest().phase, Phase::running) << p.trace();
    p.world.exit(p.ticket, 0);
    p.pass(minutes(5));
    EXPECT_EQ(p.newest().phase, Phase::running) << p.trace();
    p.world.fault = nullptr;
    p.pass(seconds(20));
    EXPECT_TRUE(p.newest().settled) << p.trace();
    EXPECT_EQ(p.newest().said, own_words ? Said::done : Said::nothing) << p.trace();
    EXPECT_EQ(p.board(), BoardState::in_review);
  }
}

// A 404 of a board that has forgotten who asks is no word about the ticket: its attempt was settled, and
// nobody told the board what had become of it.
TEST(BoardAway, AShutDoorIsNoTicketThatIsGone) {
  Play p;
  p.world.add("T-1");
  p.pass(seconds(1));
  p.world.fault = [](const Effect& e) -> std::optional<ToyWorld::Fault> {
    if (family_of(call_of(e)) != Family::board) return std::nullopt;
    return ToyWorld::Fault{{Transport::answered, 404, "", "not found"}, false};
  };
  p.person_leaves_commits();
  p.world.say(p.ticket, "DONE: it");
  p.world.exit(p.ticket, 0);
  p.pass(minutes(60));
  EXPECT_FALSE(p.newest().settled) << p.trace();
  p.world.fault = nullptr;
  p.pass(seconds(10));
  EXPECT_EQ(p.board(), BoardState::in_review) << p.trace();
}

// One that is gone in truth is asked for no more, before its spawn and after its end.
TEST(BoardAway, ATicketThatIsGoneInTruthKeepsNobodyWaiting) {
  for (const bool claimed_only : {true, false}) {
    Play p;
    p.world.add("T-1");
    bool gone = false;
    p.world.fault = [&](const Effect& e) -> std::optional<ToyWorld::Fault> {
      if (claimed_only && std::holds_alternative<MoveTicket>(e)) gone = true;
      const bool of_it =
          gone && family_of(call_of(e)) == Family::board && !std::holds_alternative<ReadBoard>(e);
      if (!of_it) return std::nullopt;
      return ToyWorld::Fault{{Transport::answered, 404, "", "no such ticket"}, false};
    };
    p.pass(seconds(1));
    if (!claimed_only) {
      gone = true;
      p.world.exit(p.ticket, 0);
    }
    p.pass(seconds(30));
    EXPECT_TRUE(p.newest().settled) << p.trace();
    EXPECT_EQ(p.count("spawn the session"), claimed_only ? 0 : 1) << p.trace();
    EXPECT_LE(p.count("read the ticket"), 6) << p.trace();
  }
}

}  // namespace
}  // namespace holdfast::board_away
