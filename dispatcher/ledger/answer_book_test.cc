// Requests that are repeated, by programs that were cut off.
#include "dispatcher/ledger/answer_book.h"

#include <gtest/gtest.h>

#include "dispatcher/ledger/sqlite_ledger.h"
#include "dispatcher/ledger/temp_folder.h"

namespace holdfast {
namespace {

struct Book : testing::Test {
  TempFolder folder;
  std::string path = folder.path().string() + "/holdfast.db";
  std::unique_ptr<AnswerBook> book;
  Instant now{1'700'000'000'000};
  void SetUp() override {
    ASSERT_TRUE(open_ledger(path, LedgerMode::command_line));
    reopen();
  }
  void reopen() { book = std::move(*open_answer_book(path)); }
};

TEST_F(Book, TheSameRequestGetsTheSameAnswer) {
  EXPECT_TRUE(std::holds_alternative<AnswerBook::Fresh>(*book->begin("k", "POST /a x", now)));
  EXPECT_TRUE(std::holds_alternative<AnswerBook::Begun>(*book->begin("k", "POST /a x", now)));
  const KeptAnswer answer{201, "application/json", "Location: /a/1", "{}"};
  book->finish("k", answer);
  reopen();
  const auto again = *book->begin("k", "POST /a x", now + minutes(60));
  ASSERT_TRUE(std::holds_alternative<KeptAnswer>(again));
  EXPECT_EQ(std::get<KeptAnswer>(again), answer);
  EXPECT_TRUE(std::holds_alternative<AnswerBook::OtherRequest>(*book->begin("k", "POST /a y", now)));
}

TEST_F(Book, OneThatWasCutOffStaysBegun) {
  EXPECT_TRUE(std::holds_alternative<AnswerBook::Fresh>(*book->begin("k", "r", now)));
  reopen();  // its program was killed
  EXPECT_TRUE(std::holds_alternative<AnswerBook::Begun>(*book->begin("k", "r", now)));
}

TEST_F(Book, OneThatDidNothingMayBeTriedAgain) {
  EXPECT_TRUE(std::holds_alternative<AnswerBook::Fresh>(*book->begin("k", "r", now)));
  book->forget("k");
  EXPECT_TRUE(std::holds_alternative<AnswerBook::Fresh>(*book->begin("k", "r", now)));
}

TEST_F(Book, AnswersAreForgottenAfterADay) {
  EXPECT_TRUE(std::holds_alternative<AnswerBook::Fresh>(*book->begin("k", "r", now)));
  book->finish("k", {200, "", "", "x"});
  EXPECT_TRUE(std::holds_alternative<AnswerBook::Fresh>(*book->begin("other", "r", now + minutes(1500))));
  EXPECT_TRUE(std::holds_alternative<AnswerBook::Fresh>(*book->begin("k", "r", now + minutes(1500))));
}

}  // namespace
}  // namespace holdfast
