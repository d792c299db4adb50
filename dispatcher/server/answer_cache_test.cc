// What is kept is what would be made now, or nothing.
#include "dispatcher/server/answer_cache.h"

#include <gtest/gtest.h>

#include <thread>

#include "dispatcher/ledger/change_counter.h"
#include "dispatcher/server/server_kit.h"

namespace holdfast::server {
namespace {

using kit::House;

HttpRequest request_for(const std::string& target, const std::string& method = "GET") {
  HttpRequest request;
  request.method = method;
  const auto parsed = parse_target("/api/v1/" + target);
  request.path = parsed->path;
  request.query = parsed->query;
  return request;
}

struct Kept : House {
  std::unique_ptr<ChangeCounter> counter = open_change_counter(ledger().path()).value();
  AnswerCache cache{[this] { return counter->now(); }};
  Kept() { api().cache = &cache; }
  // Whether it is there before it is asked for.
  bool known(const std::string& target) { return cache.find(request_for(target)) != nullptr; }
};

TEST(AnswerCache, TheSameIsAnsweredUntilSomebodyWrites) {
  Kept house;
  house.add("T-1");
  for (const char* target :
       {"tickets", "tickets?limit=1", "tickets/T-1", "runtimes", "pool", "events", "board/changes"}) {
    EXPECT_FALSE(house.known(target)) << target;
    const HttpAnswer made = house.ask("GET", target);
    EXPECT_EQ(made.status, 200) << target;
    const auto kept = house.cache.find(request_for(target));
    ASSERT_NE(kept, nullptr) << target;
    EXPECT_EQ(kept->body, made.body);
    EXPECT_EQ(kept->headers, made.headers);
  }
  EXPECT_TRUE(house.known("tickets"));
  EXPECT_FALSE(house.known("tickets?limit=2"));
  house.ask("PATCH", "tickets/T-1", R"({"priority": 5})");
  EXPECT_FALSE(house.known("tickets"));
  EXPECT_FALSE(house.known("events"));
  EXPECT_NE(house.ask("GET", "tickets").body.find("\"priority\":5"), std::string::npos);
}

TEST(AnswerCache, AnotherProcessCountsToo) {
  Kept house;
  house.add("T-1");
  house.ask("GET", "tickets/T-1");
  ASSERT_TRUE(house.known("tickets/T-1"));
  auto other = open_ledger(house.ledger().path(), LedgerMode::command_line).value();
  other->write(Note{{{"T-1"}, {1}}, "noted", "", ""}, {1000});
  EXPECT_FALSE(house.known("tickets/T-1"));
}

// Files, looks, the time and chance are in no ledger.
TEST(AnswerCache, WhatIsMadeOfMoreIsNotKept) {
  Kept house;
  house.add("T-1");
  house.attempt("T-1", holdfast::kit::Stage::running);
  for (const char* target : {"runtimes/T-1", "runtimes/T-1/screen", "health", "statistics", "plan", "doctor",
                             "tickets/T-1/explain"}) {
    house.ask("GET", target);
    EXPECT_FALSE(house.known(target)) << target;
  }
}

TEST(AnswerCache, HealthIsToldAtOnceWhereTheLedgerAnswersAtOnce) {
  Kept house;
  const auto at_once = answer_at_once(house.api(), request_for("health"));
  ASSERT_NE(at_once, nullptr);
  EXPECT_EQ(at_once->body, house.ask("GET", "health").body);
  AnswerCache unsure([] { return std::optional<std::int64_t>(); });
  house.api().cache = &unsure;
  EXPECT_EQ(answer_at_once(house.api(), request_for("health")), nullptr);
  EXPECT_EQ(house.ask("GET", "health").status, 200);
}

TEST(AnswerCache, RefusalsAndOtherMethodsAreNotKept) {
  Kept house;
  house.ask("GET", "tickets/T-9");
  EXPECT_FALSE(house.known("tickets/T-9"));
  house.ask("HEAD", "tickets");
  EXPECT_FALSE(house.known("tickets"));
  EXPECT_EQ(house.cache.find(request_for("tickets", "POST")), nullptr);
}

TEST(AnswerCache, AConditionIsAnotherQuestion) {
  Kept house;
  house.add("T-1");
  const HttpAnswer whole = house.ask("GET", "tickets/T-1");
  const std::string etag = whole.headers.at(0).second;
  HttpRequest conditional = request_for("tickets/T-1");
  conditional.headers["if-none-match"] = etag;
  EXPECT_EQ(house.cache.find(conditional), nullptr);
  EXPECT_EQ(house.ask("GET", "tickets/T-1", "", {{"if-none-match", etag}}).status, 304);
  EXPECT_EQ(house.cache.find(conditional)->status, 304);
  EXPECT_EQ(house.cache.find(request_for("tickets/T-1"))->status, 200);
}

// Somebody writes while it is made.
TEST(AnswerCache, WhatWasOvertakenIsNotFound) {
  std::int64_t changes = 1;
  AnswerCache cache([&] { return changes; });
  const HttpRequest request = request_for("tickets");
  const auto before = cache.before();
  changes = 2;
  cache.keep(request, before, {.body = "old"});
  EXPECT_EQ(cache.find(request), nullptr);
  cache.keep(request, cache.before(), {.body = "new"});
  EXPECT_EQ(cache.find(request)->body, "new");
  cache.keep(request, before, {.body = "old"});  // it took very long
  const auto found = cache.find(request);
  EXPECT_TRUE(found == nullptr || found->body == "new");
}

TEST(AnswerCache, WhereChangesCannotBeToldNothingIsFound) {
  std::optional<std::int64_t> changes = 1;
  AnswerCache cache([&] { return changes; });
  const HttpRequest request = request_for("tickets");
  cache.keep(request, cache.before(), {.body = "a"});
  changes.reset();
  EXPECT_EQ(cache.find(request), nullptr);
  cache.keep(request, cache.before(), {.body = "b"});
  changes = 1;
  EXPECT_EQ(cache.find(request)->body, "a");
}

TEST(AnswerCache, HoldsNoMoreThanItMay) {
  AnswerCache cache([] { return std::optional<std::int64_t>(1); });
  const auto at = [](int n) { return request_for("tickets?limit=" + std::to_string(n)); };
  cache.keep(at(0), 1, {.body = std::string(AnswerCache::answer_bytes_max, 'x')});
  EXPECT_EQ(cache.find(at(0)), nullptr);
  int kept = 0;
  for (int n = 1; n <= 100; ++n) {
    cache.keep(at(n), 1, {.body = std::string(1'000'000, 'x')});
    kept += cache.find(at(n)) != nullptr ? 1 : 0;
  }
  EXPECT_EQ(kept, 16);
}

// Writers and readers at once: an answer is never older than what its reader has already seen written.
TEST(AnswerCache, WhoHasWrittenReadsIt) {
  Kept house;
  house.add("T-1");
  std::atomic<bool> over = false;
  std::thread reader([&] {
    while (!over) {
      if (house.cache.find(request_for("tickets/T-1")) == nullptr) house.ask("GET", "tickets/T-1");
    }
  });
  for (int n = 1; n <= 200; ++n) {
    house.ask("PATCH", "tickets/T-1", R"({"priority": )" + std::to_string(n) + "}");
    const auto kept = house.cache.find(request_for("tickets/T-1"));
    const std::string body = kept ? kept->body : house.ask("GET", "tickets/T-1").body;
    EXPECT_NE(body.find("\"priority\":" + std::to_string(n) + ","), std::string::npos) << body;
  }
  over = true;
  reader.join();
}

}  // namespace
}  // namespace holdfast::server
