// The table of what a board's answer means: written a second time by hand, and each field of it played to its
// end, struck once, struck for an hour at that one call, and struck for an hour at everything that is asked
// of the board, with and without the change having happened.
//
// HOLDFAST_WRITE_DOCS=1 rewrites docs/board-answers.md; commit only what you can explain.
#include "dispatcher/core/board_answers.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "dispatcher/core/classify.h"
#include "dispatcher/core/toy_play.h"

namespace holdfast::board_answers {
namespace {

struct Row {
  BoardSaid said;
  std::vector<RawReply> raws;
  const char* known;
  const char* move;
  const char* comment;
  const char* look;
};

RawReply number(int code) {
  return {Transport::answered, code, "", "said " + std::to_string(code)};
}

const std::vector<Row>& rows() {
  static const std::vector<Row> all{
      {BoardSaid::yes, {number(200), number(201), number(299)}, "done", "go on", "go on", "go on"},
      {BoardSaid::unauthorized,
       {number(401)},
       "denied",
       "the same again",
       "the same again",
       "the same again"},
      {BoardSaid::forbidden, {number(403)}, "denied", "the same again", "the same again", "the same again"},
      {BoardSaid::not_found, {number(404)}, "gone", "is it gone?", "let it be", "is it gone?"},
      {BoardSaid::conflict, {number(409)}, "conflict", "take their view", "let it be", "the same again"},
      {BoardSaid::gone, {number(410)}, "gone", "is it gone?", "let it be", "is it gone?"},
      {BoardSaid::outdated, {number(412)}, "conflict", "take their view", "let it be", "the same again"},
      {BoardSaid::unprocessable,
       {number(422), number(400), number(413)},
       "invalid",
       "read first",
       "let it be",
       "the same again"},
      {BoardSaid::locked, {number(423)}, "busy", "the same again", "the same again", "the same again"},
      {BoardSaid::too_many, {number(429)}, "busy", "the same again", "the same again", "the same again"},
      {BoardSaid::failed,
       {number(500), number(502), number(503), number(301), number(418)},
       "unknown",
       "read first",
       "the same again",
       "the same again"},
      {BoardSaid::never_sent,
       {{Transport::never_sent, 0, "", "connection refused"}},
       "busy",
       "the same again",
       "the same again",
       "the same again"},
      {BoardSaid::no_answer,
       {{Transport::no_answer, 0, "", "no answer"}},
       "unknown",
       "read first",
       "the same again",
       "the same again"},
      {BoardSaid::cut,
       {{Transport::cut, 0, "", "reset"}, {Transport::cut, 200, "{\"id\":", "cut in the body"}},
       "unknown",
       "read first",
       "the same again",
       "the same again"},
      {BoardSaid::garbled,
       {{Transport::answered, 0, "<html>", "no board's answer"}},
       "unknown",
       "read first",
       "the same again",
       "the same again"},
  };
  return all;
}

constexpr std::array<BoardMoment, board_moment_count> moments{BoardMoment::claim,   BoardMoment::after_spawn,
                                                              BoardMoment::running, BoardMoment::last_move,
                                                              BoardMoment::comment, BoardMoment::look};

std::string known_word(BoardSaid said) {
  const BoardMeaning meaning = meaning_of(said);
  switch (meaning.known) {
    case Known::done: return "done";
    case Known::unknown: return "unknown";
    case Known::refused: break;
  }
  switch (meaning.why) {
    case Why::conflict: return "conflict";
    case Why::gone: return "gone";
    case Why::busy: return "busy";
    case Why::invalid: return "invalid";
    case Why::denied: return "denied";
    case Why::not_ready:
    case Why::exhausted:
    case Why::dirty:
    case Why::stale: return "no board's";
  }
  __builtin_unreachable();
}

TEST(BoardAnswers, EveryFieldOfTheTable) {
  ASSERT_EQ(std::ssize(rows()), board_said_count);
  for (int i = 0; i < board_said_count; ++i) {
    const Row& row = rows().at(static_cast<std::size_t>(i));
    ASSERT_EQ(static_cast<int>(row.said), i) << words_for(row.said);
    EXPECT_EQ(known_word(row.said), row.known) << words_for(row.said);
    for (const RawReply& raw : row.raws) {
      EXPECT_EQ(board_said(raw), row.said) << raw.code;
      for (const Call call : {Call::board_changes, Call::board_read, Call::board_move, Call::board_return,
                              Call::board_comment}) {
        const Outcome outcome = classify(call, raw);
        const auto* refused = std::get_if<Refused>(&outcome);
        const std::string known = row.known;
        EXPECT_EQ(is_done(outcome), known == "done");
        EXPECT_EQ(std::holds_alternative<Unknown>(outcome), known == "unknown") << raw.code;
        EXPECT_EQ(refused != nullptr && refused->why() == meaning_of(row.said).why,
                  known != "done" && known != "unknown");
      }
    }
    for (const BoardMoment moment : moments) {
      const char* want = moment == BoardMoment::comment ? row.comment
                         : moment == BoardMoment::look  ? row.look
                                                        : row.move;
      EXPECT_STREQ(words_for(next_after(row.said, moment)), want)
          << words_for(row.said) << ", " << words_for(moment);
    }
  }
}

std::string page() {
  std::ostringstream out;
  out << "# What a board's answer means, and what follows\n\n"
         "A board answers, or does not, and what it says means something else before there is a worker than "
         "after. `core/board_answers` holds the table; a test enumerates it and plays every field of it to "
         "its end in a small world: struck once, for an hour at that one call, for an hour at everything, "
         "with "
         "and without the change having happened. In every one of these plays no live runtime is ended or "
         "held up, no worker is begun twice, none is prompted twice, and the ticket is accounted for when "
         "the "
         "board is well again.\n\n"
         "| the board says | known is | ";
  for (const BoardMoment moment : moments) out << words_for(moment) << " | ";
  out << "\n| --- | --- |";
  for (std::size_t i = 0; i < moments.size(); ++i) out << " --- |";
  out << "\n";
  for (const Row& row : rows()) {
    const std::string known = known_word(row.said);
    out << "| " << words_for(row.said) << " | "
        << (known == "done" || known == "unknown" ? known : "refused (" + known + ")") << " |";
    for (const BoardMoment moment : moments) out << " " << words_for(next_after(row.said, moment)) << " |";
    out << "\n";
  }
  out << "\n- **take their view**: the ticket as the answer shows it (else as it is read next) decides. It "
         "may "
         "be our own earlier write, whose answer was lost: then it shows our own attempt's name.\n"
         "- **read first**: it may have happened. The ticket is read, and decided from.\n"
         "- **the same again**: nothing was changed, or (a comment) the board takes it once by its key. "
         "After "
         "a wait that grows to half a minute.\n"
         "- **is it gone?** One 404 does not make a ticket gone, since a board that has forgotten who asks "
         "says 404 of everything. It is gone where the board says so, shows its list, and says so again. "
         "Then "
         "a claim is given up, a runtime goes on, and an attempt that has ended tells nobody.\n"
         "- **let it be**: not worth asking again.\n\n"
         "While the board's list cannot be read nothing else is asked of it, and nothing new is claimed. "
         "What "
         "runs goes on: it gets its go-ahead, its prompt, answers and messages; what it says and how it ends "
         "is recorded. What the board is to be told waits in the ledger, in its order. Of what is asked "
         "about "
         "tickets no more than half of the places for effects are used.\n";
  return out.str();
}

TEST(BoardAnswers, ThePageSaysWhatTheCodeDoes) {
  const std::string path = std::string(HOLDFAST_SOURCE_DIR) + "/docs/board-answers.md";
  if (std::getenv("HOLDFAST_WRITE_DOCS") != nullptr) std::ofstream(path) << page();
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_EQ(text.str(), page()) << "rewrite it with HOLDFAST_WRITE_DOCS=1, and read the difference";
}

// --- plays ---

enum class HowLong { once, that_call, all_of_it };
enum class Last { review, todo };

struct Strike {
  BoardMoment moment = BoardMoment::claim;
  BoardSaid said = BoardSaid::failed;
  HowLong how_long = HowLong::once;
  bool happens = false;
  Last last = Last::review;
};

std::string name_of(const Strike& s) {
  return std::string(words_for(s.moment)) + ", " + words_for(s.said) +
         (s.how_long == HowLong::once        ? ", once"
          : s.how_long == HowLong::that_call ? ", that call"
                                             : ", all") +
         (s.happens ? ", happened" : ", did not happen") + (s.last == Last::todo ? ", back to todo" : "");
}

class Struck {
 public:
  explicit Struck(const Strike& strike) : strike_(strike) {
    play.world.add("T-1");
    play.world.fault = [this](const Effect& e) { return answer(e); };
  }

