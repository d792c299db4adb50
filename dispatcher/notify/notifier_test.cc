// Each line once and in order, across refusals, silence and restarts; over a real ledger.
#include "dispatcher/notify/notifier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <deque>

#include "dispatcher/core/ledger_rules_kit.h"
#include "dispatcher/core/telling.h"
#include "dispatcher/ledger/sqlite_ledger.h"
#include "dispatcher/ledger/temp_folder.h"
#include "dispatcher/system/durable_file.h"

namespace holdfast {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const AttemptId first_one{{"T-1"}, {1}};

// What was told, and how it was taken: as told beforehand, else heard.
struct Ears {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::string> heard, ids, said;
  std::deque<Heard> next;
  bool deaf = false;  // nobody answers
  int tries = 0;

  std::vector<std::string> when(std::size_t many) {
    std::unique_lock lock(mutex);
    changed.wait_for(lock, std::chrono::minutes(2), [&] { return heard.size() >= many; });
    return heard;
  }
  void when_tried(int many) {
    std::unique_lock lock(mutex);
    changed.wait_for(lock, std::chrono::minutes(2), [&] { return tries >= many; });
  }
};

class Ear final : public Sink {
 public:
  explicit Ear(Ears& ears) : ears_(ears) {}
  Telling tell(const Notice& notice, const std::string& id, const std::string&) override {
    const std::lock_guard lock(ears_.mutex);
    ears_.tries += 1;
    ears_.ids.push_back(id);
    Heard how = ears_.deaf ? Heard::perhaps : Heard::yes;
    if (!ears_.next.empty()) {
      how = ears_.next.front();
      ears_.next.pop_front();
    }
    if (how == Heard::yes) ears_.heard.push_back(words_for(notice.kind) + std::string(": ") + notice.words);
    ears_.changed.notify_all();
    return {how, how == Heard::yes ? "" : "no"};
  }

 private:
  Ears& ears_;
};

class NotifierTest : public testing::Test {
 protected:
  NotifierTest() : ledger(open_ledger(folder / "holdfast.db", LedgerMode::command_line).value()) {}

  void note(const std::string& kind, const std::string& cause, const std::string& words, Instant at = {}) {
    ASSERT_EQ(ledger->write(Note{first_one, kind, cause, words}, at.set() ? at : now.load()).raw.code, 0);
  }
  std::unique_ptr<Notifier> start() {
    NotifierOptions options;
    options.name = "ear";
    options.folder = folder.path().string();
    options.installation = ledger->installation();
    for (const NoticeKind kind : notice_kinds())
      if (kind != NoticeKind::attention) options.about.insert(kind);
    options.look_every = millis(5);
    options.first_wait = millis(2);
    options.longest_wait = millis(8);
    options.lasts = minutes(60);
    options.now = [this] { return now.load(); };
    options.random = [] { return 1U; };
    options.title = [](const TicketId& id) { return "title of " + id.value; };
    options.say = [this](std::string line) {
      const std::lock_guard lock(ears.mutex);
      ears.said.push_back(std::move(line));
    };
    return std::make_unique<Notifier>(*ledger, std::make_unique<Ear>(ears), std::move(options));
  }
  // It has looked once, so it has its cursor.
  void tell_everything() { start()->finish(minutes(2)); }

