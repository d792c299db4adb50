// Every row of the decision table, held against docs/decision-table.md; and the promise, row by row.
//
// HOLDFAST_WRITE_DOCS=1 rewrites the page; commit only what you can explain.
#include "dispatcher/core/rules.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "dispatcher/core/words.h"

namespace holdfast {
namespace {

const std::vector<RecordedPhase> phases{std::nullopt,    Phase::planned, Phase::newborn,
                                        Phase::ready,    Phase::running, Phase::waiting,
                                        Phase::finished, Phase::lost,    Phase::closed};
constexpr std::array verdicts{Verdict::alive, Verdict::unknown, Verdict::dead};
const std::vector<BoardView> boards{
    std::nullopt,          BoardState::backlog, BoardState::todo, BoardState::in_progress,
    BoardState::in_review, BoardState::blocked, BoardState::done, BoardState::cancelled};

const char* word(Verdict v) {
  return v == Verdict::alive ? "alive" : v == Verdict::dead ? "dead" : "unknown";
}
std::string word(const RecordedPhase& p) {
  return p ? words_for(*p) : "none";
}
std::string word(const BoardView& b) {
  return b ? words_for(*b) : "not seen";
}

std::string page() {
  std::ostringstream out;
  out << "# The decision table\n\n"
         "What the dispatcher does about a ticket follows from three things: the recorded phase of its "
         "current attempt, the\n"
         "verdict about that attempt's runtime, and the board's state. This page is checked against "
         "`dispatcher/core/rules.cc`\n"
         "by a test, row by row; `core/decide.cc` says how each rule is carried out.\n\n"
         "- *none*: no attempt is open, and none is closed without the board knowing.\n"
         "- *not seen*: the board's ticket was not read yet, or is gone from the board.\n"
         "- A person's wish to stop, park or cancel counts as the board state `cancelled`.\n"
         "- Before the verdict is used, news and routine make the dispatcher look; a marker that the worker "
         "wrote before it\n"
         "  died is recorded before the death is.\n"
         "- Attempts that are *lost* or *closed* have a recorded death; their rows are listed for every "
         "verdict all the same.\n\n"
         "| phase | verdict |";
  for (const BoardView& board : boards) out << " " << word(board) << " |";
  out << "\n| --- | --- |";
  for (std::size_t i = 0; i < boards.size(); ++i) out << " --- |";
  out << "\n";
  for (const RecordedPhase& phase : phases)
    for (const Verdict verdict : verdicts) {
      out << "| " << word(phase) << " | " << word(verdict) << " |";
      for (const BoardView& board : boards) out << " " << words_for(rule_for(phase, verdict, board)) << " |";
      out << "\n";
    }
  out << "\n## The rules\n\n| rule | in words |\n| --- | --- |\n";
  for (int i = 0; i <= static_cast<int>(Rule::settle); ++i) {
    const auto rule = static_cast<Rule>(i);
    out << "| " << words_for(rule) << " | " << reason_for(rule) << " |\n";
  }
  return out.str();
}

TEST(DecisionTable, ThePageSaysWhatTheCodeDoes) {
  const std::string path = std::string(HOLDFAST_SOURCE_DIR) + "/docs/decision-table.md";
  if (std::getenv("HOLDFAST_WRITE_DOCS") != nullptr) std::ofstream(path) << page();
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_EQ(text.str(), page()) << "rewrite it with HOLDFAST_WRITE_DOCS=1, and read the difference";
}

TEST(DecisionTable, OnlyADeadOrNeverRecordedRuntimeLeadsAnywhereNearTodo) {
  for (const RecordedPhase& phase : phases)
    for (const Verdict verdict : verdicts)
      for (const BoardView& board : boards) {
        const Rule rule = rule_for(phase, verdict, board);
        const bool live = phase && (*phase == Phase::newborn || *phase == Phase::ready ||
                                    *phase == Phase::running || *phase == Phase::waiting);
        if (live && verdict != Verdict::dead) {
          EXPECT_NE(rule, Rule::record_death);
          EXPECT_NE(rule, Rule::close);
          EXPECT_NE(rule, Rule::settle);
          EXPECT_NE(rule, Rule::dispatch);
        }
        if (phase) {
          EXPECT_NE(rule, Rule::dispatch) << "a second attempt beside a current one";
        }
        if (live && verdict == Verdict::dead) {
          EXPECT_EQ(rule, Rule::record_death);
        }
      }
}

TEST(DecisionTable, SomebodyElsesTodoKeepsALiveRuntime) {
  for (const Phase phase : {Phase::newborn, Phase::ready, Phase::running, Phase::waiting})
    for (const Verdict verdict : {Verdict::alive, Verdict::unknown})
      EXPECT_EQ(rule_for(phase, verdict, BoardState::todo), Rule::keep_and_show);
}

}  // namespace
}  // namespace holdfast