  toy::Play play;
  bool on = true;                     // the board is struck
  int hits = 0;                       // how often
  bool broken = false;                // back to todo while something of it lives
  std::optional<BoardMoment> begins;  // look: which move's answer is lost first

  [[nodiscard]] bool lives() const {
    const Attempt* a = play.world.newest(play.ticket);
    return a != nullptr && play.world.live_runtimes(play.ticket) > 0;
  }

 private:
  std::optional<ToyWorld::Fault> answer(const Effect& e) {
    if (std::holds_alternative<ReturnToTodo>(e) && lives()) broken = true;
    if (!on || family_of(call_of(e)) != Family::board) return std::nullopt;
    if (strike_.moment == BoardMoment::look && lost_ == 0 && is_move(e)) {
      lost_ = 1;
      return ToyWorld::Fault{{Transport::no_answer, 0, "", "lost"}, strike_.happens};
    }
    const bool target = is_target(e);
    const bool struck = target || (strike_.how_long == HowLong::all_of_it && hits > 0);
    if (!struck) return std::nullopt;
    if (strike_.how_long == HowLong::once && hits > 0) return std::nullopt;
    ++hits;
    return ToyWorld::Fault{rows().at(static_cast<std::size_t>(strike_.said)).raws.front(),
                           strike_.happens && !only_reads(call_of(e))};
  }
  bool is_move(const Effect& e) const {
    return std::holds_alternative<MoveTicket>(e) || std::holds_alternative<ReturnToTodo>(e);
  }
  bool is_target(const Effect& e) const {
    switch (strike_.moment) {
      case BoardMoment::claim:
      case BoardMoment::after_spawn:
      case BoardMoment::running:
      case BoardMoment::last_move: {
        const Attempt* a = play.world.newest(play.ticket);
        return is_move(e) && moment_of_move(a ? std::optional(*a) : std::nullopt) == strike_.moment;
      }
      case BoardMoment::comment: return std::holds_alternative<CommentTicket>(e);
      case BoardMoment::look: return std::holds_alternative<ReadTicket>(e) && lost_ > 0;
    }
    __builtin_unreachable();
  }
  Strike strike_;
  int lost_ = 0;
};

constexpr Duration hour = minutes(60);

// What a live worker gets while the board is struck, and for as long as it is.
void a_worker_is_served(Struck& s) {
  ASSERT_EQ(s.play.world.live_runtimes(s.play.ticket), 1);
  s.play.pass(minutes(2));
  EXPECT_TRUE(s.play.world.records[s.play.newest().id].gone_ahead) << "it waits for its go-ahead";
  EXPECT_TRUE(s.play.newest().phase == Phase::running || s.play.newest().phase == Phase::waiting);
  s.play.person_writes("one more thing");
  s.play.pass(seconds(10));
  ASSERT_FALSE(s.play.world.posted[s.play.newest().id].empty());
  EXPECT_EQ(s.play.world.posted[s.play.newest().id].back(), "one more thing");
}

void a_worker_ends(Struck& s, Last last) {
  s.play.person_leaves_commits();
  if (last == Last::review) {
    s.play.world.say(s.play.ticket, "DONE: it");
    s.play.world.exit(s.play.ticket, 0);
  } else {
    s.play.world.facts.has_commits = Tri::no;
    s.play.world.facts.commits = 0;
    s.play.world.exit(s.play.ticket, 3);
  }
}

void play_to_the_end(const Strike& strike) {
  SCOPED_TRACE(name_of(strike));
  Struck s(strike);
  const Duration span = strike.how_long == HowLong::once ? seconds(30) : hour;
  const bool struck_last = strike.moment == BoardMoment::last_move || strike.moment == BoardMoment::look;
  switch (strike.moment) {
    case BoardMoment::claim: s.play.pass(span); break;
    case BoardMoment::after_spawn: {
      const auto struck = s.play.world.fault;
      bool moved = false;
      s.play.world.fault = [&s, struck, &moved](const Effect& e) {
        if (std::holds_alternative<SpawnSession>(e) && !moved) {
          moved = true;
          s.play.person_moves(BoardState::todo);
          absorb(s.play.brain, BoardNews{});
        }
        return struck(e);
      };
      s.play.pass(seconds(5));
      s.play.world.fault = struck;
      a_worker_is_served(s);
      s.play.pass(span);
      break;
    }
    case BoardMoment::running:
      s.play.pass(seconds(3));
      s.play.person_moves(BoardState::todo);
      s.play.pass(seconds(3));
      a_worker_is_served(s);
      s.play.pass(span);
      break;
    case BoardMoment::comment:
      s.play.pass(seconds(3));
      s.play.world.say(s.play.ticket, "QUESTION: which?");
      s.play.pass(seconds(3));
      EXPECT_EQ(s.play.newest().phase, Phase::waiting);
      a_worker_is_served(s);
      s.play.pass(span);
      break;
    case BoardMoment::last_move:
    case BoardMoment::look:
      s.on = false;
      s.play.pass(seconds(3));
      s.on = true;
      a_worker_ends(s, strike.last);
      s.play.pass(span);
      break;
  }
  EXPECT_GT(s.hits, 0) << "it was never struck\n" << s.play.trace();
  s.on = false;
  // One that was said to be gone for an hour and is there again is news on any board.
  if (strike.how_long == HowLong::that_call) s.play.world.board.at(s.play.ticket).version += 1;
  s.play.pass(minutes(2));
  if (!struck_last) {
    ASSERT_TRUE(s.lives()) << s.play.trace();
    EXPECT_EQ(s.play.newest().phase, Phase::running) << s.play.trace();
    EXPECT_EQ(s.play.board(), BoardState::in_progress) << s.play.trace();
    a_worker_ends(s, strike.last);
    s.play.pass(minutes(2));
  }
  EXPECT_FALSE(s.broken) << s.play.trace();
  if (strike.last == Last::review) {
    EXPECT_EQ(s.play.newest().id.generation, Generation{1}) << s.play.trace();
    EXPECT_TRUE(s.play.newest().settled) << s.play.trace();
    EXPECT_EQ(s.play.board(), BoardState::in_review) << s.play.trace();
  } else {  // it came back to the queue, and its next worker lives
    EXPECT_EQ(s.play.newest().id.generation, Generation{2}) << s.play.trace();
    EXPECT_EQ(s.play.newest().phase, Phase::running) << s.play.trace();
    EXPECT_EQ(s.play.board(), BoardState::in_progress) << s.play.trace();
  }
  const int attempts = strike.last == Last::review ? 1 : 2;
  EXPECT_EQ(s.play.count("spawn the session"), attempts) << s.play.trace();
  for (const auto& [id, texts] : s.play.world.posted)
    EXPECT_EQ(
        std::ranges::count_if(texts, [](const auto& t) { return t.find("Please.") != std::string::npos; }),
        1);
}

void play_all(BoardMoment moment, Last last = Last::review) {
  for (const Row& row : rows())
    for (const HowLong how_long : {HowLong::once, HowLong::that_call, HowLong::all_of_it})
      for (const bool happens : {false, true}) {
        if (row.said == BoardSaid::yes) continue;
        if (row.said == BoardSaid::never_sent && happens) continue;
        play_to_the_end({moment, row.said, how_long, happens, last});
        if (testing::Test::HasFatalFailure()) return;
      }
}

TEST(BoardAnswers, EachAtTheClaim) {
  play_all(BoardMoment::claim);
}
TEST(BoardAnswers, EachAfterTheSpawn) {
  play_all(BoardMoment::after_spawn);
}
TEST(BoardAnswers, EachWhileItRuns) {
  play_all(BoardMoment::running);
}
TEST(BoardAnswers, EachAtTheLastMove) {
  play_all(BoardMoment::last_move);
}
TEST(BoardAnswers, EachAtTheWayBackToTodo) {
  play_all(BoardMoment::last_move, Last::todo);
}
TEST(BoardAnswers, EachAtAComment) {
  play_all(BoardMoment::comment);
}
TEST(BoardAnswers, EachAtALookAfterALostLastMove) {
  play_all(BoardMoment::look);
}

}  // namespace
}  // namespace holdfast::board_answers