  TempFolder folder;
  std::unique_ptr<SqliteLedger> ledger;
  std::atomic<Instant> now{Instant{1'700'000'000'000}};
  Ears ears;
};

TEST_F(NotifierTest, TellsALifeThatNeedsAPerson) {
  tell_everything();
  ledger->write(StoreSlot{kit::free_slot(1)}, now.load());
  ledger->write(kit::claim_of("T-1"), now.load());
  const auto notifier = start();
  for (const LedgerWrite& write : kit::way_to(kit::Stage::waiting, first_one))
    ledger->write(write, now.load());
  EXPECT_THAT(ears.when(1), ElementsAre("question: which one?"));
}

TEST_F(NotifierTest, ThePastIsNoNews) {
  note("question", "", "of yesterday");
  const auto notifier = start();
  notifier->finish(minutes(2));
  note("question", "", "of today");
  EXPECT_THAT(ears.when(1), ElementsAre("question: of today"));
}

TEST_F(NotifierTest, EachIsToldOnceAcrossRestarts) {
  tell_everything();
  note("question", "", "one");
  tell_everything();
  note("question", "", "two");  // while nobody is there
  tell_everything();
  tell_everything();
  EXPECT_THAT(ears.heard, ElementsAre("question: one", "question: two"));
}

TEST_F(NotifierTest, WhatIsNotHeardIsToldAgainUnderItsIdAndInOrder) {
  tell_everything();
  ears.next = {Heard::perhaps, Heard::perhaps};
  note("question", "", "one");
  note("question", "", "two");
  const auto notifier = start();
  EXPECT_THAT(ears.when(2), ElementsAre("question: one", "question: two"));
  ASSERT_EQ(ears.ids.size(), 4U);
  EXPECT_EQ(ears.ids[0], ears.ids[1]);
  EXPECT_EQ(ears.ids[1], ears.ids[2]);
  EXPECT_NE(ears.ids[2], ears.ids[3]);
  EXPECT_EQ(ears.ids[0].substr(0, ears.ids[0].rfind('-')), ledger->installation());
  EXPECT_THAT(ears.said, ElementsAre(HasSubstr("not heard"), HasSubstr("works again")));
}

TEST_F(NotifierTest, WhatWasNotHeardBeforeARestartIsToldAfterIt) {
  tell_everything();
  note("question", "", "one");
  ears.deaf = true;
  tell_everything();
  ears.deaf = false;
  tell_everything();
  EXPECT_THAT(ears.heard, ElementsAre("question: one"));
}

TEST_F(NotifierTest, ARefusalIsNotRepeated) {
  tell_everything();
  ears.next = {Heard::refused};
  note("question", "", "one");
  note("question", "", "two");
  tell_everything();
  EXPECT_THAT(ears.heard, ElementsAre("question: two"));
  EXPECT_EQ(ears.tries, 2);
  EXPECT_THAT(ears.said, ElementsAre(HasSubstr("refused")));
}

TEST_F(NotifierTest, NobodyIsToldOfWhatIsTooOld) {
  tell_everything();
  ears.deaf = true;
  note("question", "", "one");
  {
    const auto notifier = start();
    ears.when_tried(2);
    now = now.load() + minutes(61);
    note("question", "", "two");
    const std::lock_guard lock(ears.mutex);
    ears.deaf = false;
  }
  tell_everything();
  EXPECT_THAT(ears.heard, testing::Contains("question: two"));
  EXPECT_LE(ears.heard.size(), 2U);
  EXPECT_EQ(std::ranges::count(ears.heard, "question: one") +
                std::ranges::count_if(
                    ears.said, [](const auto& line) { return line.find("too old") != std::string::npos; }),
            1);
}

TEST_F(NotifierTest, OneCrashLoopIsOneNotice) {
  tell_everything();
  const std::string loop(told_crash_loop);
  for (int n = 0; n < 3; ++n) ledger->write(StoreBreaker{{}, loop}, now.load() + seconds(n));
  tell_everything();
  ledger->write(StoreBreaker{{}, loop}, now.load() + seconds(9));  // also across a restart
  tell_everything();
  EXPECT_EQ(ears.heard.size(), 1U);
  ledger->write(StoreBreaker{{}, loop}, now.load() + minutes(11));
  tell_everything();
  EXPECT_EQ(ears.heard.size(), 2U);
}

TEST_F(NotifierTest, OnlyWhatIsAskedFor) {
  tell_everything();
  note("attention", "", "no output for 30 minutes");
  note("drift", "put right", "kept");
  tell_everything();
  EXPECT_THAT(ears.heard, ElementsAre("drift: kept"));
}

TEST_F(NotifierTest, AnotherLedgersCursorSaysNothing) {
  note("question", "", "of yesterday");
  replace_file(folder.path().string(), "told-ear",
               R"({"installation": "somebody else", "seq": 0, "crash_loop": 0})");
  tell_everything();
  EXPECT_THAT(ears.heard, IsEmpty());
}

// After a restore the numbers that were told are given again, to other things.
TEST_F(NotifierTest, ACursorBeyondTheLogGoesBack) {
  replace_file(folder.path().string(), "told-ear",
               R"({"installation": ")" + ledger->installation() + R"(", "seq": 5000, "crash_loop": 0})");
  tell_everything();
  note("question", "", "one");
  tell_everything();
  EXPECT_THAT(ears.heard, ElementsAre("question: one"));
}

TEST_F(NotifierTest, ACursorThatIsNoneBeginsAnew) {
  for (const char* text : {"", "{", "[]", "null", R"({"installation": 3})"}) {
    note("question", "", "of yesterday");
    replace_file(folder.path().string(), "told-ear", text);
    tell_everything();
  }
  EXPECT_THAT(ears.heard, IsEmpty());
}

TEST_F(NotifierTest, WhoeverWaitsForItDoesNotWaitForASinkThatIsGone) {
  tell_everything();
  ears.deaf = true;
  note("question", "", "one");
  const auto notifier = start();
  notifier->finish(minutes(10));  // returns once it was tried
  EXPECT_GE(ears.tries, 1);
}

}  // namespace
}  // namespace holdfast
