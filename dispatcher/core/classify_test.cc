// Every call x transport x code that matters: what may be called Refused, and what must stay Unknown.
#include "dispatcher/core/classify.h"

#include <gtest/gtest.h>

#include <array>

namespace holdfast {
namespace {

std::vector<Call> every_call() {
  std::vector<Call> all;
  for (int i = 0; i <= static_cast<int>(Call::traces); ++i) all.push_back(static_cast<Call>(i));
  return all;
}

enum class Kind { done, refused, unknown };
Kind kind_of(const Outcome& outcome) {
  return std::holds_alternative<Done>(outcome)      ? Kind::done
         : std::holds_alternative<Refused>(outcome) ? Kind::refused
                                                    : Kind::unknown;
}

TEST(Classify, AnAnswerThatDidNotComeSaysNothing) {
  for (const Call call : every_call())
    for (const Transport transport : {Transport::no_answer, Transport::cut})
      for (const int code : {0, 1, 5, 128, 200, 409, 500})
        EXPECT_EQ(kind_of(classify(call, {transport, code, "duplicate session", ""})), Kind::unknown)
            << words_for(call);
}

TEST(Classify, WhatNeverLeftThisProcessDidNotHappen) {
  for (const Call call : every_call())
    EXPECT_EQ(kind_of(classify(call, {Transport::never_sent, 0, "", "busy"})), Kind::refused);
}

struct Row {
  Call call;
  int code;
  const char* words;
  Kind want;
  std::optional<Why> why;
};

class ClassifyRows : public testing::TestWithParam<Row> {};
TEST_P(ClassifyRows, Answered) {
  const Row& row = GetParam();
  const Outcome outcome = classify(row.call, {Transport::answered, row.code, "", row.words});
  EXPECT_EQ(kind_of(outcome), row.want) << words_for(row.call) << " " << row.code << " " << row.words;
  if (row.why && row.want == Kind::refused) {
    EXPECT_EQ(std::get<Refused>(outcome).why(), *row.why);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Send, ClassifyRows,
    testing::Values(Row{Call::post, 0, "", Kind::done, {}},
                    // the incident's line
                    Row{Call::post, 11, "runtime is not ready for input, status=running", Kind::refused,
                        Why::not_ready},
                    Row{Call::post, 3, "the runtime has ended", Kind::refused, Why::gone},
                    Row{Call::post, 28, "No space left on device", Kind::refused, Why::exhausted},
                    Row{Call::post, 5, "Input/output error", Kind::unknown, {}}));
INSTANTIATE_TEST_SUITE_P(
    Spawn, ClassifyRows,
    testing::Values(Row{Call::spawn, 0, "", Kind::done, {}},
                    Row{Call::spawn, 1, "duplicate session: hf-T-1-g1", Kind::refused, Why::conflict},
                    Row{Call::spawn, 1, "create window failed: fork failed", Kind::unknown, {}},
                    Row{Call::spawn, 1, "server exited unexpectedly", Kind::unknown, {}},
                    Row{Call::spawn, 1, "no server running on /tmp/x", Kind::unknown, {}},
                    Row{Call::spawn, 1, "error connecting to /tmp/x (Connection refused)", Kind::unknown, {}},
                    Row{Call::spawn, 1, "usage: new-session", Kind::refused, Why::invalid}));
INSTANTIATE_TEST_SUITE_P(Board, ClassifyRows,
                         testing::Values(Row{Call::board_move, 200, "", Kind::done, {}},
                                         Row{Call::board_move, 401, "", Kind::refused, Why::denied},
                                         Row{Call::board_move, 403, "", Kind::refused, Why::denied},
                                         Row{Call::board_move, 404, "", Kind::refused, Why::gone},
                                         Row{Call::board_move, 409, "", Kind::refused, Why::conflict},
                                         Row{Call::board_move, 410, "", Kind::refused, Why::gone},
                                         Row{Call::board_move, 412, "", Kind::refused, Why::conflict},
                                         Row{Call::board_move, 422, "", Kind::refused, Why::invalid},
                                         Row{Call::board_move, 423, "", Kind::refused, Why::busy},
                                         Row{Call::board_move, 429, "", Kind::refused, Why::busy},
                                         Row{Call::board_move, 500, "", Kind::unknown, {}},
                                         Row{Call::board_move, 502, "", Kind::unknown, {}},
                                         Row{Call::board_move, 503, "", Kind::unknown, {}},
                                         Row{Call::board_move, 301, "", Kind::unknown, {}},
                                         Row{Call::board_return, 409, "", Kind::refused, Why::conflict},
                                         Row{Call::board_return, 500, "", Kind::unknown, {}}));
INSTANTIATE_TEST_SUITE_P(
    Ledger, ClassifyRows,
    testing::Values(Row{Call::ledger_write, 0, "", Kind::done, {}},
                    Row{Call::ledger_write, 5, "busy", Kind::refused, Why::busy},
                    Row{Call::ledger_write, 517, "busy snapshot", Kind::refused, Why::busy},
                    Row{Call::ledger_write, 8, "readonly", Kind::refused, Why::denied},
                    Row{Call::ledger_write, 13, "full", Kind::refused, Why::exhausted},
                    Row{Call::ledger_write, 10, "disk I/O error", Kind::unknown, {}},
                    Row{Call::ledger_write, 11, "malformed", Kind::refused, Why::invalid},
                    Row{Call::ledger_write, 2067, "UNIQUE constraint", Kind::refused, Why::invalid},
                    Row{Call::ledger_write, 100'001, "open", Kind::refused, Why::conflict},
                    Row{Call::ledger_write, 100'002, "old", Kind::refused, Why::stale},
                    Row{Call::ledger_write, 100'003, "no slot", Kind::refused, Why::exhausted}));
INSTANTIATE_TEST_SUITE_P(
    Git, ClassifyRows,
    testing::Values(
        Row{Call::prepare, 0, "", Kind::done, {}},
        Row{Call::prepare, 128, "fatal: a branch named 'hf/x' already exists", Kind::refused, Why::conflict},
        Row{Call::prepare, 128, "fatal: Unable to create '/x/index.lock': File exists.", Kind::refused,
            Why::busy},
        Row{Call::prepare, 128, "fatal: 'x' is not a commit and a branch cannot be created from it",
            Kind::refused, Why::invalid},
        Row{Call::release, 1, "dirty: notes.txt", Kind::refused, Why::dirty},
        Row{Call::prepare, 137, "", Kind::unknown, {}}, Row{Call::prepare, 1, "", Kind::unknown, {}},
        Row{Call::push, 1, "! [rejected]", Kind::unknown, {}},
        // A later step may have met it: the disk was not full yet when the first one wrote.
        Row{Call::salvage, 128, "fatal: write error: No space left on device", Kind::unknown, {}},
        Row{Call::inspect, 128, "fatal: write error: No space left on device", Kind::refused,
            Why::exhausted}));

TEST(Classify, AConflictKeepsTheWordsOfTheRefusal) {
  const Outcome outcome =
      classify(Call::post, {Transport::answered, 11, "", "runtime is not ready for input, status=running"});
  EXPECT_EQ(std::get<Refused>(outcome).words(), "runtime is not ready for input, status=running");
}

}  // namespace
}  // namespace holdfast
