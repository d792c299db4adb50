// What a look tells over HTTP, what a terminal shows, and the actions that reach beyond the ledger.
#include <fstream>
#include <thread>

#include "dispatcher/core/names.h"
#include "dispatcher/server/screens.h"
#include "dispatcher/server/server_kit.h"

namespace holdfast::server {
namespace {

using holdfast::kit::Stage;
using kit::House;

std::string problem_code(const HttpAnswer& answer) {
  return Json::parse(answer.body).value("code", "");
}

// Ports of a world in which nothing is there.
struct Stillness final : Board, Terminal, Processes {
  Reply<BoardChanges> changes_after(std::int64_t cursor, int) override {
    return {{Transport::answered, 200, {}, {}}, {cursor, true, {}}};
  }
  Reply<BoardTicket> read(const TicketId&) override { return {{Transport::answered, 404, {}, {}}, {}}; }
  Reply<BoardTicket> move(const BoardMove&, Instant) override { return {}; }
  Reply<BoardTicket> return_to_todo(const DeathCertificate&, std::int64_t, const std::string&,
                                    Instant) override {
    return {};
  }
  Reply<Nothing> comment(const TicketId&, const std::string&, const std::string&, Instant) override {
    return {};
  }
  Reply<ServerIncarnation> start_server(int, Duration) override { return {}; }
  Reply<SpawnedPane> spawn(const SpawnOrder&, Duration) override { return {}; }
  Reply<ServerListing> list(int, Duration) override { return {{Transport::answered, 0, {}, {}}, {}}; }
  Reply<Nothing> end_session(const ServerIncarnation&, const SessionName&, const std::string&,
                             Duration) override {
    return {};
  }
  Reply<std::string> capture(const ServerIncarnation&, const std::string&, int, Duration) override {
    return {};
  }
  Reply<Nothing> notice(const ServerIncarnation&, const SessionName&, const std::string&, Duration) override {
    return {};
  }
  [[nodiscard]] std::vector<std::string> attach_command(int, const SessionName&) const override { return {}; }
  Reply<ProcessSighting> look(const Containment&, bool) override {
    return {{Transport::answered, 0, {}, {}}, {}};
  }
  Reply<Nothing> end_tree(const Containment&, EndSignal) override { return {}; }
};

struct Looking : House {
  Stillness still;
  World world{ledger(),
              still,
              still,
              api().records,
              still,
              worktrees,
              api().now,
              [] { return std::string("t"); },
              [](const AttemptId&) { return std::vector<std::string>{}; }};
  int looks = 0;
  Looking() {
    api().look = [this](bool with_worktrees) -> Taken<std::unique_ptr<LookAround>> {
      ++looks;
      auto look = std::make_unique<LookAround>(world, desk(), api().policy, Deadlines{});
      look->look(with_worktrees);
      return look;
    };
  }
};

TEST(LookRoutes, PlanExplainAndDoctorTellWhatALookSaw) {
  Looking house;
  house.add("T-1");
  house.attempt("T-1", Stage::running);
  const Json plan = house.json("GET", "plan?live=yes");
  ASSERT_EQ(plan["plans"].size(), 1U) << plan.dump(1);
  EXPECT_EQ(plan["plans"][0]["runtime"], "T-1-g1");
  EXPECT_EQ(plan["plans"][0]["verdict"], "unknown") << "nothing of it was to be seen";
  const Json explained = house.json("GET", "tickets/T-1/explain");
  EXPECT_EQ(explained["runtime"], "T-1-g1");
  EXPECT_EQ(explained["evidence"]["tmux"]["says"], "unknown");
  EXPECT_FALSE(explained["rule"].get<std::string>().empty());
  EXPECT_EQ(problem_code(house.ask("GET", "tickets/T-9/explain")), "no_such_ticket");
  const Json found = house.json("GET", "doctor");
  bool drift = false;
  for (const Json& one : found["findings"]) drift = drift || one["about"] == "T-1-g1";
  EXPECT_TRUE(drift) << found.dump(1);
  EXPECT_EQ(house.looks, 4);
}

// A second one does not wait: it gets what was seen last, or is told to come again.
TEST(LookRoutes, OneLookAtATime) {
  Looking house;
  std::vector<HttpAnswer> during;
  int looks = 0;
  const auto look = house.api().look;
  house.api().look = [&](bool with_worktrees) {
    if (++looks <= 2) std::thread([&] { during.push_back(house.ask("GET", "plan")); }).join();
    return look(with_worktrees);
  };
  const std::string first = house.ask("GET", "plan").body;
  house.ask("GET", "plan");
  ASSERT_EQ(during.size(), 2U);
  EXPECT_EQ(during[0].status, 503);
  EXPECT_EQ(during[1].body, first);
}

TEST(LookRoutes, WithoutAWorldTheySaySo) {
  House house;
  for (const char* path : {"plan", "doctor", "tickets/T-1/explain"})
    EXPECT_EQ(problem_code(house.ask("GET", path)), "not_here") << path;
  EXPECT_EQ(house.ask("GET", "plan?all=perhaps").status, 422);
}

TEST(LookRoutes, StatisticsGrowWithTheLedger) {
  House house;
  house.add("T-1");
  house.attempt("T-1", Stage::running);
  EXPECT_EQ(house.json("GET", "statistics?hours=1")["hours"][0]["claimed"], 1);
  house.add("T-2");
  house.attempt("T-2", Stage::closed);
  const Json counted = house.json("GET", "statistics?hours=1");
  EXPECT_EQ(counted["hours"][0]["claimed"], 2);
  EXPECT_EQ(counted["hours"][0]["todo"], 1);
  EXPECT_EQ(counted["deaths"].value("exit_code", 0), 1);
  EXPECT_EQ(house.ask("GET", "statistics?hours=100000").status, 422);
}

void write_stream(const House& house, const std::string& runtime, const std::string& bytes) {
  const std::filesystem::path folder = house.records_folder() + "/" + runtime;
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "stream", std::ios::binary | std::ios::app) << bytes;
}

TEST(LookRoutes, AScreenIsPlainText) {
  House house;
  house.add("T-1");
  house.attempt("T-1", Stage::running);
  EXPECT_EQ(house.json("GET", "runtimes/T-1/screen")["lines"].size(), 0U);
  write_stream(house, "T-1-g1", "one\r\n\x1b[31m<b>two</b>\x1b[0m\r\n10 %\r20 %\xE2\x80\xAE\r\n");
  const Json screen = house.json("GET", "runtimes/T-1-g1/screen");
  EXPECT_EQ(screen["lines"], (Json{"one", "<b>two</b>", "20 %"}));
  EXPECT_EQ(house.json("GET", "runtimes/T-1/screen?lines=1")["lines"], (Json{"20 %"}));
  EXPECT_EQ(house.ask("GET", "runtimes/T-9/screen").status, 404);

  DrawnScreens drawn;
  draw_screens(house.api(), drawn);
  ASSERT_EQ(drawn.size(), 1U);
  EXPECT_NE(drawn["T-1-g1"].text.find("20 %"), std::string::npos);
  drawn["T-1-g1"].text = "kept";
  draw_screens(house.api(), drawn);
  EXPECT_EQ(drawn["T-1-g1"].text, "kept") << "nothing was written: it is not drawn again";
  write_stream(house, "T-1-g1", "more\r\n");
  draw_screens(house.api(), drawn);
  EXPECT_NE(drawn["T-1-g1"].text.find("more"), std::string::npos);
}

TEST(LookRoutes, AnInterruptIsAKeyAndIsOnRecord) {
  House house;
  house.add("T-1");
  EXPECT_EQ(problem_code(house.ask("POST", "runtimes/T-1/interrupt", "{}")), "no_such_runtime");
  house.attempt("T-1", Stage::running);
  EXPECT_EQ(house.ask("POST", "runtimes/T-1/interrupt", R"({"key": "q"})").status, 422);
  EXPECT_TRUE(house.pressed.empty());
  const std::map<std::string, std::string> key{{"idempotency-key", "press-1"}, {"holdfast-by", "alice"}};
  EXPECT_EQ(house.ask("POST", "runtimes/T-1/interrupt", R"({"key": "Escape"})", key).status, 200);
  EXPECT_EQ(house.ask("POST", "runtimes/T-1/interrupt", R"({"key": "Escape"})", key).status, 200);
  EXPECT_EQ(house.pressed, std::vector<std::string>{"Escape"}) << "with its key it is pressed once";
  const Json events = house.json("GET", "events?ticket=T-1");
  EXPECT_EQ(events["events"].back()["kind"], "interrupted");
  EXPECT_EQ(events["events"].back()["cause"], "alice");
}

struct InReview : House {
  InReview() {
    add("T-1");
    attempt("T-1", Stage::closed);
    EXPECT_EQ(ask("POST", "tickets/T-1/move", R"({"state": "in_review"})").status, 200);
    worktrees.facts.tip = {"abcdef0123456789"};
    worktrees.facts.commits = 2;
    worktrees.facts.has_commits = Tri::yes;
    worktrees.facts.ancestor_of_target = worktrees.facts.equal_patch_on_target = Tri::no;
    worktrees.facts.stranded_known = Tri::yes;
    worktrees.facts_after_landing = worktrees.facts;
    worktrees.facts_after_landing.ancestor_of_target = Tri::yes;
    worktrees.landing.answer = LandAnswer::landed;
  }
  std::string state() { return json("GET", "tickets/T-1")["state"]; }
};

TEST(LookRoutes, AnApprovedTicketIsLandedAndDone) {
  InReview house;
  const HttpAnswer approved =
      house.ask("POST", "tickets/T-1/approve", R"({"reason": "read it"})", {{"holdfast-by", "alice"}});
  ASSERT_EQ(approved.status, 200) << approved.body;
  EXPECT_EQ(house.state(), "done");
  ASSERT_EQ(house.worktrees.landed.size(), 1U);
  EXPECT_EQ(house.worktrees.landed[0].tip.value, "abcdef0123456789") << "exactly what was seen";
  const std::string reason = house.json("GET", "tickets/T-1")["reason"];
  EXPECT_NE(reason.find("approved by alice: read it"), std::string::npos) << reason;
  EXPECT_EQ(problem_code(house.ask("POST", "tickets/T-1/approve", "{}")), "not_in_review");
}

// It could not be landed by itself, and a person has resolved it since.
TEST(LookRoutes, AFinishedOneThatIsBlockedIsApprovedAndNoOther) {
  InReview house;  // T-1 was lost without a word
  EXPECT_EQ(house.ask("POST", "tickets/T-1/move", R"({"state": "blocked"})").status, 200);
  EXPECT_EQ(problem_code(house.ask("POST", "tickets/T-1/approve", "{}")), "not_in_review");
  house.add("T-2");
  house.write(holdfast::kit::close_of(house.attempt("T-2", Stage::finished_dead)));
  EXPECT_EQ(house.ask("POST", "tickets/T-2/move", R"({"state": "blocked"})").status, 200);
  const HttpAnswer approved = house.ask("POST", "tickets/T-2/approve", "{}");
  EXPECT_EQ(approved.status, 200) << approved.body;
  EXPECT_EQ(house.json("GET", "tickets/T-2")["state"], "done");
}

// One landing at a time; who comes during it is not in doubt, and may come again with its key.
TEST(LookRoutes, ASecondLandingIsToldToComeAgain) {
  InReview house;
  const std::map<std::string, std::string> key{{"idempotency-key", "approve-1"}};
  HttpAnswer during;
  {
    const std::scoped_lock landing(house.api().memory->landing);
    std::thread([&] { during = house.ask("POST", "tickets/T-1/approve", "{}", key); }).join();
  }
  EXPECT_EQ(during.status, 503);
  EXPECT_EQ(problem_code(during), "busy");
  EXPECT_EQ(house.ask("POST", "tickets/T-1/approve", "{}", key).status, 200);
  EXPECT_EQ(house.state(), "done");
}

TEST(LookRoutes, WhatCannotBeLandedStaysInReview) {
  const struct {
    LandAnswer answer;
    const char* code;
  } cases[] = {{LandAnswer::conflict, "land_conflict"},
               {LandAnswer::check_failed, "check_failed"},
               {LandAnswer::parked, "ready_to_land"},
               {LandAnswer::moved, "target_moved"}};
  for (const auto& c : cases) {
    InReview house;
    house.worktrees.landing = {c.answer, {}, "CONFLICT in a.txt", "git merge holdfast/landed"};
    const HttpAnswer refused = house.ask("POST", "tickets/T-1/approve", "{}");
    EXPECT_EQ(refused.status, 409);
    EXPECT_EQ(problem_code(refused), c.code);
    EXPECT_EQ(house.state(), "in_review") << c.code;
  }
}

// The target had moved, and then the ticket was not done.
TEST(LookRoutes, WhatIsStrandedOrUnsavedIsSaidBeforeAnythingIsLanded) {
  InReview house;
  house.worktrees.facts.stranded = {{"refs/heads/hf/T-1-old-g0", {"1"}, 1}};
  EXPECT_EQ(problem_code(house.ask("POST", "tickets/T-1/approve", "{}")), "stranded");
  EXPECT_TRUE(house.worktrees.landed.empty());
  house.worktrees.facts.stranded.clear();
  Slot apart = holdfast::kit::free_slot(9);
  apart.state = SlotState::quarantined;
  apart.holder = {{"T-1"}, {1}};
  house.write(StoreSlot{apart});
  EXPECT_EQ(problem_code(house.ask("POST", "tickets/T-1/approve", "{}")), "unsaved");
  EXPECT_TRUE(house.worktrees.landed.empty());
  EXPECT_EQ(house.state(), "in_review");
}

TEST(LookRoutes, WhatCannotBeSeenOrIsStrandedIsNotApproved) {
  InReview house;
  house.worktrees.facts.stranded_known = Tri::unknown;
  EXPECT_EQ(problem_code(house.ask("POST", "tickets/T-1/approve", "{}")), "not_known");
  house.worktrees.facts.stranded_known = Tri::yes;
  house.worktrees.facts_after_landing.stranded = {{"refs/heads/hf/T-1-old-g0", {"1"}, 1}};
  EXPECT_EQ(problem_code(house.ask("POST", "tickets/T-1/approve", "{}")), "stranded");
  EXPECT_EQ(house.state(), "in_review");
  EXPECT_EQ(problem_code(house.ask("POST", "tickets/T-1/approve", "{}", {{"if-match", "\"1\""}})),
            "version_conflict");
}

}  // namespace
}  // namespace holdfast::server
