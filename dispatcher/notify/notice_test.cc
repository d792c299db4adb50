// Which lines of the log need a person, and what is said of them.
#include "dispatcher/notify/notice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "dispatcher/core/gate.h"
#include "dispatcher/core/ledger_rules_kit.h"
#include "dispatcher/core/telling.h"

namespace holdfast {
namespace {

using testing::HasSubstr;
using testing::Not;

const AttemptId attempt_here{{"T-1"}, {2}};

LedgerEvent line(std::string kind, std::string cause, std::string evidence) {
  return {7, {1'700'000'000'000}, attempt_here, std::move(kind), std::move(cause), std::move(evidence)};
}
std::string kind_of_line(const LedgerEvent& event) {
  const auto notice = notice_of(event);
  return notice ? words_for(notice->kind) : "nothing";
}

TEST(Notice, LinesThatNeedAPerson) {
  const struct {
    LedgerEvent event;
    const char* kind;
  } table[] = {
      {line("question", "", "left or right?"), "question"},
      {line("closed", "blocked", "its tries are used up"), "blocked"},
      {line("closed", "in_review", std::string(told_stranded) + ": hf/T-1-old-g1 (2)"), "stranded"},
      {line("closed", "in_review", "finished; waits for review and landing"), "nothing"},
      {line("closed", "todo", "exited with 3; tried again"), "nothing"},
      {line("closed", "done", "landed"), "nothing"},
      {line("attention", "", std::string(told_unknown) + ": no answer"), "unknown"},
      {line("attention", "", std::string(told_undying) + ": killed, and still there"), "undying"},
      {line("attention", "", "it waits for a permission: rm -rf?"), "attention"},
      {line("attention", "", std::string(told_attached) + ": messages wait until they detach"), "nothing"},
      {line("attention", "", ""), "nothing"},  // it is over
      {line("breaker", "too many attempts died young", ""), "crash_loop"},
      {line("breaker", "an attempt died young", ""), "nothing"},
      {line("drift", "put right", "its runtime is not dead: kept (T-1-g2)"), "drift"},
      {line("blocked", "nobody else has moved it", "its attempt has ended: exited with 3"), "blocked"},
      {line("running", "", ""), "nothing"},
      {line("lost", "signal", "killed by signal 9"), "nothing"},  // it is tried again, or blocked
  };
  for (const auto& row : table)
    EXPECT_EQ(kind_of_line(row.event), row.kind) << row.event.kind << row.event.evidence;
}

// What the core writes, not what this test believes that it writes.
TEST(Notice, TheGatesOwnWordsAreStranded) {
  BranchFacts facts;
  facts.has_commits = facts.stranded_known = Tri::yes;
  facts.stranded.push_back({"refs/heads/hf/T-1-old-g1", {"abc"}, 2});
  const GateRuling ruling = gate(Said::done, facts, false, {}, {});
  EXPECT_EQ(kind_of_line(line("closed", "in_review", ruling.reason)), "stranded") << ruling.reason;
}

TEST(Notice, TheLedgersOwnLines) {
  Attempt running;
  running.id = attempt_here;
  running.phase = Phase::running;
  LedgerView view;
  view.newest = running;
  const auto asked = apply(view, RecordWaiting{attempt_here, "left or right?", 10}, {5000});
  ASSERT_TRUE(asked);
  EXPECT_EQ(kind_of_line(asked->events.at(0)), "question");
}

TEST(Notice, EveryKindHasItsWord) {
  for (const NoticeKind kind : notice_kinds()) EXPECT_EQ(notice_kind_from(words_for(kind)), kind);
  EXPECT_FALSE(notice_kind_from("anything"));
}

TEST(Notice, HostileWordsAreShownAsOneLineWithoutControls) {
  const auto notice = notice_of(line("question", "",
                                     "first\nsecond\x1b[2J \xE2\x80\xAE"
                                     "evil \xff"));
  ASSERT_TRUE(notice);
  const auto j = nlohmann::json::parse(body_of(*notice, "abc", "a \x1b]0;title\x07"));
  for (const char* field : {"words", "summary", "title"}) {
    const auto text = j[field].get<std::string>();
    for (const char c : text) EXPECT_GE(static_cast<unsigned char>(c), 0x20) << field;
    EXPECT_THAT(text, Not(HasSubstr("\xE2\x80\xAE"))) << field;
  }
  EXPECT_THAT(summary_of(*notice), HasSubstr("T-1 asks: first second"));
}

TEST(Notice, ItsBody) {
  const auto notice = notice_of(line("question", "", "left or right?"));
  const auto j = nlohmann::json::parse(body_of(*notice, "abc", "Fix it"));
  EXPECT_EQ(j["id"], "abc-7");
  EXPECT_EQ(j["kind"], "question");
  EXPECT_EQ(j["at"], 1'700'000'000'000);
  EXPECT_EQ(j["ticket"], "T-1");
  EXPECT_EQ(j["runtime"], "T-1-g2");
  EXPECT_EQ(j["title"], "Fix it");
  EXPECT_EQ(j["words"], "left or right?");
  LedgerEvent loop = line("breaker", std::string(told_crash_loop), "");
  loop.attempt = {};
  const auto of_all = nlohmann::json::parse(body_of(*notice_of(loop), "abc", ""));
  EXPECT_TRUE(of_all["ticket"].is_null());
  EXPECT_TRUE(of_all["runtime"].is_null());
  EXPECT_EQ(of_all["summary"], "holdfast: attempts die young: too many attempts died young");
}

TEST(Notice, LongWordsAreCut) {
  const auto notice = notice_of(line("question", "", std::string(1 << 20, 'x')));
  EXPECT_LT(body_of(*notice, "abc", std::string(1 << 20, 'y')).size(), 4000U);
}

}  // namespace
}  // namespace holdfast
